"""Tells webhooks: makes messages of what happened, and sends them, a receiver at a time and each in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from tidings.domain.webhook import TRIES_END, Job
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.log import Logger, cut
from tidings.services.webhook_delivery import WebhookDelivery
from tidings.services.webhooks import KEEP_LOG, LEASE
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.dispatcher import whenever
from tidings.worker.signs import Event

GATHERED = 40
"""Rows of the outbox made into messages in one transaction, each of up to 1 000 events."""

GATHERINGS = 25
"""Such transactions in one look: however much happens, what is there already begins to be told."""

PLACES = 12
"""Receivers told at once by one worker, while their last try went well."""

DOUBTFUL_PLACES = 4
"""Receivers told at once whose last try failed: however many hang, they take no place of the others."""

TURN = 20
"""Messages that a receiver gets before it goes to the end of the line."""

STOP_SECONDS = 5.0
"""How long a stop waits for calls under way; what is cut off is told again."""

PURGED = 500
"""Messages forgotten in one transaction."""

log = Logger(__name__)


class Telling:
    """Serves the webhooks of every App. Of one there is one call at a time, whichever worker makes it."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, delivery: WebhookDelivery) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._delivery = delivery
        self._rung = asyncio.Event()
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._doubtful: set[int] = set()

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
        for webhook_id, doubtful in await self._store.read(lambda tx: tx.webhook_messages.ready(now=now, but=busy)):
            if doubtful and len(self._doubtful) < DOUBTFUL_PLACES:
                self._doubtful.add(webhook_id)
            elif doubtful or len(self._serving) - len(self._doubtful) >= PLACES:
                continue
            self._serving[webhook_id] = asyncio.create_task(self._serve(webhook_id))

    async def gather(self) -> bool:
        """Make messages of a part of the outbox; False when it was empty."""
        if not await self._store.read(lambda tx: tx.outbox.waits()):
            return False
        now = self._clock.now()
        work = partial(_gather, new_id=partial(self._ids.new, "msg"), now=now)
        return await self._store.write(work) > 0

    async def turn(self, webhook_id: int) -> bool:
        """Tell one webhook what waits for it, as long as it takes it; True when more is left."""
        for _ in range(TURN):
            now = self._clock.now()
            job = await self._store.write(partial(_take, webhook_id=webhook_id, now=now))
            if job is None:
                return False
            attempt = await self._delivery.tell(job)
            if attempt is not None and not attempt.succeeded:
                return False
        return True

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
            del self._serving[webhook_id]
            if webhook_id in self._doubtful:
                self._doubtful.discard(webhook_id)
                self._rung.set()


def _gather(tx: Transaction, *, new_id: Callable[[], str], now: datetime) -> int:
    return tx.webhook_messages.gather(new_id=new_id, limit=GATHERED, now=now)


def _take(tx: Transaction, *, webhook_id: int, now: datetime) -> Job | None:
    return tx.webhook_messages.take(webhook_id, now=now, lease=LEASE)
