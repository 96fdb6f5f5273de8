"""Clocks that jump by an hour while somebody waits: nobody is asked sooner than he said, and nobody waits the hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.campaign import app_with_subscribers, seen, to_everyone, working
from support.chaos import Jumping, arrived, assert_told_once, finished_in_the_end, until
from tidings.bus import bus_from
from tidings.domain.event import NewEventType
from tidings.domain.message import Message
from tidings.domain.rules import rule_from_json
from tidings.domain.trigger import Definition, Words
from tidings.lib.pacing import REST
from tidings.lib.sealed import KeyRing
from tidings.pipeline import settle
from tidings.services.events import Reported
from tidings.settings import Settings
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.storage.open import open_store
from tidings.wiring import Container, assembled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
ASKED = 12
"""Seconds that the push service asks to be left alone; longer than a slow machine needs to see a jump."""


@pytest.fixture
def jumping() -> Jumping:
    return Jumping()


@pytest.fixture
async def container(tmp_path: Path, jumping: Jumping) -> AsyncIterator[Container]:
    store = open_store(database_url=None, folder=tmp_path / "data", ring=KeyRing.generate())
    settings = Settings(data=tmp_path / "data", senders=1, allow_insecure_endpoints=True)
    yield assembled(settings, store=store, bus=bus_from(None), clock=jumping)
    await store.close()


# Three refusals in a row are those of three devices, and more than four are the service's own.
@pytest.mark.parametrize("count", [3, 40], ids=["devices", "service"])
@JUMPS
async def test_whoever_asks_to_be_left_alone_is_left_alone_so_long_and_not_an_hour(
    container: Container, jumping: Jumping, simulator: Running, jump: timedelta, count: int
) -> None:
    throttled = Fault(FaultKind.THROTTLED, retry_after=ASKED)
    app = await app_with_subscribers(container, simulator, count, faults=((throttled, 1.0),))

    async def all_wait() -> bool:
        now = jumping.now()
        vitals = await container.store.read(lambda tx: tx.instance.vitals(now=now, alive_since=now))
        return seen(simulator)["refused"] >= min(count, 3) and vitals.leased == 0 and vitals.ready > 0

    async with working(container):
        accepted = await container.flow.accept(to_everyone(app, ttl=86_400))
        await until(all_wait)
        jumping.ahead += jump
        done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, count)
    journal = simulator.journal
    refused = {str(one["to"]): float(str(one["at"])) for one in journal.refusals(limit=count)}
    came = {str(one["to"]): float(str(one["at"])) for one in journal.messages(limit=count)}
    waits = [came[to] - at for to, at in refused.items()]
    assert len(waits) == count
    assert min(waits) >= ASKED


@JUMPS
async def test_a_service_that_only_fails_is_left_alone_for_its_rest_whatever_the_clocks_say(
    container: Container, jumping: Jumping, simulator: Running, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 1.0)
    failing = Fault(FaultKind.UNAVAILABLE, retry_after=None)
    simulator.service.script.add(failing, times=100_000)
    app = await app_with_subscribers(container, simulator, 40)
    journal = simulator.journal

    def last_at() -> float:
        return float(str(journal.refusals(limit=1)[0]["at"]))

    def rests() -> bool:
        tried = journal.refusals(limit=1)
        return bool(tried) and jumping.real() - last_at() > 3 * settle.LONGEST_DELAY

    with jumping.in_senders():
        async with working(container):
            accepted = await container.flow.accept(to_everyone(app, ttl=86_400))
            await until(rests)
            last = last_at()
            simulator.service.script.clear()
            jumping.ahead += jump
            done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, 40)
    came = [float(str(one["at"])) - last for one in journal.messages(limit=40)]
    assert len(came) == 40
    assert min(came) >= REST
    assert max(came) < 3 * REST, "nobody waits for the hour"


@JUMPS
async def test_events_go_on_and_reach_whom_they_are_for(
    container: Container, jumping: Jumping, simulator: Running, jump: timedelta
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    await container.automation.event_types.put(app.id, NewEventType("tide.turned", "The tide turned"))
    words = Words(message=Message(title="Tide {{ n }}", url="https://example.com/", ttl=86_400))
    everyone = Definition(
        name="Tide", event_type="tide.turned", audience=rule_from_json({"everyone": True}), words=words
    )
    await container.automation.triggers.create(app.id, everyone)
    async with working(container):
        for n in range(4):
            if n == 2:
                jumping.ahead += jump
            await container.automation.events.report(app.id, [Reported("tide.turned", None, {"n": n}, ())])
            await arrived(simulator, n + 1)
