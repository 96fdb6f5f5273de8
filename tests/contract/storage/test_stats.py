"""What is counted by day: exact, once, and still there when what it was counted from is gone."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta

import pytest

from support.stored import Given, sent
from tidings.domain.app import App
from tidings.domain.campaign import Notification
from tidings.domain.delivery import DeliveryStatus, SettledDelivery
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.stats import FEW, Dimension, Naming, Scale, Step, date_of, day_of
from tidings.storage import Store

NAMING = Naming(
    service=lambda provider, origin: origin.removeprefix("https://").partition(".")[0] or "unknown",
    browser=lambda device: device.partition(" ")[0] or "unknown",
)
Counts = dict[tuple[str, str], int]


async def counts(
    store: Store, app: App, by: Dimension, *, days: int = 0, notification: Notification | None = None
) -> Counts:
    today = date(2026, 11, 21)
    own = notification.id if notification else None
    scale = Scale(app.id, today - timedelta(days=days), today + timedelta(days=days), by, own)
    return await store.read(lambda tx: tx.stats.counts(scale, naming=NAMING))


async def rolled_up(store: Store, *, limit: int = 100) -> int:
    done = 0
    while count := await store.write(lambda tx: tx.stats.roll_up(limit=limit, naming=NAMING)):
        done += count
    return done


def failed(subscription_id: int, reason: str = "gone") -> SettledDelivery:
    return SettledDelivery(subscription_id, DeliveryStatus.FAILED, reason, 1)


def skipped(subscription_id: int) -> SettledDelivery:
    return SettledDelivery(subscription_id, DeliveryStatus.SKIPPED, "unsubscribed", 0)


async def sent_to_three(store: Store, given: Given) -> tuple[App, Notification]:
    app = await given.app()
    credential = await given.credential(app)
    one = await given.device(app, credential, origin="https://fcm.example.com", device="Chrome on Windows")
    two = await given.device(app, credential, origin="https://moz.example.com", device="Firefox on Linux")
    three = await given.device(app, credential, origin="https://fcm.example.com")
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    assert await given.settle(shard, (*sent(one.id, two.id), failed(three.id)))
    for device, event in ((one.id, ReceiptEvent.SHOWN), (two.id, ReceiptEvent.SHOWN), (one.id, ReceiptEvent.CLICKED)):
        receipt = Receipt(notification.id, device, event, "", given.now)
        assert await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]
        assert not await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]
    return app, notification


def test_days_are_numbered_from_1970(clock: object) -> None:
    assert date_of(0) == date(1970, 1, 1)
    assert date_of(20_778) == date(2026, 11, 21)


@pytest.mark.parametrize("when", ["before", "between", "after"])
async def test_counts_are_the_same_before_and_after_they_are_rolled_up(store: Store, given: Given, when: str) -> None:
    app, notification = await sent_to_three(store, given)
    if when == "between":
        assert await store.write(lambda tx: tx.stats.roll_up(limit=2, naming=NAMING)) == 2
    if when == "after":
        assert await rolled_up(store) == 6
        assert await rolled_up(store) == 0
    assert await store.read(lambda tx: tx.stats.waiting()) == {"before": 6, "between": 4, "after": 0}[when]
    day = "2026-11-21"
    assert await counts(store, app, Dimension.DAY) == {
        (day, "sent"): 2, (day, "failed"): 1, (day, "shown"): 2, (day, "clicked"): 1,
    }  # fmt: skip
    assert await counts(store, app, Dimension.SERVICE) == {
        ("fcm", "sent"): 1, ("moz", "sent"): 1, ("fcm", "failed"): 1,
        ("fcm", "shown"): 1, ("moz", "shown"): 1, ("fcm", "clicked"): 1,
    }  # fmt: skip
    assert await counts(store, app, Dimension.BROWSER) == {
        ("Chrome", "sent"): 1, ("Firefox", "sent"): 1, ("unknown", "failed"): 1,
        ("Chrome", "shown"): 1, ("Firefox", "shown"): 1, ("Chrome", "clicked"): 1,
    }  # fmt: skip
    assert (await counts(store, app, Dimension.REASON))["gone", "failed"] == 1
    assert await counts(store, app, Dimension.SOURCE) == {
        ("api", "sent"): 2, ("api", "failed"): 1, ("api", "shown"): 2, ("api", "clicked"): 1,
    }  # fmt: skip
    assert await counts(store, app, Dimension.DAY, notification=notification) == {}, "few got it: counted together"
    assert await counts(store, await given.app("Another"), Dimension.DAY) == {}


async def test_a_chunk_that_is_settled_again_counts_once(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 3)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    for _ in range(2):
        assert await given.settle(shard, sent(*ids))
    assert await counts(store, app, Dimension.DAY) == {("2026-11-21", "sent"): 3}


async def test_what_went_to_many_is_told_apart(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 2)
    many = await given.notification(app, of=FEW + 1)
    shard = await given.claimed(await given.shard(many))
    assert await given.settle(shard, sent(*ids))
    receipt = Receipt(many.id, ids[0], ReceiptEvent.SHOWN, "", given.now)
    await store.write(lambda tx: tx.receipts.add(receipt))
    for _ in range(2):
        found = await counts(store, app, Dimension.DAY, notification=many)
        assert found == {("2026-11-21", "sent"): 2, ("2026-11-21", "shown"): 1}
        assert await counts(store, app, Dimension.DAY) == found, "and once among everything"
        await rolled_up(store)


async def test_who_is_skipped_without_a_delivery_is_counted_too(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 4)
    cancelled = await given.notification(app)
    await given.shard(cancelled)
    from tidings.domain.campaign import NotificationStatus

    await given.set_status(cancelled, NotificationStatus.CANCELLED)
    left = await given.notification(app)
    shard = await given.claimed(await given.shard(left))
    await given.settle(shard, sent(*ids[:3]))
    await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
    assert await given.finish(left)
    found = await counts(store, app, Dimension.REASON)
    assert found == {("", "sent"): 3, ("cancelled", "skipped"): 4, ("unsubscribed", "skipped"): 1}


async def test_a_dead_shard_that_is_tried_again_is_no_longer_in_doubt(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 3)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    await given.settle(shard, sent(ids[0]))
    assert await given.bury(shard)
    await rolled_up(store)
    assert (await counts(store, app, Dimension.REASON))["in_doubt", "skipped"] == 2
    assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
    assert await counts(store, app, Dimension.REASON) == {("", "sent"): 1}
    again = await given.claimed(shard.id)
    await given.settle(again, sent(*ids[1:]), chunk=2)
    await rolled_up(store)
    assert await counts(store, app, Dimension.REASON) == {("", "sent"): 3}


async def test_a_device_that_was_erased_while_it_was_sent_to_counts_and_leaves_no_row(
    store: Store, given: Given
) -> None:
    app = await given.app()
    credential = await given.credential(app)
    kept, gone = [await given.device(app, credential) for _ in range(2)]
    other = await given.device(app, credential)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    for public_id in (gone.public_id, other.public_id):
        await store.write(lambda tx, one=public_id: tx.subscriptions.delete(app.id, one))  # type: ignore[misc]
    assert await given.settle(shard, (*sent(kept.id, gone.id), skipped(other.id)))
    rows = await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9))
    assert [row.subscription_id for row in rows] == [kept.id]
    found = (await given.look(notification)).counts
    assert (found.sent, found.skipped) == (2, 1)
    assert await counts(store, app, Dimension.DAY) == {("2026-11-21", "sent"): 2, ("2026-11-21", "skipped"): 1}


async def test_two_that_roll_up_at_once_count_nothing_twice(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 60)
    notification = await given.notification(app)
    receipts = [Receipt(notification.id, one, ReceiptEvent.SHOWN, "", given.now) for one in ids]

    async def write() -> None:
        for receipt in receipts:
            await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]

    done = await asyncio.gather(write(), *(rolled_up(store, limit=7) for _ in range(4)))
    await rolled_up(store)
    assert done[0] is None
    assert await counts(store, app, Dimension.DAY) == {("2026-11-21", "shown"): 60}
    assert await store.read(lambda tx: tx.stats.waiting()) == 0


async def test_counts_add_up_with_the_notifications_counters(store: Store, given: Given) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 12)
    totals: Counter[str] = Counter()
    for n in range(4):
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, (*sent(*ids[: n + 3]), *(failed(one, f"reason-{n}") for one in ids[n + 3 : n + 6])))
        await store.write(lambda tx, of=shard: tx.shards.finish(of.id, of.lease_token))  # type: ignore[misc]
        assert await given.finish(notification)
        found = (await given.look(notification)).counts
        totals += Counter(sent=found.sent, failed=found.failed, skipped=found.skipped)
        if n % 2:
            await rolled_up(store)
    by_day = await counts(store, app, Dimension.DAY)
    assert {outcome: count for (_, outcome), count in by_day.items()} == dict(totals)


async def test_counts_of_days_that_had_their_time_go_a_few_at_once(store: Store, given: Given) -> None:
    app, _ = await sent_to_three(store, given)
    await rolled_up(store)
    assert await store.write(lambda tx: tx.stats.purge(before=date(2026, 11, 21), limit=10)) == 0
    assert await store.write(lambda tx: tx.stats.purge(before=date(2026, 11, 22), limit=2)) == 2
    assert await store.write(lambda tx: tx.stats.purge(before=date(2026, 11, 22), limit=10)) == 4
    assert await counts(store, app, Dimension.DAY, days=9) == {}


def test_a_day_is_that_of_utc(given: Given) -> None:
    assert date_of(day_of(given.now)) == date(2026, 11, 21)


async def test_steps_to_a_subscription_are_counted_apart_from_messages(store: Store, given: Given) -> None:
    app, _ = await sent_to_three(store, given)
    other = await given.app()
    before = await counts(store, app, Dimension.BROWSER)
    for who, step, device in (
        (app, Step.SEEN, "Firefox on Linux"),
        (app, Step.SEEN, "Firefox on Windows"),
        (app, Step.ASKED, "Firefox on Linux"),
        (app, Step.SEEN, ""),
        (other, Step.SEEN, "Firefox on Linux"),
    ):
        await store.write(
            lambda tx, who=who, step=step, device=device: tx.stats.add_step(who.id, step, device=device, now=given.now)  # type: ignore[misc]
        )
    today = date(2026, 11, 21)
    for _ in range(2):
        assert await counts(store, app, Dimension.BROWSER) == before
        for by, wanted in (
            (Dimension.DAY, {("2026-11-21", "seen"): 3, ("2026-11-21", "asked"): 1}),
            (Dimension.BROWSER, {("Firefox", "seen"): 2, ("Firefox", "asked"): 1, ("unknown", "seen"): 1}),
        ):
            scale = Scale(app.id, today, today, by, steps=True)
            assert await store.read(lambda tx, scale=scale: tx.stats.counts(scale, naming=NAMING)) == wanted  # type: ignore[misc]
        await rolled_up(store)
