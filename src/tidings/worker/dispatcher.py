"""The dispatcher: finds what is to be done and keeps a small window of shards under way; the rest waits in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from tidings.bus import Bell, Bus
from tidings.domain.delivery import Priority
from tidings.lib.clock import Clock
from tidings.lib.log import Logger, cut
from tidings.pipeline.flow import Flow
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.runner import LEASE
from tidings.worker.signs import Event

LOOK_EVERY = 1.0
"""Seconds between looks into the database when no doorbell rings: retries fall due, leases run out, bells get lost."""

DRAIN_SECONDS = 25.0
"""How long a stop waits for chunks that are being sent; a request takes at most 20 seconds."""

HEED_EVERY = 0.4
"""Seconds between looks whether what is being sent is still wanted; pause and cancel bite within one."""

BACK = timedelta(seconds=2)
"""How far a clock may go back without anybody minding: no more than a look takes."""

log = Logger(__name__)


class Dispatcher:
    """Plans due notifications and runs ready shards, `window` of them at a time."""

    def __init__(
        self,
        *,
        flow: Flow,
        store: Store,
        bus: Bus,
        clock: Clock,
        run_shard: Callable[[int], Awaitable[bool]],
        heed: Callable[[], Awaitable[None]],
        window: int,
        reserve: int = 0,
    ) -> None:
        self._flow = flow
        self._store = store
        self._bus = bus
        self._clock = clock
        self._run_shard = run_shard
        self._heed = heed
        self._window = window
        self._reserve = reserve
        self._awake = asyncio.Event()
        self._called = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._latest: datetime | None = None

    async def run(self) -> None:
        """Dispatch until cancelled; then wait for what the runners have in hand, but not for ever."""
        beside = [asyncio.create_task(self._listen()), asyncio.create_task(self._obey())]
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), LOOK_EVERY)
                self._awake.clear()
                try:
                    await self._look()
                except StoreUnavailable as away:
                    log.warning(Event.STORE_UNAVAILABLE, reason=cut(str(away)))
                except Exception as fault:  # noqa: BLE001 - nobody would notice that deliveries stand still
                    log.error(Event.LOOK_FAILED, error=fault)
                    await asyncio.sleep(LOOK_EVERY)
        finally:
            tasks = list(self._running.values())
            if tasks:
                await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in (*beside, *tasks):
                task.cancel()
            await asyncio.gather(*beside, *tasks, return_exceptions=True)

    async def _listen(self) -> None:
        async for doorbell in self._bus.listen():
            if doorbell.bell is Bell.CONTROL:
                self._called.set()
            self._awake.set()

    async def _obey(self) -> None:
        """Heed pauses and cancels at the bell; without one, as another process rings none here, soon after."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), HEED_EVERY)
            self._called.clear()
            with suppress(StoreUnavailable):
                await self._heed()

    async def _look(self) -> None:
        await self._notice_the_clock()
        try:
            await self._flow.plan()
        finally:
            # What is planned already is carried, even if one notification cannot be planned.
            await self._fill()

    async def _notice_the_clock(self) -> None:
        """Where the clock has gone back, keep nothing waiting for a time that has been already."""
        now = self._clock.now()
        was = self._latest or await self._store.read(lambda tx: tx.shards.latest()) or now
        if was - now > BACK:
            log.warning(Event.CLOCK_WENT_BACK, seconds=(was - now).total_seconds())
            await self._store.write(lambda tx: tx.shards.clock_went_back(now=now, was=was, lease=LEASE))
        self._latest = now

    async def _fill(self) -> None:
        await self._fill_up_to(self._window, least=Priority.LOW)
        await self._fill_up_to(self._window + self._reserve, least=Priority.AT_ONCE)

    async def _fill_up_to(self, most: int, *, least: Priority) -> None:
        if len(self._running) >= most:
            return
        now = self._clock.now()
        ready = await self._store.read(partial(_ready, now=now, limit=most + len(self._running), least=least))
        for shard_id in ready:
            if shard_id not in self._running and len(self._running) < most:
                self._running[shard_id] = asyncio.create_task(self._carry(shard_id))

    async def _carry(self, shard_id: int) -> None:
        carried = False
        try:
            carried = await self._run_shard(shard_id)
        except StoreUnavailable as away:
            log.warning(Event.STORE_UNAVAILABLE, shard=shard_id, reason=cut(str(away)))
        except Exception as fault:  # noqa: BLE001 - one broken shard must not stop the others; its lease runs out
            log.error(Event.SHARD_FAILED, error=fault, shard=shard_id)
        finally:
            del self._running[shard_id]
            if carried:
                self._awake.set()


def _ready(tx: Transaction, *, now: datetime, limit: int, least: Priority) -> list[int]:
    return tx.shards.ready(now=now, limit=limit, least=least)
