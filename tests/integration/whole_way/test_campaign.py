"""The whole way, from a request to decrypted messages and exact counters, on both databases, with much going wrong."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.campaign import app_with_subscribers, finished, seen, to_everyone, working
from support.postgres import fresh_database
from tidings import wiring
from tidings.domain.app import App, Integration
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.pipeline import settle
from tidings.pipeline.flow import Idempotent
from tidings.settings import Settings
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.wiring import Container

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SHARE = 0.1
FAULTS = tuple(
    (Fault(kind, tries=1, retry_after=1, seconds=1.0), SHARE)
    for kind in (
        FaultKind.NOT_FOUND,
        FaultKind.GONE,
        FaultKind.TOO_LARGE,
        FaultKind.THROTTLED,
        FaultKind.UNAVAILABLE,
        FaultKind.SLOW,
        FaultKind.DROPPED,
    )
)


@pytest.fixture
async def container(tmp_path: Path, database_url: str | None) -> AsyncIterator[Container]:
    settings = Settings(data=tmp_path / "data", database_url=database_url, senders=2, allow_insecure_endpoints=True)
    async with wiring.opened(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test short: retries come within a second; how long real waits are is tested in unit tests."""
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 2.0)


def assert_everyone_accounted_for(done: Notification, simulator: Running, count: int) -> None:
    """Check counters against what the simulated devices decrypted.

    A dropped connection takes answers with it that were on their way: those messages are sent again under the same
    delivery id, which the push service (Topic) and the device (tag) take for the same message. So what is counted
    is distinct deliveries.
    """
    each = round(count * SHARE)
    assert done.status is NotificationStatus.DONE
    assert done.counts.audience == count
    assert done.counts.settled == count, done
    assert (done.counts.sent, done.counts.failed) == (count - 3 * each, 3 * each), done
    assert (done.counts.expired, done.counts.skipped) == (0, 0), done
    assert done.reasons["gone"] == 2 * each
    assert sum(done.reasons.values()) in {count, 3 * each}
    everyone = seen(simulator)
    assert everyone["distinct"] == count - 3 * each
    assert everyone["unreadable"] == 0
    for kind in (FaultKind.THROTTLED, FaultKind.UNAVAILABLE, FaultKind.DROPPED):
        assert seen(simulator, kind)["distinct"] == each, kind


async def test_a_campaign_with_every_fault_adds_up_and_nobody_is_lost_or_told_twice(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 1_000, faults=FAULTS)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        assert accepted.notification.counts.audience == 1_000
        done = await finished(container, accepted.notification)
    assert_everyone_accounted_for(done, simulator, 1_000)
    statuses = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert statuses.get(SubscriptionStatus.ACTIVE) == 800
    assert statuses.get(SubscriptionStatus.EXPIRED) == 200


async def test_while_connections_hold_no_push_service_gets_a_message_twice(
    container: Container, simulator: Running
) -> None:
    faults = tuple(pair for pair in FAULTS if pair[0].kind is not FaultKind.DROPPED)
    app = await app_with_subscribers(container, simulator, 500, faults=faults)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        done = await finished(container, accepted.notification)
    assert done.counts.settled == 500
    assert (seen(simulator)["distinct"], seen(simulator)["doubled"]) == (350, 0)


async def test_killing_senders_in_the_middle_changes_nothing(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 1_000, faults=FAULTS)
    async with working(container) as worker:
        accepted = await container.flow.accept(to_everyone(app))
        while seen(simulator)["accepted"] < 150:
            await asyncio.sleep(0)
        for pid in worker.pool.pids:
            os.kill(pid, signal.SIGKILL)
        while seen(simulator)["accepted"] < 450:
            await asyncio.sleep(0)
        os.kill(worker.pool.pids[0], signal.SIGKILL)
        done = await finished(container, accepted.notification)
    assert_everyone_accounted_for(done, simulator, 1_000)


async def test_the_same_idempotency_key_sends_once(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 3)
    same = Idempotent(key="order-17", request_hash=b"r" * 32)
    async with working(container):
        first, *others = await asyncio.gather(
            *(container.flow.accept(to_everyone(app), idempotency=same) for _ in range(5))
        )
        assert {one.notification.id for one in others} == {first.notification.id}
        assert sum(not one.replayed for one in (first, *others)) == 1
        await finished(container, first.notification)
    assert seen(simulator)["accepted"] == 3


async def test_a_cancelled_campaign_stops_and_still_adds_up(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 3_000)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        while seen(simulator)["accepted"] < 100:
            await asyncio.sleep(0.01)
        await container.flow.cancel(app.id, accepted.notification.public_id)
        async with asyncio.timeout(30):
            while True:
                found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
                assert found is not None
                if found.counts.settled == 3_000:
                    break
                await asyncio.sleep(0.05)
    assert found.status is NotificationStatus.CANCELLED
    assert found.counts.sent == seen(simulator)["distinct"] < 3_000
    assert found.counts.skipped == 3_000 - found.counts.sent


async def test_a_paused_campaign_waits_and_goes_on(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 3_000)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        while seen(simulator)["accepted"] < 100:
            await asyncio.sleep(0.01)
        await container.flow.pause(app.id, accepted.notification.public_id)
        async with asyncio.timeout(30):
            while True:
                before = seen(simulator)["accepted"]
                await asyncio.sleep(0.5)
                if seen(simulator)["accepted"] == before:
                    break
        assert before < 3_000
        await container.flow.resume(app.id, accepted.notification.public_id)
        done = await finished(container, accepted.notification)
    assert (done.counts.sent, seen(simulator)["distinct"], seen(simulator)["doubled"]) == (3_000, 3_000, 0)


async def test_a_worker_that_starts_later_sends_what_was_accepted_before(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 5)
    accepted = await container.flow.accept(to_everyone(app))
    async with working(container):
        done = await finished(container, accepted.notification)
    assert done.counts.sent == 5


async def test_stopping_a_worker_finishes_what_is_in_hand_and_the_next_one_goes_on_at_once(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 3_000)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        while seen(simulator)["accepted"] < 100:
            await asyncio.sleep(0.01)
    stopped_at = seen(simulator)["accepted"]
    assert stopped_at < 3_000
    found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
    assert found is not None
    assert found.counts.sent == stopped_at, "every chunk that was sent is settled"
    async with working(container):
        done = await finished(container, accepted.notification, seconds=40)
    assert (done.counts.sent, seen(simulator)["doubled"]) == (3_000, 0)


async def test_a_message_that_has_run_out_is_not_sent(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 3)
    accepted = await container.flow.accept(to_everyone(app, ttl=60))
    await container.store.write(
        lambda tx: tx.notifications.set_status(  # a pause of more than a minute
            accepted.notification.id, NotificationStatus.PAUSED, allowed_from=[NotificationStatus.QUEUED], now=NOW
        )
    )
    late = replace(container, clock=FixedClock(container.clock.now() + timedelta(seconds=61)))
    await container.flow.resume(app.id, accepted.notification.public_id)
    async with working(late):
        done = await finished(container, accepted.notification)
    assert (done.counts.expired, seen(simulator)["accepted"]) == (3, 0)


async def test_refused_credentials_pause_the_integration_and_nobody_is_lost(
    container: Container, simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "CONFIGURATION_DELAY", 0.5)
    app = await app_with_subscribers(container, simulator, 5, contact="mailto:someone@localhost")
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        async with asyncio.timeout(20):
            while not (paused := await integration(container, app)).paused_because:
                await asyncio.sleep(0.05)
        assert seen(simulator)["accepted"] == 0
        statuses = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
        assert statuses[SubscriptionStatus.ACTIVE] == 5
        await container.credentials.update(
            app.id, "webpush", settings={"subject": "mailto:ops@example.com"}, resume=True
        )
        done = await finished(container, accepted.notification)
    assert paused.paused_because
    assert done.counts.sent == seen(simulator)["distinct"] == 5


async def integration(container: Container, app: App) -> Integration:
    found = await container.store.read(lambda tx: tx.credentials.integration(app.id, "webpush"))
    assert found is not None
    return found


@pytest.mark.postgres
async def test_a_pause_in_one_process_is_heeded_by_the_workers_of_another(
    tmp_path: Path, simulator: Running, request: pytest.FixtureRequest
) -> None:
    slow = ((Fault(FaultKind.SLOW, seconds=1.5), 1.0),)
    with fresh_database(request.getfixturevalue("postgres")) as url:
        settings = Settings(data=tmp_path / "data", database_url=url, senders=2, allow_insecure_endpoints=True)
        # Two containers share the database and nothing else: no doorbell of the one rings in the other.
        async with wiring.opened(settings) as api, wiring.opened(settings) as elsewhere, working(elsewhere):
            app = await app_with_subscribers(api, simulator, 220, faults=slow)
            accepted = await api.flow.accept(to_everyone(app))
            async with asyncio.timeout(60):
                while seen(simulator)["accepted"] < 20:
                    await asyncio.sleep(0.01)
            await api.flow.pause(app.id, accepted.notification.public_id)
            async with asyncio.timeout(60):
                while await in_hand(api):
                    await asyncio.sleep(0.05)
            stopped_at = seen(simulator)["accepted"]
            assert stopped_at < 200, "what had not left of the chunk was taken back"
            await api.flow.resume(app.id, accepted.notification.public_id)
            done = await finished(api, accepted.notification)
    assert (done.counts.sent, seen(simulator)["distinct"], seen(simulator)["doubled"]) == (220, 220, 0)


async def in_hand(container: Container) -> int:
    """Count the shards that a worker has in hand."""
    now = container.clock.now()
    return (await container.store.read(lambda tx: tx.instance.vitals(now=now, alive_since=now))).leased
