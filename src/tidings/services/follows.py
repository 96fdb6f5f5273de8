"""Follows: who hears of which topic, said by themselves or by their App's server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.audit import SYSTEM, Action, Actor, Subject, is_person
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.rules import LONGEST_TOPIC
from tidings.domain.segment import Follower
from tidings.lib.clock import Clock
from tidings.services.paging import Page, word_from, worded_page
from tidings.storage import Store, Transaction

MOST_TOPICS = 1_000
"""Topics that one person follows."""

PRIVATE = "private:"
"""How topics begin that no page may follow: the App's server alone says who hears of them."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, and how many people follow it."""

    name: str
    followers: int


@dataclass(frozen=True, slots=True)
class Followed:
    """How many people began to follow a topic, and how many stopped."""

    followed: int
    unfollowed: int


class Follows:
    """Lets people follow topics and leave them, and lists both sides."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def follow(self, app_id: int, user: str, topic: str, *, by: Actor = SYSTEM) -> tuple[Follower, bool]:
        """Let a person follow a topic; the second value tells whether they did not before.

        Raises TOPIC_INVALID and TOPICS_TOO_MANY.
        """
        check_topic(topic)
        now = self._clock.now()

        def follow(tx: Transaction) -> tuple[Follower, bool]:
            tx.apps.hold(app_id, "follows")
            _check_room(tx, app_id, topic, [user])
            new = tx.follows.follow(app_id, topic, [user], now=now) == 1
            if new:
                _note(tx, app_id, user, {"followed": topic}, by=by, now=now)
            return tx.follows.one(app_id, topic, user), new

        return await self._store.write(follow)

    async def unfollow(self, app_id: int, user: str, topic: str, *, by: Actor = SYSTEM) -> None:
        """Let a person follow a topic no longer; it is no fault when they did not. Raises TOPIC_INVALID."""
        check_topic(topic)
        now = self._clock.now()

        def unfollow(tx: Transaction) -> None:
            if tx.follows.unfollow(app_id, topic, [user]):
                _note(tx, app_id, user, {"unfollowed": topic}, by=by, now=now)

        await self._store.write(unfollow)

    async def change_own(
        self, app_id: int, user: str, *, follow: Sequence[str], unfollow: Sequence[str]
    ) -> list[Follower]:
        """Do what a person asks for themselves, all or nothing; give what they follow then.

        Raises TOPIC_INVALID, TOPIC_PRIVATE and TOPICS_TOO_MANY.
        """
        for n, topic in enumerate(follow):
            check_topic(topic, place=f"follow[{n}]")
            if topic.startswith(PRIVATE):
                raise CatalogueError(ErrorCode.TOPIC_PRIVATE, f"{topic!r} is not for pages to follow.")
        now = self._clock.now()

        def change(tx: Transaction) -> list[Follower]:
            if follow:
                tx.apps.hold(app_id, "follows")
            for topic in unfollow:
                tx.follows.unfollow(app_id, topic, [user])
            for topic in dict.fromkeys(follow):
                _check_room(tx, app_id, topic, [user])
                tx.follows.follow(app_id, topic, [user], now=now)
            return tx.follows.topics(app_id, user, limit=MOST_TOPICS)

        return await self._store.write(change)

    async def change_followers(
        self, app_id: int, topic: str, *, follow: Iterable[str], unfollow: Iterable[str], by: Actor = SYSTEM
    ) -> Followed:
        """Let many people follow a topic, or leave it, all or nothing; who is named in both leaves it.

        Raises TOPIC_INVALID and TOPICS_TOO_MANY.
        """
        check_topic(topic)
        now, leaving = self._clock.now(), sorted(set(unfollow))
        coming = sorted(set(follow).difference(leaving))

        def change(tx: Transaction) -> Followed:
            if coming:
                tx.apps.hold(app_id, "follows")
            gone = tx.follows.unfollow(app_id, topic, leaving) if leaving else 0
            _check_room(tx, app_id, topic, coming)
            done = Followed(tx.follows.follow(app_id, topic, coming, now=now), gone)
            if is_person(by) and done != Followed(0, 0):
                detail = {"followed": done.followed, "unfollowed": done.unfollowed}
                about = Subject("topic", topic)
                tx.audit.add(by, Action.FOLLOWS_CHANGED, app_id=app_id, subject=about, detail=detail, now=now)
            return done

        return await self._store.write(change)

    async def of(self, app_id: int, user: str) -> list[Follower]:
        """Give all that a person follows."""
        return await self._store.read(lambda tx: tx.follows.topics(app_id, user, limit=MOST_TOPICS))

    async def topics(self, app_id: int, user: str, *, cursor: str | None, limit: int) -> Page[Follower]:
        """List what a person follows, by name. Raises INVALID_CURSOR."""
        after = word_from(cursor)
        rows = await self._store.read(lambda tx: tx.follows.topics(app_id, user, after=after, limit=limit + 1))
        return worded_page(rows, limit=limit, word=lambda row: row.topic)

    async def followers(self, app_id: int, topic: str, *, cursor: str | None, limit: int) -> Page[Follower]:
        """List who follows a topic, by id. Raises TOPIC_INVALID and INVALID_CURSOR."""
        check_topic(topic)
        after = word_from(cursor)
        rows = await self._store.read(lambda tx: tx.follows.followers(app_id, topic, after=after, limit=limit + 1))
        return worded_page(rows, limit=limit, word=lambda row: row.user)

    async def topic(self, app_id: int, topic: str) -> Topic:
        """Count who follows a topic; one that nobody has named yet has no followers. Raises TOPIC_INVALID."""
        check_topic(topic)
        return Topic(topic, await self._store.read(lambda tx: tx.follows.count(app_id, topic)))


def check_topic(topic: str, *, place: str = "topic") -> None:
    """Take the name of a topic. Raises TOPIC_INVALID."""
    if not 1 <= len(topic) <= LONGEST_TOPIC:
        words = f"A topic has 1 to {LONGEST_TOPIC} characters; this one has {len(topic)}."
    elif _UNFIT.search(topic):
        words = "A topic has no control characters."
    elif "/topics/" in topic or topic.endswith("/followers") or topic != topic.strip():
        words = "A topic has no spaces around it, no /topics/ in it and no /followers at its end."
    else:
        return
    raise CatalogueError(ErrorCode.TOPIC_INVALID, f"{place}: {words}", faults=(FieldFault(place, words),))


def _check_room(tx: Transaction, app_id: int, topic: str, users: Sequence[str]) -> None:
    full = tx.follows.full(app_id, topic, users, most=MOST_TOPICS) if users else []
    if full:
        named = ", ".join(repr(one[:64]) for one in full[:5])
        raise CatalogueError(ErrorCode.TOPICS_TOO_MANY, f"{named} cannot follow {topic!r} as well.")


def _note(tx: Transaction, app_id: int, user: str, detail: Mapping[str, str], *, by: Actor, now: datetime) -> None:
    if is_person(by):
        about = Subject("user", tx.audit.pseudonym(app_id, user))
        tx.audit.add(by, Action.FOLLOWS_CHANGED, app_id=app_id, subject=about, detail=detail, now=now)
