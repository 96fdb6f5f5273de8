"""What came into feeds or was done there since a moment, for those whose bell is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, literal, null, select

from tidings.storage.columns import Moment, microseconds
from tidings.storage.scope import AnySelect, Scope
from tidings.storage.tables.preferences import feed_broadcasts, feed_items, feed_people

i = feed_items.c
b = feed_broadcasts.c
w = feed_people.c

MOST_CHANGES = 10_000
"""Changes told at a time."""

AT_ONCE = 500
"""People asked about in one statement."""


def changed(
    scope: Scope, listening: Collection[tuple[int, str]], *, since: datetime, until: datetime
) -> list[tuple[int, str | None, int]]:
    """Give (App, user or None for everybody, what it was); of single people those alone that are listening.

    They are asked for by name: while a message to a million is put into feeds, a look costs no more than else.
    """
    found: list[tuple[int, str | None, int]] = []
    for query, at in _queries(scope, listening):
        during = at > literal(since, Moment), at <= literal(until, Moment)
        rows = scope.connection.execute(query.where(*during).limit(MOST_CHANGES))
        # What a person did is told apart from what came by its sign.
        found += [(app, user, -microseconds(what) if isinstance(what, datetime) else what) for app, user, what in rows]
    return found


def _queries(
    scope: Scope, listening: Collection[tuple[int, str]]
) -> Iterator[tuple[AnySelect, ColumnElement[datetime]]]:
    yield select(b.app_id, null(), b.notification_id), b.at
    of_app: defaultdict[int, list[str]] = defaultdict(list)
    for app_id, user in listening:
        of_app[app_id].append(user)
    for app_id, people in of_app.items():
        for first in range(0, len(people), AT_ONCE):
            some = people[first : first + AT_ONCE]
            items = scope.dialect.among(i.user_external_id, some)
            yield select(i.app_id, i.user_external_id, i.notification_id).where(i.app_id == app_id, items), i.at
            done = scope.dialect.among(w.user_external_id, some)
            yield select(w.app_id, w.user_external_id, w.changed_at).where(w.app_id == app_id, done), w.changed_at
