"""What every store keeps to about the pause of the whole instance and about what the tripwire counts and holds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from support.stored import MESSAGE, Given
from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.safety import GlobalPause, HoldReason
from tidings.storage import Store, Transaction

HALF_AN_HOUR = timedelta(minutes=30)


class TestThePauseOfTheInstance:
    async def test_nothing_is_claimed_while_it_lasts_and_all_of_it_after(self, store: Store, given: Given) -> None:
        app = await given.app()
        notification = await given.notification(app)
        shard = await given.shard(notification)
        paused = GlobalPause(since=given.now, by="operator", reason="wrong link")
        await store.write(lambda tx: tx.instance.pause(paused))
        assert await store.read(lambda tx: tx.instance.paused()) == paused
        assert await store.read(lambda tx: tx.shards.ready(now=given.now, limit=10)) == []
        assert await given.claim(shard) is None
        assert await store.read(lambda tx: tx.shards.lag(now=given.later(60))) == 0
        assert await store.write(lambda tx: tx.instance.resume())
        assert not await store.write(lambda tx: tx.instance.resume())
        assert await store.read(lambda tx: tx.shards.ready(now=given.now, limit=10)) == [shard]
        assert await given.claim(shard) is not None


class TestVolumes:
    async def test_recipients_add_up_over_slots_and_minutes_and_are_forgotten(self, store: Store, given: Given) -> None:
        mine, other = await given.app(), await given.app()
        for lot in range(20):
            later = given.later(lot * 30)
            await store.write(lambda tx, lot=lot, at=later: tx.volumes.add(mine.id, 10, lot=lot, now=at))  # type: ignore[misc]
        await store.write(lambda tx: tx.volumes.add(other.id, 1_000, lot=0, now=given.now))
        assert await store.read(lambda tx: tx.volumes.since(mine.id, given.now)) == 200
        assert await store.read(lambda tx: tx.volumes.since(mine.id, given.later(300))) == 100
        await store.write(lambda tx: tx.volumes.forget(mine.id))
        assert await store.read(lambda tx: tx.volumes.since(mine.id, given.now)) == 0
        assert await store.read(lambda tx: tx.volumes.since(other.id, given.now)) == 1_000

    async def test_of_the_same_words_at_the_same_time_one_is_the_first(self, store: Store, given: Given) -> None:
        app = await given.app()

        def say(tx: Transaction) -> object:
            return tx.volumes.broadcast(app.id, b"words", within=HALF_AN_HOUR, now=given.now)

        said = await asyncio.gather(*(store.write(say) for _ in range(8)))
        assert said.count(None) == 1
        assert said.count(given.now) == 7

    async def test_the_same_words_are_new_again_after_the_time(self, store: Store, given: Given) -> None:
        app = await given.app()
        moments = [given.now, given.later(1_799), given.later(1_800), given.later(1_801)]
        found = [
            await store.write(lambda tx, at=at: tx.volumes.broadcast(app.id, b"w", within=HALF_AN_HOUR, now=at))  # type: ignore[misc]
            for at in moments
        ]
        assert found == [None, given.now, None, given.later(1_800)]
        assert await store.write(lambda tx: tx.volumes.purge(before=given.later(86_400))) == 1


class TestHeldNotifications:
    async def test_one_begins_paused_and_is_no_longer_held_once_it_goes_on(self, store: Store, given: Given) -> None:
        app = await given.app()
        new = NewNotification(app.id, MESSAGE, Everyone())

        def add(tx: Transaction) -> Notification:
            return tx.notifications.add(
                new, public_id="ntf_held", audience=3, ceiling=9, now=given.now, held=HoldReason.VOLUME
            )

        stored = await store.write(add)
        assert (stored.status, stored.held_because) == (NotificationStatus.PAUSED, HoldReason.VOLUME)
        assert await given.look(stored) == stored
        assert await store.read(lambda tx: tx.notifications.held_ids(app.id, limit=5)) == [stored.id]
        assert await store.read(lambda tx: tx.notifications.held(None)) == 1
        assert await store.read(lambda tx: tx.notifications.due(now=given.now, limit=5)) == []
        await given.set_status(stored, NotificationStatus.QUEUED)
        assert (await given.look(stored)).held_because is None
        assert await store.read(lambda tx: tx.notifications.held(app.id)) == 0
        assert await store.read(lambda tx: tx.notifications.due(now=given.now, limit=5)) == [stored.id]
