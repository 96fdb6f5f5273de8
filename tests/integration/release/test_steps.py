"""The part in C as it is compiled for users: what its compiler made of code that was written not to branch on a key."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.lanes import compile_program, why_no_lanes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_no_lanes() is not None, reason=str(why_no_lanes()))]


def test_the_way_through_the_code_is_the_same_for_every_key(tmp_path: Path) -> None:
    """Every instruction is an interruption here, which takes a minute on a virtual machine."""
    program = compile_program("steps.c", tmp_path / "steps", "-O3")
    done = subprocess.run([program], check=True, capture_output=True, text=True, timeout=280)
    steps, different_ways = map(int, done.stdout.split())
    assert steps > 100_000
    assert different_ways == 1
