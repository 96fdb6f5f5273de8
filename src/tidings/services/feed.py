"""Feed: what a person finds in the bell, in their language, and what they have seen, read and put away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.feed import FeedCounts, FeedEntry, FeedPerson, FeedPlace, FeedRead
from tidings.domain.message import Rendered
from tidings.domain.person import Person
from tidings.lib.clock import Clock
from tidings.lib.opaque import ID_SIZE, OpaquePairs
from tidings.pipeline.personal import Unrenderable, Words
from tidings.pipeline.render import language_for, render
from tidings.services.preferences import off_in_feed
from tidings.storage import Store, Transaction
from tidings.storage.columns import microseconds, moment

T = TypeVar("T")

OVERLAP = timedelta(seconds=10)
"""How far back one looks for what is new: what was stored at once may become visible out of order."""

AT_ONCE = 50
"""Items read at a time for a stream."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry with the words that its person reads."""

    entry: FeedEntry
    words: Rendered


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some items, how many there are to read, and the places from where older and newer ones follow."""

    items: tuple[Item, ...]
    counts: FeedCounts
    next_cursor: str | None
    newest: str


@dataclass(frozen=True, slots=True)
class News:
    """Some items, and how many there are to read; from `more` on there may be others, None at the end."""

    items: tuple[Item, ...]
    counts: FeedCounts
    more: FeedPlace | None


class Feed:
    """Reads and marks feeds of people; whoever calls has made sure who they are."""

    def __init__(self, *, store: Store, clock: Clock, places: OpaquePairs) -> None:
        self._store = store
        self._clock = clock
        self._places = places

    async def page(
        self,
        app_id: int,
        user: str,
        *,
        cursor: str | None,
        limit: int,
        archived: bool = False,
        locale: str | None = None,
    ) -> FeedPage:
        """List items, newest first. Raises INVALID_CURSOR."""
        before = None if cursor is None else self._place(cursor)
        now = self._clock.now()

        def read(tx: Transaction) -> FeedPage:
            person = tx.feed.person(app_id, user, now=now)
            off = off_in_feed(tx, app_id, user)
            wanted = FeedRead(archived=archived, off=off)
            rows = tx.feed.page(person, read=wanted, before=before, limit=limit + 1, now=now)
            shown = rows[:limit]
            counts = tx.feed.counts(person, read=FeedRead(off=off), now=now)
            newest = self._text(FeedPlace(now, 0))
            more = self._text(shown[-1].place) if len(rows) > limit else None
            return FeedPage(self._items(tx, person, shown, locale), counts, more, newest)

        return await self._store.read(read)

    async def news(self, app_id: int, user: str, *, after: FeedPlace, locale: str | None = None) -> News:
        """Give some of what came after a place, oldest first, and how many there are to read."""
        now = self._clock.now()

        def read(tx: Transaction) -> News:
            person = tx.feed.person(app_id, user, now=now)
            wanted = FeedRead(off=off_in_feed(tx, app_id, user))
            rows = tx.feed.since(person, read=wanted, after=after, limit=AT_ONCE, now=now)
            counts = tx.feed.counts(person, read=wanted, now=now)
            more = rows[-1].place if len(rows) == AT_ONCE else None
            return News(self._items(tx, person, rows, locale), counts, more)

        return await self._store.read(read)

    async def mark(self, app_id: int, user: str, ids: Sequence[str], *, archived: bool) -> FeedCounts:
        """Note that items were read, or put away; ids of others change nothing."""
        now = self._clock.now()
        return await self._marked(
            app_id, user, now, lambda tx, person: tx.feed.mark(person, ids, archived=archived, now=now)
        )

    async def mark_all(
        self, app_id: int, user: str, *, seen: bool = False, read: bool = False, archived: bool = False
    ) -> FeedCounts:
        """Note that everything there is now was seen, read or put away."""
        now = self._clock.now()

        def mark(tx: Transaction, person: FeedPerson) -> None:
            tx.feed.mark_to(
                person,
                now=now,
                seen_to=now if seen else None,
                read_to=now if read or archived else None,
                archived_to=now if archived else None,
            )

        return await self._marked(app_id, user, now, mark)

    async def _marked(
        self, app_id: int, user: str, now: datetime, mark: Callable[[Transaction, FeedPerson], object]
    ) -> FeedCounts:
        def work(tx: Transaction) -> FeedCounts:
            mark(tx, tx.feed.person(app_id, user, now=now))
            person = tx.feed.person(app_id, user, now=now)
            return tx.feed.counts(person, read=FeedRead(off=off_in_feed(tx, app_id, user)), now=now)

        return await self._store.write(work)

    def place_of(self, text: str | None) -> FeedPlace:
        """Read where somebody was, who comes back; None is now. Raises INVALID_CURSOR."""
        return FeedPlace(self._clock.now(), 0) if not text else self._place(text)

    def text_of(self, item: Item) -> str:
        """Write down where an item stands."""
        return self._text(item.entry.place)

    def _text(self, place: FeedPlace) -> str:
        ((name, token),) = self._places.encode_many([(microseconds(place.at), place.notification_id)])
        return name + token

    def _place(self, text: str) -> FeedPlace:
        pair = self._places.decode(text[:ID_SIZE], text[ID_SIZE:])
        if pair is None:
            raise CatalogueError(ErrorCode.INVALID_CURSOR)
        return FeedPlace(moment(pair[0]), pair[1])

    def _items(
        self, tx: Transaction, person: FeedPerson, rows: Sequence[FeedEntry], locale: str | None
    ) -> tuple[Item, ...]:
        who: Person | None = None
        items = []
        for row in rows:
            if row.message.templated is None:
                words = render(row.message, language_for(row.message, person.locale or locale))
            else:
                who = who or _person(tx, person)
                try:
                    template = Words(row.message)
                    words = template.render(template.language_for(locale, who), who)
                except Unrenderable:
                    continue  # it was pushed to nobody either
            items.append(Item(row, words))
        return tuple(items)


def _person(tx: Transaction, person: FeedPerson) -> Person:
    user = tx.users.get(person.app_id, person.user)
    if user is None:
        return Person(person.user)
    return Person(person.user, user.attributes, user.locale, user.time_zone)
