"""What every store keeps to about shards of paused notifications: nobody looks at them, and none is left behind."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from support.stored import Given, sent
from tidings.domain.campaign import Counts, Notification, NotificationStatus
from tidings.domain.delivery import NewShard, Retry
from tidings.storage import Store, Transaction

S = NotificationStatus


async def ready(store: Store, given: Given, *, seconds: float = 0) -> list[int]:
    return await store.read(lambda tx: tx.shards.ready(now=given.later(seconds), limit=99))


async def counted_as_ready(store: Store, given: Given) -> int:
    """As `/metrics` counts them: by the index that a look for what is to be sent goes through."""
    return (await store.read(lambda tx: tx.instance.vitals(now=given.now, alive_since=given.now))).ready


async def resumed(given: Given, notification: Notification) -> None:
    assert await given.set_status(notification, S.QUEUED, S.PAUSED)


class TestPausing:
    async def test_shards_leave_the_line_and_come_back_in_their_order(self, store: Store, given: Given) -> None:
        app = await given.app()
        paused, other = await given.notification(app), await given.notification(app)
        shards = [await given.shard(paused, n) for n in range(5)]
        others = [await given.shard(other, n) for n in range(2)]
        before = await ready(store, given)
        assert await given.set_status(paused, S.PAUSED)
        assert await ready(store, given) == others
        assert await counted_as_ready(store, given) == len(others)
        assert await store.read(lambda tx: tx.shards.open_count(paused.id)) == len(shards)
        assert [await given.claim(one) for one in shards] == [None] * 5
        await resumed(given, paused)
        assert await ready(store, given) == before
        assert await counted_as_ready(store, given) == len(shards + others)
        assert (await given.claimed(shards[0])).notification_id == paused.id

    async def test_one_that_is_being_sent_is_held_once_it_is_given_back(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.PAUSED)
        assert await store.write(lambda tx: tx.shards.release(shard.id, shard.lease_token))
        assert (await ready(store, given), await counted_as_ready(store, given)) == ([], 0)
        await resumed(given, notification)
        assert await ready(store, given) == [shard.id]

    async def test_one_that_is_given_back_after_the_resume_is_ready(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.PAUSED)
        await resumed(given, notification)
        assert await store.write(lambda tx: tx.shards.release(shard.id, shard.lease_token))
        assert await ready(store, given) == [shard.id]

    async def test_however_pause_resume_and_giving_back_meet_none_is_left_behind(
        self, store: Store, given: Given
    ) -> None:
        notification = await given.notification(await given.app(), of=9)
        shards = [await given.claimed(await given.shard(notification, n)) for n in range(9)]

        async def given_back(number: int) -> None:
            shard = shards[number]
            retries = ((given.now, (Retry(number + 1, 1),)),)
            assert await given.settle(shard, retries=retries)
            assert await store.write(lambda tx: tx.shards.release(shard.id, shard.lease_token))

        async def paused_and_resumed() -> None:
            for _ in range(4):
                await given.set_status(notification, S.PAUSED)
                await resumed(given, notification)

        await asyncio.gather(paused_and_resumed(), *(given_back(number) for number in range(9)))
        assert len(await ready(store, given)) == 18
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 18

    async def test_one_whose_last_shard_ended_while_it_was_paused_is_done_once_resumed(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 1)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        assert await given.settle(shard, sent(*ids))
        await given.set_status(notification, S.PAUSED)
        assert await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert not await given.finish(notification)
        await resumed(given, notification)
        done = await given.look(notification)
        assert (done.status, done.counts) == (S.DONE, Counts(audience=1, sent=1))

    async def test_one_that_is_buried_while_it_is_paused_ends_it_once_resumed(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.PAUSED)
        await given.bury(shard)
        assert not await given.finish(notification)
        await resumed(given, notification)
        assert (await given.look(notification)).status is S.DONE

    async def test_whoever_waits_for_its_owner_has_no_pause_come_between(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 1)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        assert await given.settle(shard, sent(*ids))
        waits, nobody = threading.Event(), threading.Event()

        def end(tx: Transaction) -> bool:
            tx.shards.wait_for_owner(shard.id)
            waits.set()
            nobody.wait(0.3)
            tx.shards.finish(shard.id, shard.lease_token)
            return tx.notifications.finish_if_settled(notification.id, now=given.now)

        ending = asyncio.create_task(store.write(end))
        assert await asyncio.to_thread(waits.wait, 60)
        pausing = asyncio.create_task(given.set_status(notification, S.PAUSED, S.QUEUED, S.SENDING))
        assert await ending
        assert not await pausing
        assert (await given.look(notification)).status is S.DONE

    async def test_a_list_to_try_again_waits_too(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 2)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.PAUSED)
        again = ((given.later(5), (Retry(ids[1], 1),)),)
        assert await given.settle(shard, sent(ids[0]), retries=again)
        assert await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert (await ready(store, given, seconds=5), await counted_as_ready(store, given)) == ([], 0)
        assert not await given.finish(notification)
        await resumed(given, notification)
        (listed,) = await ready(store, given, seconds=5)
        claimed = await given.claimed(listed, at=given.later(5))
        assert claimed.retries == (Retry(ids[1], 1),)
        assert await given.settle(claimed, sent(ids[1]))
        assert await store.write(lambda tx: tx.shards.finish(claimed.id, claimed.lease_token))
        assert await given.finish(notification)
        assert (await given.look(notification)).counts == Counts(audience=2, sent=2)

    async def test_what_is_planned_meanwhile_waits_too(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        await given.set_status(notification, S.PAUSED)
        plan = [NewShard(notification.id, n, low=n, high=n, size=1) for n in range(3)]
        made = await store.write(lambda tx: tx.shards.add_plan(notification.id, plan, now=given.now))
        assert len(made) == 3
        assert (await ready(store, given), await counted_as_ready(store, given)) == ([], 0)
        await resumed(given, notification)
        assert await ready(store, given) == made

    async def test_one_message_alone_that_is_held_from_the_start_waits_too(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app())
        await given.set_status(notification, S.PAUSED)
        shard_id = await given.shard(notification)
        assert await counted_as_ready(store, given) == 0
        await resumed(given, notification)
        assert await ready(store, given) == [shard_id]

    async def test_cancelled_all_of_them_end_and_the_counters_add_up(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=7)
        shards = [await given.shard(notification, n) for n in range(3)]
        carried = await given.claimed(shards[0])
        await given.set_status(notification, S.PAUSED)
        assert await given.set_status(notification, S.CANCELLED, S.PAUSED)
        assert await store.write(lambda tx: tx.shards.release(carried.id, carried.lease_token))
        await given.finish(notification)
        assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == 0
        assert (await given.look(notification)).counts == Counts(audience=7, skipped=7)

    async def test_a_dead_one_that_is_tried_again_stays_in_doubt_and_waits(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=2))
        await given.bury(shard)
        await given.shard(notification, 1)
        assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        await given.set_status(notification, S.PAUSED)
        vitals = await store.read(lambda tx: tx.instance.vitals(now=given.now, alive_since=given.now))
        assert vitals.in_doubt == 1
        assert await given.claim(shard.id) is None
        assert await ready(store, given) == []
        await resumed(given, notification)
        assert len(await ready(store, given)) == 2

    async def test_dead_ones_are_listed_and_tried_again_while_it_is_paused(self, store: Store, given: Given) -> None:
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        await given.set_status(notification, S.PAUSED)
        await given.bury(shard)
        (dead,) = await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
        assert dead.id == shard.id
        assert await store.write(lambda tx: tx.shards.requeue(shard.id, now=given.now))
        assert await ready(store, given) == []
        await resumed(given, notification)
        assert await ready(store, given) == [shard.id]

    @pytest.mark.parametrize("seconds", [0, 3_600])
    async def test_a_clock_that_goes_back_keeps_none_waiting(self, store: Store, given: Given, seconds: int) -> None:
        notification = await given.notification(await given.app())
        shard_id = await given.shard(notification, not_before=given.later(seconds))
        await given.set_status(notification, S.PAUSED)
        back, was = given.later(-7_200), given.later(seconds)
        await store.write(lambda tx: tx.shards.clock_went_back(now=back, was=was, lease=60))
        await resumed(given, notification)
        assert await ready(store, given, seconds=-7_200) == [shard_id]

    async def test_other_notifications_are_left_alone(self, store: Store, given: Given) -> None:
        app = await given.app()
        one, other = await given.notification(app), await given.notification(app)
        shards = [await given.shard(one), await given.shard(other)]
        await given.set_status(one, S.PAUSED)
        await given.set_status(other, S.PAUSED)
        await resumed(given, one)
        assert await ready(store, given) == [shards[0]]
        assert replace(await given.look(other), counts=Counts()).status is S.PAUSED
