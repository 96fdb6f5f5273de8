"""A flood of wrong sign-ins keeps nobody else waiting: compared with as many harmless requests, not with the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[3] / "bench" / "sign_in.py"
SECONDS = "1.5"

MOST = 10.0
"""Times as long as beside harmless ones: a real run shows 1.1 to 1.4. Passwords on the loop would show far more."""

TRIES = 3
"""Other programs of a busy machine make one measurement slow; what is wrong with us makes every one slow."""


def measured() -> dict[str, Any]:
    run = subprocess.run([sys.executable, BENCH, SECONDS], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_fifty_wrong_sign_ins_a_second_harm_nobody_elses_requests() -> None:
    seen = []
    for _ in range(TRIES):
        found = measured()
        statuses = found["statuses"]
        # The flood was there, and it was looked at as far as there was time for it.
        for kind in ("from_one", "from_everywhere"):
            assert set(statuses[kind]) <= {"401", "429", "503"}, statuses
            assert statuses[kind]["401"] > 0
        assert set(statuses["harmless"]) == {"200"}
        for kind, whole in found["members"].items():
            for one in whole:
                assert all(name.endswith(" 201") for name in one["statuses"]), (kind, one)
        seen.append(
            {(kind, path): times for kind, each in found["to_harmless"].items() for path, times in each.items()}
        )
        if max(seen[-1].values()) < MOST:
            return
    raise AssertionError(f"others waited longer than {MOST} times as long, in {TRIES} of {TRIES} tries: {seen}")
