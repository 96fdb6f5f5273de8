"""Who uses subscriptions: rows of `subscriptions` with those of `users`, read for a chunk in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import and_, select

from tidings.domain.person import Person
from tidings.storage.dialects import Dialect
from tidings.storage.scope import AnySelect, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.subscriptions import subscriptions


@cache
def _people(dialect: Dialect) -> AnySelect:
    s, u = subscriptions.c, users.c
    same = and_(u.app_id == s.app_id, u.external_id == s.user_external_id)
    return (
        select(s.id, s.user_external_id, s.time_zone, u.attributes, u.locale, u.time_zone.label("their_zone"))
        .select_from(subscriptions.outerjoin(users, same))
        .where(dialect.any_of(s.id, "ids"))
    )


def read(scope: Scope, ids: Sequence[int]) -> dict[int, Person]:
    """Give who uses each of the subscriptions, by its id."""
    if not ids:
        return {}
    rows = scope.connection.execute(_people(scope.dialect), {"ids": scope.dialect.many(ids)})
    return {
        row.id: Person(row.user_external_id, row.attributes or {}, row.locale, row.time_zone or row.their_zone)
        for row in rows
    }
