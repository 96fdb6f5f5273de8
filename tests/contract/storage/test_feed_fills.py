"""Feeds of many who are not named: filled some at a time, once for each, for whom it is meant and for nobody else."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from sqlalchemy import update
from tests.contract.storage.test_feed import Bell, known

from support.stored import MESSAGE, Given
from tidings.domain.app import App
from tidings.domain.audience import FEED, Audience, Everyone, Matching, Tagged, Through, Users
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.event import NewEventType
from tidings.domain.feed import FeedCounts, FeedRead
from tidings.domain.filters import AllOf, AnyOf, Compare, Field, Filter, Not, Op, Root
from tidings.domain.preference import PreferenceChannel
from tidings.domain.safety import HoldReason
from tidings.pipeline import feed as filling
from tidings.pipeline.feed import next_step, put_in_feed, take_step
from tidings.storage import Store, Transaction
from tidings.storage.tables.subscriptions import subscriptions

PRO = Compare(Field(Root.USER, ("plan",)), Op.EQUALS, "pro")
KNOWN = Compare(Field(Root.USER, ("created_at",)), Op.EXISTS)
SEEN = Compare(Field(Root.SUBSCRIPTION, ("locale",)), Op.EQUALS, "de-AT")
NOT_ANNA = Not(Compare(Field(Root.USER, ("id",)), Op.EQUALS, "anna"))


@pytest.fixture
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "FILLED", 2)


async def person(store: Store, given: Given, app: App, user: str, plan: str = "pro") -> Bell:
    await store.write(
        lambda tx: tx.users.put(
            app.id, user, attributes={"plan": plan}, locale=None, time_zone=None, now=given.later(-60)
        )
    )
    return Bell(store, given, app, user)


async def told(store: Store, given: Given, app: App, whom: Audience | Filter, **terms: object) -> Notification:
    audience = whom if isinstance(whom, Everyone | Matching | Tagged | Through | Users) else Matching(whom, given.now)
    made = await given.notification(app, audience, **terms)
    await store.write(lambda tx: put_in_feed(tx, made))
    return made


async def fill(store: Store, given: Given, at: float = 1) -> int:
    """Take every step there is; give how many."""
    steps, now = 0, given.later(at)
    while due := await store.read(lambda tx: tx.feed_fills.due(now=now, limit=9)):
        for one in due:
            step = await store.read(partial(next_step, fill=one))
            await store.write(partial(take_step, step=step, now=now))
            steps += 1
    return steps


async def whom_it_came_to(store: Store, given: Given, app: App, *users: str) -> set[str]:
    return {user for user in users if await Bell(store, given, app, user).ids()}


@pytest.mark.usefixtures("two_at_a_time")
async def test_those_whom_conditions_name_find_it_once(store: Store, given: Given) -> None:
    app, elsewhere = await given.app(), await given.app()
    for n in range(5):
        await person(store, given, app, f"pro-{n}")
    await person(store, given, app, "free", "free")
    await person(store, given, elsewhere, "pro-9")
    made = await told(store, given, app, PRO)
    one = Bell(store, given, app, "pro-3")
    assert await one.ids() == [], "nothing is written while it is accepted"
    assert await fill(store, given) == 4
    everybody = [*(f"pro-{n}" for n in range(5)), "free"]
    assert await whom_it_came_to(store, given, app, *everybody) == {f"pro-{n}" for n in range(5)}
    assert await whom_it_came_to(store, given, elsewhere, "pro-9") == set()
    assert (await one.ids(), await one.counts()) == ([made.public_id], FeedCounts(1, 1))
    assert await one.mark(made.public_id) == 1
    assert await one.counts() == FeedCounts()


@pytest.mark.usefixtures("two_at_a_time")
async def test_people_known_by_their_devices_alone_find_it_too(store: Store, given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    await person(store, given, app, "anna")
    for user in ("anna", "berta", "clara", "clara", "dora", None):
        await given.device(app, key, user_external_id=user, tags={"floor": "2"})
    await given.device(app, key, user_external_id="emil", locale="fr", tags={"floor": "2", "wing": "b"})
    await person(store, given, app, "frida")
    everybody = ("anna", "berta", "clara", "dora", "emil", "frida")
    for whom, expected in (
        (SEEN, {"anna", "berta", "clara", "dora"}),
        (AllOf((SEEN, PRO)), {"anna"}),
        (KNOWN, {"anna", "frida"}),
        (Not(PRO), {"berta", "clara", "dora", "emil"}),
        (Tagged((("floor", "2"), ("wing", "b"))), {"emil"}),
        (Compare(Field(Root.USER, ("id",)), Op.IN, ("berta", "frida", "nobody")), {"berta", "frida"}),
    ):
        made = await told(store, given, app, whom)
        await fill(store, given)
        found = {who for who in everybody if made.public_id in await Bell(store, given, app, who).ids()}
        assert found == expected, whom
    assert await Bell(store, given, app, "clara").counts() == FeedCounts(2, 2)


@pytest.mark.usefixtures("two_at_a_time")
async def test_whom_conditions_on_people_name_find_it_also_beside_conditions_on_devices(
    store: Store, given: Given
) -> None:
    app = await given.app()
    key = await given.credential(app)
    for user in ("anna", "berta", "clara", "zoe"):
        await person(store, given, app, user, "free" if user == "berta" else "pro")
    await given.device(app, key, user_external_id="berta")
    await given.device(app, key, user_external_id="zoe")
    not_zoe = Not(Compare(Field(Root.USER, ("id",)), Op.EQUALS, "zoe"))
    named = Compare(Field(Root.USER, ("id",)), Op.IN, ("clara", "zoe"))
    for whom, expected in (
        (AnyOf((SEEN, PRO)), {"anna", "berta", "clara", "zoe"}),
        (AllOf((AnyOf((SEEN, PRO)), not_zoe)), {"anna", "berta", "clara"}),
        (AllOf((AnyOf((SEEN, named)), not_zoe)), {"berta", "clara"}),
        (AnyOf((AllOf((PRO, SEEN)), named)), {"clara", "zoe"}),
        (Not(SEEN), set()),
        (Not(AnyOf((SEEN, PRO))), set()),
    ):
        made = await told(store, given, app, whom)
        await fill(store, given)
        everybody = ("anna", "berta", "clara", "zoe")
        found = {who for who in everybody if made.public_id in await Bell(store, given, app, who).ids()}
        assert found == expected, whom


async def test_everybody_but_one_is_noted_once(store: Store, given: Given) -> None:
    app = await given.app()
    for user in ("anna", "berta"):
        await person(store, given, app, user)
    made = await told(store, given, app, NOT_ANNA)
    assert await fill(store, given) == 0
    assert await whom_it_came_to(store, given, app, "anna", "berta") == {"berta"}
    anna = Bell(store, given, app, "anna")
    assert (await anna.counts(), await anna.mark(made.public_id)) == (FeedCounts(), 0)
    await store.write(lambda tx: tx.erasures.user(app, "anna", public_id="era_1", now=given.now))
    await store.write(lambda tx: tx.erasures.user(app, "berta", public_id="era_2", now=given.now))
    await known(store, given, app, "clara")
    assert await whom_it_came_to(store, given, app, "clara") == {"clara"}


async def test_it_waits_for_its_time_and_goes_when_it_is_cancelled(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await person(store, given, app, "anna")
    later = await told(store, given, app, PRO, send_at=given.later(60))
    new = NewNotification(app.id, MESSAGE, Matching(PRO, given.now))
    held = await store.write(
        lambda tx: tx.notifications.add(
            new, public_id="ntf_held", audience=0, ceiling=0, now=given.now, held=HoldReason.VOLUME
        )
    )
    await store.write(lambda tx: put_in_feed(tx, held))
    assert await store.read(lambda tx: tx.feed_fills.due(now=given.later(59), limit=9)) == []
    due = await store.read(lambda tx: tx.feed_fills.due(now=given.later(60), limit=9))
    assert [one.notification_id for one in due] == [later.id]
    await given.set_status(later, NotificationStatus.CANCELLED)
    await fill(store, given, at=60)
    assert (await anna.ids(), await anna.counts()) == ([], FeedCounts())


async def test_what_comes_after_everything_was_read_is_to_be_read(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await person(store, given, app, "anna")
    await told(store, given, app, PRO)
    await anna.mark_to(seen_to=given.later(5), read_to=given.later(5), archived_to=given.later(5))
    await fill(store, given, at=7)
    assert await anna.counts() == FeedCounts(1, 1)
    assert [one.at for one in await anna.entries()] == [given.later(7)]


async def test_switches_and_channels_are_heeded(store: Store, given: Given) -> None:
    app = await given.app()
    for user in ("anna", "berta"):
        await person(store, given, app, user)
    off = {("site.news", PreferenceChannel.FEED): False}

    def say(tx: Transaction) -> None:
        tx.event_types.put(app.id, NewEventType("site.news", "News"), now=given.now)
        tx.preferences.put(app.id, "anna", off, now=given.now)

    await store.write(say)
    await told(store, given, app, PRO, event_type="site.news")
    await told(store, given, app, Through(Matching(PRO, given.now), ("webpush",)))
    await fill(store, given)
    assert await whom_it_came_to(store, given, app, "anna", "berta") == {"berta"}
    await told(store, given, app, Through(Matching(PRO, given.now), (FEED,)))
    await fill(store, given)
    assert (await Bell(store, given, app, "anna").counts(read=FeedRead())) == FeedCounts(1, 1)


async def test_who_is_erased_meanwhile_finds_nothing(store: Store, given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    await person(store, given, app, "anna")
    await given.device(app, key, user_external_id="berta")
    await told(store, given, app, Not(Compare(Field(Root.USER, ("plan",)), Op.EQUALS, "free")))
    (one,) = await store.read(lambda tx: tx.feed_fills.due(now=given.now, limit=9))
    devices = await store.read(partial(next_step, fill=one))
    assert devices.to is not None
    people = await store.read(partial(next_step, fill=devices.to))
    assert (list(devices.rows.values()), list(people.rows.values())) == (["berta"], ["anna"])
    for n, user in enumerate(("anna", "berta")):
        await store.write(lambda tx, n=n, user=user: tx.erasures.user(app, user, public_id=f"era_{n}", now=given.now))  # type: ignore[misc]
    for step in (devices, people):
        await store.write(partial(take_step, step=step, now=given.now))
    assert await whom_it_came_to(store, given, app, "anna", "berta") == set()
    assert await store.read(lambda tx: tx.feed.of_user(app.id, "anna", after=0, limit=9)) == []


@pytest.mark.usefixtures("two_at_a_time")
async def test_who_becomes_known_meanwhile_finds_it_once(store: Store, given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    everybody = ("anna", "berta", "clara", "dora")
    for user in everybody:
        await given.device(app, key, user_external_id=user)
    made = await told(store, given, app, SEEN)
    steps = 0
    while due := await store.read(lambda tx: tx.feed_fills.due(now=given.now, limit=9)):
        step = await store.read(partial(next_step, fill=due[0]))
        if steps < len(everybody):
            # The last first: somebody not yet gone past, then somebody who has it already, and so on.
            await person(store, given, app, everybody[-1 - steps])
        await store.write(partial(take_step, step=step, now=given.now))
        steps += 1
        assert steps < 20, "it comes to no end"
    assert steps >= len(everybody)
    for user in everybody:
        bell = Bell(store, given, app, user)
        assert (await bell.ids(), await bell.counts()) == ([made.public_id], FeedCounts(1, 1)), user


async def test_a_device_that_is_another_persons_by_now_tells_neither(store: Store, given: Given) -> None:
    app = await given.app()
    device = await given.device(app, await given.credential(app), user_external_id="anna", locale="de-AT")
    await told(store, given, app, Not(Compare(Field(Root.USER, ("id",)), Op.IN, ("berta", "clara"))))
    (one,) = await store.read(lambda tx: tx.feed_fills.due(now=given.now, limit=9))
    step = await store.read(partial(next_step, fill=one))
    assert list(step.rows.values()) == ["anna"]
    await store.write(
        lambda tx: tx.feed_fills._scope.connection.execute(  # type: ignore[attr-defined]
            update(subscriptions).where(subscriptions.c.id == device.id).values(user_external_id="berta")
        )
    )
    await store.write(partial(take_step, step=step, now=given.now))
    assert await whom_it_came_to(store, given, app, "anna", "berta") == set()


@pytest.mark.usefixtures("two_at_a_time")
async def test_what_two_do_at_once_is_done_once(store: Store, given: Given) -> None:
    app = await given.app()
    for n in range(9):
        await person(store, given, app, f"pro-{n}")
    made = await told(store, given, app, PRO)
    await asyncio.gather(*(fill(store, given) for _ in range(4)))
    assert await store.read(lambda tx: tx.feed_fills.due(now=given.later(600), limit=9)) == []
    for n in range(9):
        assert await Bell(store, given, app, f"pro-{n}").ids() == [made.public_id]


async def test_each_app_has_a_turn_and_what_cannot_be_read_is_given_up(store: Store, given: Given) -> None:
    app, other = await given.app(), await given.app()
    first, second = await told(store, given, app, PRO), await told(store, given, app, PRO)
    third = await told(store, given, other, PRO)

    async def due() -> list[int]:
        return [one.notification_id for one in await store.read(lambda tx: tx.feed_fills.due(now=given.now, limit=9))]

    assert await due() == [first.id, third.id]
    await store.write(lambda tx: tx.feed_fills.drop(first.id))
    assert await due() == [second.id, third.id]


async def test_a_clock_that_went_back_keeps_nobody_waiting(store: Store, given: Given) -> None:
    app = await given.app()
    await told(store, given, app, PRO)
    early = given.later(-600)
    assert await store.read(lambda tx: tx.feed_fills.due(now=early, limit=9)) == []
    await store.write(lambda tx: tx.feed_fills.clock_went_back(now=early, was=given.now))
    assert len(await store.read(lambda tx: tx.feed_fills.due(now=early, limit=9))) == 1
