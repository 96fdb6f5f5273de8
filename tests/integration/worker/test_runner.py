"""Runners against a real database, with a pool that answers what the test wants."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.runners import PUSH, Pool, accepted, app_of, now_of, ready, runner_of
from tidings import wiring
from tidings.domain.app import App
from tidings.domain.campaign import Counts, Notification, NotificationStatus
from tidings.domain.outcome import Accepted, FaultScope, Misconfigured, Outcome
from tidings.lib.clock import FixedClock
from tidings.pipeline.deliver import Parcel
from tidings.pipeline.settle import CONFIGURATION_DELAY
from tidings.settings import Settings
from tidings.storage import StoreUnavailable, Transaction
from tidings.wiring import Container
from tidings.worker.runner import LEASE, MOST_CLAIMS


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", senders=1)) as opened:
        yield opened


async def test_what_was_sent_is_not_sent_again_for_a_database_that_was_away_for_minutes(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await app_of(container, [PUSH] * 5)
    notification = await accepted(container, app)
    write, slept = container.store.write, list[float]()

    async def away(_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if sum(slept) > 300:
            monkeypatch.setattr(container.store, "write", write)

    runner = runner_of(container, Pool(meanwhile=lambda _: monkeypatch.setattr(container.store, "write", away)))
    (shard,) = await ready(container)
    monkeypatch.setattr(runner, "_renew", lambda _: asyncio.Event().wait())
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await runner.run(shard)
    assert max(slept) < 10, "it is back, and nobody notices"
    done = await now_of(container, notification)
    assert (done.status, done.counts) == (NotificationStatus.DONE, Counts(audience=5, sent=5))


async def test_a_lease_that_could_not_be_renewed_is_renewed_as_soon_as_the_database_is_back(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, away, pauses = container.store.write, iter(range(2)), list[float]()
    app = await app_of(container, [PUSH])
    await accepted(container, app)
    (shard_id,) = await ready(container)
    now = container.clock.now()
    shard = await write(lambda tx: tx.shards.claim(shard_id, owner="test", now=now, lease=LEASE))
    assert shard is not None

    async def fails_twice(work: Callable[[Transaction], object]) -> object:
        if next(away, None) is not None:
            raise StoreUnavailable("It is away.")
        return await write(work)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(container.store, "write", fails_twice)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await runner_of(container, Pool())._renew(shard)
    assert pauses == [LEASE / 3, LEASE / 12, LEASE / 12, LEASE / 3]


async def test_a_pause_that_is_taken_back_at_the_last_moment_loses_nobody(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await app_of(container, [PUSH] * 600)
    notification = await accepted(container, app)

    async def pause(chunk: int) -> None:
        if chunk == 1:
            await container.flow.pause(app.id, notification.public_id)

    pool = Pool(meanwhile=pause)
    runner = runner_of(container, pool)
    end = runner._end

    async def end_after_a_resume(*args: object) -> None:
        monkeypatch.undo()
        # After the transaction that saw the pause, before the one that ends the shard.
        await container.flow.resume(app.id, notification.public_id)
        await end(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "_end", end_after_a_resume)
    while waiting := await ready(container):
        for shard in waiting:
            await runner.run(shard)
    done = await now_of(container, notification)
    assert done.status is NotificationStatus.DONE
    assert (done.counts.sent, done.counts.skipped) == (600, 0)
    assert [len(chunk) for chunk in pool.chunks] == [200, 200, 200]


async def test_a_worker_that_stops_with_a_cancelled_notification_in_hand_leaves_its_counters_complete(
    container: Container,
) -> None:
    app = await app_of(container, [PUSH] * 600)
    notification = await accepted(container, app)

    async def cancel_and_stop(chunk: int) -> None:
        await container.flow.cancel(app.id, notification.public_id)
        runner.stop()

    runner = runner_of(container, Pool(meanwhile=cancel_and_stop))
    (shard,) = await ready(container)
    await runner.run(shard)
    await container.flow.tidy()
    found = await now_of(container, notification)
    assert found.status is NotificationStatus.CANCELLED
    assert (found.counts.sent, found.counts.skipped, found.counts.settled) == (200, 400, 600)


async def paused_integration(container: Container, app: App, *, because: str | None) -> None:
    def pause(tx: Transaction) -> None:
        integration = tx.credentials.integration(app.id, "webpush")
        assert integration is not None
        if because is None:
            tx.credentials.resume(integration.id)
            return
        credential = tx.credentials.current(app.id, "webpush")
        assert credential is not None
        tx.credentials.pause(credential.id, PUSH, reason=because, now=container.clock.now())

    await container.store.write(pause)


async def shard_rows(container: Container, notification: Notification) -> int:
    return await container.store.read(lambda tx: tx.shards.open_count(notification.id))


async def test_one_odd_address_holds_up_only_its_own_service(container: Container) -> None:
    odd = "https://wns2-par02p.notify.windows.com"
    app = await app_of(container, [PUSH] * 5 + [odd])

    def answer(parcel: Parcel) -> Outcome:
        return Misconfigured("authorization_refused") if parcel.origin == odd else Accepted()

    for _ in range(2):
        notification = await accepted(container, app)
        (shard,) = await ready(container)
        await runner_of(container, Pool(answer)).run(shard)
        assert (await now_of(container, notification)).counts.sent == 5
    paused = await container.store.read(lambda tx: tx.credentials.paused(app.id))
    assert {origin for _, origin in paused} == {odd}


async def test_one_odd_address_pauses_nothing_where_the_key_worked_within_a_day(container: Container) -> None:
    app = await app_of(container, [PUSH, PUSH])
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    await runner_of(container, Pool()).run(shard)
    assert (await now_of(container, notification)).counts.sent == 2
    refusing = Pool(lambda _: Misconfigured("authorization_refused"))
    for wait, is_paused in ((timedelta(hours=1), False), (timedelta(hours=25), True)):
        clock = FixedClock(container.clock.now() + wait)
        await accepted(container, app, ttl=3 * 86_400)
        later = replace(container, clock=clock)
        for one in await container.store.read(lambda tx, at=clock.at: tx.shards.ready(now=at, limit=10)):
            await runner_of(later, refusing).run(one)
        assert bool(await container.store.read(lambda tx: tx.credentials.paused(app.id))) is is_paused


async def test_a_shard_waits_for_a_paused_integration_however_long_and_leaves_no_rows_behind(
    container: Container,
) -> None:
    app = await app_of(container, [PUSH] * 600)
    await paused_integration(container, app, because="jwt_refused")
    notification = await accepted(container, app)
    clock = FixedClock(container.clock.now())
    pool = Pool()
    runner = runner_of(replace(container, clock=clock), pool)
    for _ in range(MOST_CLAIMS + 2):
        waiting = await container.store.read(lambda tx: tx.shards.ready(now=clock.at, limit=1_000))
        assert len(waiting) == 1, "the same shard looks again every minute"
        await runner.run(waiting[0])
        assert await container.store.read(lambda tx: tx.shards.ready(now=clock.at, limit=1_000)) == []
        clock.at += timedelta(seconds=CONFIGURATION_DELAY)
    assert await shard_rows(container, notification) == 1
    assert pool.chunks == []
    await paused_integration(container, app, because=None)
    await runner.run(waiting[0])
    assert (await now_of(container, notification)).counts.sent == 600


async def test_a_credential_that_is_wrong_everywhere_is_used_nowhere(container: Container) -> None:
    app = await app_of(container, [PUSH, "https://updates.push.services.mozilla.com"])
    notification = await accepted(container, app)
    pool = Pool(lambda _: Misconfigured("project_closed", FaultScope.CREDENTIAL))
    (shard,) = await ready(container)
    await runner_of(container, pool).run(shard)
    later = await accepted(container, app)
    for waiting in await ready(container):
        await runner_of(container, pool).run(waiting)
    assert len(pool.chunks) == 1
    assert [(await now_of(container, one)).counts.settled for one in (notification, later)] == [0, 0]


@pytest.mark.parametrize("scope", list(FaultScope))
async def test_what_was_sent_is_stored_although_a_key_that_was_refused_is_removed_meanwhile(
    container: Container, scope: FaultScope
) -> None:
    app = await app_of(container, [PUSH] * 15 + ["https://updates.push.services.mozilla.com"] * 15)
    notification = await accepted(container, app)

    def answer(parcel: Parcel) -> Outcome:
        return Accepted() if parcel.subscription_id > 15 else Misconfigured("authorization_refused", scope)

    async def removed(chunk: int) -> None:
        if chunk > 1:
            return
        (integration,) = await container.store.read(lambda tx: tx.credentials.integrations(app.id))
        await container.store.write(lambda tx: tx.credentials.remove(integration.id, reason="integration_removed"))

    pool = Pool(answer, meanwhile=removed)
    for minutes in range(3):
        clock = FixedClock(container.clock.now() + timedelta(minutes=2 * minutes))
        for shard in await ready(container, within=120.0 * minutes):
            await runner_of(replace(container, clock=clock), pool).run(shard)
    done = await now_of(container, notification)
    assert [len(chunk) for chunk in pool.chunks if chunk] == [30], "nobody is told again"
    assert (done.status, done.counts.sent, done.counts.settled) == (NotificationStatus.DONE, 15, 30)


async def test_who_waits_for_a_paused_integration_runs_out_with_the_message(container: Container) -> None:
    app = await app_of(container, [PUSH] * 3)
    await paused_integration(container, app, because="jwt_refused")
    notification = await accepted(container, app)
    clock = FixedClock(container.clock.now())
    runner = runner_of(replace(container, clock=clock), Pool())
    (shard,) = await ready(container)
    await runner.run(shard)
    clock.at = notification.expires_at
    assert await runner.run(shard)
    done = await now_of(container, notification)
    assert (done.status, done.counts.expired) == (NotificationStatus.DONE, 3)


async def test_a_shard_that_moves_on_is_not_buried_however_often_its_workers_die(container: Container) -> None:
    app = await app_of(container, [PUSH] * 600)
    notification = await accepted(container, app)
    clock = FixedClock(container.clock.now())
    (shard,) = await ready(container)

    def die(chunk: int) -> None:
        raise ConnectionError("the worker is gone")

    async def deaths(count: int) -> None:
        for _ in range(count):
            with pytest.raises(ConnectionError):
                await runner_of(replace(container, clock=clock), Pool(meanwhile=die)).run(shard)
            clock.at += timedelta(seconds=LEASE + 1)

    await deaths(MOST_CLAIMS - 1)
    one_chunk = runner_of(replace(container, clock=clock), Pool(meanwhile=lambda _: one_chunk.stop()))
    await one_chunk.run(shard)
    await deaths(MOST_CLAIMS - 1)
    await runner_of(replace(container, clock=clock), Pool()).run(shard)
    assert (await now_of(container, notification)).counts.sent == 600


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "javascript:alert(1)"}, "unsafe_link"),
        ({"actions": [{"id": "a", "title": "A", "url": "intent://x"}]}, "unsafe_link"),
        ({"icon": "http://www.example.com/i.png"}, "unsafe_image"),
        ({"title": "invoice\u202efdp.exe"}, "unsafe_text"),
    ],
)
async def test_a_row_that_came_into_the_database_by_hand_is_checked_before_it_is_sent(
    container: Container, change: dict[str, object], reason: str
) -> None:
    app = await app_of(container, [PUSH] * 3)
    notification = await accepted(container, app)
    with closing(sqlite3.connect(container.settings.data / "tidings.db")) as database, database:
        (message,) = database.execute("SELECT message FROM notifications").fetchone()
        database.execute("UPDATE notifications SET message = ?", [json.dumps(json.loads(message) | change)])
    pool = Pool()
    (shard,) = await ready(container)
    await runner_of(container, pool).run(shard)
    found = await now_of(container, notification)
    assert pool.chunks in ([], [[]])
    assert (found.status, found.counts.failed, found.reasons) == (NotificationStatus.DONE, 3, {reason: 3})
