"""What a worker does by the clock: signs of life, and clearing what has had its time."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from tidings.domain.app import Heartbeat
from tidings.lib.clock import Clock
from tidings.lib.log import Logger
from tidings.services.sessions import IDLE
from tidings.services.system import WORKER_SILENCE
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.signs import Event

BEAT_EVERY = 5.0
"""Seconds between signs of life; three missed ones count as dead."""

PURGE_EVERY = 3_600.0
"""Seconds between clearings of what has had its time."""

ROLL_UP_EVERY = 5.0
"""Seconds between adding up what was counted, and carrying on what is being erased."""

KEEP_SILENT = timedelta(hours=1)
"""How long a worker that was killed is remembered; it never said that it leaves."""

KEEP_SUSPICIONS = timedelta(days=180)
"""How long what an address answered speaks against it; some Apps send once a month."""

KEEP_IDEMPOTENCY = timedelta(hours=24)

log = Logger(__name__)


async def beat(
    store: Store, clock: Clock, *, worker_id: str, senders: int, counted: Callable[[int], None] = lambda _: None
) -> None:
    """Write a sign of life every few seconds until cancelled, then take it back.

    `counted` is told each time how many senders all workers that are alive have.
    """
    started, alive = clock.now(), Alive(worker_id)

    async def say() -> None:
        heartbeat = _heartbeat(worker_id, senders=senders, started=started, now=clock.now())
        rows = await store.write(partial(_beaten, heartbeat=heartbeat))
        counted(alive.senders(rows, now=time.monotonic()))

    try:
        await again_and_again(say, name="beat", seconds=BEAT_EVERY)
    finally:
        with suppress(StoreUnavailable):
            await store.write(lambda tx: tx.instance.leave(worker_id))


class Alive:
    """Tells who is alive by whose sign of life goes on changing; hosts whose clocks differ count each other rightly.

    Who is seen for the first time counts, though it may be dead: too small a share for a moment does no harm.
    """

    def __init__(self, worker_id: str) -> None:
        self._self = worker_id
        self._changed: dict[str, tuple[datetime, float]] = {}

    def senders(self, rows: Iterable[Heartbeat], *, now: float) -> int:
        """Count the senders of all; `now` is in seconds of a clock that is never set."""
        before, self._changed = self._changed, {}
        total = 0
        for one in rows:
            seen_at, since = before.get(one.worker_id, (None, now))
            since = since if seen_at == one.seen_at else now
            self._changed[one.worker_id] = one.seen_at, since
            if one.worker_id == self._self or now - since <= WORKER_SILENCE.total_seconds():
                total += one.senders
        return total


def _beaten(tx: Transaction, *, heartbeat: Heartbeat) -> list[Heartbeat]:
    tx.instance.beat(heartbeat)
    return tx.instance.heartbeats(since=heartbeat.seen_at - KEEP_SILENT)


def _heartbeat(worker_id: str, *, senders: int, started: datetime, now: datetime) -> Heartbeat:
    return Heartbeat(
        worker_id=worker_id,
        host=socket.gethostname(),
        pid=os.getpid(),
        senders=senders,
        started_at=started,
        seen_at=now,
    )


async def again_and_again(duty: Callable[[], Awaitable[object]], *, name: str, seconds: float) -> None:
    """Do a duty, and again after so many seconds, until cancelled; one that fails is said, and tried again."""
    while True:
        try:
            await duty()
        except StoreUnavailable:
            pass  # it is done with the next round
        except Exception as fault:  # noqa: BLE001 - whatever it is, the next round may succeed
            log.error(Event.DUTY_FAILED, error=fault, duty=name)
        await asyncio.sleep(seconds)


async def purge(store: Store, clock: Clock) -> None:
    """Forget what has had its time."""
    now = clock.now()
    await store.write(lambda tx: clear(tx, now=now))


def clear(tx: Transaction, *, now: datetime) -> None:
    """Forget idempotency keys older than a day, and what has ended or gone silent."""
    tx.idempotency.purge(before=now - KEEP_IDEMPOTENCY)
    tx.access.purge(now=now)
    tx.members.purge(now=now)
    tx.throttle.purge(now=now)
    tx.factors.purge(now=now)
    tx.sessions.purge(now=now, seen_since=now - IDLE)
    tx.firings.purge(now=now, limit=10_000)
    tx.volumes.purge(before=now - KEEP_IDEMPOTENCY)
    tx.instance.forget_silent(before=now - KEEP_SILENT)
    tx.subscriptions.forget_suspicions(before=now - KEEP_SUSPICIONS)
