"""What every store keeps to about notifications, their shards and what is settled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from support.stored import MESSAGE, Given, sent
from tidings.domain.audience import Devices, Everyone, Tagged, Users
from tidings.domain.campaign import Counts, InDoubtPolicy, NotificationStatus
from tidings.domain.delivery import DeliveryStatus, NewShard, Retry, SettledDelivery
from tidings.domain.errors import CatalogueError
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import SystemClock
from tidings.services.timelines import Timelines
from tidings.storage import Store, Transaction
from tidings.storage.tables.notifications import notifications as notification_rows
from tidings.storage.tables.notifications import shards

S = NotificationStatus
F = DeliveryStatus.FAILED


class TestNotifications:
    @pytest.mark.parametrize(
        "audience", [Everyone(), Users(("u-1", "ü")), Devices(("sub_1",)), Tagged((("plan", "pro"), ("a b", '"')))]
    )
    async def test_what_was_stored_comes_back_the_same(self, given: Given, audience: Everyone) -> None:
        app = await given.app()
        stored = await given.notification(app, audience, policy=InDoubtPolicy.SKIP, source="campaign")
        assert await given.look(stored) == stored
        assert (stored.message, stored.audience, stored.policy) == (MESSAGE, audience, InDoubtPolicy.SKIP)
        assert (stored.status, stored.source, stored.finished_at) == (S.QUEUED, "campaign", None)

    async def test_the_time_to_live_runs_from_when_it_is_to_be_sent(self, given: Given) -> None:
        app = await given.app()
        now, later = await given.notification(app), await given.notification(app, send_at=given.later(60))
        assert now.expires_at == given.later(MESSAGE.ttl)
        assert (later.send_at, later.expires_at) == (given.later(60), given.later(60 + MESSAGE.ttl))

    async def test_it_is_found_in_its_own_app_only(self, store: Store, given: Given) -> None:
        mine, other = await given.app(), await given.app()
        stored = await given.notification(mine)
        assert await store.read(lambda tx: tx.notifications.get(mine.id, stored.public_id)) == stored
        assert await store.read(lambda tx: tx.notifications.get(other.id, stored.public_id)) is None

    async def test_pages_are_newest_first(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = [(await given.notification(app)).id for _ in range(5)]
        first = await store.read(lambda tx: tx.notifications.page(app.id, after=0, limit=3))
        rest = await store.read(lambda tx: tx.notifications.page(app.id, after=first[-1].id, limit=3))
        assert [one.id for one in first + rest] == ids[::-1]

    async def test_a_status_changes_only_from_an_allowed_one(self, given: Given) -> None:
        stored = await given.notification(await given.app())
        assert not await given.set_status(stored, S.QUEUED, S.PAUSED)
        assert await given.set_status(stored, S.PAUSED, S.QUEUED, S.SENDING)
        assert (await given.look(stored)).status is S.PAUSED

    async def test_due_are_queued_ones_without_shards_whose_time_has_come(self, store: Store, given: Given) -> None:
        app = await given.app()
        due = await given.notification(app)
        await given.notification(app, send_at=given.later(1))
        await given.shard(await given.notification(app))
        await given.set_status(await given.notification(app), S.PAUSED)
        found = await store.read(lambda tx: tx.notifications.due(now=given.now, limit=10))
        assert found == [due.id]


class TestFinishing:
    async def test_it_is_done_when_no_shard_is_open(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        assert not await given.finish(notification)
        assert await given.settle(shard, sent(*ids))
        assert await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert await given.finish(notification, at=given.later(5))
        assert not await given.finish(notification, at=given.later(9))
        done = await given.look(notification)
        assert (done.status, done.finished_at, done.counts) == (S.DONE, given.later(5), Counts(audience=2, sent=2))

    async def test_who_left_between_freezing_and_sending_is_skipped(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(ids[0]))
        await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert await given.finish(notification)
        done = await given.look(notification)
        assert (done.counts, done.reasons) == (Counts(audience=3, sent=1, skipped=2), {"unsubscribed": 2})

    async def test_what_is_left_of_a_dead_shard_is_skipped_as_in_doubt(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(ids[0]))
        assert await given.bury(shard)
        assert await given.finish(notification)
        done = await given.look(notification)
        assert (done.counts, done.reasons) == (Counts(audience=3, sent=1, skipped=2), {"in_doubt": 2})

    async def test_who_came_back_after_freezing_is_counted_too(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app, of=1)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(*ids))
        await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert await given.finish(notification)
        assert (await given.look(notification)).counts == Counts(audience=2, sent=2)

    async def test_it_says_what_it_is_about_and_what_made_it(self, store: Store, given: Given) -> None:
        made = await given.notification(
            await given.app(), of=0, source="trigger", event_type="bot.failed", trigger="trg_1", event="evt_1"
        )
        found = await store.read(lambda tx: tx.notifications.by_id(made.id))
        assert found is not None
        assert (found.event_type, found.trigger, found.event) == ("bot.failed", "trg_1", "evt_1")

    async def test_a_notification_without_shards_is_not_done(self, given: Given) -> None:
        assert not await given.finish(await given.notification(await given.app()))

    async def test_two_workers_that_finish_the_last_shards_at_once_finish_it_once(
        self, store: Store, given: Given
    ) -> None:
        notification = await given.notification(await given.app())
        shards = [await given.claimed(await given.shard(notification, n)) for n in range(6)]

        async def end(shard_id: int, token: int) -> bool:
            def work(tx):  # type: ignore[no-untyped-def]
                tx.shards.finish(shard_id, token)
                return tx.notifications.finish_if_settled(notification.id, now=given.now)

            return await store.write(work)

        ended = await asyncio.gather(*(end(one.id, one.lease_token) for one in shards))
        assert sorted(ended) == [False] * 5 + [True]
        assert (await given.look(notification)).status is S.DONE


class TestPlanning:
    async def test_only_the_first_of_two_plans_counts_as_another_has_other_borders(
        self, store: Store, given: Given
    ) -> None:
        notification = await given.notification(await given.app(), of=3_000)

        def cut(*highs: int) -> list[NewShard]:
            lows = [1, *(high + 1 for high in highs)]
            return [
                NewShard(notification.id, n, low, high) for n, (low, high) in enumerate(zip(lows, highs, strict=False))
            ]

        plans = [cut(1_000, 2_000, 3_000), cut(1_001, 2_001, 3_000, 3_001), cut(3_001)]
        stored = await asyncio.gather(
            *(
                store.write(lambda tx, plan=plan: tx.shards.add_plan(notification.id, plan, now=given.now))  # type: ignore[misc]
                for plan in plans
            )
        )
        assert sorted(map(len, stored))[:2] == [0, 0]
        first = max(range(3), key=lambda one: len(stored[one]))
        assert len(stored[first]) == len(plans[first])
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == len(plans[first])

    async def test_what_was_cancelled_while_it_was_cut_gets_no_shards(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=3_000)
        assert await given.set_status(notification, S.CANCELLED)
        plan = [NewShard(notification.id, 0, 1, 3_000)]
        assert await store.write(lambda tx: tx.shards.add_plan(notification.id, plan, now=given.now)) == []
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0


class TestCancelling:
    async def test_whoever_was_not_reached_is_skipped_at_once(self, store: Store, given: Given) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard = await given.shard(notification)
        assert await given.set_status(notification, S.CANCELLED)
        cancelled = await given.look(notification)
        assert (cancelled.status, cancelled.finished_at) == (S.CANCELLED, given.now)
        assert (cancelled.counts, cancelled.reasons) == (Counts(audience=2, skipped=2), {"cancelled": 2})
        assert await given.claim(shard) is None
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0

    async def test_it_is_skipped_at_once_without_shards_too(self, given: Given) -> None:
        notification = await given.notification(await given.app(), of=7)
        assert await given.set_status(notification, S.CANCELLED)
        assert (await given.look(notification)).counts == Counts(audience=7, skipped=7)

    async def test_the_chunk_under_way_still_counts(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.CANCELLED)
        assert (await given.look(notification)).counts == Counts(audience=3)
        assert await given.settle(shard, sent(ids[0]))
        assert await store.write(lambda tx: tx.shards.release(shard.id, shard.lease_token))
        assert not await given.finish(notification)
        cancelled = await given.look(notification)
        assert (cancelled.status, cancelled.counts) == (S.CANCELLED, Counts(audience=3, sent=1, skipped=2))
        assert await given.claim(shard.id) is None

    @pytest.mark.parametrize("listed", [False, True], ids=["a range", "a list to try again"])
    @pytest.mark.parametrize("requeued", [False, True], ids=["its worker died", "was given up and is tried again"])
    async def test_whoever_was_in_an_open_chunk_may_have_been_told_and_is_in_doubt(
        self, store: Store, given: Given, listed: bool, requeued: bool
    ) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 4)
        notification = await given.notification(app)
        retries = tuple(Retry(one, 1) for one in ids) if listed else ()
        shard = await given.claimed(await given.shard(notification, -1 if listed else 0, retries=retries))
        assert await given.settle(shard, sent(ids[0]), cursor=1 if listed else ids[0])
        high = 3 if listed else ids[2]
        assert await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 2, high=high))
        if requeued:
            await given.bury(shard)
            assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        given.now = given.later(61)
        assert await given.set_status(notification, S.CANCELLED)
        cancelled = await given.look(notification)
        assert cancelled.counts == Counts(audience=4, sent=1, skipped=3)
        assert cancelled.reasons == {"in_doubt": 2, "cancelled": 1}
        rows = await store.read(lambda tx: tx.deliveries.page(notification.id, after=ids[0], limit=9))
        assert [(row.subscription_id, row.reason, row.attempt) for row in rows] == [
            (one, "in_doubt", int(listed)) for one in ids[1:3]
        ]
        assert not await given.finish(notification)
        assert (await given.look(notification)).reasons == cancelled.reasons

    async def test_all_that_are_left_of_a_shard_that_cannot_be_read_are_in_doubt(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        listed = tuple(Retry(one, 1) for one in ids)
        shard = await given.claimed(await given.shard(notification, -1, retries=listed))
        assert await given.settle(shard, sent(ids[0]), cursor=1)

        def spoil(tx: Transaction) -> None:
            tx.shards.open_chunk(shard.id, shard.lease_token, 2, high=2)
            tx.audit._run(update(shards).values(retries=b"\xc1"))  # type: ignore[attr-defined]

        await store.write(spoil)
        given.now = given.later(61)
        assert await given.set_status(notification, S.CANCELLED)
        cancelled = await given.look(notification)
        assert (cancelled.counts, cancelled.reasons) == (Counts(audience=3, sent=1, skipped=2), {"in_doubt": 2})

    async def test_a_dead_workers_lease_does_not_keep_it_open(self, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 1)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification), lease=60)
        await given.set_status(notification, S.CANCELLED)
        assert await given.left_behind(at=given.later(59)) == []
        assert await given.left_behind(at=given.later(61)) == [notification.id]
        await given.finish(notification, at=given.later(61))
        assert await given.left_behind(at=given.later(61)) == []
        assert (await given.look(notification)).counts == Counts(audience=1, skipped=1)
        assert not await given.settle(shard, sent(*ids))
        assert (await given.look(notification)).counts == Counts(audience=1, skipped=1)


class TestClaiming:
    async def test_a_claimed_shard_is_whole_and_its_notification_is_being_sent(self, given: Given) -> None:
        app = await given.app()
        notification = await given.notification(app, policy=InDoubtPolicy.SKIP)
        shard_id = await given.shard(notification, low=3, high=9)
        shard = await given.claimed(shard_id)
        assert (shard.id, shard.notification_id, shard.app_id, shard.n) == (shard_id, notification.id, app.id, 0)
        assert (shard.low, shard.high, shard.retries, shard.policy) == (3, 9, (), InDoubtPolicy.SKIP)
        assert (shard.lease_token, shard.attempt, shard.cursor) == (1, 1, 0)
        assert (shard.chunk_done, shard.chunk_open) == (0, None)
        assert (await given.look(notification)).status is S.SENDING

    async def test_nobody_else_gets_it_until_the_lease_runs_out(self, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        await given.claimed(shard_id, lease=60)
        assert await given.claim(shard_id, at=given.later(59)) is None
        again = await given.claimed(shard_id, at=given.later(60))
        assert (again.lease_token, again.attempt) == (2, 2)

    async def test_who_knows_that_nobody_else_carries_shards_frees_the_leases(self, store: Store, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        old = await given.claimed(shard_id, lease=60)
        assert await store.write(lambda tx: tx.shards.free_leases(now=given.later(1))) == 1
        assert await store.write(lambda tx: tx.shards.free_leases(now=given.later(1))) == 0
        new = await given.claimed(shard_id, at=given.later(1))
        assert new.lease_token == old.lease_token + 1
        assert not await given.settle(old, ())

    async def test_only_one_of_many_gets_it(self, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        claims = await asyncio.gather(*(given.claim(shard_id, owner=f"w-{n}") for n in range(12)))
        assert len([claim for claim in claims if claim]) == 1

    @pytest.mark.parametrize("status", [S.PAUSED, S.CANCELLED, S.DONE])
    async def test_a_notification_that_is_not_sent_now_has_no_claimable_shard(
        self, store: Store, given: Given, status: NotificationStatus
    ) -> None:
        notification = await given.notification(await given.app())
        shard_id = await given.shard(notification)
        await given.set_status(notification, status)
        assert await given.claim(shard_id) is None
        assert await store.read(lambda tx: tx.shards.ready(now=given.now, limit=10)) == []
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(10))) == 0

    async def test_renewing_holds_it_and_tells_when_it_was_lost(self, store: Store, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        mine = await given.claimed(shard_id, lease=60)
        assert await store.write(lambda tx: tx.shards.renew(shard_id, mine.lease_token, now=given.later(50), lease=60))
        assert await given.claim(shard_id, at=given.later(100)) is None
        theirs = await given.claimed(shard_id, at=given.later(110))
        for token, holds in ((mine.lease_token, False), (theirs.lease_token, True)):
            renew = given.later(111)
            assert holds is await store.write(
                lambda tx, token=token, at=renew: tx.shards.renew(shard_id, token, now=at, lease=60)
            )
            assert holds is await store.write(lambda tx, token=token: tx.shards.open_chunk(shard_id, token, 1, high=9))
        assert not await store.write(lambda tx: tx.shards.finish(shard_id, mine.lease_token))
        assert not await store.write(lambda tx: tx.shards.release(shard_id, mine.lease_token))
        assert await store.write(lambda tx: tx.shards.finish(shard_id, theirs.lease_token))

    async def test_the_next_holder_learns_which_chunk_was_open(self, store: Store, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        mine = await given.claimed(shard_id, lease=60)
        await given.settle(mine, sent(5), chunk=1)
        await store.write(lambda tx: tx.shards.open_chunk(shard_id, mine.lease_token, 2, high=9))
        next_one = await given.claimed(shard_id, at=given.later(60))
        assert (next_one.cursor, next_one.chunk_done, next_one.chunk_open, next_one.chunk_high) == (5, 1, 2, 9)

    async def test_released_it_waits_as_long_as_it_was_told(self, store: Store, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        first = await given.claimed(shard_id)
        assert await store.write(lambda tx: tx.shards.release(shard_id, first.lease_token))
        second = await given.claimed(shard_id)
        until = given.later(30)
        assert await store.write(lambda tx: tx.shards.release(shard_id, second.lease_token, not_before=until))
        assert await given.claim(shard_id, at=given.later(29)) is None
        assert (await given.claimed(shard_id, at=until)).lease_token == 3

    async def test_storing_a_shard_again_leaves_the_first_alone(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        first = await given.shard(notification, 0, low=1, high=5)
        again = [NewShard(notification.id, 0, low=7, high=9), NewShard(notification.id, 1, low=6, high=9)]
        (second,) = await store.write(lambda tx: tx.shards.add(again, now=given.now))
        assert first != second
        assert (await given.claimed(first)).high == 5
        assert await store.write(lambda tx: tx.shards.add([], now=given.now)) == []

    async def test_a_scheduled_one_is_not_claimed_before_its_time(self, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app(), send_at=given.later(60)))
        assert await given.claim(shard_id, at=given.later(59)) is None
        assert await given.claim(shard_id, at=given.later(60)) is not None

    async def test_apps_take_turns_and_the_oldest_comes_first(self, store: Store, given: Given) -> None:
        big, small = await given.notification(await given.app()), await given.notification(await given.app())
        many = [await given.shard(big, n) for n in range(3)]
        one = await given.shard(small)
        older = await given.shard(small, 1, not_before=given.now)
        waiting = await given.shard(small, 2, not_before=given.later(60))
        ready = await store.read(lambda tx: tx.shards.ready(now=given.now, limit=10))
        assert ready == [many[0], one, many[1], older, many[2]]
        assert waiting in await store.read(lambda tx: tx.shards.ready(now=given.later(60), limit=10))
        assert await store.read(lambda tx: tx.shards.ready(now=given.now, limit=2)) == [many[0], one]

    async def test_lag_is_how_long_the_oldest_has_waited(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(5))) == 0
        shard_id = await given.shard(notification)
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(5))) == 5
        await given.claimed(shard_id, lease=60)
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(59))) == 0
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(62))) == 2


class TestSettling:
    async def test_everything_a_chunk_changed_is_there(self, store: Store, given: Given) -> None:
        app = await given.app()
        a, b, c, d, e = await given.devices(app, await given.credential(app), 5)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=e))
        outcomes = (
            *sent(a),
            SettledDelivery(b, F, "gone", 1),
            SettledDelivery(c, F, "key_mismatch", 2),
            SettledDelivery(d, DeliveryStatus.EXPIRED, "ttl_ended", 3),
        )
        assert await given.settle(
            shard,
            outcomes,
            cursor=e,
            retired=(
                await given.retired(b, "410 unregistered"),
                await given.retired(c, "key_mismatch:401 mismatch"),
            ),
            retries=((given.later(30), (Retry(e, 3, puzzling=2),)),),
        )
        now = await given.look(notification)
        assert now.counts == Counts(audience=5, sent=1, failed=2, expired=1)
        assert now.reasons == {"gone": 1, "key_mismatch": 1, "ttl_ended": 1}
        assert await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9)) == list(outcomes)
        devices = {one: await store.read(lambda tx, one=one: tx.subscriptions.by_id(one)) for one in (a, b, c, d)}
        assert [(one.status.value, one.status_reason) for one in devices.values()] == [
            ("active", None),
            ("expired", "410 unregistered"),
            ("expired", "key_mismatch:401 mismatch"),
            ("active", None),
        ]
        assert [one.last_active_at for one in devices.values()] == [given.now, None, None, None]
        (retry,) = await store.read(lambda tx: tx.shards.ready(now=given.later(30), limit=9))
        again = await given.claimed(retry, at=given.later(30))
        assert (again.n < 0, again.retries, again.low, again.high) == (True, (Retry(e, 3, puzzling=2),), 0, 0)

    async def test_a_lost_lease_stores_nothing(self, store: Store, given: Given) -> None:
        app = await given.app()
        one, other = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard_id = await given.shard(notification)
        zombie = await given.claimed(shard_id, lease=60)
        await given.claimed(shard_id, at=given.later(60))
        assert not await given.settle(
            zombie,
            sent(one),
            retired=(await given.retired(other, "gone"),),
            retries=((given.now, (Retry(other, 1),)),),
        )
        assert (await given.look(notification)).counts == Counts(audience=2)
        assert await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9)) == []
        statuses = await store.read(lambda tx: tx.subscriptions.statuses(app.id))
        assert statuses[SubscriptionStatus.EXPIRED] == 0
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 1

    async def test_a_recipient_counts_once_whoever_settles_it_again(self, store: Store, given: Given) -> None:
        app = await given.app()
        a, b = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(a), chunk=1)
        assert await given.settle(shard, (SettledDelivery(a, F, "late", 2), *sent(b)), chunk=2)
        now = await given.look(notification)
        assert (now.counts, now.reasons) == (Counts(audience=2, sent=2), {})
        assert await store.read(lambda tx: tx.deliveries.statuses(notification.id)) == {DeliveryStatus.SENT: 2}

    async def test_a_chunk_settled_again_under_its_lease_changes_nothing(self, store: Store, given: Given) -> None:
        app = await given.app()
        a, b = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        for _ in range(2):
            assert await given.settle(shard, sent(a), retries=((given.now, (Retry(b, 1),)),))
        assert (await given.look(notification)).counts == Counts(audience=2, sent=1)
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 2

    async def test_each_moment_to_try_again_is_a_shard_of_its_own(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        shard = await given.claimed(await given.shard(notification))
        groups = tuple((given.later(10 * n), tuple(Retry(n * 10 + k, n) for k in range(3))) for n in (1, 2))
        await given.settle(shard, retries=groups)
        await given.settle(shard, retries=groups[:1], chunk=2)
        ready = await store.read(lambda tx: tx.shards.ready(now=given.later(20), limit=9))
        again = [await given.claimed(one, at=given.later(20)) for one in ready]
        assert [one.retries for one in again] == [groups[0][1], groups[0][1], groups[1][1]]
        assert len({one.n for one in again}) == 3

    async def test_chunks_settled_at_once_number_their_shards_apart(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 8)
        notification = await given.notification(app)
        shards = [await given.claimed(await given.shard(notification, n)) for n in range(8)]
        settled = await asyncio.gather(
            *(
                given.settle(shard, sent(one), retries=((given.now, (Retry(one, 1),)),))
                for shard, one in zip(shards, ids, strict=True)
            )
        )
        assert all(settled)
        assert (await given.look(notification)).counts.sent == 8
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 16

    @pytest.mark.parametrize("clock_ahead", [-3_600, 3_600])
    @pytest.mark.parametrize("same_address", [False, True])
    async def test_an_answer_retires_the_address_that_was_tried_and_no_other(
        self, store: Store, given: Given, same_address: bool, clock_ahead: int
    ) -> None:
        app = await given.app()
        credential = await given.credential(app)
        old, new = given.registration(app, credential), given.registration(app, credential)
        device = await given.device(app, credential, address=old.address)
        shard = await given.claimed(await given.shard(await given.notification(app)))
        retired = await given.retired(device.id, "410")
        anew, at = old if same_address else new, given.later(clock_ahead)
        await store.write(lambda tx: tx.subscriptions.refresh(device.id, anew, secret_hash=None, now=at))
        await given.settle(shard, (SettledDelivery(device.id, F, "gone", 1),), retired=(retired,))
        found = await store.read(lambda tx: tx.subscriptions.by_id(device.id))
        assert found is not None
        assert found.status is (SubscriptionStatus.EXPIRED if same_address else SubscriptionStatus.ACTIVE)

    @pytest.mark.parametrize("seen_later", [False, True])
    async def test_who_was_here_after_the_service_saw_the_address_dead_is_alive(
        self, store: Store, given: Given, seen_later: bool
    ) -> None:
        app = await given.app()
        credential = await given.credential(app)
        registration = given.registration(app, credential)
        device = await given.device(app, credential, address=registration.address)
        shard = await given.claimed(await given.shard(await given.notification(app)))
        dead_since = given.later(100)
        retired = replace(await given.retired(device.id, "unregistered"), at=dead_since)
        at = given.later(101 if seen_later else 99)
        await store.write(lambda tx: tx.subscriptions.refresh(device.id, registration, secret_hash=None, now=at))
        await given.settle(shard, (SettledDelivery(device.id, F, "gone", 1),), retired=(retired,))
        found = await store.read(lambda tx: tx.subscriptions.by_id(device.id))
        assert found is not None
        assert found.status is (SubscriptionStatus.ACTIVE if seen_later else SubscriptionStatus.EXPIRED)

    async def test_who_unsubscribed_stays_unsubscribed(self, store: Store, given: Given) -> None:
        app = await given.app()
        device = await given.device(app, await given.credential(app))
        shard = await given.claimed(await given.shard(await given.notification(app)))
        retired = await given.retired(device.id, "410")
        out = SubscriptionStatus.UNSUBSCRIBED
        await store.write(lambda tx: tx.subscriptions.set_status(device.id, out, "by the person"))
        await given.settle(shard, (SettledDelivery(device.id, F, "gone", 1),), retired=(retired,))
        found = await store.read(lambda tx: tx.subscriptions.by_id(device.id))
        assert found is not None
        assert (found.status, found.status_reason) == (out, "by the person")

    async def test_a_list_to_try_again_is_forgotten_once_it_is_done_and_a_range_is_kept(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        one, other = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        first = await given.claimed(await given.shard(notification))
        for _ in range(3):
            await given.settle(
                first, chunk=first.chunk_done + 1, retries=((given.now, (Retry(one, 1), Retry(other, 1))),)
            )
            (listed,) = [
                n for n in await store.read(lambda tx: tx.shards.ready(now=given.now, limit=9)) if n != first.id
            ]
            again = await given.claimed(listed)
            assert again.n == -1, "the one before left no row"
            assert await store.write(lambda tx, held=again: tx.shards.finish(held.id, held.lease_token))  # type: ignore[misc]
            assert not await store.write(
                lambda tx, held=again: tx.shards.renew(held.id, held.lease_token, now=given.now, lease=9)
            )  # type: ignore[misc]
            assert await given.claim(listed, at=given.later(3_600)) is None
            first = replace(first, chunk_done=first.chunk_done + 1)
        assert await store.write(lambda tx: tx.shards.finish(first.id, first.lease_token))
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0
        assert await given.finish(notification), "it was planned, and nothing of it is open"


class TestDeliveries:
    async def test_pages_go_by_subscription(self, store: Store, given: Given) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 9)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(4, 2, 9))
        first = await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=2))
        rest = await store.read(lambda tx: tx.deliveries.page(notification.id, after=4, limit=2))
        assert [one.subscription_id for one in first + rest] == [2, 4, 9]

    async def test_whom_it_did_not_reach_is_listed_by_reason(self, store: Store, given: Given) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 9)
        notification, other = await given.notification(app), await given.notification(app)
        gone = [SettledDelivery(one, F, "gone", 1, "") for one in (2, 7, 8)]
        off = SettledDelivery(3, DeliveryStatus.SKIPPED, "preference_off", 1, "")
        await given.settle(await given.claimed(await given.shard(notification)), (*sent(4, 9), *gone, off))
        await given.settle(await given.claimed(await given.shard(other)), (SettledDelivery(1, F, "timed_out", 1, ""),))

        def look(tx: Transaction) -> None:
            of = notification.id
            assert tx.deliveries.reasons(of) == ["gone", "preference_off"]
            assert [one.subscription_id for one in tx.deliveries.missed(of, "gone", after=0, limit=2)] == [2, 7]
            assert tx.deliveries.missed(of, "gone", after=7, limit=2) == [gone[2]]
            assert tx.deliveries.missed(of, "sent", after=0, limit=9) == []
            assert [tx.deliveries.count_missed(of, one) for one in ("gone", "sent")] == [len(gone), 0]
            assert [one.subscription_id for one in tx.deliveries.sent(of, after=4, limit=9)] == [9]

        await store.read(look)

    async def test_a_persons_are_listed_by_notification_with_each_of_their_devices(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        credential = await given.credential(app)
        first, second = [await given.device(app, credential, user_external_id="anna") for _ in range(2)]
        other = await given.device(app, credential, user_external_id="ben")
        notifications = [await given.notification(app) for _ in range(3)]
        for notification, devices in zip(notifications, ((first, other), (other,), (first, second)), strict=True):
            ids = [one.id for one in devices]
            await given.settle(await given.claimed(await given.shard(notification)), sent(*ids))
        timelines = Timelines(store=store, clock=SystemClock())
        page = await timelines.of_person(app.id, "anna", cursor=None, limit=1)
        (newest,) = page.data
        assert newest.notification.id == notifications[2].id
        assert [one.device.id for one in newest.arrivals] == [second.id, first.id]
        rest = await timelines.of_person(app.id, "anna", cursor=page.next_cursor, limit=5)
        assert [(row.notification.id, len(row.arrivals)) for row in rest.data] == [(notifications[0].id, 1)]
        assert rest.next_cursor is None
        with pytest.raises(CatalogueError, match="nobody"):
            await timelines.of_person(app.id, "nobody", cursor=None, limit=5)

    async def test_what_is_gone_by_now_does_not_end_the_list(self, store: Store, given: Given) -> None:
        app = await given.app()
        anna = await given.device(app, await given.credential(app), user_external_id="anna")
        notifications = [await given.notification(app) for _ in range(4)]
        for notification in notifications:
            await given.settle(await given.claimed(await given.shard(notification)), sent(anna.id))
        oldest, second, gone, newest = [one.id for one in notifications]

        def vanish(tx: Transaction) -> None:
            run = tx.audit._run  # type: ignore[attr-defined]
            run(delete(shards).where(shards.c.notification_id == gone))
            run(delete(notification_rows).where(notification_rows.c.id == gone))

        await store.write(vanish)
        timelines = Timelines(store=store, clock=SystemClock())
        for limit, listed in ((1, [[newest], [], [second], [oldest]]), (2, [[newest], [second, oldest]])):
            of_person, of_device = [], []
            cursors: list[str | None] = [None, None]
            for _ in listed:
                person = await timelines.of_person(app.id, "anna", cursor=cursors[0], limit=limit)
                device = await timelines.page(app.id, anna.public_id, cursor=cursors[1], limit=limit)
                of_person.append([row.notification.id for row in person.data])
                of_device.append([row.notification.id for row in device.data])
                cursors = [person.next_cursor, device.next_cursor]
            assert of_person == of_device == listed
            assert cursors == [None, None]

    async def test_a_devices_own_are_listed_newest_first(self, store: Store, given: Given) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 8)
        notifications = [await given.notification(app) for _ in range(3)]
        for notification in notifications:
            await given.settle(await given.claimed(await given.shard(notification)), sent(7, 8))
        found = await store.read(lambda tx: tx.deliveries.of_subscription(7, limit=2))
        assert found == [(one.id, sent(7)[0], given.now) for one in notifications[:0:-1]]
        earlier = await store.read(lambda tx: tx.deliveries.of_subscription(7, limit=2, before=found[-1][0]))
        assert [number for number, _, _ in earlier] == [notifications[0].id]


class TestReceipts:
    def receipt(
        self, given: Given, notification_id: int, device: int, event: ReceiptEvent, action: str = ""
    ) -> Receipt:
        return Receipt(notification_id, device, event, action, given.now)

    async def test_the_same_one_twice_counts_once(self, store: Store, given: Given) -> None:
        app = await given.app()
        (device,) = await given.devices(app, await given.credential(app), 1)
        notification = await given.notification(app, of=2)
        for event in ReceiptEvent:
            receipt = self.receipt(given, notification.id, device, event)
            assert await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))
            assert not await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))
        counts = Counts(audience=2, shown=1, clicked=1, closed=1, answered=1)
        assert await store.read(lambda tx: tx.receipts.counts(notification.id)) == counts
        assert (await given.look(notification)).counts == counts

    async def test_answers_are_counted_by_action_and_the_first_stands(self, store: Store, given: Given) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        votes = [(1, "no"), (2, "yes"), (3, "yes"), (1, "yes")]
        for device, action in votes:
            receipt = self.receipt(given, notification.id, device, ReceiptEvent.ANSWERED, action)
            await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))
        assert await store.read(lambda tx: tx.receipts.answers(notification.id)) == {"yes": 2, "no": 1}

    async def test_one_for_a_notification_that_is_gone_is_not_stored(self, store: Store, given: Given) -> None:
        receipt = self.receipt(given, 404, 1, ReceiptEvent.SHOWN)
        assert not await store.write(lambda tx: tx.receipts.add(receipt))
        assert await store.read(lambda tx: tx.receipts.counts(404)) == Counts()

    async def test_one_of_a_device_that_is_gone_is_not_stored(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        receipt = self.receipt(given, notification.id, 404, ReceiptEvent.SHOWN)
        assert not await store.write(lambda tx: tx.receipts.add(receipt))
        assert (await given.look(notification)).counts == Counts()

    async def test_many_at_once_lose_none(self, store: Store, given: Given) -> None:
        app = await given.app()
        devices = await given.devices(app, await given.credential(app), 40)
        notification = await given.notification(app, of=0)
        receipts = [self.receipt(given, notification.id, n, ReceiptEvent.SHOWN) for n in devices]
        await asyncio.gather(*(store.write(lambda tx, one=one: tx.receipts.add(one)) for one in receipts))
        assert (await given.look(notification)).counts.shown == 40
