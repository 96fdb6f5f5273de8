"""The examples' servers, started before there is what they need: one sentence says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.instance import free_port

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(one.parent.name for one in EXAMPLES.glob("*/server.py"))


def said(name: str, **environment: str) -> str:
    """Start an example that cannot go on; give all it says."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TIDINGS_")}
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / name / "server.py")],
        env={**kept, "PORT": "0", "no_proxy": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_without_its_variables_an_example_says_which_one_to_set(name: str) -> None:
    assert said(name) == "Set TIDINGS_KEY first; the README.md beside this file says how.\n"


@pytest.mark.parametrize("name", NAMES)
def test_without_tidings_an_example_says_to_start_it(name: str) -> None:
    place = f"http://127.0.0.1:{free_port()}"
    (sentence,) = said(name, TIDINGS_KEY="k", TIDINGS_SECRET="s", TIDINGS_URL=place).splitlines()
    assert sentence.startswith(place)
    assert "start `tidings up`" in sentence
