"""PostgreSQL's locks: a notification before its shards, whoever it is, so that no two ever wait for each other."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from functools import partial

import pytest

from support.between import Between
from support.stored import Given, sent
from tidings.domain.campaign import Counts, Notification, NotificationStatus
from tidings.domain.delivery import Retry, Shard
from tidings.lib.clock import FixedClock
from tidings.storage import Store, Transaction, settling, shards

pytestmark = pytest.mark.postgres

S = NotificationStatus
LATE = 61.0
"""Seconds after which a lease has run out."""

TIMES = 25
"""How often each of those who meet comes back."""


@pytest.fixture
def given(store: Store, clock: FixedClock) -> Given:
    return Given(store, clock.now())


@pytest.mark.parametrize(("to", "left"), [(S.PAUSED, 1), (S.CANCELLED, 0)])
async def test_a_pause_and_a_cancel_beside_a_claim(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch, to: NotificationStatus, left: int
) -> None:
    notification = await given.notification(await given.app(), of=2)
    shard_id = await given.shard(notification)
    between = Between(store)
    # A claim has the shard by then, and not yet written that its notification is being sent.
    monkeypatch.setattr(shards, "_started", between.after(shards._started))
    claimed, changed = await between.both(
        given.claim(shard_id), given.set_status(notification, to, S.QUEUED, S.SENDING)
    )
    assert isinstance(claimed, Shard), claimed
    assert changed is True, changed
    assert (await given.look(notification)).status is to
    assert await store.write(lambda tx: tx.shards.release(shard_id, claimed.lease_token))
    assert await store.read(lambda tx: tx.shards.open_count(notification.id)) == left


async def test_a_cancel_beside_the_settling_of_a_shard_whose_lease_has_run_out(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), 2)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    given.now = given.later(LATE)
    between = Between(store)
    monkeypatch.setattr(settling, "_store_deliveries", between.after(settling._store_deliveries))
    done = await between.both(
        given.settle(shard, sent(ids[0])), given.set_status(notification, S.CANCELLED, S.QUEUED, S.SENDING)
    )
    assert done == (True, True)
    assert await given.left_behind(at=given.now) == [notification.id], "whoever has it may be dead after all"
    await given.finish(notification)
    assert (await given.look(notification)).counts == Counts(audience=2, sent=1, skipped=1)


class Meeting:
    """Workers and people who steer, all at the same campaigns, at random."""

    def __init__(self, given: Given, ids: list[int]) -> None:
        self.given, self.ids = given, ids
        self.carried: list[Shard] = []
        self.chance = random.Random(4)

    def moment(self) -> datetime:
        """Give now, or when every lease has run out."""
        return self.given.later(self.chance.choice((0.0, 2 * LATE)))

    async def carry(self) -> None:
        """Claim, settle and give back, as workers do, some of whose leases have run out meanwhile."""
        for _ in range(TIMES):
            at = self.moment()
            ready = await self.given.store.read(partial(_ready, at=at))
            claims = [await self.given.claim(one, at=at) for one in ready[:3]]
            self.carried += [one for one in claims if one is not None]
            if self.carried:
                await self.end(self.carried.pop(self.chance.randrange(len(self.carried))))

    async def end(self, shard: Shard) -> None:
        """Settle one chunk, and give the shard back, or have it given up and tried again."""
        again = ((self.given.later(5), (Retry(self.chance.choice(self.ids), 1),)),)
        told = sent(*self.chance.sample(self.ids, 5))
        await self.given.settle(shard, told, chunk=shard.chunk_done + 1, retries=again)
        await self.given.store.write(partial(_given_back, shard=shard, now=self.given.later(LATE)))

    async def steer(self, campaign: Notification) -> None:
        """Pause and resume again and again, and cancel in the end."""
        for _ in range(TIMES):
            await self.given.set_status(campaign, S.PAUSED, S.QUEUED, S.SENDING)
            await self.given.set_status(campaign, S.QUEUED, S.PAUSED)
            await self.given.finish(campaign, at=self.moment())
        await self.given.set_status(campaign, S.CANCELLED, S.QUEUED, S.SENDING, S.PAUSED)


def _ready(tx: Transaction, *, at: datetime) -> list[int]:
    return tx.shards.ready(now=at, limit=9)


def _given_back(tx: Transaction, *, shard: Shard, now: datetime) -> None:
    tx.shards.wait_for_owner(shard.id)
    tx.shards.release(shard.id, shard.lease_token)
    tx.notifications.finish_if_settled(shard.notification_id, now=now)


async def test_whatever_meets_at_random_nobody_waits_for_who_waits_for_him(given: Given) -> None:
    app = await given.app()
    meeting = Meeting(given, await given.devices(app, await given.credential(app), 60))
    campaigns = [await given.notification(app) for _ in range(3)]
    for campaign in campaigns:
        for n in range(12):
            await given.shard(campaign, n, size=5)
    workers = (meeting.carry() for _ in range(5))
    await asyncio.gather(*workers, *(meeting.steer(campaign) for campaign in campaigns))
