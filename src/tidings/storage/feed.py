"""What people find in the bell: rows of `feed_items`, `feed_broadcasts` and `feed_people`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, null, or_, select, tuple_, update

from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.feed import FeedCounts, FeedEntry, FeedPerson, FeedPlace, FeedRead
from tidings.domain.preference import EventKind, PreferenceChannel
from tidings.storage.clearing import delete_some
from tidings.storage.codec import message_from_json
from tidings.storage.columns import EPOCH, Moment
from tidings.storage.feed_changes import changed
from tidings.storage.preferences import SqlPreferences
from tidings.storage.scope import AnyRow, AnySelect, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.notifications import notifications
from tidings.storage.tables.preferences import feed_broadcasts, feed_items, feed_people
from tidings.storage.tables.subscriptions import subscriptions

i = feed_items.c
b = feed_broadcasts.c
w = feed_people.c
n = notifications.c

LOOK_BACK = timedelta(days=7)
"""How far back broadcasts reach for a person that nobody has heard of before."""

_shown = (n.status != NotificationStatus.CANCELLED, n.held_because.is_(None))


class SqlFeed:
    """Implements `storage.Feed`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(
        self, notification: Notification, users: Sequence[str], *, kind: EventKind | None, at: datetime | None = None
    ) -> int:
        """Put a notification into the feeds of these people, from `at` or when it is to be sent; give into how many."""
        wanted = self._wanted(notification.app_id, list(dict.fromkeys(users)), kind)
        rows = [
            {
                "app_id": notification.app_id,
                "user_external_id": user,
                "notification_id": notification.id,
                "at": at or notification.send_at,
            }
            for user in wanted
        ]
        if rows:
            self._scope.connection.execute(self._scope.dialect.insert_missing(feed_items), rows)
        return len(rows)

    def _wanted(self, app_id: int, people: list[str], kind: EventKind | None) -> list[str]:
        if kind is None or kind.mandatory or not people:
            return people
        said = SqlPreferences(self._scope).of_users(app_id, people, (kind.key, PreferenceChannel.FEED))
        return [one for one in people if said.get(one, kind.feed)]

    def broadcast(self, notification: Notification, *, but: str | None = None) -> None:
        """Note a notification to everybody, or everybody but one, once."""
        values = {
            "app_id": notification.app_id,
            "notification_id": notification.id,
            "event_type": notification.event_type,
            "at": notification.send_at,
            "except_user": but,
        }
        self._scope.connection.execute(self._scope.dialect.insert_missing(feed_broadcasts), values)

    def person(self, app_id: int, user: str, *, now: datetime) -> FeedPerson:
        """Give how far a person is; somebody new sees broadcasts from when they were first known."""
        known = self._scope.connection.execute(
            select(users.c.created_at, users.c.locale).where(users.c.app_id == app_id, users.c.external_id == user)
        ).first()
        row = self._scope.connection.execute(select(feed_people).where(*_whose(w, app_id, user))).first()
        locale = known.locale if known else None
        if row is not None:
            return FeedPerson(app_id, user, row.since, row.seen_to, row.read_to, row.archived_to, locale)
        since = known.created_at if known else self._first_seen(app_id, user) or now - LOOK_BACK
        return FeedPerson(app_id, user, since, EPOCH, EPOCH, EPOCH, locale)

    def _first_seen(self, app_id: int, user: str) -> datetime | None:
        s = subscriptions.c
        first = select(s.created_at).where(s.app_id == app_id, s.user_external_id == user).order_by(s.created_at)
        found: datetime | None = self._scope.connection.execute(first.limit(1)).scalar()
        return found

    def page(
        self, person: FeedPerson, *, read: FeedRead, before: FeedPlace | None, limit: int, now: datetime
    ) -> list[FeedEntry]:
        """List the items before a place, newest first; None to begin."""
        return self._entries(person, read, now, limit, before=before)

    def since(
        self, person: FeedPerson, *, read: FeedRead, after: FeedPlace, limit: int, now: datetime
    ) -> list[FeedEntry]:
        """List what came after a place, oldest first."""
        return self._entries(person, read, now, limit, after=after)

    def _entries(
        self,
        person: FeedPerson,
        read: FeedRead,
        now: datetime,
        limit: int,
        *,
        before: FeedPlace | None = None,
        after: FeedPlace | None = None,
    ) -> list[FeedEntry]:
        shown = (n.id, n.public_id, n.event_type, n.message)
        found = []
        for at, query in (
            (i, select(*shown, i.at, i.read_at, i.archived_at).where(*_items(person, now))),
            (
                b,
                select(*shown, b.at, null().label("read_at"), null().label("archived_at")).where(
                    *_rest(person, read, now)
                ),
            ),
        ):
            table = feed_items if at is i else feed_broadcasts
            put_away = _put_away(at, person)
            query = query.select_from(table.join(notifications, n.id == at.notification_id)).where(
                put_away if read.archived else ~put_away
            )
            place = tuple_(at.at, at.notification_id)
            if before is not None:
                query = query.where(place < _place(before))
            if after is not None:
                query = query.where(place > _place(after)).order_by(at.at, at.notification_id)
            else:
                query = query.order_by(at.at.desc(), at.notification_id.desc())
            found.append([_entry(row, person) for row in self._scope.connection.execute(query.limit(limit))])
        merged = merge(*found, key=lambda one: one.place, reverse=after is None)
        return list(islice(merged, limit))

    def counts(self, person: FeedPerson, *, read: FeedRead, now: datetime) -> FeedCounts:
        """Count what is there to read, and what of it came since the bell was last opened."""
        unread = unseen = 0
        for at, query in (
            (i, _counted(i, person).where(*_items(person, now), i.read_at.is_(None))),
            (b, _counted(b, person).where(*_rest(person, read, now))),
        ):
            table = feed_items if at is i else feed_broadcasts
            query = query.select_from(table.join(notifications, n.id == at.notification_id))
            row = self._scope.connection.execute(
                query.where(~_put_away(at, person), at.at > literal(person.read_to, Moment))
            ).one()
            unread, unseen = unread + row[0], unseen + row[1]
        return FeedCounts(unread, unseen)

    def mark(self, person: FeedPerson, public_ids: Sequence[str], *, archived: bool, now: datetime) -> int:
        """Note that items were read, or put away; give how many of them there are."""
        meant = select(n.id).where(n.app_id == person.app_id, n.public_id.in_(public_ids))
        ids = list(self._scope.connection.execute(meant).scalars())
        values: dict[str, Any] = {"read_at": func.coalesce(i.read_at, literal(now, Moment))}
        if archived:
            values["archived_at"] = func.coalesce(i.archived_at, literal(now, Moment))
        mine = (*_whose(i, person.app_id, person.user), i.notification_id.in_(ids), i.at <= now)
        known = self._scope.connection.execute(update(feed_items).where(*mine).values(values)).rowcount
        rest = select(b.notification_id, b.at).where(
            b.notification_id.in_(ids), *_rest(person, FeedRead(), now, joined=False)
        )
        new = [
            {
                "app_id": person.app_id,
                "user_external_id": person.user,
                "notification_id": row.notification_id,
                "at": row.at,
                "read_at": now,
                "archived_at": now if archived else None,
            }
            for row in self._scope.connection.execute(rest)
        ]
        if new:
            self._scope.connection.execute(self._scope.dialect.insert_missing(feed_items), new)
        if known or new:
            self.mark_to(person, now=now)
        return known + len(new)

    def mark_to(
        self,
        person: FeedPerson,
        *,
        now: datetime,
        seen_to: datetime | None = None,
        read_to: datetime | None = None,
        archived_to: datetime | None = None,
    ) -> None:
        """Note that everything up to a moment was seen, read or put away; never less than before."""
        asked = {"seen_to": seen_to, "read_to": read_to, "archived_to": archived_to}
        moved = {name: max(to, getattr(person, name)) for name, to in asked.items() if to is not None}
        new = {"app_id": person.app_id, "user_external_id": person.user, "since": person.since, "changed_at": now}
        stored = self._scope.dialect.upsert(
            feed_people, key=("app_id", "user_external_id"), update=(*moved, "changed_at")
        )
        self._scope.connection.execute(stored, new | moved)

    def of_user(
        self, app_id: int, user: str, *, after: int, limit: int
    ) -> list[tuple[int, datetime, datetime | None, datetime | None]]:
        """List a person's own rows as (notification, moment, read, put away), by notification."""
        mine = select(i.notification_id, i.at, i.read_at, i.archived_at).where(*_whose(i, app_id, user))
        rows = self._scope.connection.execute(
            mine.where(i.notification_id > after).order_by(i.notification_id).limit(limit)
        )
        return [(row.notification_id, row.at, row.read_at, row.archived_at) for row in rows]

    def changed(
        self, listening: Collection[tuple[int, str]], *, since: datetime, until: datetime
    ) -> list[tuple[int, str | None, int]]:
        """Give (App, user or None for everybody, what it was) of what came or was done after `since`."""
        return changed(self._scope, listening, since=since, until=until)

    def crowded(self, *, most: int, after: tuple[int, str] | None, limit: int) -> list[tuple[int, str]]:
        """Give the next people with more items than that, as (App, user); from the first with None."""
        whose = (i.app_id, i.user_external_id)
        beyond = () if after is None else (tuple_(*whose) > after,)
        query = select(*whose).where(*beyond).group_by(*whose).having(func.count() > most).order_by(*whose).limit(limit)
        return [(row.app_id, row.user_external_id) for row in self._scope.connection.execute(query)]

    def trim(self, app_id: int, user: str, *, most: int, limit: int) -> int:
        """Remove up to `limit` of a person's items beyond that many, the oldest."""
        mine = _whose(i, app_id, user)
        newest = select(i.notification_id).where(*mine).order_by(i.at.desc(), i.notification_id.desc()).offset(most)
        oldest = list(self._scope.connection.execute(newest.limit(limit)).scalars())
        return self._scope.connection.execute(delete(feed_items).where(*mine, i.notification_id.in_(oldest))).rowcount

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` items and broadcasts older than that."""
        removed = delete_some(self._scope, feed_items, i.at < literal(before, Moment), limit=limit)
        if removed < limit:
            old = b.at < literal(before, Moment)
            removed += delete_some(self._scope, feed_broadcasts, old, limit=limit - removed)
        return removed


def _whose(columns: Any, app_id: int, user: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return columns.app_id == app_id, columns.user_external_id == user


def _items(person: FeedPerson, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (*_whose(i, person.app_id, person.user), i.at <= literal(now, Moment), *_shown)


def _rest(person: FeedPerson, read: FeedRead, now: datetime, *, joined: bool = True) -> tuple[ColumnElement[bool], ...]:
    """Say which broadcasts are a person's without a row of their own."""
    own = select(i.notification_id).where(
        *_whose(i, person.app_id, person.user), i.notification_id == b.notification_id
    )
    off = () if not read.off else (or_(b.event_type.is_(None), b.event_type.not_in(read.off)),)
    during = and_(b.at <= literal(now, Moment), b.at >= literal(person.since, Moment))
    theirs = or_(b.except_user.is_(None), b.except_user != person.user)
    return (b.app_id == person.app_id, during, theirs, ~own.exists(), *off, *(_shown if joined else ()))


def _put_away(at: Any, person: FeedPerson) -> ColumnElement[bool]:
    whole = at.at <= literal(person.archived_to, Moment)
    return or_(i.archived_at.is_not(None), whole) if at is i else whole


def _counted(at: Any, person: FeedPerson) -> AnySelect:
    unseen = func.count(case((at.at > literal(person.seen_to, Moment), 1)))
    return select(func.count(), unseen)


def _place(place: FeedPlace) -> Any:
    return tuple_(literal(place.at, Moment), literal(place.notification_id))


def _entry(row: AnyRow, person: FeedPerson) -> FeedEntry:
    return FeedEntry(
        notification_id=row.id,
        public_id=row.public_id,
        event_type=row.event_type,
        message=message_from_json(row.message),
        at=row.at,
        seen=row.at <= person.seen_to,
        read_at=row.read_at or (person.read_to if row.at <= person.read_to else None),
        archived_at=row.archived_at or (person.archived_to if row.at <= person.archived_to else None),
    )
