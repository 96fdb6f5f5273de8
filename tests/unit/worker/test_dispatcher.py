"""The dispatcher, with everything it calls made up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tidings.bus.local import LocalBus
from tidings.lib.clock import FixedClock
from tidings.worker import dispatcher
from tidings.worker.dispatcher import Dispatcher


class Flow:
    async def plan(self) -> int:
        raise ValueError("one notification that nobody can read")


class Store:
    async def read(self, work: object) -> list[int]:
        return [1]


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
    async with asyncio.timeout(10):
        assert [await carried.get() for _ in range(3)] == [1, 1, 1]
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
