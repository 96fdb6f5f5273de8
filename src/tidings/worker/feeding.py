"""Puts what is for many into their feeds, some people at a time, while it is being sent."""

from __future__ import annotations

import asyncio
from functools import partial

from tidings.bus import Bell, Bus
from tidings.domain.feed import Fill
from tidings.lib.clock import Clock
from tidings.lib.log import Logger
from tidings.pipeline.feed import next_step, take_step
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.dispatcher import whenever
from tidings.worker.signs import Event

APPS = 20
"""Apps served in one look: of each the oldest notification."""

TURN = 10
"""Steps of one before the next App has its turn."""

log = Logger(__name__)


class Feeding:
    """Serves every App in turn. What two workers do at once is done once, and a worker that dies loses nothing."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            await whenever(self._rung, self.look)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        async for doorbell in self._bus.listen():
            if doorbell.bell is not Bell.EVENT:
                self._rung.set()

    async def look(self) -> None:
        """Give everybody who waits a turn."""
        now = self._clock.now()
        for fill in await self._store.read(lambda tx: tx.feed_fills.due(now=now, limit=APPS)):
            try:
                left = await self._turn(fill)
            except StoreUnavailable:
                raise
            except Exception as fault:  # noqa: BLE001 - it is given up: it would hold up all that come after it
                log.error(Event.FEED_FAILED, error=fault, notification=fill.notification_id)
                await self._store.write(partial(_give_up, notification_id=fill.notification_id))
                continue
            if left:
                self._rung.set()

    async def _turn(self, fill: Fill) -> bool:
        """Take some steps; True when more are left."""
        for _ in range(TURN):
            step = await self._store.read(partial(next_step, fill=fill))
            if not await self._store.write(partial(take_step, step=step, now=self._clock.now())):
                return step.to is None
            assert step.to is not None
            fill = step.to
        return True


def _give_up(tx: Transaction, *, notification_id: int) -> None:
    tx.feed_fills.drop(notification_id)
