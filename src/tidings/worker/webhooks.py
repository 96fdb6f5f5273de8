"""Tells webhooks: makes messages of what happened, and sends them, a receiver at a time and each in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from tidings.domain.webhook import TRIES_END, Job, WebhookAttempt
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.log import Logger, cut
from tidings.lib.metrics import Metrics
from tidings.services.webhook_delivery import WebhookDelivery
from tidings.services.webhooks import KEEP_LOG, LEASE
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.dispatcher import whenever
from tidings.worker.signs import Event, Label, Metric

GATHERED = 40
"""Rows of the outbox made into messages in one transaction, each of up to 1 000 events."""

GATHERINGS = 25
"""Such transactions in one look: however much happens, what is there already begins to be told."""


class Lane(StrEnum):
    """Receivers that are like each other: none takes a place of another lane."""

    QUICK = "quick"
    SLOW = "slow"
    DOUBTFUL = "doubtful"
    """Their last try failed: they may hang."""


PLACES = {Lane.QUICK: 12, Lane.SLOW: 8, Lane.DOUBTFUL: 4}
"""Receivers of a lane told at once by one worker."""

OF_APP = {Lane.QUICK: 4, Lane.SLOW: 2, Lane.DOUBTFUL: 2}
"""Those of one App among them: an App that has many takes no place of the others."""

SLOW = 2.0
"""Seconds that an answer may take before its receiver counts as slow, until it is quicker."""

TURN = 20
"""Messages that a receiver gets before it goes to the end of the line."""

TURN_SECONDS = 5.0
"""How long such a turn takes at most, beside the last call of it."""

STOP_SECONDS = 5.0
"""How long a stop waits for calls under way; what is cut off is told again."""

PURGED = 500
"""Messages forgotten in one transaction."""

log = Logger(__name__)


class Told(StrEnum):
    """What came of a call."""

    TOLD = "told"
    FAILED = "failed"


class Place(NamedTuple):
    """What a receiver takes while it is told."""

    lane: Lane
    app_id: int


class Telling:
    """Serves the webhooks of every App. Of one there is one call at a time, whichever worker makes it."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, delivery: WebhookDelivery, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._delivery = delivery
        calls = metrics.counter(Metric.WEBHOOK_CALLS, "Calls to webhooks by what came of them.", labels=[Label.OUTCOME])
        self._told = {outcome: calls.labels(outcome.value) for outcome in Told}
        self._rung = asyncio.Event()
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._places: dict[int, Place] = {}
        self._slow: set[int] = set()
        self._waits = False

    async def run(self) -> None:
        """Serve until cancelled; calls under way have a moment to come to their end."""
        try:
            await whenever(self._rung, self.look)
        finally:
            if self._serving:
                _, cut_off = await asyncio.wait(list(self._serving.values()), timeout=STOP_SECONDS)
                for task in cut_off:
                    task.cancel()
                await asyncio.gather(*cut_off, return_exceptions=True)

    async def look(self) -> None:
        """Make messages of what happened, and begin to tell whoever may be told."""
        for _ in range(GATHERINGS):
            if not await self.gather():
                break
        else:
            self._rung.set()
        now, busy = self._clock.now(), set(self._serving)
        ready = await self._store.read(lambda tx: tx.webhook_messages.ready(now=now, but=busy))
        self._waits = False
        for one in ready:
            lane = Lane.DOUBTFUL if one.doubtful else Lane.SLOW if one.webhook_id in self._slow else Lane.QUICK
            place = Place(lane, one.app_id)
            if not self._free(place):
                self._waits = True
                continue
            self._places[one.webhook_id] = place
            self._serving[one.webhook_id] = asyncio.create_task(self._serve(one.webhook_id))

    def _free(self, place: Place) -> bool:
        beside = [other for other in self._places.values() if other.lane is place.lane]
        return len(beside) < PLACES[place.lane] and beside.count(place) < OF_APP[place.lane]

    async def gather(self) -> bool:
        """Make messages of a part of the outbox; False when it was empty."""
        if not await self._store.read(lambda tx: tx.outbox.waits()):
            return False
        now = self._clock.now()
        work = partial(_gather, new_id=partial(self._ids.new, "msg"), now=now)
        return await self._store.write(work) > 0

    async def turn(self, webhook_id: int) -> bool:
        """Tell one webhook what waits for it, as long as it takes it; True when more is left."""
        begun = time.monotonic()
        for _ in range(TURN):
            now = self._clock.now()
            job = await self._store.write(partial(_take, webhook_id=webhook_id, now=now))
            if job is None:
                return False
            attempt = await self._delivery.tell(job)
            if attempt is not None:
                self._note(webhook_id, attempt)
            if attempt is not None and not attempt.succeeded:
                return False
            if time.monotonic() - begun > TURN_SECONDS:
                break
        return True

    def _note(self, webhook_id: int, attempt: WebhookAttempt) -> None:
        (self._slow.add if attempt.seconds > SLOW else self._slow.discard)(webhook_id)
        self._told[Told.TOLD if attempt.succeeded else Told.FAILED].inc()

    async def tidy(self) -> None:
        """Give up what was due for days and could not be told, and forget what has had its time."""
        now = self._clock.now()
        await self._store.write(lambda tx: tx.webhook_messages.give_up(before=now - TRIES_END, now=now))
        while await self._store.write(lambda tx: tx.webhook_messages.purge(before=now - KEEP_LOG, limit=PURGED)):
            pass

    async def _serve(self, webhook_id: int) -> None:
        try:
            if await self.turn(webhook_id):
                self._rung.set()
        except StoreUnavailable as away:
            log.warning(Event.STORE_UNAVAILABLE, reason=cut(str(away)))
        except Exception as fault:  # noqa: BLE001 - one webhook must not stop the others
            log.error(Event.WEBHOOK_FAILED, error=fault, webhook=webhook_id)
        finally:
            del self._serving[webhook_id], self._places[webhook_id]
            if self._waits:
                self._rung.set()


def _gather(tx: Transaction, *, new_id: Callable[[], str], now: datetime) -> int:
    return tx.webhook_messages.gather(new_id=new_id, limit=GATHERED, now=now)


def _take(tx: Transaction, *, webhook_id: int, now: datetime) -> Job | None:
    return tx.webhook_messages.take(webhook_id, now=now, lease=LEASE)
