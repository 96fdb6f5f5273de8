"""PostgreSQL's locks where something ends while it is sent to: an App, devices, a key, a notification's details."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from support.stored import Given, sent
from tidings.domain.app import App, Credential, CredentialStatus
from tidings.domain.campaign import Notification
from tidings.domain.delivery import (
    DeliveryStatus,
    Patience,
    Retired,
    Retry,
    SettledDelivery,
    Settlement,
    Shard,
    Suspicion,
)
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.storage import Store, Transaction

pytestmark = pytest.mark.postgres

PUSH = "https://push.example.com"
DEVICES, CARRIERS, FIRST = 60, 6, 20
LATE = 61.0
"""Seconds after which a lease has run out."""

BORNE = Patience(times=3, over=timedelta(hours=72))


class Sending:
    """Workers that carry parts of three campaigns to the same devices until somebody has ended what is to end."""

    def __init__(self, given: Given, app: App, credential: Credential, ids: list[int]) -> None:
        self.given, self.app, self.credential, self.ids = given, app, credential, ids
        self.campaigns: list[Notification] = []
        self.hashes: dict[int, bytes] = {}
        self.chance = random.Random(4)
        self.settled = 0
        self.begun, self.over = asyncio.Event(), False

    @classmethod
    async def begin(cls, given: Given) -> Sending:
        app = await given.app()
        credential = await given.credential(app)
        made = cls(given, app, credential, await given.devices(app, credential, DEVICES))
        made.campaigns = [await given.notification(app) for _ in range(3)]
        for campaign in made.campaigns:
            for n in range(12):
                await given.shard(campaign, n, size=5)
        found = await given.store.read(lambda tx: tx.subscriptions.recipients_by_id(made.ids))
        made.hashes = {one.subscription_id: one.address_hash for one in found}
        return made

    async def until(self, end: Callable[[Sending], Awaitable[None]]) -> None:
        async def then() -> None:
            try:
                await asyncio.wait_for(self.begun.wait(), 60)
                await end(self)
            finally:
                self.over = True

        outcomes = await asyncio.gather(then(), *(self.carry() for _ in range(CARRIERS)), return_exceptions=True)
        assert outcomes == [None] * (CARRIERS + 1)

    async def carry(self) -> None:
        """Claim, send, settle and give back; now and then give a part up and have it tried again."""
        store = self.given.store
        while not self.over:
            at = self.given.later(self.chance.choice((0.0, 2 * LATE)))
            ready = await store.read(partial(_ready, at=at))
            shard = await self.given.claim(self.chance.choice(ready), at=at) if ready else None
            if shard is None:
                await asyncio.sleep(0)
                continue
            if self.chance.random() < 0.15:
                await self.given.bury(shard)
                await store.write(partial(_requeue, shard=shard, now=at))
                continue
            refused = self.credential if self.chance.random() < 0.3 else None
            await store.write(partial(_settle, work=self.chunk(shard), refused=refused, now=at))
            await store.write(partial(_given_back, shard=shard, now=at))
            self.settled += 1
            if self.settled == FIRST:
                self.begun.set()

    def chunk(self, shard: Shard) -> Settlement:
        """Make up what became of a dozen devices: taken, gone, doubted, to be tried again."""
        one = self.chance.sample(self.ids, 12)
        gone = tuple(SettledDelivery(each, DeliveryStatus.FAILED, "gone", 1) for each in one[6:8])
        dead = one[6:8] if self.chance.random() < 0.5 else []
        return Settlement(
            shard.id,
            shard.lease_token,
            shard.chunk_done + 1,
            shard.cursor,
            sent(*one[:6]) + gone,
            retired=tuple(Retired(each, "gone", self.hashes[each]) for each in dead),
            suspicions=tuple(Suspicion(each, "bad_request", self.hashes[each], BORNE) for each in one[8:10]),
            retries=((self.given.later(5), tuple(Retry(each, 1) for each in one[10:])),),
        )

    async def erased(self, erasure_id: int) -> None:
        """As the request and any worker's background do, both at once."""

        async def background() -> None:
            while await self.given.store.write(partial(_step, erasure_id=erasure_id, now=self.given.later(9 * LATE))):
                await asyncio.sleep(0)

        async def answer() -> None:
            await self.given.store.write(lambda tx: tx.erasures.note_in_hand(erasure_id, now=self.given.now))
            await background()

        await asyncio.gather(background(), answer())


def _ready(tx: Transaction, *, at: datetime) -> list[int]:
    return tx.shards.ready(now=at, limit=20)


def _requeue(tx: Transaction, *, shard: Shard, now: datetime) -> None:
    tx.shards.requeue(shard.id, now=now)


def _settle(tx: Transaction, *, work: Settlement, refused: Credential | None, now: datetime) -> None:
    if tx.shards.settle(work, now=now) and refused is not None:
        tx.credentials.pause(refused.id, PUSH, reason="authorization_refused", now=now)


def _given_back(tx: Transaction, *, shard: Shard, now: datetime) -> None:
    tx.shards.wait_for_owner(shard.id)
    tx.shards.release(shard.id, shard.lease_token)
    tx.notifications.finish_if_settled(shard.notification_id, now=now)


def _step(tx: Transaction, *, erasure_id: int, now: datetime) -> bool:
    return tx.erasures.step(erasure_id, limit=20, now=now)


async def the_app(sending: Sending) -> None:
    given = sending.given
    erasure = await given.store.write(lambda tx: tx.erasures.app(sending.app, public_id="era_1", now=given.now))
    await sending.erased(erasure.id)
    assert await given.store.read(lambda tx: tx.apps.get(sending.app.public_id)) is None
    for campaign in sending.campaigns:
        assert await given.store.read(partial(_by_id, notification_id=campaign.id)) is None


def _by_id(tx: Transaction, *, notification_id: int) -> Notification | None:
    return tx.notifications.by_id(notification_id)


async def devices(sending: Sending) -> None:
    given = sending.given

    def begin(tx: Transaction, one: int) -> int:
        device = tx.subscriptions.by_id(one)
        assert device is not None
        erasure = tx.erasures.device(sending.app, device.public_id, public_id=f"era_{one}", now=given.now)
        assert erasure is not None
        return erasure.id

    async def erase(one: int) -> None:
        await sending.erased(await given.store.write(lambda tx: begin(tx, one)))

    for first in range(0, 40, 4):
        await asyncio.gather(*map(erase, sending.ids[first : first + 4]))


async def the_integration(sending: Sending) -> None:
    def remove(tx: Transaction) -> None:
        tx.credentials.remove(sending.credential.integration_id, reason="integration_removed")

    await sending.given.store.write(remove)


async def a_key(sending: Sending) -> None:
    """Revoked again and again, the devices coming back each time."""

    def revoke(tx: Transaction) -> None:
        tx.credentials.set_status(sending.credential.id, CredentialStatus.REVOKED)
        tx.subscriptions.expire_made_with(sending.credential.id, reason="key_revoked")

    def back(tx: Transaction, one: int) -> None:
        tx.subscriptions.set_status(one, SubscriptionStatus.ACTIVE, "")

    for _ in range(10):
        await sending.given.store.write(revoke)
        for one in sending.ids:
            await sending.given.store.write(partial(back, one=one))


async def details(sending: Sending) -> None:
    """Nothing of a notification that is being sent has had its time, and devices that come back stay."""
    given = sending.given

    def clear(tx: Transaction, campaign: Notification) -> int:
        return tx.retention.clear_details(campaign.id, limit=50, now=given.now)

    def forget(tx: Transaction, one: int) -> int:
        tx.subscriptions.set_status(one, SubscriptionStatus.EXPIRED, "gone")
        return tx.retention.forget_device(one, before=given.later(9_999), limit=50)

    for one in sending.ids[:40]:
        await given.store.write(partial(forget, one=one))
        assert await given.store.write(partial(clear, campaign=sending.campaigns[one % 3])) == 0


@pytest.mark.parametrize("end", [the_app, devices, the_integration, a_key, details], ids=lambda end: end.__name__)
async def test_what_ends_while_it_is_sent_to_makes_nobody_wait_for_who_waits_for_him(
    store: Store, clock: FixedClock, end: Callable[[Sending], Awaitable[None]]
) -> None:
    sending = await Sending.begin(Given(store, clock.now()))
    await sending.until(end)
