"""The server is killed while a notification is on its way: what commands say of it, and of what it left."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.terminal import ENVIRONMENT, PATIENCE, TIDINGS, Terminal, slow_demo

pytestmark = pytest.mark.slow


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TIDINGS, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE)


def test_who_follows_what_is_sent_hears_of_a_pause_and_that_it_goes_on_after_a_crash(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with slow_demo(tmp_path) as (server, ready):
        assert (ready["waiting"], ready["paused"]) == (0, False)
        terminal = Terminal("send", "--title", "Fresh fish", "--to", "all", "--yes", *data)
        try:
            terminal.until("sending")
            assert ran("pause", *data).returncode == 0
            terminal.until("all sending is paused")
            server.kill()
            server.wait()
            terminal.until("do not send it again")
            assert re.search(r"ntf_\w+ was on its way", terminal.shown)
            assert terminal.process.wait(PATIENCE) == 1
        finally:
            terminal.close()
    looked = ran("doctor", "--offline", "--data", str(tmp_path / "demo"))
    assert "none is running" in looked.stdout, "a sign of life of the one that was killed is no worker"
    assert looked.returncode == 1

    with slow_demo(tmp_path) as (_, ready):
        assert ready["waiting"] > 0
        assert ready["paused"] is True
        assert "nothing is late" in ran("doctor", "--offline", *data).stdout


def test_a_cancel_that_nobody_answers_is_said_to_be_unsure_and_how_to_make_sure(tmp_path: Path) -> None:
    with slow_demo(tmp_path) as (server, _):
        terminal = Terminal("send", "--title", "Fresh fish", "--to", "all", "--yes", "--data", str(tmp_path))
        try:
            terminal.until("sending")
            terminal.keys("\x03")
            terminal.until("Cancel what has not been sent yet?")
            server.kill()
            server.wait()
            terminal.keys("y\n")
            terminal.until_match(re.compile(r"make sure then with:\s+tidings notifications\s+cancel\s+ntf_"))
            assert terminal.process.wait(PATIENCE) == 1
        finally:
            terminal.close()
