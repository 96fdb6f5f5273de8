"""Push services that vanish and come back, and clocks that jump: everybody is told once, however the time runs."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.campaign import app_with_subscribers, to_everyone, working
from support.chaos import Jumping, arrived, assert_told_once, finished_in_the_end, moments, until
from tidings.bus import bus_from
from tidings.lib.sealed import KeyRing
from tidings.pipeline import plan, settle
from tidings.settings import Settings
from tidings.simulator.certificates import certificates
from tidings.simulator.run import Running
from tidings.storage.open import open_store
from tidings.wiring import Container, assembled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SUBSCRIBERS = 1_500


@pytest.fixture
def jumping() -> Jumping:
    return Jumping()


@pytest.fixture
async def container(tmp_path: Path, jumping: Jumping, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Container]:
    # A machine so busy that connections time out must not have to sit out the delays of a real outage.
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 2.0)
    # More shards than one sender's window holds, so that some wait when something happens.
    monkeypatch.setattr(plan, "SHARD_SIZE", 150)
    store = open_store(database_url=None, folder=tmp_path / "data", ring=KeyRing.generate())
    settings = Settings(data=tmp_path / "data", senders=1, allow_insecure_endpoints=True)
    yield assembled(settings, store=store, bus=bus_from(None), clock=jumping)
    await store.close()


async def test_a_push_service_that_is_gone_for_hours_gets_everything_when_it_is_back(
    tmp_path: Path, container: Container, jumping: Jumping, simulator: Running
) -> None:
    (gone_at,) = moments("end the push service", of=1, among=SUBSCRIBERS)
    app = await app_with_subscribers(container, simulator, SUBSCRIBERS)

    async def nothing_is_due() -> bool:
        now = jumping.now()
        vitals = await container.store.read(lambda tx: tx.instance.vitals(now=now, alive_since=now))
        return vitals.leased == 0 and vitals.lag == 0 and vitals.ready > 0

    async with working(container) as worker:
        accepted = await container.flow.accept(to_everyone(app, ttl=86_400))
        await arrived(simulator, gone_at)
        port = simulator.listener.port
        await simulator.listener.close()
        await until(nothing_is_due)
        await simulator.listener.open(port=port, tls=certificates(tmp_path / "again", origins=()).push)
        jumping.ahead += timedelta(hours=3)
        for pid in worker.pool.pids:  # they leave a service alone that has been silent, by a clock of their own
            os.kill(pid, signal.SIGKILL)
        done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, SUBSCRIBERS)


async def test_a_clock_that_was_set_back_before_the_start_holds_up_nobody(
    container: Container, jumping: Jumping, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 20)
    accepted = await container.flow.accept(to_everyone(app, ttl=86_400))
    jumping.ahead -= timedelta(hours=2)
    async with working(container):
        done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, 20)


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2)], ids=["ahead", "back"])
async def test_a_clock_that_jumps_in_the_middle_holds_up_nobody(
    container: Container, jumping: Jumping, simulator: Running, jump: timedelta
) -> None:
    (jump_at,) = moments(f"set the clock by {jump}", of=1, among=SUBSCRIBERS)
    app = await app_with_subscribers(container, simulator, SUBSCRIBERS)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app, ttl=86_400))
        await arrived(simulator, jump_at)
        jumping.ahead += jump
        done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, SUBSCRIBERS)
