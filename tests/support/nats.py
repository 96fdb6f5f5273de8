"""A real NATS server, killed, emptied and started again as a test likes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds within which it takes connections."""


class NatsServer:
    """One server on a port of its own; `url` is where it is, running or not."""

    def __init__(self, folder: Path, *options: str) -> None:
        found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if found is None:
            pytest.skip("nats-server is not installed here (its wheel is for Linux)")
        self._program = found
        self._options = options
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        log = self._folder / "nats.log"
        command = [self._program, "-a", "127.0.0.1", "-p", str(self._port), "-l", str(log), *self._options]
        self._process = subprocess.Popen(command)
        until = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, log.read_text()
            try:
                with socket.create_connection(("127.0.0.1", self._port), 1):
                    return
            except OSError:
                assert time.monotonic() < until, "nats-server takes no connection"
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill it, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
