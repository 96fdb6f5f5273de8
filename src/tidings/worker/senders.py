"""The pool of sender processes: chunks are handed out, outcomes collected, and a process that dies is replaced."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, count
from multiprocessing.connection import Connection

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import Outcome, Unavailable
from tidings.lib.log import Logger
from tidings.pipeline.deliver import Chunk, Parcel, Settled
from tidings.worker.sender import GROUP_STOPS, LENGTH, SenderOptions
from tidings.worker.signs import Event, Meters

QUEUED = 2
"""Chunks a sender holds: one on its way, one that follows without a gap."""

MOST_ATTEMPTS = 3
"""Senders that may die over one chunk before its rest is put off: something in it may be what kills them."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds before another process is started, doubled each time that none could be started or one died young."""

YOUNG = 5.0
"""Seconds a process lives at least if it is well."""

log = Logger(__name__)


@dataclass(eq=False, slots=True)
class _Job:
    """A chunk under way: which parcels have no outcome yet, and those that have."""

    chunk: Chunk
    policy: InDoubtPolicy
    open: dict[int, Parcel]
    done: asyncio.Future[None]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    attempts: int = 0


class SenderProcess:
    """One child process and the pipe to it."""

    def __init__(self, options: SenderOptions) -> None:
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
        self.jobs: dict[int, _Job] = {}
        self._writing = asyncio.Lock()
        self._options = options

    async def begin(self) -> None:
        """Tell the process its options."""
        await self._write(self._options)

    async def write(self, chunk: Chunk) -> None:
        """Hand over a chunk; raises OSError when the process is gone."""
        await self._write(chunk)

    def received(self) -> list[list[Settled]]:
        """Give what has come whole, without waiting for the rest; raises EOFError or OSError at the end."""
        data = self._incoming.recv(1 << 18, socket.MSG_DONTWAIT)
        if not data:
            raise EOFError
        self._inbox += data
        messages = []
        while len(self._inbox) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._inbox)[0]
            if len(self._inbox) < end:
                break
            messages.append(pickle.loads(self._inbox[LENGTH.size : end]))  # noqa: S301 - our own child wrote it
            del self._inbox[:end]
        return messages

    async def _write(self, value: object) -> None:
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        async with self._writing:
            # The pipe may be full while the process encrypts: the loop must not wait for that.
            await asyncio.to_thread(self.pipe.send_bytes, data)

    def end(self) -> None:
        """Close the pipe, which ends the process, and wait for it; kill it if it does not listen."""
        with suppress(OSError):
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
    """Leave out our settings: senders talk to strangers; key ring and database password are not theirs to know."""
    return {name: value for name, value in environ.items() if not name.startswith("TIDINGS_")}


class SenderPool:
    """N sender processes behind one method."""

    def __init__(self, *, size: int, options: SenderOptions, meters: Meters) -> None:
        self._size = size
        self._meters = meters
        self._options = replace(options, share=1 / size)
        self._senders: list[SenderProcess] = []
        self._numbers = count(1)
        self._slots = asyncio.Semaphore(size * QUEUED)
        self._closing = False
        self._in_a_row = 0
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        """The process ids of the senders that are alive."""
        return [sender.process.pid for sender in self._senders]

    async def start(self) -> None:
        """Start the processes; they load in the background."""
        for _ in range(self._size):
            await self._start_one()

    async def _start_one(self) -> None:
        sender = SenderProcess(self._options)
        try:
            await sender.begin()
        except (OSError, asyncio.CancelledError):
            sender.process.kill()
            sender.end()
            raise
        self._senders.append(sender)
        asyncio.get_running_loop().add_reader(sender.pipe.fileno(), self._readable, sender)

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        """Send a chunk; give the outcome of each parcel by subscription id.

        When a sender dies, the parcels without an outcome go to another one under RESEND, and are missing from the
        result under SKIP. An urgent chunk does not wait until a sender has done another.
        """
        async with nullcontext() if urgent else self._slots:
            numbered = replace(chunk, number=next(self._numbers))
            job = _Job(
                chunk=numbered,
                policy=policy,
                open={parcel.subscription_id: parcel for parcel in numbered.parcels},
                done=asyncio.get_running_loop().create_future(),
            )
            if job.open:
                await self._hand_out(job)
                await job.done
            return job.outcomes

    async def _hand_out(self, job: _Job) -> None:
        while not job.done.done():
            sender = await self._least_busy()
            sender.jobs[job.chunk.number] = job
            rest = replace(job.chunk, parcels=tuple(job.open.values()))
            try:
                await sender.write(rest)
            except OSError:
                # Died before it had the whole chunk: nothing of it was sent. Its reader replaces the process.
                if sender.jobs.pop(job.chunk.number, None) is None:
                    return
                self._drained(sender)
            else:
                return

    async def _least_busy(self) -> SenderProcess:
        while not self._senders:
            if self._closing:
                raise asyncio.CancelledError
            await asyncio.sleep(0.02)  # a replacement is being started
        return min(self._senders, key=lambda sender: len(sender.jobs))

    def _drained(self, sender: SenderProcess) -> None:
        """Read what a dead sender had said before it died: those messages are on their way, and not in doubt."""
        while self._readable(sender):
            pass
        self._lost(sender)

    def _readable(self, sender: SenderProcess) -> bool:
        """Take in what a sender has said; False when it says no more now."""
        try:
            messages = sender.received()
        except BlockingIOError:
            return False
        except (EOFError, OSError):
            self._lost(sender)
            return False
        for one in chain.from_iterable(messages):
            job = sender.jobs.get(one.chunk)
            if job is None or job.open.pop(one.subscription_id, None) is None:
                continue
            job.outcomes[one.subscription_id] = one.outcome
            if not job.open:
                del sender.jobs[one.chunk]
                if not job.done.done():
                    job.done.set_result(None)
        return True

    def _lost(self, sender: SenderProcess) -> None:
        if sender not in self._senders:
            return
        asyncio.get_running_loop().remove_reader(sender.pipe.fileno())
        if self._closing:
            return  # `close` ends it like the others
        self._senders.remove(sender)
        jobs = list(sender.jobs.values())
        sender.jobs.clear()
        self._meters.sender_deaths.inc()
        log.warning(Event.SENDER_DIED, pid=sender.process.pid, chunks=len(jobs))
        task = asyncio.get_running_loop().create_task(self._replace(sender, jobs))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _replace(self, sender: SenderProcess, jobs: list[_Job]) -> None:
        await asyncio.to_thread(sender.end)
        self._in_a_row = self._in_a_row + 1 if time.monotonic() - sender.started < YOUNG else 0
        await self._start_again()
        for job in jobs:
            job.attempts += 1
            if job.done.done():
                continue  # whoever waited for it was cancelled
            if job.policy is InDoubtPolicy.SKIP:
                job.done.set_result(None)
            elif job.attempts >= MOST_ATTEMPTS:
                job.outcomes.update(dict.fromkeys(job.open, Unavailable(None, "sender_died")))
                job.done.set_result(None)
            else:
                await self._hand_out(job)

    async def _start_again(self) -> None:
        """Start a process however often it takes; what kills one, such as want of memory, may refuse the next."""
        while True:
            if self._in_a_row:
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._in_a_row - 1, 16)))
            try:
                await self._start_one()
            except OSError as error:
                self._in_a_row += 1
                log.error(Event.SENDER_NOT_STARTED, error=error)
            else:
                return

    async def close(self) -> None:
        """End the processes; chunks under way are abandoned and their shards' leases run out."""
        self._closing = True
        for task in list(self._restarts):
            task.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        loop = asyncio.get_running_loop()
        senders, self._senders = self._senders, []
        for sender in senders:
            loop.remove_reader(sender.pipe.fileno())
            for job in sender.jobs.values():
                job.done.cancel()
        await asyncio.gather(*(asyncio.to_thread(sender.end) for sender in senders))
