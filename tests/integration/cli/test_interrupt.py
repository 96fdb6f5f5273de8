"""Ctrl-C while a notification is being sent, on a real terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.terminal import PATIENCE, Terminal, slow_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("data")
    with slow_demo(data):
        yield data


@pytest.fixture
def sending(demo: Path) -> Iterator[Terminal]:
    # Each test says the same to everybody again.
    words = ("--title", "Fresh fish", "--to", "all", "--yes", "--confirm-volume")
    terminal = Terminal("send", *words, "--data", str(demo))
    try:
        # On a busy machine the message before may have found devices of the demo that are gone.
        terminal.until_match(re.compile("of (1\u2009000|9[0-9]{2})"))
        terminal.keys("\x03")
        terminal.until("Cancel what has not been sent yet?")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.slow
def test_one_ctrl_c_at_the_question_sends_nothing(demo: Path) -> None:
    terminal = Terminal("send", "--title", "Fresh fish", "--to", "all", "--data", str(demo))
    try:
        terminal.until("[y/N]")
        terminal.keys("\x03")
        terminal.until("Nothing was done.")
        assert terminal.process.wait(PATIENCE) == 1
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_yes_cancels_the_rest_and_shows_how_far_it_got(sending: Terminal) -> None:
    sending.keys("y\n")
    sending.until("Cancelled after")
    assert sending.process.wait(PATIENCE) == 1


@pytest.mark.slow
def test_a_no_leaves_it_going_and_says_how_to_stop_it(sending: Terminal) -> None:
    sending.keys("n\n")
    sending.until("/cancel")
    assert "goes on" in sending.shown
    assert sending.process.wait(PATIENCE) == 1
