"""What every store keeps to when the clock jumps: nothing waits for a time that has been already, or comes too soon."""

from __future__ import annotations

from datetime import datetime

from support.stored import Given
from tidings.domain.delivery import HeldBack, Retry
from tidings.domain.trigger import PendingKind, Window
from tidings.storage import Store

JUMP = 6 * 3_600.0


async def went_back(store: Store, given: Given, was: datetime) -> None:
    """As the dispatchers of two workers tell it."""
    for _ in range(2):
        await store.write(lambda tx: tx.shards.clock_went_back(now=given.now, was=was, lease=60))
        await store.write(lambda tx: tx.lanes.clock_went_back(now=given.now, was=was, lease=60))
        await store.write(lambda tx: tx.firings.clock_went_back(now=given.now))


class TestShards:
    async def test_what_is_to_be_tried_again_waits_as_long_as_its_push_service_asked(
        self, store: Store, given: Given
    ) -> None:
        early, ahead = given.now, given.later(JUMP)
        given.now = ahead
        notification = await given.notification(await given.app(), of=2)
        shard = await given.claimed(await given.shard(notification))
        again = ((given.later(120), (Retry(1, 1),)),)
        assert await given.settle(shard, retries=again)
        assert await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        given.now = early
        await went_back(store, given, ahead)
        assert await ready(store, given.later(119)) == []
        assert len(await ready(store, given.later(120))) == 1

    async def test_one_that_is_given_back_is_due_at_once_or_when_it_was_to_be(self, store: Store, given: Given) -> None:
        early, ahead = given.now, given.later(JUMP)
        given.now = ahead
        app = await given.app()
        ids = [await given.shard(await given.notification(app, of=2)) for _ in range(2)]
        stopped, waiting = [await given.claimed(one) for one in ids]
        look = given.later(60)
        await store.write(lambda tx: tx.shards.release(waiting.id, waiting.lease_token, not_before=look))
        given.now = early
        await went_back(store, given, ahead)
        await store.write(lambda tx: tx.shards.release(stopped.id, stopped.lease_token))
        assert await ready(store, given.now) == [stopped.id]
        assert await ready(store, given.later(60)) == [stopped.id, waiting.id]

    async def test_one_for_a_time_of_day_waits_for_that(self, store: Store, given: Given) -> None:
        early, ahead, evening = given.now, given.later(JUMP), given.later(2 * JUMP)
        given.now = ahead
        shard = await given.shard(await given.notification(await given.app(), of=2), not_before=evening)
        given.now = early
        await went_back(store, given, ahead)
        assert await ready(store, given.later(2 * JUMP - 1)) == []
        assert await ready(store, evening) == [shard]

    async def test_after_a_jump_ahead_only_what_waits_to_be_tried_again_is_held_back(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        notification = await given.notification(app, of=2)
        shard = await given.claimed(await given.shard(notification))
        assert await given.settle(shard, retries=((given.later(120), (Retry(1, 1),)),))
        assert await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        timed = await given.shard(await given.notification(app, of=2), not_before=given.later(60))
        stored = given.now

        async def found(passed: float) -> list[int]:
            now, held = given.later(JUMP + passed), HeldBack(stored, given.later(passed))
            return await store.read(lambda tx: tx.shards.ready(now=now, limit=9, held_back=(held,)))

        assert await found(119) == [timed]
        (again,) = set(await found(120)) - {timed}
        given.now = given.later(JUMP + 5)
        assert await given.claimed(again)
        given.now = given.later(61)  # whoever had it died: it is a lease that has run out
        assert again in await found(0)


async def ready(store: Store, at: datetime) -> list[int]:
    return sorted(await store.read(lambda tx: tx.shards.ready(now=at, limit=9)))


class TestLanes:
    async def test_one_that_was_given_back_is_free_at_once(self, store: Store, given: Given) -> None:
        app, ahead = await given.app(), given.later(JUMP)
        token = await store.write(lambda tx: tx.lanes.claim(app.id, owner="w", now=ahead, lease=60))
        assert token is not None
        await store.write(lambda tx: tx.lanes.release(app.id, token, now=ahead))
        assert await store.write(lambda tx: tx.lanes.claim(app.id, owner="v", now=given.now, lease=60)) is None
        await went_back(store, given, ahead)
        assert await store.write(lambda tx: tx.lanes.claim(app.id, owner="v", now=given.now, lease=60)) is not None

    async def test_one_that_somebody_has_is_free_once_the_lease_would_have_ended(
        self, store: Store, given: Given
    ) -> None:
        app, ahead = await given.app(), given.later(JUMP)
        assert await store.write(lambda tx: tx.lanes.claim(app.id, owner="w", now=ahead, lease=60))
        await went_back(store, given, ahead)
        early, late = given.later(59), given.later(60)
        assert await store.write(lambda tx: tx.lanes.claim(app.id, owner="v", now=early, lease=60)) is None
        assert await store.write(lambda tx: tx.lanes.claim(app.id, owner="v", now=late, lease=60)) is not None


class TestTriggers:
    async def test_a_window_opened_ahead_is_as_long_as_it_was(self, store: Store, given: Given) -> None:
        app, ahead, closes = await given.app(), given.later(JUMP), given.later(JUMP + 600)
        before, closed = given.later(-300), given.later(300)
        await store.write(lambda tx: tx.firings.hold(app.id, 1, "ahead", now=ahead))
        await store.write(lambda tx: tx.firings.count(1, "ahead", Window(ahead, 2), closes_at=closes))
        await store.write(lambda tx: tx.firings.hold(app.id, 1, "for ever", now=ahead))
        await store.write(lambda tx: tx.firings.count(1, "for ever", Window(ahead, 1), closes_at=None))
        await store.write(lambda tx: tx.firings.hold(app.id, 1, "before", now=before))
        await store.write(lambda tx: tx.firings.count(1, "before", Window(before, 3), closes_at=closed))
        await went_back(store, given, ahead)
        assert await store.read(lambda tx: tx.firings.window(1, "ahead")) == Window(given.now, 2)
        assert await store.read(lambda tx: tx.firings.window(1, "for ever")) == Window(given.now, 1)
        assert await store.read(lambda tx: tx.firings.window(1, "before")) == Window(before, 3)
        soon, then = given.later(599), given.later(601)
        assert await store.write(lambda tx: tx.firings.purge(now=soon, limit=9)) == 1
        assert await store.write(lambda tx: tx.firings.purge(now=then, limit=9)) == 1

    async def test_what_waits_is_due_after_its_delay(self, store: Store, given: Given) -> None:
        app, ahead, due, before = await given.app(), given.later(JUMP), given.later(JUMP + 300), given.later(-100)
        delayed = await store.write(
            lambda tx: tx.firings.wait(app.id, 1, PendingKind.DELAY, "a", due_at=due, now=ahead)
        )
        sooner = given.later(200)
        older = await store.write(
            lambda tx: tx.firings.wait(app.id, 1, PendingKind.DIGEST, "b", due_at=sooner, now=before)
        )
        await went_back(store, given, ahead)
        found = await store.read(lambda tx: tx.firings.due(app.id, now=given.later(JUMP), limit=9))
        assert [(one.id, one.due_at) for one in found] == [(older, sooner), (delayed, given.later(300))]
