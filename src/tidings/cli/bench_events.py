"""`tidings bench events`: what an event costs, and that triggers of other types cost it nothing."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.bench_out import Out, keep
from tidings.cli.options import Call
from tidings.cli.output import number


def events(
    call: Call,
    count: Annotated[int, typer.Option("--events", min=100, help="Events to take in and ask about.")] = 2_000,
    triggers: Annotated[int, typer.Option("--triggers", min=10, max=1_000, help="Triggers of the App.")] = 1_000,
    out: Out = None,
) -> None:
    """Take events in and ask their triggers: of an App with ten triggers, and of one with many."""
    from tidings.bench.events import measure_events

    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as name:
        found = measure_events(folder=Path(name), events=count, triggers=triggers)
    document = asdict(found)
    keep(document, at=out, out=call.out)
    call.out.table(
        ("What", ">triggers of the App", ">CPU, µs an event", ">events a second"),
        [(one.what, number(one.triggers), f"{one.cpu:.0f}", number(one.rate)) for one in found.paces],
    )
