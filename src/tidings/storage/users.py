"""People the Apps know: rows of `users`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, delete, func, insert, or_, select, update

from tidings.domain.app import User
from tidings.domain.filters.values import fold
from tidings.storage.forgetting import forget_wishes
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tracked import SqlTracked


class SqlUsers:
    """Implements `storage.Users`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put(
        self,
        app_id: int,
        external_id: str,
        *,
        attributes: Mapping[str, Any] | None,
        locale: str | None,
        time_zone: str | None,
        now: datetime,
    ) -> tuple[User, bool]:
        """Store a person, new (True) or known (False); what is None stays as it is."""
        values: dict[str, Any] = {"updated_at": now}
        if attributes is not None:
            values["attributes"] = dict(attributes)
        if locale is not None:
            values["locale"] = locale
        if time_zone is not None:
            values["time_zone"] = time_zone
        known = self._scope.connection.execute(
            update(users).where(*_is(app_id, external_id)).values(values).returning(users)
        ).first()
        if known is not None:
            return user_from(known), False
        values = {"attributes": {}, "app_id": app_id, "external_id": external_id, "created_at": now} | values
        return user_from(self._scope.connection.execute(insert(users).values(values).returning(users)).one()), True

    def get(self, app_id: int, external_id: str) -> User | None:
        """Find by the App's own id."""
        row = self._scope.connection.execute(select(users).where(*_is(app_id, external_id))).first()
        return user_from(row) if row else None

    def page(self, app_id: int, *, after: int, limit: int, search: str = "") -> list[User]:
        """List newest first; `after` is the id of the last one seen, 0 to begin.

        `search` is a part of the App's own id or of the attribute `name`, in either case.
        """
        query = select(users).where(users.c.app_id == app_id).order_by(users.c.id.desc()).limit(limit)
        if after:
            query = query.where(users.c.id < after)
        if search:
            dialect = self._scope.dialect
            name = dialect.json(users.c.attributes, ["name"]).scalar.text
            named = dialect.has_part(func.tidings_fold(name, type_=Text), bindparam(None, fold(search), type_=Text))
            query = query.where(or_(users.c.external_id.icontains(search, autoescape=True), named))
        return [user_from(row) for row in self._scope.connection.execute(query)]

    def delete(self, app_id: int, external_id: str) -> bool:
        """Forget a person, what they wish and what they did; the devices stay, belonging to nobody."""
        forget_wishes(self._scope, app_id, external_id)
        SqlTracked(self._scope).forget_user(app_id, external_id)
        self._scope.connection.execute(
            update(subscriptions)
            .where(subscriptions.c.app_id == app_id, subscriptions.c.user_external_id == external_id)
            .values(user_external_id=None)
        )
        return self._scope.connection.execute(delete(users).where(*_is(app_id, external_id))).rowcount == 1


def _is(app_id: int, external_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return users.c.app_id == app_id, users.c.external_id == external_id


def user_from(row: AnyRow) -> User:
    """Make a person of a row."""
    return User(
        id=row.id,
        app_id=row.app_id,
        external_id=row.external_id,
        attributes=row.attributes,
        locale=row.locale,
        time_zone=row.time_zone,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
