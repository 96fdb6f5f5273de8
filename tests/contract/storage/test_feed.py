"""Feeds: what people find in the bell, how far they are with it, and what goes again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from support.stored import Given
from tidings.domain.app import App
from tidings.domain.audience import FEED, Everyone, Through, Users
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.feed import FeedCounts, FeedEntry, FeedPerson, FeedPlace, FeedRead
from tidings.domain.preference import EventKind, PreferenceChannel
from tidings.pipeline.feed import put_in_feed
from tidings.storage import Store, Transaction

PLAIN = FeedRead()


class Bell:
    """One person's feed."""

    def __init__(self, store: Store, given: Given, app: App, user: str) -> None:
        self.store, self.given, self.app, self.user = store, given, app, user

    async def _with(self, work: object, *, write: bool = False) -> object:
        def run(tx: Transaction) -> object:
            return work(tx, tx.feed.person(self.app.id, self.user, now=self.given.later(600)))  # type: ignore[operator]

        return await (self.store.write(run) if write else self.store.read(run))

    async def entries(
        self, *, read: FeedRead = PLAIN, before: FeedPlace | None = None, limit: int = 50, at: float = 600
    ) -> list[FeedEntry]:
        now = self.given.later(at)
        return await self._with(lambda tx, of: tx.feed.page(of, read=read, before=before, limit=limit, now=now))  # type: ignore[return-value]

    async def ids(self, **terms: object) -> list[str]:
        return [one.public_id for one in await self.entries(**terms)]  # type: ignore[arg-type]

    async def after(self, place: FeedPlace, limit: int = 50) -> list[str]:
        now = self.given.later(600)
        found = await self._with(lambda tx, of: tx.feed.since(of, read=FeedRead(), after=place, limit=limit, now=now))
        return [one.public_id for one in found]  # type: ignore[attr-defined]

    async def counts(self, *, read: FeedRead = PLAIN, at: float = 600) -> FeedCounts:
        return await self._with(lambda tx, of: tx.feed.counts(of, read=read, now=self.given.later(at)))  # type: ignore[return-value]

    async def mark(self, *ids: str, archived: bool = False) -> int:
        now = self.given.later(600)
        return await self._with(lambda tx, of: tx.feed.mark(of, ids, archived=archived, now=now), write=True)  # type: ignore[return-value]

    async def mark_to(self, **terms: datetime) -> None:
        await self._with(lambda tx, of: tx.feed.mark_to(of, now=self.given.later(600), **terms), write=True)


async def told(store: Store, given: Given, app: App, *users: str, at: float = 0, **terms: object) -> Notification:
    audience = Users(users) if users else Everyone()
    made = await given.notification(app, audience, send_at=given.later(at), **terms)
    await store.write(lambda tx: put_in_feed(tx, made))
    return made


async def known(store: Store, given: Given, app: App, user: str = "anna") -> Bell:
    await store.write(
        lambda tx: tx.users.put(app.id, user, attributes=None, locale="de", time_zone=None, now=given.now)
    )
    return Bell(store, given, app, user)


async def test_named_people_and_everybody_find_it_newest_first(store: Store, given: Given) -> None:
    app, elsewhere = await given.app(), await given.app()
    anna, berta = await known(store, given, app), await known(store, given, app, "berta")
    one = await told(store, given, app, "anna", "berta", "anna", at=1)
    two = await told(store, given, app, at=2)
    three = await told(store, given, app, "anna", at=3)
    await told(store, given, elsewhere, "anna", at=4)
    assert await anna.ids() == [three.public_id, two.public_id, one.public_id]
    assert await berta.ids() == [two.public_id, one.public_id]
    assert await anna.counts() == FeedCounts(unread=3, unseen=3)
    first = (await anna.entries())[0]
    assert (first.message, first.at, first.read_at, first.seen) == (three.message, given.later(3), None, False)


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_and_what_came_after_meet(store: Store, given: Given, limit: int) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    made = [await told(store, given, app, *(("anna",) if n % 2 else ()), at=n // 3) for n in range(8)]
    expected = [one.public_id for one in reversed(made)]
    found: list[FeedEntry] = []
    while page := await anna.entries(before=found[-1].place if found else None, limit=limit):
        found += page
    assert [one.public_id for one in found] == expected
    middle = found[4]
    assert await anna.after(middle.place) == [one.public_id for one in reversed(found[:4])]
    assert await anna.after(middle.place, limit=2) == [found[3].public_id, found[2].public_id]


async def test_it_is_there_from_when_it_is_to_be_sent_and_goes_when_that_is_cancelled(
    store: Store, given: Given
) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    for users in (("anna",), ()):
        later = await told(store, given, app, *users, at=60)
        assert (await anna.ids(at=59), await anna.counts(at=59)) == ([], FeedCounts())
        assert (await anna.ids(at=60), await anna.counts(at=60)) == ([later.public_id], FeedCounts(1, 1))
        await given.set_status(later, NotificationStatus.CANCELLED)
        assert (await anna.ids(), await anna.counts()) == ([], FeedCounts())


async def test_what_is_read_stays_and_what_is_put_away_goes_elsewhere(store: Store, given: Given) -> None:
    app = await given.app()
    anna, berta = await known(store, given, app), await known(store, given, app, "berta")
    mine, all_, other = (
        await told(store, given, app, "anna"),
        await told(store, given, app),
        await told(store, given, app, "anna"),
    )
    assert await anna.mark(mine.public_id, all_.public_id, "ntf_unknown") == 2
    assert await anna.mark(mine.public_id) == 1
    assert await anna.counts() == FeedCounts(1, 1)
    assert [one.read_at is None for one in await anna.entries()] == [True, False, False]
    assert await anna.mark(all_.public_id, archived=True) == 1
    assert await anna.ids() == [other.public_id, mine.public_id]
    assert await anna.ids(read=FeedRead(archived=True)) == [all_.public_id]
    assert await berta.mark(mine.public_id) == 0, "it is not hers"
    assert await berta.ids() == [all_.public_id]
    assert await berta.counts() == FeedCounts(1, 1)


async def test_everything_up_to_a_moment_is_seen_read_or_put_away_at_once(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    for at, users in ((1, ("anna",)), (2, ()), (3, ("anna",))):
        await told(store, given, app, *users, at=at)
    await anna.mark_to(seen_to=given.later(2))
    assert await anna.counts() == FeedCounts(unread=3, unseen=1)
    assert [one.seen for one in await anna.entries()] == [False, True, True]
    await anna.mark_to(read_to=given.later(2))
    await anna.mark_to(read_to=given.later(1))
    assert await anna.counts() == FeedCounts(unread=1, unseen=1)
    await anna.mark_to(archived_to=given.later(2))
    assert len(await anna.ids()) == 1
    assert len(await anna.ids(read=FeedRead(archived=True))) == 2


async def test_broadcasts_from_before_a_person_was_known_are_not_theirs(store: Store, given: Given) -> None:
    app = await given.app()
    await told(store, given, app, at=-30)
    after = await told(store, given, app, at=1)
    assert await (await known(store, given, app)).ids() == [after.public_id]
    stranger = Bell(store, given, app, "stranger")
    assert len(await stranger.ids()) == 2
    await told(store, given, app, at=-8 * 86_400)
    assert len(await stranger.ids()) == 2
    await given.device(app, await given.credential(app), user_external_id="visitor")
    assert await Bell(store, given, app, "visitor").ids() == [after.public_id]
    await (clara := Bell(store, given, app, "clara")).mark_to(seen_to=given.later(1))
    assert len(await clara.ids()) == 2, "how far they look back does not change with what they do"


async def test_switches_of_the_feed_are_heeded_and_those_of_pushes_are_not(store: Store, given: Given) -> None:
    app = await given.app()
    made = await given.notification(app, Users(("anna", "berta", "clara")), event_type="topic.reply")
    off, on = {("topic.reply", PreferenceChannel.FEED): False}, {("topic.reply", PreferenceChannel.FEED): True}

    def say(tx: Transaction) -> None:
        tx.preferences.put(app.id, "anna", off, now=given.now)
        tx.preferences.put(app.id, "berta", on, now=given.now)
        tx.preferences.put(app.id, "clara", {("topic.reply", PreferenceChannel.PUSH): False}, now=given.now)

    await store.write(say)
    users = ["anna", "berta", "clara"]
    for kind, expected in (
        (EventKind("topic.reply"), 2),
        (EventKind("topic.reply", feed=False), 1),
        (EventKind("topic.reply", mandatory=True), 3),
        (None, 3),
    ):
        assert await store.write(lambda tx, kind=kind: tx.feed.add(made, users, kind=kind)) == expected  # type: ignore[misc]


async def test_broadcasts_of_event_types_that_are_off_are_left_out(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    await told(store, given, app, event_type="site.news")
    plain = await told(store, given, app)
    off = FeedRead(off=("site.news",))
    assert len(await anna.ids()) == 2
    assert (await anna.ids(read=off), await anna.counts(read=off)) == ([plain.public_id], FeedCounts(1, 1))


async def test_channels_decide_whether_it_comes_to_the_bell(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    for channels, number in ((("webpush",), 0), ((FEED,), 1), (("fcm", FEED), 2)):
        made = await given.notification(app, Through(Users(("anna",)), channels))
        await store.write(lambda tx, made=made: put_in_feed(tx, made))  # type: ignore[misc]
        assert len(await anna.ids()) == number
    assert (await given.notification(app, Through(Users(("anna",)), (FEED,)))).counts.audience == 0


async def test_what_came_and_what_was_done_is_told_by_its_moment(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    one, two = await told(store, given, app, "anna", "berta", at=10), await told(store, given, app, at=20)

    async def changed(since: float, until: float) -> set[tuple[int, str | None, int]]:
        during = {"since": given.later(since), "until": given.later(until)}
        return set(await store.read(lambda tx: tx.feed.changed(listening, **during)))

    listening = [(app.id, "anna"), (app.id, "berta"), (app.id + 1, "clara")]
    assert await changed(0, 9) == set()
    assert await changed(9, 10) == {(app.id, "anna", one.id), (app.id, "berta", one.id)}
    del listening[1]
    assert await changed(9, 10) == {(app.id, "anna", one.id)}
    assert await changed(10, 20) == {(app.id, None, two.id)}
    await anna.mark(two.public_id)
    ((where, who, what),) = await changed(599, 600)
    assert (where, who) == (app.id, "anna")
    assert what < 0


async def test_the_oldest_go_and_what_had_its_time(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    made = [await told(store, given, app, "anna", at=n) for n in range(5)]
    await told(store, given, app, at=0)
    assert await store.read(lambda tx: tx.feed.crowded(most=5, after=None, limit=9)) == []
    assert await store.read(lambda tx: tx.feed.crowded(most=3, after=None, limit=9)) == [(app.id, "anna")]
    assert [await store.write(lambda tx: tx.feed.trim(app.id, "anna", most=3, limit=1)) for _ in range(3)] == [1, 1, 0]
    assert (await anna.ids())[:3] == [one.public_id for one in reversed(made[2:])]
    before = given.now + timedelta(seconds=3)
    assert [await store.write(lambda tx: tx.feed.purge(before=before, limit=1)) for _ in range(3)] == [1, 1, 0]
    assert await anna.ids() == [made[4].public_id, made[3].public_id]


async def test_the_crowded_are_listed_from_one_to_the_next(store: Store, given: Given) -> None:
    app, other = await given.app(), await given.app()
    for where, user in ((other, "anna"), (app, "berta"), (app, "anna"), (other, "clara"), (app, "clara")):
        for n in range(2 if user != "clara" or where is app else 1):
            await told(store, given, where, user, at=n)
    found, after = [], None
    while some := await store.read(lambda tx, after=after: tx.feed.crowded(most=1, after=after, limit=2)):  # type: ignore[misc]
        found.append(some)
        after = some[-1]
    assert found == [[(app.id, "anna"), (app.id, "berta")], [(app.id, "clara"), (other.id, "anna")]]


async def test_a_feed_goes_with_its_person(store: Store, given: Given) -> None:
    app = await given.app()
    anna = await known(store, given, app)
    mine = await told(store, given, app, "anna")
    await told(store, given, app)
    await anna.mark(mine.public_id)
    begun = await store.write(lambda tx: tx.erasures.user(app, "anna", public_id="era_1", now=given.now))
    assert begun.counts == {"users": 1, "feed": 2}
    people: FeedPerson = await store.read(lambda tx: tx.feed.person(app.id, "anna", now=given.now))
    assert people.read_to < given.now
