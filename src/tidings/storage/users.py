"""People the Apps know: rows of `users`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, func, insert, select, update

from tidings.domain.app import Named, User
from tidings.domain.audience import Users
from tidings.domain.names import names_of
from tidings.storage import names
from tidings.storage.audiences import sendable
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.forgetting import forget_wishes
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tracked import SqlTracked


@cache
def _known(dialect: Dialect) -> Prepared:
    u = users.c
    mine = (u.app_id == bindparam("app_id"), dialect.any_of(u.external_id, "ids"))
    return dialect.prepare(select(u.external_id, u.attributes).where(*mine))


@cache
def _devices(dialect: Dialect) -> Prepared:
    """Count as an audience of users does: devices that are active and have a key."""
    s = subscriptions.c
    reached = and_(sendable(Users), s.credential_id.is_not(None))
    active = func.sum(case((reached, 1), else_=0))
    theirs = (s.app_id == bindparam("app_id"), dialect.any_of(s.user_external_id, "ids"))
    return dialect.prepare(select(s.user_external_id, active).where(*theirs).group_by(s.user_external_id))


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
            if attributes is not None:
                names.change(self._scope, app_id, known.id, names_of(external_id, known.attributes))
            return user_from(known), False
        values = {"attributes": {}, "app_id": app_id, "external_id": external_id, "created_at": now} | values
        new = self._scope.connection.execute(insert(users).values(values).returning(users)).one()
        names.keep(self._scope, app_id, new.id, names_of(external_id, new.attributes))
        return user_from(new), True

    def get(self, app_id: int, external_id: str) -> User | None:
        """Find by the App's own id."""
        row = self._scope.connection.execute(select(users).where(*_is(app_id, external_id))).first()
        return user_from(row) if row else None

    def page(self, app_id: int, *, after: int, limit: int, search: str = "") -> list[User]:
        """List newest first; `after` is the id of the last one seen, 0 to begin.

        Each word of `search` begins one of the App's own id or of the attribute `name`, in either case.
        """
        query = select(users).where(users.c.app_id == app_id).order_by(users.c.id.desc()).limit(limit)
        if search:
            ids = names.found(self._scope, app_id, search, after=after, limit=limit)
            query = query.where(self._scope.dialect.any_of(users.c.id, "ids"))
            rows = self._scope.connection.execute(query, {"ids": self._scope.dialect.many(ids)})
        else:
            rows = self._scope.connection.execute(query.where(users.c.id < after) if after else query)
        return [user_from(row) for row in rows]

    def lookup(self, app_id: int, external_ids: Sequence[str]) -> dict[str, Named]:
        """Give those of these ids that are known: by a row of their own, or by a device that names them."""
        values = {"app_id": app_id, "ids": self._scope.dialect.many(external_ids)}
        known = _known(self._scope.dialect).records(self._scope.connection, values)
        counted = _devices(self._scope.dialect).rows(self._scope.connection, values)
        devices = {one: int(active) for one, active in counted}
        found = {one: Named(one, None, active) for one, active in devices.items()}
        for row in known:
            name = row.attributes.get("name")
            named = name.strip() or None if isinstance(name, str) else None
            found[row.external_id] = Named(row.external_id, named, devices.get(row.external_id, 0))
        return found

    def delete(self, app_id: int, external_id: str) -> bool:
        """Forget a person, what they wish and what they did; the devices stay, belonging to nobody."""
        forget_wishes(self._scope, app_id, external_id)
        SqlTracked(self._scope).forget_user(app_id, external_id)
        theirs = (subscriptions.c.app_id == app_id, subscriptions.c.user_external_id == external_id)
        self._scope.dialect.hold_in_order(self._scope.connection, subscriptions.c.id, *theirs)
        self._scope.connection.execute(update(subscriptions).where(*theirs).values(user_external_id=None))
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
