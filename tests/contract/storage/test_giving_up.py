"""What every store keeps to about what is given up: shards whose workers die, and addresses that answer oddly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from support.between import Between
from support.stored import Given, sent
from tidings.bus import bus_from
from tidings.domain.app import Heartbeat
from tidings.domain.audit import SYSTEM
from tidings.domain.campaign import Counts, NotificationStatus
from tidings.domain.delivery import DeadShard, DeliveryStatus, Patience, Priority, SettledDelivery, Suspicion
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.outcome import Doubt
from tidings.domain.subscription import SubscriptionStatus
from tidings.domain.suspected import PATIENCE, Suspected
from tidings.lib.clock import FixedClock
from tidings.services.dead_shards import DeadShards
from tidings.storage import Store

S = NotificationStatus
DAY = 86_400.0


class TestDeadShards:
    async def test_one_is_counted_at_once_and_listed_with_its_reason(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(ids[0]))
        assert await given.bury(shard)
        assert not await given.bury(shard)
        now = await given.look(notification)
        assert (now.counts, now.reasons) == (Counts(audience=3, sent=1, skipped=2), {"in_doubt": 2})
        (dead,) = await store.read(lambda tx: tx.shards.dead(app_ids=[app.id], after=0, limit=9))
        assert (dead.id, dead.app, dead.notification) == (shard.id, app.public_id, notification.public_id)
        assert (dead.in_doubt, dead.because, dead.buried_at) == (2, "worker_died", given.now)
        assert (dead.title, dead.expires_at) == (notification.message.title, notification.expires_at)
        assert await store.read(lambda tx: tx.shards.dead_shard(shard.id)) == dead
        assert await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9)) == [dead]
        assert await store.read(lambda tx: tx.shards.dead(app_ids=None, after=dead.id, limit=9)) == []
        assert await store.read(lambda tx: tx.shards.dead(app_ids=[other.id], after=0, limit=9)) == []

    async def test_tried_again_its_recipients_reach_a_state_of_their_own(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(ids[0]))
        await given.bury(shard)
        assert await given.finish(notification)
        assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        assert not await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        open_again = await given.look(notification)
        assert (open_again.status, open_again.finished_at) == (S.SENDING, None)
        assert (open_again.counts, open_again.reasons) == (Counts(audience=3, sent=1), {})
        again = await given.claimed(shard.id)
        assert (again.attempt, again.cursor, again.lease_token) == (1, ids[0], shard.lease_token + 1)
        assert await given.settle(again, sent(*ids[1:]), chunk=2)
        assert await store.write(lambda tx: tx.shards.finish(again.id, again.lease_token))
        assert await given.finish(notification)
        done = await given.look(notification)
        assert (done.status, done.counts) == (S.DONE, Counts(audience=3, sent=3))

    async def test_one_that_is_left_is_listed_no_more_and_stays_counted(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=7)
        shard = await given.claimed(await given.shard(notification))
        await given.bury(shard)
        assert await store.write(lambda tx: tx.shards.drop(shard.id))
        assert not await store.write(lambda tx: tx.shards.drop(shard.id))
        assert not await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        assert await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9)) == []
        assert await given.finish(notification)
        assert (await given.look(notification)).counts == Counts(audience=7, skipped=7)

    async def test_a_cancel_beside_a_second_try_leaves_none_open(
        self, store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await given.shard(notification, 1, size=0)
        await given.bury(shard)
        between = Between(store)
        # A second try has read by then that nothing is cancelled, and builds what it will write.
        monkeypatch.setattr("tidings.storage.burials.update", between.after(update))
        done = await between.both(
            store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now)),
            given.set_status(notification, S.CANCELLED, S.QUEUED, S.SENDING),
        )
        assert done == (True, True)
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0
        assert (await given.look(notification)).counts == Counts(audience=2, skipped=2)

    async def test_of_a_second_try_and_leaving_it_at_once_one_is_done_and_the_other_is_told_so(
        self, store: Store, given: Given, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await given.bury(shard)
        between, decide = Between(store), DeadShards(store=store, bus=bus_from(None), clock=clock)
        monkeypatch.setattr("tidings.storage.burials.update", between.after(update))
        done = await between.both(
            decide.drop(shard.id, app_ids=None, by=SYSTEM), decide.requeue(shard.id, app_ids=None, by=SYSTEM)
        )
        assert [one.code for one in done if isinstance(one, CatalogueError)] == [ErrorCode.NOT_FOUND]
        assert len([one for one in done if isinstance(one, DeadShard)]) == 1

    async def test_one_of_a_cancelled_notification_is_not_tried_again(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await given.bury(shard)
        await given.set_status(notification, S.CANCELLED)
        assert not await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0

    async def test_one_that_cannot_be_read_is_put_aside_and_each_look_counts(self, store: Store, given: Given) -> None:
        shard_id = await given.shard(await given.notification(await given.app()))
        put_aside: dict[str, Any] = {"owner": "w", "fault": "fault:ValueError", "now": given.now, "lease": 60}
        assert await store.write(lambda tx: tx.shards.stumble(shard_id, **put_aside, most=2)) is None
        assert await store.write(lambda tx: tx.shards.stumble(shard_id, **put_aside, most=1)) is None, "it is taken"
        assert await given.claim(shard_id, at=given.later(59)) is None
        again = await given.claimed(shard_id, at=given.later(60))
        assert again.attempt == 2
        await given.bury(again)
        (dead,) = await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
        assert dead.because == "fault:ValueError"

    async def test_one_that_cannot_be_read_is_given_up_at_last(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard_id = await given.shard(notification)
        put_aside: dict[str, Any] = {"owner": "w", "fault": "fault:ValueError", "lease": 60, "most": 2}
        assert await store.write(lambda tx: tx.shards.stumble(shard_id, **put_aside, now=given.now)) is None
        ended = await store.write(lambda tx: tx.shards.stumble(shard_id, **put_aside, now=given.later(60)))
        assert ended == notification.id
        (dead,) = await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
        assert (dead.id, dead.because, dead.in_doubt) == (shard_id, "fault:ValueError", 2)


class TestSuspicions:
    DEADLY = Patience(times=3, over=timedelta(hours=72))

    async def suspect(
        self, given: Given, device: int, *, at: float, patience: Patience = DEADLY, reason: str = "odd"
    ) -> SubscriptionStatus:
        """Settle a chunk in which the device's address answered oddly; give its status after."""
        (found,) = await given.store.read(lambda tx: tx.subscriptions.recipients_by_id([device]))
        one = Suspicion(device, reason, found.address_hash, patience)
        app = await given.store.read(lambda tx: tx.apps.all())
        notification = await given.notification(app[0])
        shard = await given.claimed(await given.shard(notification))
        given.now += timedelta(seconds=at)
        failed = SettledDelivery(device, DeliveryStatus.FAILED, reason, 1)
        assert await given.settle(shard, (failed,), suspicions=(one,))
        after = await given.store.read(lambda tx: tx.subscriptions.by_id(device))
        assert after is not None
        return after.status

    async def test_an_address_is_retired_after_enough_of_them_over_enough_time(self, given: Given) -> None:
        app = await given.app()
        device = (await given.device(app, await given.credential(app))).id
        for gap in (0, 60, 60, DAY):
            assert await self.suspect(given, device, at=gap) is SubscriptionStatus.ACTIVE, "a day of it is no verdict"
        assert await self.suspect(given, device, at=2 * DAY) is SubscriptionStatus.EXPIRED
        found = await given.store.read(lambda tx: tx.subscriptions.by_id(device))
        assert found is not None
        assert found.status_reason == "odd"

    @pytest.mark.parametrize("what", ["message", "address"])
    async def test_what_was_held_against_it_is_void_once_it_works_or_is_another(self, given: Given, what: str) -> None:
        app = await given.app()
        credential = await given.credential(app)
        device = (await given.device(app, credential)).id
        for _ in range(2):
            await self.suspect(given, device, at=2 * DAY)
        if what == "message":
            await given.settle(await given.claimed(await given.shard(await given.notification(app))), sent(device))
        else:
            new = given.registration(app, credential)
            await given.store.write(lambda tx: tx.subscriptions.refresh(device, new, secret_hash=None, now=given.now))
        for gap in (2 * DAY, DAY, DAY):
            assert await self.suspect(given, device, at=gap) is SubscriptionStatus.ACTIVE
        assert await self.suspect(given, device, at=DAY) is SubscriptionStatus.EXPIRED

    async def test_an_address_that_seems_to_belong_elsewhere_is_borne_for_ever_and_rests(self, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        device, other = (await given.devices(app, credential, 2))[:2]
        odd = partial(self.suspect, given, device, patience=PATIENCE, reason=Doubt.ADDRESS_FOREIGN)
        begun = given.now
        for times, gap in enumerate((0, DAY, 2 * DAY, 7 * DAY, 30 * DAY), start=1):
            assert await odd(at=gap) is SubscriptionStatus.ACTIVE
            found = (await self.misplaced(given, device, other))[device]
            assert (found.reason, found.times, found.since, found.last_at) == (
                "address_foreign",
                times,
                begun,
                given.now,
            )
            assert found.rests(given.now) is (times >= 3), "it takes three over 72 hours"
        assert found.rests_until == given.later(7 * DAY)
        assert not found.rests(given.later(7 * DAY)), "it is tried once a week"
        integration = await given.store.read(lambda tx: tx.credentials.integrations(app.id)[0].id)
        assert await given.store.read(lambda tx: tx.subscriptions.count_misplaced(integration)) == 1
        assert await given.store.read(lambda tx: tx.subscriptions.misplaced(())) == {}

    @pytest.mark.parametrize("what", ["message", "visit", "address"])
    async def test_it_is_tried_again_once_it_is_heard_of(self, given: Given, what: str) -> None:
        app = await given.app()
        credential = await given.credential(app)
        device = (await given.device(app, credential)).id
        for gap in (0, DAY, 2 * DAY):
            await self.suspect(given, device, at=gap, patience=PATIENCE, reason=Doubt.DEVICE_TOKEN_REFUSED)
        assert (await self.misplaced(given, device))[device].rests(given.now)
        given.now += timedelta(seconds=1)
        if what == "message":
            await given.settle(await given.claimed(await given.shard(await given.notification(app))), sent(device))
        else:
            new = given.registration(app, credential)
            if what == "visit":
                address = await given.store.read(lambda tx: tx.subscriptions.address(device))
                assert address is not None
                new = replace(new, address=address)
            await given.store.write(lambda tx: tx.subscriptions.refresh(device, new, secret_hash=None, now=given.now))
        found = (await self.misplaced(given, device)).get(device)
        if what == "visit":  # one try, and what was seen before is not forgotten
            assert found is not None
            assert (found.times, found.rests_until) == (3, None)
        else:
            assert found is None

    async def misplaced(self, given: Given, *devices: int) -> dict[int, Suspected]:
        return await given.store.read(lambda tx: tx.subscriptions.misplaced(devices))

    async def test_an_address_that_ever_took_a_message_is_borne_where_that_is_said(self, given: Given) -> None:
        app = await given.app()
        new, known = await given.devices(app, await given.credential(app), 2)
        await given.settle(await given.claimed(await given.shard(await given.notification(app))), sent(known))
        patience = Patience(times=2, over=timedelta(0), unreached_only=True)
        found = [await self.suspect(given, one, at=1, patience=patience) for one in (new, new, known, known, known)]
        assert found == [
            SubscriptionStatus.ACTIVE,
            SubscriptionStatus.EXPIRED,
            *[SubscriptionStatus.ACTIVE] * 3,
        ]

    async def test_one_that_was_deleted_meanwhile_keeps_no_chunk_from_being_settled(self, given: Given) -> None:
        app = await given.app()
        shard = await given.claimed(await given.shard(await given.notification(app)))
        assert await given.settle(shard, suspicions=(Suspicion(404, "odd", b"x", self.DEADLY),))
        gone = await given.store.write(lambda tx: tx.subscriptions.forget_suspicions(before=given.later(1)))
        assert gone == 0

    async def test_they_are_forgotten_in_time(self, given: Given) -> None:
        app = await given.app()
        device = (await given.device(app, await given.credential(app))).id
        await self.suspect(given, device, at=0)
        for before, rows in ((given.now, 0), (given.later(1), 1), (given.later(1), 0)):
            assert rows == await given.store.write(
                lambda tx, before=before: tx.subscriptions.forget_suspicions(before=before)  # type: ignore[misc]
            )


class TestTurns:
    async def test_the_urgent_come_first_and_starve_nobody(self, store: Store, given: Given) -> None:
        app = await given.app()
        notification = await given.notification(app)
        bulk = [await given.shard(notification, n) for n in range(3)]
        few = [await given.shard(notification, n + 10, priority=Priority.AT_ONCE) for n in range(12)]
        turns = []
        for second in range(15):
            (first,) = await store.read(lambda tx: tx.shards.ready(now=given.now, limit=1))
            turns.append(first)
            await given.claimed(first, owner=f"w-{second}", lease=3_600)
        assert turns == [*few[:3], bulk[0], *few[3:7], bulk[1], *few[7:11], bulk[2], few[11]]

    async def test_what_an_app_has_under_way_counts(self, store: Store, given: Given) -> None:
        big, small = await given.notification(await given.app()), await given.notification(await given.app())
        many = [await given.shard(big, n) for n in range(4)]
        for one in many[:2]:
            await given.claimed(one)
        late = await given.shard(small, not_before=given.later(1))
        ready = await store.read(lambda tx: tx.shards.ready(now=given.later(1), limit=9))
        assert ready == [late, many[2], many[3]]

    async def test_of_more_apps_than_are_asked_for_those_that_waited_longest(self, store: Store, given: Given) -> None:
        notifications = [await given.notification(await given.app()) for _ in range(5)]
        waits = (4, 1, 3, 0, 2)
        made = {
            wait: await given.shard(notification, not_before=given.later(wait))
            for wait, notification in zip(waits, notifications, strict=True)
        }
        later = given.later(3.5)
        for limit in range(6):
            ready = await store.read(lambda tx, limit=limit: tx.shards.ready(now=later, limit=limit))  # type: ignore[misc]
            assert ready == [made[wait] for wait in range(4)][:limit]
        assert await store.read(lambda tx: tx.shards.lag(now=later)) == 3.5

    async def test_only_what_is_urgent_enough_is_given_where_that_is_asked(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        made = {one: await given.shard(notification, one, priority=one) for one in Priority}
        for least in Priority:
            found = await store.read(lambda tx, least=least: tx.shards.ready(now=given.now, limit=9, least=least))  # type: ignore[misc]
            assert set(found) == {made[one] for one in Priority if one <= least}


class TestOneStateEach:
    async def test_chunks_settled_at_once_give_a_recipient_one_final_state(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 40)
        notification = await given.notification(app)
        shards = [await given.claimed(await given.shard(notification, n)) for n in range(6)]
        orders = [ids, ids[::-1], ids[::2] + ids[1::2]] * 2
        settled = await asyncio.gather(
            *(given.settle(shard, sent(*order)) for shard, order in zip(shards, orders, strict=True))
        )
        assert all(settled)
        assert (await given.look(notification)).counts == Counts(audience=40, sent=40)
        rows = await store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=500))
        assert [row.subscription_id for row in rows] == ids


class TestTidying:
    async def test_what_has_ended_is_forgotten_and_the_rest_stays(self, store: Store, given: Given) -> None:
        def make(tx):  # type: ignore[no-untyped-def]
            for seconds in (10, 100):
                name = b"%d" % seconds
                tx.access.add_setup_token(token_hash=name, expires_at=given.later(seconds))
                tx.instance.beat(Heartbeat(f"w-{seconds}", "host", 1, 1, given.now, given.later(seconds)))

        await store.write(make)
        assert await store.write(lambda tx: tx.access.purge(now=given.later(50))) == 1
        assert await store.write(lambda tx: tx.access.purge(now=given.later(50))) == 0
        assert await store.write(lambda tx: tx.access.spend_setup_token(b"100", now=given.later(50)))
        assert await store.write(lambda tx: tx.instance.forget_silent(before=given.later(50))) == 1
        (left,) = await store.read(lambda tx: tx.instance.heartbeats(since=given.now))
        assert left.worker_id == "w-100"
