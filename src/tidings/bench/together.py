"""Runs processes of somebody else's program side by side: all begin at once, and what they say is checked."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tidings.bench.sink import Sink

READY = "ready"
"""What a process says when it could begin."""


class PeerMissing(Exception):
    """A peer cannot be run here, or did not do what was asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a peer. It says `ready`, waits for a line, sends, and says in JSON what was taken and its CPU."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What all processes did together: messages, CPU seconds of them all, seconds from their start to the last end."""

    messages: int
    cpu: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Process:
    running: subprocess.Popen[str]
    errors: IO[str]

    def line(self) -> str:
        """Give the next line that it says; raises PeerMissing where it ended without one."""
        assert self.running.stdout is not None
        said = self.running.stdout.readline().strip()
        if said:
            return said
        self.running.wait()
        self.errors.seek(0)
        raise PeerMissing(
            self.errors.read().strip()[-300:] or f"it ended with {self.running.returncode}, without a word"
        )

    def await_ready(self) -> None:
        """Wait until it has loaded and sent its first messages."""
        if (said := self.line()) != READY:
            raise PeerMissing(f"it said {said[:100]!r} instead of {READY!r}")

    def begin(self) -> None:
        """Let it go; one that has ended meanwhile says so when its line is read."""
        assert self.running.stdin is not None
        with suppress(BrokenPipeError):
            os.write(self.running.stdin.fileno(), b"\n")


def run_together(program: Program, shares: Sequence[Sequence[str]], *, messages: int, sink: Sink) -> Work:
    """Run one process for each share, which is its arguments; each sends so many messages.

    Raises PeerMissing unless the sink took them all, by its own count and by theirs.
    Starting, loading and the first messages are not counted: the clock runs from when the last of them was ready.
    """
    total = messages * len(shares)
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(program, share)) for share in shares]
        for process in processes:
            process.await_ready()
        before = sink.requests()
        begun = time.perf_counter()
        for process in processes:
            process.begin()
        said: list[dict[str, Any]] = [json.loads(process.line()) for process in processes]
        seconds = time.perf_counter() - begun
        counted = sink.requests() - before - 1
    accepted = sum(one["accepted"] for one in said)
    if not accepted == counted == total:
        raise PeerMissing(f"of {total} messages {accepted} were taken by its own count and {counted} by the sink's")
    return Work(total, cpu=sum(one["cpu"] for one in said), seconds=seconds)


@contextmanager
def _started(program: Program, share: Sequence[str]) -> Iterator[_Process]:
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603 - a peer's own code, found by `script`
            [*program.command, *share],
            cwd=program.folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as running,
    ):
        try:
            yield _Process(running, errors)
        except BaseException:
            running.kill()  # the others of one that failed would wait for their start for ever
            raise
