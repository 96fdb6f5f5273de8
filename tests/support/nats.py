"""A real NATS server, killed, emptied and started again as a test likes."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds within which it takes connections."""

_numbers = itertools.count(4222)


def _host() -> str:
    """Give this process a loopback address of its own.

    A port that was free a moment ago may be anybody's while a server is away: another test's server, or the near end of
    any connection on this machine. On an address of our own nobody else is.
    """
    number = os.getpid()
    return f"127.{64 + (number >> 16) % 64}.{(number >> 8) % 256}.{number % 256}"


class NatsServer:
    """One server at a place that is nobody else's; `url` is where it is, running or not."""

    def __init__(self, folder: Path, *options: str) -> None:
        found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if found is None:
            pytest.skip("nats-server is not installed here (its wheel is for Linux)")
        self._program = found
        self._options = options
        self._log = folder / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.host = _host()
        self._port = next(_numbers)
        self._name = f"{os.getpid()}-{self._port}"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"nats://{self.host}:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        command = [self._program, "-a", self.host, "-p", str(self._port), "-n", self._name, "-l", str(self._log)]
        self._process = subprocess.Popen([*command, *self._options])
        until = time.monotonic() + PATIENCE
        while not self._greets():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < until, "nats-server takes no connection"
            time.sleep(0.02)

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.host, self._port), 1) as line, line.makefile("rb") as said:
                greeting = said.readline()
        except OSError:
            return False
        assert json.loads(greeting.removeprefix(b"INFO "))["server_name"] == self._name, "another server is here"
        return True

    def log(self) -> str:
        """Give what it said; with `-V` all that it was told and answered."""
        return self._log.read_text()

    def freeze(self) -> None:
        """Stop it where it is: its connections stay, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
