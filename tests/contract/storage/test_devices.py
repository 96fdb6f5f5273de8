"""One device, one row: addresses that move, rows that meet, and what devices reported."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from support.stored import KEYS, Given, endpoint
from tidings.domain.app import App
from tidings.domain.audience import Audience, Devices, Everyone, Tagged, Users
from tidings.domain.delivery import Retry, SkipReason
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Address, Subscription, SubscriptionStatus
from tidings.domain.tracked import NewTrackedEvent
from tidings.lib.clock import FixedClock
from tidings.lib.egress import AddressGuard
from tidings.lib.ids import Ids
from tidings.providers.webpush.settings import default_policy
from tidings.services.enrolment import SEEN_AGAIN, Arrival, enrol
from tidings.services.registration import UNCLAIMED, Registered, Registration
from tidings.services.subscriptions import Subscriptions
from tidings.services.tracking import Tracking
from tidings.storage import Store
from tidings.worker.load import following

OTHER_KEYS = bytes(81)
ACTIVE, EXPIRED = SubscriptionStatus.ACTIVE, SubscriptionStatus.EXPIRED


class Site:
    """Browsers of one App that register, as the public API does it."""

    def __init__(self, store: Store, given: Given, app: App, credential_id: int) -> None:
        self.store = store
        self.given = given
        self.app = app
        self.credential_id = credential_id
        self.now = given.now
        self._numbers = count(1)

    async def register(
        self,
        number: int,
        *,
        by: Registered | None = None,
        secret: str | None = None,
        keys: bytes = KEYS,
        user: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Registered:
        """Register the address of that number, as the device `by` with its secret or another one."""
        new = self.given.registration(self.app, None, address=Address(endpoint(number), keys))
        new = replace(new, credential_id=self.credential_id, user_external_id=user, tags=tags or {})
        registration = Registration(
            subscription={},
            user_id=user,
            tags=tags,
            id=by.subscription.public_id if by else None,
            secret=secret or (by.secret if by else None),
        )
        made = next(self._numbers)
        arrival = Arrival(registration, new, False, self.now, f"sub_made_{made}", f"secret-{made}")
        return await self.store.write(lambda tx: enrol(tx, arrival))

    async def rows(self) -> list[Subscription]:
        return await self.store.read(lambda tx: tx.subscriptions.page(self.app.id, after=0, limit=99))

    async def at(self, number: int) -> Subscription | None:
        found = await self.store.read(lambda tx: tx.subscriptions.find(self.app.id, endpoint(number)))
        return found[0] if found else None

    async def reached(self) -> list[str]:
        """The endpoints that a notification to everybody goes to."""
        found = await self.store.read(
            lambda tx: tx.subscriptions.recipients(self.app.id, Everyone(), after=0, high=10_000, limit=99)
        )
        return [one.address.target for one in found]


@pytest.fixture
async def site(store: Store, given: Given) -> Site:
    app = await given.app()
    return Site(store, given, app, (await given.credential(app)).id)


async def test_a_retry_goes_to_nobody_who_has_signed_in_on_the_device_since(
    store: Store, given: Given, site: Site
) -> None:
    shared = await site.register(9_001, user="anna", tags={"floor": "2"})
    own = await site.register(9_002, user="anna", tags={"floor": "2"})
    ids = [shared.subscription.id, own.subscription.id]
    both: set[int] = set(ids)
    cases: list[tuple[Audience, set[int]]] = [
        (Users(("anna",)), {own.subscription.id}),
        (Devices((shared.subscription.public_id, own.subscription.public_id)), both),
        (Tagged((("floor", "2"),)), {own.subscription.id}),
        (Everyone(), both),
    ]
    shards = []
    for audience, _ in cases:
        notification = await given.notification(site.app, audience)
        retries = tuple(Retry(one, attempt=1) for one in ids)
        shards.append((notification, await given.claimed(await given.shard(notification, retries=retries))))
    await site.register(9_001, by=shared, user="berta", tags={"floor": "3"})
    for (audience, told), (notification, shard) in zip(cases, shards, strict=True):
        batch = await store.read(
            partial(following, shard=shard, notification=notification, cursor=0, number=1, now=given.now)
        )
        assert batch is not None
        assert {one.subscription_id for one in batch.recipients} == told, audience
        left_out = {one.subscription_id: one.reason for one in batch.settled}
        assert left_out == dict.fromkeys(both - told, SkipReason.UNSUBSCRIBED)


class TestADeviceThatMoves:
    """It shows the id and secret of the row that it had."""

    async def test_keeps_its_row_and_all_that_is_kept_with_it(self, store: Store, site: Site) -> None:
        first = await site.register(9_001, tags={"plan": "pro"}, user="anna")
        before = await store.read(lambda tx: tx.subscriptions.recipients_by_id([first.subscription.id]))
        site.now += timedelta(minutes=1)
        moved = await site.register(9_002, by=first, keys=OTHER_KEYS, user="anna")
        row = moved.subscription
        assert (moved.created, moved.secret) == (False, first.secret)
        assert (row.id, row.public_id) == (first.subscription.id, first.subscription.public_id)
        assert (row.tags, row.created_at, row.last_seen_at) == (
            {"plan": "pro"},
            first.subscription.created_at,
            site.now,
        )
        assert (await site.at(9_001), await site.at(9_002)) == (None, row)
        after = await store.read(lambda tx: tx.subscriptions.recipients_by_id([row.id]))
        assert after[0].address == Address(endpoint(9_002), OTHER_KEYS)
        assert after[0].address_hash != before[0].address_hash

    @pytest.mark.parametrize("status", [SubscriptionStatus.EXPIRED, SubscriptionStatus.UNSUBSCRIBED])
    async def test_comes_alive_again(self, store: Store, site: Site, status: SubscriptionStatus) -> None:
        first = await site.register(9_001)
        await store.write(lambda tx: tx.subscriptions.set_status(first.subscription.id, status, "gone"))
        back = (await site.register(9_002, by=first)).subscription
        assert (back.id, back.status, back.status_reason) == (first.subscription.id, ACTIVE, None)

    async def test_with_a_wrong_secret_or_an_unknown_id_is_a_new_one(self, site: Site) -> None:
        first = await site.register(9_001)
        wrong = await site.register(9_002, by=first, secret="wrong")
        stranger = replace(first, subscription=replace(first.subscription, public_id="sub_nobody"))
        unknown = await site.register(9_003, by=stranger)
        assert wrong.created
        assert unknown.created
        assert len({one.subscription.id for one in (first, wrong, unknown)}) == 3
        assert await site.at(9_001) == first.subscription

    async def test_meets_a_row_that_has_its_new_address_and_one_of_them_stays(self, site: Site) -> None:
        first = await site.register(9_001, tags={"plan": "pro"})
        other = await site.register(9_002)
        for _ in range(2):
            kept = (await site.register(9_002, by=first)).subscription
            assert (kept.id, kept.tags) == (first.subscription.id, {"plan": "pro"})
            assert await site.reached() == [endpoint(9_002)]
        retired = await site.at(9_001)
        assert retired is not None
        assert (retired.id, retired.status, retired.status_reason) == (other.subscription.id, EXPIRED, "superseded")

    @pytest.mark.parametrize(
        ("keys", "owner"), [(OTHER_KEYS, None), (KEYS, "berta")], ids=["other keys", "another person"]
    )
    async def test_takes_no_address_from_a_row_that_is_not_its_own(
        self, site: Site, keys: bytes, owner: str | None
    ) -> None:
        first = await site.register(9_001, user="anna")
        await site.register(9_002, keys=keys, user=owner)
        before = await site.rows()
        with pytest.raises(CatalogueError) as refused:
            await site.register(9_002, by=first, user="anna")
        assert refused.value.code is ErrorCode.SUBSCRIPTION_SECRET_REQUIRED
        assert await site.rows() == before

    async def test_takes_its_address_from_a_row_that_was_imported_meanwhile(self, store: Store, site: Site) -> None:
        first = await site.register(9_001, user="anna")
        new = site.given.registration(site.app, None, address=Address(endpoint(9_002), KEYS))
        imported = replace(new, credential_id=site.credential_id, user_external_id="old-name")
        await store.write(lambda tx: tx.subscriptions.add_many([(imported, "sub_import", UNCLAIMED)], now=site.now))
        kept = (await site.register(9_002, by=first, user="anna")).subscription
        assert (kept.id, kept.user_external_id) == (first.subscription.id, "anna")
        assert await site.reached() == [endpoint(9_002)]

    async def test_in_several_tabs_at_once_stays_one(self, site: Site) -> None:
        first = await site.register(9_001)
        tabs = [site.register(9_002, by=first if n % 2 else None) for n in range(8)]
        await asyncio.gather(*tabs)
        last = await site.register(9_002, by=first)
        assert last.subscription.id == first.subscription.id
        assert await site.reached() == [endpoint(9_002)]
        assert [row.status_reason for row in await site.rows() if row.status is not ACTIVE] in ([], ["superseded"])

    async def test_under_two_ids_at_once_stays_one(self, site: Site) -> None:
        one, other = await site.register(9_001), await site.register(9_002)
        await asyncio.gather(*(site.register(9_003, by=by) for by in (one, other) * 4))
        assert await site.reached() == [endpoint(9_003)]
        left = [row for row in await site.rows() if row.status is not ACTIVE]
        assert [(row.status, row.status_reason) for row in left] == [(EXPIRED, "superseded")]


class TestAVisit:
    """What is stored of one that brings nothing new."""

    async def test_is_noted_once_a_day(self, site: Site) -> None:
        first = await site.register(9_001)
        site.now += SEEN_AGAIN - timedelta(seconds=1)
        assert (await site.register(9_001, by=first)).subscription.last_seen_at == site.given.now
        site.now += timedelta(seconds=1)
        for by in (None, first):
            assert (await site.register(9_001, by=by)).subscription.last_seen_at == site.now

    async def test_with_news_is_noted_at_once(self, site: Site) -> None:
        first = await site.register(9_001)
        site.now += timedelta(seconds=1)
        seen = (await site.register(9_001, by=first, tags={"plan": "pro"})).subscription
        assert (seen.last_seen_at, seen.tags) == (site.now, {"plan": "pro"})


async def test_tags_that_are_set_at_once_by_device_and_server_are_all_kept(store: Store, site: Site) -> None:
    made = await site.register(9_001, tags={"plan": "pro"})
    clock = FixedClock(site.now)
    device = Tracking(store=store, clock=clock, ids=Ids(clock))
    policy = default_policy(allow_insecure=False)
    server = Subscriptions(store=store, clock=clock, ids=Ids(clock), policy=policy, guard=AddressGuard())
    name, secret = made.subscription.public_id, made.secret or ""
    await asyncio.gather(
        *(device.set_tags(site.app.id, name, secret=secret, changes={f"d{n}": "x"}) for n in range(8)),
        *(server.set_tags(site.app.id, name, {f"s{n}": "x"}) for n in range(8)),
    )
    row = await site.at(9_001)
    assert row is not None
    assert len(row.tags) == 17


class TestTracked:
    """What devices did on their sites."""

    @pytest.fixture
    async def event(self, site: Site) -> NewTrackedEvent:
        row = (await site.register(9_001, user="anna")).subscription
        return NewTrackedEvent(site.app.id, row.id, "anna", "key-1", "Added to cart", {"price": 7.5, "deep": [None]})

    async def test_an_event_is_stored_once_by_its_key_also_at_once(
        self, store: Store, site: Site, event: NewTrackedEvent
    ) -> None:
        ids = await asyncio.gather(
            *(
                store.write(lambda tx, n=n: tx.tracked.add(event, public_id=f"evt_{n}", now=site.now))  # type: ignore[misc]
                for n in range(8)
            )
        )
        assert len(set(ids)) == 1
        (found,) = await store.read(lambda tx: tx.tracked.page(event.subscription_id, after=0, limit=9))
        assert (found.public_id, found.name, found.properties) == (ids[0], "Added to cart", event.properties)
        assert (found.user_external_id, found.at) == ("anna", site.now)
        assert await store.read(lambda tx: tx.tracked.knows(event))
        assert not await store.read(lambda tx: tx.tracked.knows(replace(event, key="key-2")))

    async def test_pages_are_newest_first(self, store: Store, site: Site, event: NewTrackedEvent) -> None:
        for n in range(3):
            at = site.now + timedelta(seconds=n)
            await store.write(
                lambda tx, n=n, at=at: tx.tracked.add(replace(event, key=f"{n}"), public_id=f"evt_{n}", now=at)  # type: ignore[misc]
            )
        device = event.subscription_id
        first = await store.read(lambda tx: tx.tracked.page(device, after=0, limit=2))
        rest = await store.read(lambda tx: tx.tracked.page(device, after=first[-1].id, limit=2))
        assert [one.public_id for one in first + rest] == ["evt_2", "evt_1", "evt_0"]
        moments = [await store.read(lambda tx, n=n: tx.tracked.nth_newest(device, n)) for n in (1, 3, 4)]  # type: ignore[misc]
        assert moments == [site.now + timedelta(seconds=2), site.now, None]

    async def test_events_are_forgotten_with_their_device_and_with_their_person(
        self, store: Store, site: Site, event: NewTrackedEvent
    ) -> None:
        async def left() -> int:
            return len(await store.read(lambda tx: tx.tracked.page(event.subscription_id, after=0, limit=9)))

        nobodys = replace(event, key="key-2", user_external_id=None)
        for one in (event, nobodys):
            await store.write(lambda tx, one=one: tx.tracked.add(one, public_id=f"evt_{one.key}", now=site.now))  # type: ignore[misc]
        await store.write(lambda tx: tx.users.delete(site.app.id, "anna"))
        assert await left() == 1
        row = await site.at(9_001)
        assert row is not None
        await store.write(lambda tx: tx.subscriptions.delete(site.app.id, row.public_id))
        assert await left() == 0

    async def test_events_are_forgotten_after_their_time_a_few_at_once(
        self, store: Store, site: Site, event: NewTrackedEvent
    ) -> None:
        later = site.now + timedelta(seconds=1)
        await store.write(lambda tx: tx.tracked.add(event, public_id="evt_1", now=site.now))
        await store.write(lambda tx: tx.tracked.add(replace(event, key="2"), public_id="evt_2", now=later))
        await store.write(lambda tx: tx.tracked.add(replace(event, key="3"), public_id="evt_3", now=site.now))
        assert await store.write(lambda tx: tx.tracked.purge(before=later, limit=1)) == 1
        assert await store.write(lambda tx: tx.tracked.purge(before=later, limit=9)) == 1
        (kept,) = await store.read(lambda tx: tx.tracked.page(event.subscription_id, after=0, limit=9))
        assert kept.public_id == "evt_2"
