"""What happens between two transactions of a runner, and between a chunk and the next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from support.runners import PUSH, Pool, accepted, app_of, now_of, ready, runner_of, standing_still
from support.vapid import new_keys
from tidings.domain.campaign import Counts
from tidings.domain.outcome import Accepted, Held, Outcome, Throttled, ThrottleScope, Unavailable
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import SealBroken
from tidings.storage import Transaction
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.subscriptions import subscriptions
from tidings.wiring import Container
from tidings.worker import load
from tidings.worker.runner import LEASE, Runner


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def container(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Container]:
    async with standing_still(request, tmp_path) as opened:
        yield opened


def gone(_: int) -> None:
    raise ConnectionError("the worker is gone")


async def pause(container: Container, *, origin: str) -> None:
    (one,) = await container.store.read(lambda tx: tx.subscriptions.recipients_by_id([1]))
    now = container.clock.now()
    await container.store.write(lambda tx: tx.credentials.pause(one.credential_id, origin, reason="refused", now=now))


@pytest.mark.parametrize("told", [False, True], ids=["nobody was told", "they may have been told"])
async def test_a_cancel_that_meets_a_shard_which_waits_for_its_integration_completes_the_counters(
    container: Container, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    app = await app_of(container, [PUSH] * 3)
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    clock: FixedClock = container.clock  # type: ignore[assignment]
    if told:
        with pytest.raises(ConnectionError):
            await runner_of(container, Pool(meanwhile=gone)).run(shard)
        clock.at += timedelta(seconds=LEASE + 1)
    await pause(container, origin=PUSH)
    wait = Runner._wait

    async def cancelled_before(self: Runner, *args: Any) -> None:
        await container.flow.cancel(app.id, notification.public_id)
        await wait(self, *args)

    monkeypatch.setattr(Runner, "_wait", cancelled_before)
    assert await runner_of(container, Pool()).run(shard)
    clock.at += timedelta(seconds=LEASE + 1)
    await container.flow.tidy()
    ended = await now_of(container, notification)
    assert ended.counts == Counts(audience=3, skipped=3)
    assert ended.reasons == {"in_doubt" if told else "cancelled": 3}


async def test_what_was_sent_is_stored_although_what_comes_next_cannot_be_read(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CHUNK_SIZE", 2)
    app = await app_of(container, [PUSH] * 4)
    notification = await accepted(container, app)
    clock: FixedClock = container.clock  # type: ignore[assignment]

    def damage(tx: Transaction) -> bytes:
        """Give the last two a key of their own, which cannot be opened."""
        further = tx.credentials.add_integration(
            app.id, "webpush", public_id="int_further", label="Further", settings={}, now=clock.at
        )
        assert further is not None
        key = tx.credentials.add(further.id, fingerprint="further", secret=new_keys().secret, settings={}, now=clock.at)
        connection = tx.credentials._scope.connection  # type: ignore[attr-defined]
        of = credentials.c.id == key.id
        was: bytes = connection.execute(select(credentials.c.secret).where(of)).scalar_one()
        connection.execute(update(credentials).where(of).values(secret=b"damaged"))
        connection.execute(update(subscriptions).where(subscriptions.c.id > 2).values(credential_id=key.id))
        return was

    was = await container.store.write(damage)
    (shard,) = await ready(container)
    pool = Pool()
    for _ in range(15):
        with suppress(SealBroken):
            await runner_of(container, pool).run(shard)
        clock.at += timedelta(seconds=LEASE + 1)
    assert pool.chunks == [[1, 2]], "they were told, and are not told again"
    (dead,) = await container.store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
    ended = await now_of(container, notification)
    assert (ended.counts.sent, ended.reasons) == (2, {"in_doubt": 2})

    def repair(tx: Transaction) -> bool:
        connection = tx.credentials._scope.connection  # type: ignore[attr-defined]
        connection.execute(update(credentials).where(credentials.c.secret == b"damaged").values(secret=was))
        return tx.shards.requeue(dead.id, now=clock.at)

    assert await container.store.write(repair)
    assert await runner_of(container, pool).run(shard)
    assert (await now_of(container, notification)).counts == Counts(audience=4, sent=4)


RESTS = Throttled(60.0, ThrottleScope.PROJECT, Held.RESTS)
SILENT = Unavailable(60.0, Held.SILENT)


@pytest.mark.parametrize("held", [RESTS, SILENT, None], ids=["rests", "silent", "its integration is paused"])
async def test_whom_a_dead_worker_may_have_told_is_in_doubt_until_they_are_tried_again(
    container: Container, held: Outcome | None
) -> None:
    app = await app_of(container, [PUSH, *["https://updates.push.services.mozilla.com"] * 3])
    notification = await accepted(container, app)
    clock: FixedClock = container.clock  # type: ignore[assignment]
    (shard,) = await ready(container)
    with pytest.raises(ConnectionError):
        await runner_of(container, Pool(meanwhile=gone)).run(shard)
    clock.at += timedelta(seconds=LEASE + 1)
    if held is None:
        await pause(container, origin="https://updates.push.services.mozilla.com")
    pool = Pool(lambda parcel: Accepted() if parcel.subscription_id == 1 or held is None else held)
    assert await runner_of(container, pool).run(shard)
    assert await ready(container) == [], "nobody is tried again before it is time"
    clock.at += timedelta(seconds=200)
    (again,) = await ready(container)
    assert await runner_of(container, pool).run(again)
    assert await ready(container) == []
    await container.flow.cancel(app.id, notification.public_id)
    ended = await now_of(container, notification)
    assert (ended.counts.sent, ended.counts.skipped, ended.reasons) == (1, 3, {"in_doubt": 3})


async def test_whom_it_is_known_to_have_missed_is_not_in_doubt(container: Container) -> None:
    app = await app_of(container, [PUSH] * 3)
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    assert await runner_of(container, Pool(lambda _: RESTS)).run(shard)
    await container.flow.cancel(app.id, notification.public_id)
    assert (await now_of(container, notification)).reasons == {"cancelled": 3}
