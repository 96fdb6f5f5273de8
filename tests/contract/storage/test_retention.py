"""What has had its time goes a few rows at a time; what was counted of it stays."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert

from support.stored import Given, sent
from tidings.domain.audit import SYSTEM, Action, Subject
from tidings.domain.campaign import Notification
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.subscription import SubscriptionStatus
from tidings.domain.tracked import NewTrackedEvent
from tidings.lib.clock import FixedClock
from tidings.lib.metrics import Metrics
from tidings.services import retention as service
from tidings.services.audit import Audit
from tidings.services.retention import KeepFor, Retention
from tidings.storage import Store, Transaction
from tidings.storage.tables.accounts import audit_anchors, audit_entries

DAY = timedelta(days=1)


async def campaign(store: Store, given: Given, *, devices: int = 5) -> tuple[Notification, list[int]]:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), devices)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    await given.settle(shard, sent(*ids))
    for one, action in zip(ids, ("yes", "no", "yes", "yes", "no"), strict=False):
        receipt = Receipt(notification.id, one, ReceiptEvent.ANSWERED, action, given.now)
        await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]
    await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
    assert await given.finish(notification)
    return notification, ids


async def rows_of(store: Store, notification: Notification) -> int:
    return len(await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=999)))


def retention(store: Store, at: datetime, **keep: int) -> Retention:
    return Retention(store=store, clock=FixedClock(at), keep=KeepFor(**keep), metrics=Metrics())


async def test_details_go_when_their_time_has_come_and_not_before(store: Store, given: Given) -> None:
    notification, _ = await campaign(store, given)
    assert await retention(store, given.now + 89 * DAY).run() == {}
    assert await rows_of(store, notification) == 5
    removed = await retention(store, given.now + 91 * DAY).run()
    assert removed["deliveries"] == 5 + 5 + 1, "deliveries, receipts and the shard"
    assert await rows_of(store, notification) == 0
    assert await retention(store, given.now + 91 * DAY).run() == {}


async def test_everybody_keeps_the_newest_of_a_crowded_bell(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MOST_ITEMS", 2), ("LISTED", 2), ("AT_ONCE", 3)):
        monkeypatch.setattr(service, name, value)
    app = await given.app()
    people = [f"u-{n}" for n in range(5)]
    made = [await given.notification(app) for _ in range(9)]
    for n, one in enumerate(made):
        at = given.later(n)
        await store.write(lambda tx, one=one, at=at: tx.feed.add(one, people, kind=None, at=at))  # type: ignore[misc]
    assert (await retention(store, given.later(60)).run())["feed_items"] == 5 * 7
    left = await store.read(lambda tx: [tx.feed.of_user(app.id, one, after=0, limit=99) for one in people])
    assert {tuple(row[0] for row in rows) for rows in left} == {(made[7].id, made[8].id)}
    assert await retention(store, given.later(60)).run() == {}


async def test_one_that_is_tried_again_after_it_was_found_keeps_its_parts(store: Store, given: Given) -> None:
    notification = await given.notification(await given.app(), of=2)
    shard = await given.claimed(await given.shard(notification))
    assert await given.bury(shard)
    assert await given.finish(notification)
    much_later = given.now + 91 * DAY
    found = await store.read(lambda tx: tx.retention.details_due(before=much_later, limit=9))
    assert found == [notification.id]
    assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=much_later))
    assert await store.write(lambda tx: tx.retention.clear_details(notification.id, limit=9, now=much_later)) == 0
    assert await store.read(lambda tx: tx.shards.ready(now=much_later, limit=9)) == [shard.id]


async def test_counters_and_answers_stay(store: Store, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    notification, ids = await campaign(store, given)
    before = await given.look(notification)
    monkeypatch.setattr(service, "AT_ONCE", 2)
    await retention(store, given.now + 91 * DAY).run()
    assert await given.look(notification) == before
    assert await store.read(lambda tx: tx.receipts.answers(notification.id)) == {"yes": 3, "no": 2}
    late = Receipt(notification.id, ids[0], ReceiptEvent.ANSWERED, "yes", given.now + 91 * DAY)
    assert not await store.write(lambda tx: tx.receipts.add(late)), "nobody knows any more that it is the second"
    assert (await given.look(notification)).counts.answered == 5


async def test_nothing_of_a_notification_that_goes_on_is_touched(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 2)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    await given.settle(shard, sent(ids[0]))
    assert await retention(store, given.now + 900 * DAY, subscriptions=0).run() == {}
    assert await rows_of(store, notification) == 1


async def test_two_workers_at_once_count_each_answer_once(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification, _ = await campaign(store, given)
    monkeypatch.setattr(service, "AT_ONCE", 2)
    await asyncio.gather(*(retention(store, given.now + 91 * DAY).run() for _ in range(4)))
    assert await store.read(lambda tx: tx.receipts.answers(notification.id)) == {"yes": 3, "no": 2}
    assert await rows_of(store, notification) == 0


async def test_a_notification_goes_when_its_own_time_has_come(store: Store, given: Given) -> None:
    notification, _ = await campaign(store, given)
    removed = await retention(store, given.now + 401 * DAY, subscriptions=0).run()
    assert removed["notifications"] == 1
    assert await store.read(lambda tx: tx.notifications.by_id(notification.id)) is None
    assert await retention(store, given.now + 401 * DAY, subscriptions=0).run() == {}


async def test_a_device_that_has_ended_goes_with_what_hangs_on_it(store: Store, given: Given) -> None:
    notification, (gone, active, *_) = await campaign(store, given)
    app_id = notification.app_id
    event = NewTrackedEvent(app_id, gone, "anna", "1", "viewed")
    await store.write(lambda tx: tx.tracked.add(event, public_id="evt_1", now=given.now))
    await store.write(lambda tx: tx.subscriptions.set_status(gone, SubscriptionStatus.EXPIRED, "gone"))
    keep = {"deliveries": 0, "notifications": 0, "events": 0, "counts": 0}
    assert await retention(store, given.now + 179 * DAY, **keep).run() == {}
    removed = await retention(store, given.now + 181 * DAY, **keep).run()
    assert removed["subscriptions"] == 4, "the device, its delivery, its receipt and its event"
    assert await store.read(lambda tx: tx.subscriptions.by_id(gone)) is None
    assert await store.read(lambda tx: tx.subscriptions.by_id(active)) is not None
    assert await store.read(lambda tx: tx.tracked.page(gone, after=0, limit=9)) == []
    assert (await given.look(notification)).counts.sent == 5


async def test_a_device_that_comes_back_while_its_turn_comes_stays(store: Store, given: Given) -> None:
    _, (back, *_) = await campaign(store, given)
    await store.write(lambda tx: tx.subscriptions.set_status(back, SubscriptionStatus.EXPIRED, "gone"))
    before = given.now + DAY
    assert await store.read(lambda tx: tx.retention.devices_due(before=before, after=0, limit=9)) == [back]
    await store.write(lambda tx: tx.subscriptions.set_status(back, SubscriptionStatus.ACTIVE, ""))
    assert await store.write(lambda tx: tx.retention.forget_device(back, before=before, limit=9)) == 0
    assert await store.read(lambda tx: tx.subscriptions.by_id(back)) is not None


async def test_with_0_days_nothing_ever_goes(store: Store, given: Given) -> None:
    notification, _ = await campaign(store, given)
    keep = {"deliveries": 0, "notifications": 0, "events": 0, "subscriptions": 0, "counts": 0, "audit": 0}
    await store.write(lambda tx: entry(tx, given.now))
    assert await retention(store, given.now + 9_000 * DAY, **keep).run() == {}
    assert await rows_of(store, notification) == 5


def entry(tx: Transaction, at: datetime, *, chain: int | None = None) -> None:
    tx.audit.add(SYSTEM, Action.SENDING_PAUSED, app_id=chain, subject=Subject("instance"), now=at)


ONLY_AUDIT = {"deliveries": 0, "notifications": 0, "events": 0, "subscriptions": 0, "counts": 0}


class TestTheAuditLog:
    """The beginning of a chain goes, and what is left is proved as before."""

    async def test_is_cut_at_its_beginning_and_verifies(
        self, store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "AT_ONCE", 4)
        app = await given.app()
        for days in range(20):
            for chain in (None, app.id):
                await store.write(lambda tx, days=days, chain=chain: entry(tx, given.now + days * DAY, chain=chain))  # type: ignore[misc]
        now = given.now + 739 * DAY + timedelta(hours=1)
        checker = Audit(store=store, clock=FixedClock(now))
        whole = await checker.verify(app_ids=None, instance=True)
        assert (whole.entries, whole.removed, whole.broken_at) == (40, 0, None)
        assert await retention(store, now, **ONLY_AUDIT).run() == {"audit_entries": 20}
        found = await checker.verify(app_ids=None, instance=True)
        assert (found.removed, found.broken_at) == (20, None)
        for chain in (None, app.id):
            rows = await store.read(lambda tx, chain=chain: list(tx.audit.walk(chain)))  # type: ignore[misc]
            assert [row.n for row in rows] == list(range(11, 24))
            notes = [row for row in rows if row.action == Action.AUDIT_CUT]
            assert [note.detail["through"] for note in notes] == [4, 8, 10]
            assert notes[-1].detail["hash"] == rows[0].previous.hex()
        # Once a day, however often it is looked at; the newest entry stays, whatever its age.
        assert await retention(store, now + timedelta(hours=23), **ONLY_AUDIT).run() == {}
        assert (await retention(store, now + 9_000 * DAY, **ONLY_AUDIT).run())["audit_entries"] >= 24
        late = await checker.verify(app_ids=None, instance=True)
        assert late.broken_at is None
        assert late.entries >= 2
        await store.write(lambda tx: entry(tx, now))
        assert (await checker.verify(app_ids=None, instance=True)).broken_at is None

    async def test_shows_a_beginning_that_was_cut_without_the_keys(self, store: Store, given: Given) -> None:
        for days in range(10):
            await store.write(lambda tx, days=days: entry(tx, given.now + days * DAY))  # type: ignore[misc]
        checker = Audit(store=store, clock=FixedClock(given.now))
        rows = await store.read(lambda tx: list(tx.audit.walk(None)))

        def forge(tx: Transaction) -> None:
            run = tx.audit._run  # type: ignore[attr-defined]
            run(delete(audit_entries).where(audit_entries.c.n <= 5))
            forged = {"chain": 0, "n": 5, "hash": rows[4].hash, "mac": bytes(32), "at": given.now}
            run(insert(audit_anchors).values(forged))

        await store.write(forge)
        assert (await checker.verify(app_ids=None, instance=True)).broken_at == rows[5].id

    async def test_shows_that_more_was_cut_than_had_its_time(self, store: Store, given: Given) -> None:
        for days in range(10):
            await store.write(lambda tx, days=days: entry(tx, given.now + days * DAY))  # type: ignore[misc]
        now = given.now + 733 * DAY
        await retention(store, now, **ONLY_AUDIT).run()
        await store.write(lambda tx: tx.audit._run(delete(audit_entries).where(audit_entries.c.n == 4)))  # type: ignore[attr-defined]
        assert (await Audit(store=store, clock=FixedClock(now)).verify(app_ids=None, instance=True)).broken_at
