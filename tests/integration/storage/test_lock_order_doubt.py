"""PostgreSQL's locks where a cancel finds chunks in doubt: it looks at devices, which others have and wait for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from support.between import Between
from support.stored import Given, sent
from tidings.domain.app import App
from tidings.domain.campaign import Counts, Notification, NotificationStatus
from tidings.domain.delivery import DeliveryStatus, Retired, Retry, SettledDelivery, Settlement, Shard
from tidings.domain.subscription import Subscription, SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.storage import Store, Transaction, cancelling, settling

pytestmark = pytest.mark.postgres

S = NotificationStatus
LATE = 61.0
"""Seconds after which a lease has run out."""

ROUNDS, CAMPAIGNS, PARTS, SIZE = 8, 4, 6, 10


@pytest.fixture
def given(store: Store, clock: FixedClock) -> Given:
    return Given(store, clock.now())


async def two_of(given: Given, user: str) -> tuple[App, list[Subscription]]:
    app = await given.app()
    key = await given.credential(app)
    return app, [await given.device(app, key, user_external_id=user) for _ in range(2)]


async def in_doubt(given: Given, notification: Notification, n: int, device: int) -> Shard:
    """Leave a part behind whose worker died while it was sending to one device."""
    retries = (Retry(device, 1),) if n < 0 else ()
    shard = await given.claimed(
        await given.shard(notification, n, low=device, high=device, size=1, retries=retries), lease=LATE - 1
    )
    await given.store.write(partial(_opened, shard=shard, high=1 if n < 0 else device))
    return shard


def _held(tx: Transaction, *, app: App, device: Subscription) -> None:
    assert tx.subscriptions.hold(app.id, public_id=device.public_id)[1] is not None


def _opened(tx: Transaction, *, shard: Shard, high: int) -> None:
    assert tx.shards.open_chunk(shard.id, shard.lease_token, shard.chunk_done + 1, high=high)


@pytest.mark.parametrize("first", [0, 1])
async def test_a_cancel_with_two_chunks_in_doubt_beside_the_erasure_of_who_is_in_both(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    app, both = await two_of(given, "anna")
    notification = await given.notification(app)
    await in_doubt(given, notification, 0, both[first].id)
    await in_doubt(given, notification, -1, both[1 - first].id)
    given.now = given.later(LATE)
    between = Between(store)
    monkeypatch.setattr(cancelling, "leave", between.after(settling.leave))
    cancelled, erased = await between.both(
        given.set_status(notification, S.CANCELLED),
        store.write(lambda tx: tx.erasures.user(app, "anna", public_id="era_1", now=given.now)),
    )
    assert cancelled is True, cancelled
    assert not isinstance(erased, BaseException), erased
    assert (await given.look(notification)).counts == Counts(audience=2, skipped=2)


async def test_a_cancel_waits_for_no_device_that_somebody_has_and_comes_back_for_it(store: Store, given: Given) -> None:
    """Whoever has it may wait for one that is being settled, and that waits for the notification."""
    app, (one, _) = await two_of(given, "anna")
    notification = await given.notification(app)
    await in_doubt(given, notification, 0, one.id)
    given.now = given.later(LATE)
    between = Between(store)
    registering = between.after(partial(_held, app=app, device=one))
    done = await between.both(store.write(registering), given.set_status(notification, S.CANCELLED))
    assert done == (None, True)
    assert (await given.look(notification)).counts == Counts(audience=2), "it is not complete"
    assert await given.left_behind(at=given.now) == [notification.id]
    await given.finish(notification)
    found = await given.look(notification)
    assert (found.counts, found.reasons) == (Counts(audience=2, skipped=2), {"in_doubt": 1, "cancelled": 1})
    (row,) = await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9))
    assert (row.subscription_id, row.reason) == (one.id, "in_doubt")
    assert await given.left_behind(at=given.now) == []


async def test_a_chunk_in_doubt_that_somebody_has_for_a_moment_is_not_taken_without_counting_it(
    store: Store, given: Given
) -> None:
    app, (one, _) = await two_of(given, "anna")
    notification = await given.notification(app)
    shard = await in_doubt(given, notification, 0, one.id)
    given.now = given.later(LATE)
    first, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def noting(tx: Transaction) -> None:
        assert tx.shards.note_fault(shard.id, shard.lease_token, "fault:ValueError")
        loop.call_soon_threadsafe(first.set)
        asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(60)

    holding = asyncio.create_task(store.write(noting))
    await first.wait()

    def cancel(tx: Transaction) -> bool:
        run, times = tx.notifications._scope.connection.execute, 0  # type: ignore[attr-defined]

        def executed(statement: Any, *rest: Any) -> Any:
            nonlocal times
            found = run(statement, *rest)
            if getattr(statement, "is_update", False) and statement.table.name == "shards":
                times += 1
                if times == 1:  # the chunks in doubt have been looked for
                    loop.call_soon_threadsafe(let_go.set)
                    asyncio.run_coroutine_threadsafe(asyncio.wait_for(holding, 60), loop).result(60)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tx.notifications._scope.connection, "execute", executed)  # type: ignore[attr-defined]
            return tx.notifications.set_status(
                notification.id, S.CANCELLED, allowed_from=tuple(NotificationStatus), now=given.now
            )

    assert await store.write(cancel)
    await given.finish(notification)
    found = await given.look(notification)
    assert (found.counts, found.reasons) == (Counts(audience=2, skipped=2), {"in_doubt": 1, "cancelled": 1})


class Round:
    """Campaigns to the same devices: half of their parts are being settled, the others are in doubt."""

    def __init__(self, given: Given, app: App, ids: list[int], chance: random.Random) -> None:
        self.given, self.app, self.ids, self.chance = given, app, ids, chance
        self.campaigns: list[Notification] = []
        self.alive: list[tuple[Shard, list[int]]] = []

    async def begin(self) -> None:
        for _ in range(CAMPAIGNS):
            campaign = await self.given.notification(self.app)
            self.campaigns.append(campaign)
            mixed = self.chance.sample(self.ids, len(self.ids))
            for part in range(PARTS):
                await self.part(campaign, part, mixed[part * SIZE : (part + 1) * SIZE])

    async def part(self, campaign: Notification, part: int, ids: list[int]) -> None:
        retries = tuple(Retry(one, 1) for one in ids)
        dead = part % 2 == 0
        shard_id = await self.given.shard(campaign, -1 - part, low=0, high=0, retries=retries, size=len(ids))
        shard = await self.given.claimed(shard_id, lease=LATE - 1 if dead else 9 * LATE)
        await self.given.store.write(partial(_opened, shard=shard, high=len(ids)))
        if not dead:
            self.alive.append((shard, ids))

    async def settle(self, shard: Shard, ids: list[int]) -> None:
        """Store what became of a part, end it, and see whether it was the last."""
        told = sent(*sorted(ids[:5]))
        gone = tuple(SettledDelivery(one, DeliveryStatus.FAILED, "gone", 1) for one in ids[5:8])
        retired = tuple(Retired(one, "gone", b"") for one in ids[5:8])
        doubtful = tuple(Retry(one, 1) for one in ids[8:])
        work = Settlement(shard.id, shard.lease_token, 1, len(ids), told + gone, retired=retired, doubtful=doubtful)
        assert await self.given.store.write(lambda tx: tx.shards.settle(work, now=self.given.now))
        await self.given.store.write(partial(_ended, shard=shard, given=self.given))

    async def erase(self, user: str) -> None:
        era = f"era_{user}_{self.campaigns[0].id}"
        erasure = await self.given.store.write(
            lambda tx: tx.erasures.user(self.app, user, public_id=era, now=self.given.now)
        )
        await self.given.store.write(lambda tx: tx.erasures.note_in_hand(erasure.id, now=self.given.now))
        while await self.given.store.write(partial(_step, erasure_id=erasure.id, given=self.given)):
            await asyncio.sleep(0)

    async def touch(self) -> None:
        """Have devices come back, end and be forgotten, as registrations and retention do."""
        for one in self.chance.sample(self.ids, 6):
            await self.given.store.write(partial(_touched, app=self.app, device=one, given=self.given))


def _touched(tx: Transaction, *, app: App, device: int, given: Given) -> None:
    found = tx.subscriptions.by_id(device)
    if found is None:
        return
    tx.subscriptions.hold(app.id, public_id=found.public_id)
    tx.subscriptions.set_status(device, SubscriptionStatus.EXPIRED, "gone")
    if device % 7 == 0:
        tx.retention.forget_device(device, before=given.later(99 * LATE), limit=50)


def _ended(tx: Transaction, *, shard: Shard, given: Given) -> None:
    tx.shards.wait_for_owner(shard.id)
    tx.shards.finish(shard.id, shard.lease_token)
    tx.notifications.finish_if_settled(shard.notification_id, now=given.now)


def _step(tx: Transaction, *, erasure_id: int, given: Given) -> bool:
    return tx.erasures.step(erasure_id, limit=20, now=given.later(99 * LATE))


async def test_many_cancels_at_once_beside_whoever_settles_erases_and_registers(given: Given) -> None:
    app = await given.app()
    key, chance = await given.credential(app), random.Random(7)
    for number in range(ROUNDS):
        users = [f"user-{number}-{n}" for n in range(PARTS * SIZE // 3)]
        devices = [await given.device(app, key, user_external_id=user) for user in users * 3]
        meeting = Round(given, app, [one.id for one in devices], chance)
        await meeting.begin()
        given.now = given.later(LATE)
        work: list[Coroutine[Any, Any, Any]] = [
            *(given.set_status(one, S.CANCELLED) for one in meeting.campaigns),
            *(meeting.settle(*one) for one in meeting.alive),
            *(meeting.erase(user) for user in users[:6]),
            *(meeting.touch() for _ in range(3)),
        ]
        chance.shuffle(work)
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        assert [one for one in outcomes if isinstance(one, BaseException)] == []
        while left := await given.left_behind(at=given.now):
            for one in meeting.campaigns:
                if one.id in left:
                    await given.finish(one)
        for one in meeting.campaigns:
            await complete(given, one)


async def complete(given: Given, campaign: Notification) -> None:
    """See that nobody is lost or counted twice: half were in doubt, and of the others each came to what was told."""
    found = await given.look(campaign)
    counts = found.counts
    assert counts.settled == counts.audience == campaign.counts.audience
    told = PARTS // 2
    assert (counts.sent, counts.failed) == (5 * told, 3 * told)
    assert found.reasons["in_doubt"] == told * SIZE + 2 * told
