"""What people follow: rows of `follows`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Text, bindparam, delete, exists, func, select

from tidings.domain.names import names_of
from tidings.domain.segment import Follower
from tidings.storage import names
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.segments import follows

c = follows.c
FEW = 10_000
"""Followers that are looked for by name; of more, everybody is asked whether they follow."""


class SqlFollows:
    """Implements `storage.Follows`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def follow(self, app_id: int, topic: str, external_ids: Sequence[str], *, now: datetime) -> int:
        """Let people follow a topic, and make those known that are not; give how many did not follow it before."""
        # In one order, so that two that name the same people cannot each wait for the other.
        named = sorted(set(external_ids))
        if not named:
            return 0
        people = [
            {"app_id": app_id, "external_id": one, "attributes": {}, "created_at": now, "updated_at": now}
            for one in named
        ]
        new = self._scope.dialect.insert_missing(users).returning(users.c.id, users.c.external_id)
        for row in self._scope.connection.execute(new, people).all():
            names.keep(self._scope, app_id, row.id, names_of(row.external_id, {}))
        rows = [{"app_id": app_id, "topic": topic, "user_external_id": one, "created_at": now} for one in named]
        return self._scope.connection.execute(
            self._scope.dialect.insert_missing(follows), rows, execution_options={"preserve_rowcount": True}
        ).rowcount

    def unfollow(self, app_id: int, topic: str, external_ids: Sequence[str]) -> int:
        """Let people follow a topic no longer; give how many did."""
        gone = delete(follows).where(
            c.app_id == app_id, c.topic == topic, self._scope.dialect.any_of(c.user_external_id, "named")
        )
        return self._scope.connection.execute(gone, {"named": self._scope.dialect.many(list(external_ids))}).rowcount

    def followers(self, app_id: int, topic: str, *, after: str, limit: int) -> list[Follower]:
        """List a topic's followers by id; `after` is the last one seen, "" to begin."""
        query = (
            select(c.user_external_id, c.topic, c.created_at)
            .where(c.app_id == app_id, c.topic == topic, c.user_external_id > bindparam("after", after, type_=Text))
            .order_by(c.user_external_id)
            .limit(limit)
        )
        return [Follower(*row) for row in self._scope.connection.execute(query)]

    def topics(self, app_id: int, external_id: str, *, after: str = "", limit: int = 1_000) -> list[Follower]:
        """List what a person follows by topic."""
        query = (
            select(c.user_external_id, c.topic, c.created_at)
            .where(c.app_id == app_id, c.user_external_id == external_id, c.topic > after)
            .order_by(c.topic)
            .limit(limit)
        )
        return [Follower(*row) for row in self._scope.connection.execute(query)]

    def one(self, app_id: int, topic: str, external_id: str) -> Follower:
        """Give since when a person follows a topic, which they do."""
        query = select(c.user_external_id, c.topic, c.created_at).where(
            c.app_id == app_id, c.topic == topic, c.user_external_id == external_id
        )
        return Follower(*self._scope.connection.execute(query).one())

    def full(self, app_id: int, topic: str, external_ids: Sequence[str], *, most: int) -> list[str]:
        """Name those of some people who follow `most` other topics already, or more."""
        query = (
            select(c.user_external_id)
            .where(c.app_id == app_id, c.topic != topic, self._scope.dialect.any_of(c.user_external_id, "named"))
            .group_by(c.user_external_id)
            .having(func.count() >= most)
            .order_by(c.user_external_id)
        )
        named = {"named": self._scope.dialect.many(list(external_ids))}
        return list(self._scope.connection.execute(query, named).scalars())

    def follows(self, app_id: int, topic: str, external_id: str) -> bool:
        """Say whether a person follows a topic."""
        found = exists().where(c.app_id == app_id, c.topic == topic, c.user_external_id == external_id)
        return bool(self._scope.connection.execute(select(found)).scalar())

    def few(self, app_id: int, topic: str) -> bool:
        """Say whether a topic has so few followers that they are looked for by name: no more than `FEW`."""
        some = select(c.topic).where(c.app_id == app_id, c.topic == topic).limit(FEW + 1).subquery()
        return self._scope.connection.execute(select(func.count()).select_from(some)).scalar_one() <= FEW

    def count(self, app_id: int, topic: str) -> int:
        """Count a topic's followers."""
        query = select(func.count()).select_from(follows).where(c.app_id == app_id, c.topic == topic)
        return self._scope.connection.execute(query).scalar_one()
