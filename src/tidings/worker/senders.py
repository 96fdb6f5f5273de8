"""The pool of sender processes: chunks are handed out, outcomes collected, and a process that dies is replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import count
from typing import Any

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import Outcome, Unavailable
from tidings.lib.log import Logger
from tidings.pipeline.deliver import RECALLED, Chunk, Recall
from tidings.worker.child import Job, SenderProcess
from tidings.worker.sender import SenderOptions
from tidings.worker.signs import Event, Meters
from tidings.worker.wire import Garbled

QUEUED = 2
"""Chunks a sender holds: one on its way, one that follows without a gap."""

MOST_ATTEMPTS = 3
"""Senders that may die over one chunk before its rest is put off: something in it may be what kills them."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds before another process is started, doubled each time that none could be started or one died young."""

YOUNG = 5.0
"""Seconds a process lives at least if it is well."""

WATCH_EVERY = 5.0
MOST_SILENT = 24
"""Seconds between looks at what senders say, and looks in a row at one that has messages and says nothing before it is
killed: two minutes. An answer is waited for 20 seconds, so nothing but a fault keeps a sender silent for so long. Looks
are counted and not time: a machine that slept, or a worker that was stopped, has not looked."""

log = Logger(__name__)


class SenderPool:
    """N sender processes behind one method."""

    def __init__(self, *, size: int, options: SenderOptions, meters: Meters) -> None:
        self._size = size
        self._meters = meters
        self._options = replace(options, share=1 / size)
        self._share: float | None = None
        self._senders: list[SenderProcess] = []
        self._lost_ones: list[SenderProcess] = []
        self._numbers = count(1)
        self._slots = asyncio.Semaphore(size * QUEUED)
        self._closing = False
        self._unwanted: frozenset[int] = frozenset()
        self._in_a_row = 0
        self._restarts: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        # One for each sender: a recall must not wait for names that are resolved, nor for another sender's full pipe.
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="tidings-pipe")

    @property
    def pids(self) -> list[int]:
        """The process ids of the senders that are alive."""
        return [sender.process.pid for sender in self._senders]

    async def start(self) -> None:
        """Start the processes; they load in the background."""
        self._watching = asyncio.create_task(self._watch())
        for _ in range(self._size):
            try:
                await self._start_one()
            except BrokenPipeError:
                # It died before it was told anything; the next one may live.
                self._in_a_row += 1
                self._beside(self._start_again())

    async def _start_one(self) -> None:
        sender = SenderProcess(self._options, threads=self._threads)
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

        When a sender dies, the parcels without an outcome go to another one under RESEND. They are missing from the
        result under SKIP, and where the notification is not wanted now: they may have left. An urgent chunk does not
        wait until a sender has done another. Cancelled, it takes back what has not left: whoever waited for it has no
        say in it any more.
        """
        async with nullcontext() if urgent else self._slots:
            if chunk.notification_id in self._unwanted:
                return dict.fromkeys((parcel.subscription_id for parcel in chunk.parcels), RECALLED)
            numbered = replace(chunk, number=next(self._numbers), share=self._share)
            job = Job(chunk=numbered, policy=policy, done=asyncio.get_running_loop().create_future())
            if numbered.parcels:
                try:
                    await self._hand_out(job)
                    await job.done
                except asyncio.CancelledError:
                    self._abandon(job)
                    raise
            return job.result()

    def share_with(self, senders: int) -> None:
        """Keep to a part of what push services take, now that there are so many senders in all, ours among them."""
        self._share = 1 / max(self._size, senders)

    def recall(self, unwanted: frozenset[int]) -> None:
        """Let nothing more leave of these notifications, until it is called without them.

        What waits comes back as held; what is on its way gets its answer.
        """
        self._unwanted = unwanted
        for sender in list(self._senders):
            jobs = {
                number: job
                for number, job in sender.jobs.items()
                if job.chunk.notification_id in unwanted and not job.recalled
            }
            if jobs:
                for job in jobs.values():
                    job.recalled = True
                # A sender whose pipe is full hears it later; the others must not wait for that, nor the next pause.
                self._beside(self._take_back(sender, Recall(frozenset(jobs))))

    def _abandon(self, job: Job) -> None:
        job.done.cancel()
        for sender in self._senders:
            if job.chunk.number in sender.jobs and not self._closing:
                self._beside(self._take_back(sender, Recall(frozenset({job.chunk.number}))))

    async def _take_back(self, sender: SenderProcess, recall: Recall) -> None:
        with suppress(OSError):  # it is dead: its jobs come back by themselves
            await sender.recall(recall)

    async def _hand_out(self, job: Job) -> None:
        while not job.done.done():
            sender = await self._least_busy()
            if job.chunk.notification_id in self._unwanted:
                # Said while a process was being started: no sender had this chunk that could have heard it.
                job.answer_rest(RECALLED)
                return
            sender.jobs[job.chunk.number] = job
            job.recalled = False
            try:
                await sender.write(replace(job.chunk, parcels=job.open()))
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
            told = sender.received()
        except BlockingIOError:
            return False
        except (EOFError, OSError) as error:
            if isinstance(error, Garbled):
                self._garbled(sender, error)
            self._lost(sender)
            return False
        for number, outcomes in told:
            job = sender.jobs.get(number)
            if job is None:
                continue
            job.outcomes.update(outcomes)
            if job.complete:
                if job.cleared():
                    self._garbled(sender, Garbled("outcomes of others than those it was to send to"))
                    self._lost(sender)
                    return False
                del sender.jobs[number]
                job.end()
        return True

    async def _watch(self) -> None:
        """Kill whoever is stuck: a process that neither works nor dies would keep its messages for ever."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for sender in self._senders:
                sender.silent = sender.silent + 1 if sender.jobs else 0
                if sender.silent >= MOST_SILENT:
                    log.error(Event.SENDER_STUCK, pid=sender.process.pid, chunks=len(sender.jobs))
                    sender.process.kill()

    def _garbled(self, sender: SenderProcess, error: Garbled) -> None:
        log.error(Event.SENDER_GARBLED, pid=sender.process.pid, error=error)
        sender.process.kill()

    def _lost(self, sender: SenderProcess) -> None:
        if sender not in self._senders:
            return
        asyncio.get_running_loop().remove_reader(sender.pipe.fileno())
        if self._closing:
            return  # `close` ends it like the others
        self._senders.remove(sender)
        self._lost_ones.append(sender)
        jobs = list(sender.jobs.values())
        sender.jobs.clear()
        self._meters.sender_deaths.inc()
        log.warning(Event.SENDER_DIED, pid=sender.process.pid, chunks=len(jobs))
        self._beside(self._replace(sender, jobs))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _replace(self, sender: SenderProcess, jobs: list[Job]) -> None:
        await _ended(sender)
        self._lost_ones.remove(sender)
        self._in_a_row = self._in_a_row + 1 if time.monotonic() - sender.started < YOUNG else 0
        await self._start_again()
        for job in jobs:
            job.cleared()
            job.lost()
            if job.done.done():
                continue  # whoever waited for it was cancelled
            if job.policy is InDoubtPolicy.SKIP:
                job.end()
            elif job.chunk.notification_id in self._unwanted:
                job.answer_rest(RECALLED)
            elif job.attempts >= MOST_ATTEMPTS:
                job.answer_rest(Unavailable(None, "sender_died"))
            else:
                await self._hand_out(job)

    async def _start_again(self) -> None:
        """Start a process however often it takes; what kills one, such as want of memory, may refuse the next."""
        while True:
            if self._in_a_row:
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._in_a_row - 1, 16)))
            try:
                await self._start_one()
            except Exception as error:  # noqa: BLE001 - whatever it is, chunks wait for a process
                self._in_a_row += 1
                log.error(Event.SENDER_NOT_STARTED, error=error)
            else:
                return

    async def close(self) -> None:
        """End the processes; chunks under way are abandoned and their shards' leases run out."""
        self._closing = True
        beside = [*self._restarts, *filter(None, [self._watching])]
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        loop = asyncio.get_running_loop()
        senders, self._senders = self._senders, []
        for sender in senders:
            loop.remove_reader(sender.pipe.fileno())
            for job in sender.jobs.values():
                job.done.cancel()
        await asyncio.gather(*(asyncio.to_thread(sender.end) for sender in (*senders, *self._lost_ones)))
        self._threads.shutdown(wait=False)


async def _ended(sender: SenderProcess) -> None:
    """End a process that is dead, or as good as that. What killed it, such as want of memory, may refuse a thread."""
    try:
        await asyncio.to_thread(sender.end)
    except RuntimeError:
        sender.process.kill()  # so that nobody waits for it
        sender.end()
