"""The dispatcher, with everything it calls made up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tidings.bus import Bell, Doorbell
from tidings.bus.local import LocalBus
from tidings.domain.delivery import Lease, Priority
from tidings.lib.clock import FixedClock
from tidings.worker import dispatcher
from tidings.worker.dispatcher import Dispatcher
from tidings.worker.leases import Leases
from tidings.worker.run import SHARDS_PER_SENDER, URGENT_PER_SENDER


class Flow:
    async def plan(self) -> int:
        raise ValueError("one notification that nobody can read")


class Shards:
    """Shards as a dispatcher sees them: always the same one is ready."""

    def latest(self) -> None:
        return None

    def ready(self, *, now: datetime, limit: int, least: Priority, held_back: object) -> list[int]:
        return [1]


class Store:
    """A store that holds what a dispatcher looks at."""

    def __init__(self, shards: Shards | None = None) -> None:
        self._tx = SimpleNamespace(shards=shards or Shards())

    async def read(self, work: Any) -> Any:
        return work(self._tx)


async def nothing() -> None:
    """Heed nobody."""


async def test_a_notification_that_cannot_be_planned_does_not_stop_what_is_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_EVERY", 0.01)
    carried: asyncio.Queue[int] = asyncio.Queue()

    async def carry(shard: int) -> bool:
        await carried.put(shard)
        return True

    flow: Any = Flow()
    store: Any = Store()
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    made = Dispatcher(flow=flow, store=store, bus=LocalBus(), clock=clock, run_shard=carry, heed=nothing, window=1)
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(60):
        assert [await carried.get() for _ in range(3)] == [1, 1, 1]
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Waiting(Shards):
    """Campaigns and urgent shards wait without end."""

    def ready(self, *, now: datetime, limit: int, least: Priority, held_back: object) -> list[int]:
        urgent = list(range(1_000, 1_000 + limit))
        return urgent if least is Priority.AT_ONCE else list(range(1, limit + 1))


class Planned:
    async def plan(self) -> int:
        return 0


async def test_urgent_shards_have_places_that_no_campaign_takes() -> None:
    carried: set[int] = set()
    never = asyncio.Event()

    async def carry(shard: int) -> bool:
        carried.add(shard)
        await never.wait()
        return False

    flow: Any = Planned()
    store: Any = Store(Waiting())
    bus = LocalBus()
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    made = Dispatcher(flow=flow, store=store, bus=bus, clock=clock, run_shard=carry, heed=nothing, window=3, reserve=2)
    running = asyncio.create_task(made.run())
    await bus.ring(Doorbell(Bell.WORK, 1))
    async with asyncio.timeout(60):
        while len(carried) < 5:
            await asyncio.sleep(0.01)
    assert carried == {1, 2, 3, 1_000, 1_001}
    never.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Flooded(Shards):
    """Urgent shards wait without end, and then there is a campaign too, whose turn it is."""

    def __init__(self) -> None:
        self.next = 1_000
        self.campaign: list[int] = []

    def ready(self, *, now: datetime, limit: int, least: Priority, held_back: object) -> list[int]:
        urgent = list(range(self.next, self.next + limit))
        return urgent if least is Priority.AT_ONCE else [*self.campaign, *urgent][:limit]


async def test_a_flood_of_urgent_shards_leaves_the_window_to_others_too() -> None:
    shards = Flooded()
    begun: asyncio.Queue[int] = asyncio.Queue()
    ends: dict[int, asyncio.Event] = {}

    async def carry(shard: int) -> bool:
        shards.next = max(shards.next, shard + 1)
        ends[shard] = asyncio.Event()
        begun.put_nowait(shard)
        await ends[shard].wait()
        return True

    flow: Any = Planned()
    store: Any = Store(shards)
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    made = Dispatcher(
        flow=flow, store=store, bus=LocalBus(), clock=clock, run_shard=carry, heed=nothing, window=2, reserve=3
    )
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(60):
        urgent = [await begun.get() for _ in range(5)]
        shards.campaign = [1]
        followed = []
        for one in urgent:
            ends[one].set()
            followed.append(await begun.get())
    assert followed.count(1) == 1
    running.cancel()
    for end in ends.values():
        end.set()
    await asyncio.gather(running, return_exceptions=True)


def test_with_one_sender_the_lowest_priority_has_its_turn_in_any_flood() -> None:
    assert max(Priority) <= SHARDS_PER_SENDER + URGENT_PER_SENDER


class Planning:
    async def plan(self) -> int:
        await asyncio.Event().wait()
        return 0


async def test_nothing_waits_while_a_large_audience_is_cut() -> None:
    carried: asyncio.Queue[int] = asyncio.Queue()

    async def carry(shard: int) -> bool:
        await carried.put(shard)
        return True

    flow: Any = Planning()
    store: Any = Store()
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    made = Dispatcher(flow=flow, store=store, bus=LocalBus(), clock=clock, run_shard=carry, heed=nothing, window=1)
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(60):
        assert [await carried.get() for _ in range(3)] == [1, 1, 1]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_pause_is_heeded_at_its_bell_and_without_one_whatever_went_wrong_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heeded: asyncio.Queue[None] = asyncio.Queue()

    async def heed() -> None:
        heeded.put_nowait(None)
        raise ValueError("nobody expected that")

    async def carry(shard: int) -> bool:
        raise AssertionError("nothing is ready")

    flow: Any = Planned()
    store: Any = Store()
    bus = LocalBus()
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    monkeypatch.setattr(dispatcher, "HEED_EVERY", 1e9)
    made = Dispatcher(flow=flow, store=store, bus=bus, clock=clock, run_shard=carry, heed=heed, window=0)
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while heeded.empty():
            await bus.ring(Doorbell(Bell.CONTROL, 1))
            await asyncio.sleep(0.01)
        monkeypatch.setattr(dispatcher, "HEED_EVERY", 0.01)
        await bus.ring(Doorbell(Bell.CONTROL, 1))
        for _ in range(20):
            await heeded.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Leased(Shards):
    """Shards that somebody else has; `looks` are those at them."""

    looks = 0

    def leases(self) -> list[Lease]:
        self.looks += 1
        return []


async def test_who_has_no_place_free_watches_the_leases_of_others_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_EVERY", 0.01)
    shards = Leased()

    async def carry(shard: int) -> bool:
        raise AssertionError("there is no place")

    flow: Any = Planned()
    store: Any = Store(shards)
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    made = Dispatcher(
        flow=flow,
        store=store,
        bus=LocalBus(),
        clock=clock,
        run_shard=carry,
        heed=nothing,
        window=0,
        leases=Leases("me"),
    )
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(20):
        while shards.looks < 3:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
