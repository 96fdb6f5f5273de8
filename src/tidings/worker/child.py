"""One sender process as its worker sees it: the pipe to it, and the chunks that it has."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import Outcome, unsent
from tidings.pipeline.deliver import Chunk, Parcel, Recall
from tidings.worker.sender import GROUP_STOPS, LENGTH, SenderOptions
from tidings.worker.wire import Garbled, Told, bytes_from_chunk, report_from

LONGEST_REPORT = 1 << 24
"""Bytes; a sender has a few hundred outcomes to tell at most."""


@dataclass(eq=False, slots=True)
class Job:
    """A chunk under way, and the outcomes that its parcels have by now, by subscription."""

    chunk: Chunk
    policy: InDoubtPolicy
    done: asyncio.Future[None]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    attempts: int = 0
    recalled: bool = False
    doubtful: set[int] = field(default_factory=set)
    """To whom a sender that died may have sent it."""

    @property
    def complete(self) -> bool:
        """Say whether every parcel has its outcome."""
        return len(self.outcomes) >= len(self.chunk.parcels)

    def open(self) -> tuple[Parcel, ...]:
        """Give the parcels that have none."""
        if not self.outcomes:
            return self.chunk.parcels
        return tuple(parcel for parcel in self.chunk.parcels if parcel.subscription_id not in self.outcomes)

    def cleared(self) -> bool:
        """Forget outcomes of whoever is not in the chunk; say whether there were any."""
        strays = self.outcomes.keys() - {parcel.subscription_id for parcel in self.chunk.parcels}
        for stray in strays:
            del self.outcomes[stray]
        return bool(strays)

    def answer_rest(self, outcome: Outcome) -> None:
        """Give all those the same outcome, and be done."""
        self.outcomes.update({parcel.subscription_id: outcome for parcel in self.open()})
        self.end()

    def lost(self) -> None:
        """Note that the sender which had the chunk has died: whatever it had not told may have left."""
        self.attempts += 1
        self.doubtful.update(parcel.subscription_id for parcel in self.open())

    def result(self) -> dict[int, Outcome]:
        """Give the outcomes, without that of who came back unsent from one sender, and may have had it from another."""
        if not self.doubtful:
            return self.outcomes
        known = self.outcomes.items()
        return {one: outcome for one, outcome in known if one not in self.doubtful or not unsent(outcome)}

    def end(self) -> None:
        """Be done: whoever waits gets the outcomes that there are."""
        if not self.done.done():
            self.done.set_result(None)


class SenderProcess:
    """One child process and the pipe to it."""

    def __init__(self, options: SenderOptions, *, threads: Executor) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            with _held_back(GROUP_STOPS):
                self.process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
                    [sys.executable, "-m", "tidings.worker.sender", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env=_without_secrets(os.environ),
                )
            self._inbox = bytearray()
            self._incoming = ours.dup()
            self.pipe = Connection(ours.detach())
        self.started = time.monotonic()
        self.jobs: dict[int, Job] = {}
        self.silent = 0
        """Looks in a row at which it had messages and had said nothing since the one before."""
        self._writing = asyncio.Lock()
        self._open = threading.Lock()
        self._threads = threads
        self._options = options

    async def begin(self) -> None:
        """Tell the process its options."""
        await self._write(pickle.dumps(self._options, protocol=pickle.HIGHEST_PROTOCOL))

    async def write(self, chunk: Chunk) -> None:
        """Hand over a chunk; raises OSError when the process is gone."""
        await self._write(bytes_from_chunk(chunk))

    async def recall(self, recall: Recall) -> None:
        """Take chunks back; raises OSError when the process is gone."""
        await self._write(pickle.dumps(recall, protocol=pickle.HIGHEST_PROTOCOL))

    def received(self) -> list[Told]:
        """Give the outcomes that have come whole, without waiting for the rest.

        Raises EOFError or OSError at the end; Garbled, an OSError, if the process has said what no sender says.
        """
        data = self._incoming.recv(1 << 18, socket.MSG_DONTWAIT)
        if not data:
            raise EOFError
        self._inbox += data
        self.silent = 0
        outcomes: list[Told] = []
        while len(self._inbox) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._inbox)[0]
            if end > LONGEST_REPORT:
                raise Garbled(f"a sender announces a report of {end} bytes")
            if len(self._inbox) < end:
                break
            outcomes += report_from(self._inbox[LENGTH.size : end])
            del self._inbox[:end]
        return outcomes

    async def _write(self, data: bytes) -> None:
        """Write a message to its end, also where nobody waits for that any more: half of one would spoil the next."""
        await asyncio.shield(self._written(data))

    async def _written(self, data: bytes) -> None:
        message = memoryview(LENGTH.pack(len(data)) + data)
        async with self._writing:
            rest = message[self._sent_at_once(message) :]
            if rest:
                # The pipe is full while the process encrypts: the loop must not wait for that.
                try:
                    writing = asyncio.get_running_loop().run_in_executor(self._threads, self._send, rest)
                except RuntimeError as refused:  # no thread is to be had: what comes next would be taken for the rest
                    self.process.kill()
                    raise BrokenPipeError(str(refused)) from refused
                await writing

    def _sent_at_once(self, message: memoryview) -> int:
        """Send what the pipe has room for, which is nearly always all; give how many bytes that was."""
        try:
            return self._incoming.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _send(self, rest: memoryview) -> None:
        while rest:
            with self._open:
                rest = rest[os.write(self.pipe.fileno(), rest) :]

    def end(self) -> None:
        """Close the pipe, which ends the process, and wait for it; kill it if it does not listen."""
        with suppress(OSError):
            self._incoming.shutdown(socket.SHUT_RDWR)  # whoever writes is told so
        with self._open:  # and has left: its descriptor could be another file's a moment later
            self._incoming.close()
            self.pipe.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def _held_back(signals: frozenset[signal.Signals]) -> Iterator[None]:
    """Block signals in this thread: a process started here is born with them blocked, and so misses none of them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out our settings and a collector's: senders talk to strangers, and no key or password is theirs to know."""
    return {name: value for name, value in environ.items() if not name.startswith(("TIDINGS_", "OTEL_"))}
