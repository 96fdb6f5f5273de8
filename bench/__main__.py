"""Measure everything, print a table, write results: `python -m bench [--quick]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.campaign import measure_campaign
from bench.encrypt import measure_encryption

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run both measurements."""
    options = argparse.ArgumentParser(prog="bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
    quick = options.parse_args().quick
    console = Console()
    encryption = measure_encryption(rounds=300 if quick else 3_000)
    campaign = asyncio.run(measure_campaign(subscribers=500 if quick else 5_000))
    table = Table("What", "µs a message", "times the floor", box=None)
    floor = encryption["floor"]
    for name, cost in {**encryption, **campaign["cpu"]}.items():
        table.add_row(name, f"{cost:.0f}", f"{cost / floor:.2f}")
    console.print(table)
    console.print(
        f"A campaign to {campaign['subscribers']} simulated subscribers: {campaign['rate']:.0f} messages a second."
    )
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        now = datetime.now(UTC)
        result = {
            "at": now.isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "arch": platform.machine()},
            "microseconds": {**encryption, **campaign["cpu"]},
            "rate": campaign["rate"],
        }
        (RESULTS / f"{now:%Y-%m-%d}.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
