"""The dispatcher: finds what is to be done and keeps a small window of shards under way; the rest waits in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from tidings.bus import Bell, Bus
from tidings.domain.delivery import HeldBack, Priority
from tidings.lib.clock import Clock
from tidings.lib.log import Logger, cut
from tidings.pipeline.flow import Flow
from tidings.services.webhooks import LEASE as TELLING
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.jumps import LEAST, Jumps
from tidings.worker.leases import Leases
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
    """Plans due notifications and runs ready shards, `window` of them at a time and `reserve` urgent ones besides.

    The window is everybody's: however many urgent shards wait, the others have their turns in it. `leases` are those
    of other workers on the same database; None where there are none.
    """

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
        leases: Leases | None = None,
    ) -> None:
        self._flow = flow
        self._store = store
        self._bus = bus
        self._jumps = Jumps(clock)
        self._leases = leases
        self._run_shard = run_shard
        self._heed = heed
        self._window = window
        self._reserve = reserve
        self._awake = asyncio.Event()
        self._rung = asyncio.Event()
        self._called = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._besides: set[int] = set()
        self._latest: datetime | None = None

    async def run(self) -> None:
        """Dispatch until cancelled; then wait for what the runners have in hand, but not for ever."""
        beside = [asyncio.create_task(work) for work in (self._listen(), self._obey(), self._plan_ahead())]
        try:
            await whenever(self._awake, self._look)
        finally:
            tasks = list(self._running.values())
            if tasks:
                await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in (*beside, *tasks):
                task.cancel()
            await asyncio.gather(*beside, *tasks, return_exceptions=True)

    async def _listen(self) -> None:
        async for doorbell in self._bus.listen():
            if doorbell.bell is Bell.EVENT:
                continue  # whoever asks the triggers rings again when there is something to send
            if doorbell.bell is Bell.CONTROL:
                self._called.set()
            self._rung.set()
            self._awake.set()

    async def _obey(self) -> None:
        """Heed pauses and cancels at the bell; without one, as another process rings none here, soon after."""
        while True:
            await _rung_for(self._called, HEED_EVERY)
            try:
                await self._heed()
            except StoreUnavailable:
                continue  # the looks say so already
            except Exception as fault:  # noqa: BLE001 - nobody would notice that no pause is heeded any more
                log.error(Event.LOOK_FAILED, error=fault)

    async def _plan_ahead(self) -> None:
        """Cut what is due into shards; beside all else, as it takes a second for a million and nobody waits for it."""

        async def plan() -> None:
            if await self._flow.plan():
                self._awake.set()

        await whenever(self._rung, plan)

    async def _look(self) -> None:
        now = await self._notice_the_clock()
        places = max(0, self._window + len(self._besides) - len(self._running))
        besides = max(0, self._reserve - len(self._besides))
        if not places and not besides and not self._leases:
            return
        held_back = self._jumps.held_back(now)

        def look(tx: Transaction) -> tuple[list[int], list[int]]:
            # Also without a place: whoever looks only now and then sees a lease renewed too late.
            taken = self._leases.held(tx.shards.leases()) if self._leases else set[int]()
            ready_for = partial(_ready, tx, now=now, held_back=held_back, taken=taken)
            return _waiting(ready_for, places=places, besides=besides, carried=len(self._running))

        ready, urgent = await self._store.read(look)
        self._begin(ready, most=places)
        self._besides |= self._begin(urgent, most=besides)

    async def _notice_the_clock(self) -> datetime:
        """Give the time. Where the clock has gone back, keep nothing waiting for a time that has been already."""
        now, jumped = self._jumps.look()
        if jumped >= LEAST:
            log.warning(Event.CLOCK_WENT_AHEAD, seconds=jumped.total_seconds())
        was = self._latest or await self._store.read(lambda tx: tx.shards.latest()) or now
        if was - now > BACK:
            log.warning(Event.CLOCK_WENT_BACK, seconds=(was - now).total_seconds())
            await self._store.write(partial(_put_right, now=now, was=was))
            await self._store.write(lambda tx: tx.webhook_messages.clock_went_back(now=now, was=was, lease=TELLING))
        self._latest = now
        return now

    def _begin(self, waiting: Sequence[int], *, most: int) -> set[int]:
        """Begin to carry so many more of these shards at most; give which."""
        begun = [shard_id for shard_id in waiting if shard_id not in self._running][:most]
        for shard_id in begun:
            self._running[shard_id] = asyncio.create_task(self._carry(shard_id))
        return set(begun)

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
            self._besides.discard(shard_id)
            if carried:
                self._awake.set()


def _put_right(tx: Transaction, *, now: datetime, was: datetime) -> None:
    tx.shards.clock_went_back(now=now, was=was, lease=LEASE)
    tx.lanes.clock_went_back(now=now, was=was, lease=LEASE)
    tx.firings.clock_went_back(now=now)
    tx.feed_fills.clock_went_back(now=now, was=was)


def _ready(
    tx: Transaction, *, limit: int, least: Priority, now: datetime, held_back: Sequence[HeldBack], taken: set[int]
) -> list[int]:
    """Give so many shards that may be claimed, and none that another worker has."""
    found = tx.shards.ready(now=now, limit=limit + len(taken), least=least, held_back=held_back)
    return [one for one in found if one not in taken][:limit]


def _waiting(
    ready_for: Callable[..., list[int]], *, places: int, besides: int, carried: int
) -> tuple[list[int], list[int]]:
    """Give whose turn it is in the window, and which urgent ones may have a place besides."""
    ready: list[int] = []
    if places:
        ready = ready_for(limit=places + carried, least=Priority.LOW)
        if len(ready) < places + carried:
            return ready, []  # there is room for all that wait
    if not besides:
        return ready, []
    return ready, ready_for(limit=places + besides + carried, least=Priority.AT_ONCE)


async def whenever(rung: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever it is rung for, and often besides; whatever goes wrong, it is done again."""
    while True:
        await _rung_for(rung, LOOK_EVERY)
        try:
            await work()
        except StoreUnavailable as away:
            log.warning(Event.STORE_UNAVAILABLE, reason=cut(str(away)))
        except Exception as fault:  # noqa: BLE001 - nobody would notice that deliveries stand still
            log.error(Event.LOOK_FAILED, error=fault)
            await asyncio.sleep(LOOK_EVERY)


async def _rung_for(bell: asyncio.Event, most: float) -> None:
    """Wait until it is rung for, so many seconds at most."""
    await asyncio.sleep(0)  # where it rings all the time, everybody else has a turn all the same
    # Not `wait_for`: before Python 3.12 it swallows a cancellation that meets the bell, and nothing would end then.
    with suppress(TimeoutError):
        async with asyncio.timeout(most):
            await bell.wait()
    bell.clear()
