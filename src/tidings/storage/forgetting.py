"""What goes with a person at once: preferences, quiet hours, feed, what they follow, their id in conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as Names

from sqlalchemy import delete, select, update

from tidings.domain.filters import filter_from_json, forgotten, json_from_filter
from tidings.storage.apps import hold
from tidings.storage.scope import Scope
from tidings.storage.tables.preferences import PERSONAL, feed_broadcasts
from tidings.storage.tables.segments import follows, segments
from tidings.storage.triggers import SqlTriggers

AT_ONCE = 100
"""Segments or triggers read at a time: each may be long, and of segments nobody says how many there are."""


def forget_wishes(scope: Scope, app_id: int, user: str) -> Counter[str]:
    """Remove it; give how many rows of each kind. It is a few hundred rows at most."""
    removed: Counter[str] = Counter()
    for name, tables in PERSONAL.items():
        for table in tables:
            gone = delete(table).where(table.c.app_id == app_id, table.c.user_external_id == user)
            removed[name] += scope.connection.execute(gone).rowcount
    gone = delete(follows).where(follows.c.app_id == app_id, follows.c.user_external_id == user)
    removed["topics"] += scope.connection.execute(gone).rowcount
    b = feed_broadcasts.c
    left_out = update(feed_broadcasts).where(b.app_id == app_id, b.except_user == user)
    scope.connection.execute(left_out.values(except_user=None))
    hold(scope, app_id, "rules")
    forget_names(scope, app_id, {user})
    return removed


def forget_names(scope: Scope, app_id: int, names: Names[str]) -> None:
    """Take ids of people and devices out of the conditions of segments and triggers."""
    _forget_in_segments(scope, app_id, names)
    _forget_in_triggers(SqlTriggers(scope), app_id, names)


def _forget_in_segments(scope: Scope, app_id: int, names: Names[str]) -> None:
    """Take them out of the conditions that name them by id, a few segments at a time."""
    c = segments.c
    query = select(c.id, c.filter).where(c.app_id == app_id).order_by(c.id).limit(AT_ONCE)
    after = 0
    while rows := scope.connection.execute(query.where(c.id > after)).all():
        after = rows[-1].id
        for row in rows:
            tree = filter_from_json(row.filter)
            left = forgotten(tree, names)
            if left != tree:
                values = {"filter": json_from_filter(left)}
                scope.connection.execute(update(segments).where(c.id == row.id).values(values))


def _forget_in_triggers(triggers: SqlTriggers, app_id: int, names: Names[str]) -> None:
    """Take them out of the conditions and rules that name them by id; nobody has changed these triggers else."""
    after = 0
    while page := triggers.page(app_id, after=after, limit=AT_ONCE):
        after = page[-1].id
        for one in page:
            left = one.definition.without(names)
            if left != one.definition:
                triggers.change(one.id, left, now=one.updated_at)
