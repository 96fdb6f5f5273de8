"""A command on a terminal of its own, as somebody sits before it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

TIDINGS = [sys.executable, "-c", "from tidings.cli.main import run; run()"]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")},
    "TIDINGS_SENDERS": "1",
    "TERM": "xterm",
    "NO_COLOR": "1",
}
PATIENCE = 60.0


class Terminal:
    """A command on a terminal of its own: what it showed, and the keys it is sent."""

    def __init__(self, *arguments: str) -> None:
        self._near, far = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*TIDINGS, *arguments],
            stdin=far,
            stdout=far,
            stderr=far,
            env=ENVIRONMENT,
            start_new_session=True,
            preexec_fn=lambda: _own(far),
        )
        os.close(far)

    def until(self, words: str) -> None:
        self.until_match(re.compile(re.escape(words)))

    def until_match(self, pattern: re.Pattern[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not pattern.search(self.shown):
            if not select.select([self._near], [], [], max(0.0, deadline - time.monotonic()))[0]:
                pytest.fail(f"{pattern.pattern!r} did not come: {self.shown}")
            try:
                self.shown += os.read(self._near, 4096).decode(errors="replace")
            except OSError:
                pytest.fail(f"It ended without {pattern.pattern!r}: {self.shown}")

    def keys(self, text: str) -> None:
        os.write(self._near, text.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._near)


def _own(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


@contextmanager
def slow_demo(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Run a demo whose push service takes three seconds for every answer."""
    command = [*TIDINGS, "up", "--demo", "--data", str(data), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        slow = {"kind": "slow", "times": 100_000, "seconds": 3}
        httpx2.post(f"{ready['control']}/faults", json=slow, trust_env=False).raise_for_status()
        yield process, ready
        process.terminate()
