"""Two workers on one database whose clocks differ: neither takes what the other holds, and both take what is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.postgres import fresh_database
from support.runners import PUSH, Pool, accepted, app_of, now_of, ready, runner_of
from tidings import wiring
from tidings.bus.local import LocalBus
from tidings.domain.campaign import InDoubtPolicy, NotificationStatus
from tidings.domain.outcome import Outcome
from tidings.lib.clock import SystemClock
from tidings.pipeline.deliver import Chunk
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker import dispatcher as dispatching
from tidings.worker import runner as running
from tidings.worker.dispatcher import Dispatcher
from tidings.worker.leases import Leases

pytestmark = pytest.mark.postgres


class Ahead(SystemClock):
    """A clock that is ten minutes ahead of everybody's."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=10)


@pytest.fixture
async def container(tmp_path: Path, postgres: str) -> AsyncIterator[Container]:
    with fresh_database(postgres) as url:
        async with wiring.opened(Settings(data=tmp_path / "data", database_url=url, senders=1)) as opened:
            yield opened


async def test_what_one_renews_is_not_anothers_though_its_clock_says_so_until_it_is_renewed_no_more(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEASE", 3.0)
    monkeypatch.setattr(dispatching, "LOOK_EVERY", 0.05)
    app = await app_of(container, [PUSH] * 5)
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    taken: list[int] = []
    sending = asyncio.Event()

    async def stand_still(_: int) -> None:
        sending.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(runner_of(container, Pool(meanwhile=stand_still)).run(shard))
    await asyncio.wait_for(sending.wait(), 30)
    heir = Pool()
    ahead = replace(container, clock=Ahead())
    other = runner_of(ahead, heir)

    async def take(shard_id: int) -> bool:
        taken.append(shard_id)
        return await other.run(shard_id)

    looking = Dispatcher(
        flow=container.flow,
        store=container.store,
        bus=LocalBus(),
        clock=ahead.clock,
        run_shard=take,
        heed=other.heed,
        window=3,
        leases=Leases("other"),
    )
    watching = asyncio.create_task(looking.run())
    try:
        assert await ready(ahead) == [shard], "by its clock it is free"
        await asyncio.sleep(2 * running.LEASE)
        assert taken == []
        second = await accepted(container, app)
        async with asyncio.timeout(30):
            while (await now_of(container, second)).status is not NotificationStatus.DONE:
                await asyncio.sleep(0.05)  # what is held takes nobody's place
        first.cancel()
        async with asyncio.timeout(30):
            while (await now_of(container, notification)).status is not NotificationStatus.DONE:
                await asyncio.sleep(0.05)
        assert heir.chunks.count([1, 2, 3, 4, 5]) == 2
    finally:
        for task in (first, watching):
            task.cancel()
        await asyncio.gather(first, watching, return_exceptions=True)


async def test_a_worker_that_wakes_after_its_lease_went_to_another_takes_back_what_has_not_left(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEASE", 0.3)
    app = await app_of(container, [PUSH] * 5)
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    waiting = Waiting()
    slept = asyncio.create_task(runner_of(container, waiting).run(shard))
    await asyncio.wait_for(waiting.begun.wait(), 30)
    monkeypatch.setattr(running, "LEASE", 60.0)
    heir = Pool()
    assert await runner_of(replace(container, clock=Ahead()), heir).run(shard), "its lease had run out"
    await asyncio.wait_for(slept, 30)
    assert waiting.taken_back
    assert heir.chunks == [[1, 2, 3, 4, 5]]
    assert (await now_of(container, notification)).counts.sent == 5


class Waiting(Pool):
    """A pool whose senders have no time yet."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.taken_back = False

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.taken_back = True
            raise
        return {}
