"""What kinds of events Apps declare: rows of `event_types`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from tidings.domain.event import Defaults, EventType, Naming, NewEventType
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.events import event_types

c = event_types.c


class SqlEventTypes:
    """Implements `storage.EventTypes`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def put(self, app_id: int, new: NewEventType, *, now: datetime) -> tuple[EventType, bool]:
        """Store a type, or change the one with its key; the second value tells whether it is new."""
        values = {**_values(new), "updated_at": now}
        mine = (c.app_id == app_id, c.key == new.key)
        changed = update(event_types).where(*mine).values(**values, edition=c.edition + 1).returning(event_types)
        row = self._scope.connection.execute(changed).first()
        if row is not None:
            return _event_type(row), False
        made = insert(event_types).values(**values, app_id=app_id, key=new.key, created_at=now).returning(event_types)
        return _event_type(self._scope.connection.execute(made).one()), True

    def get(self, app_id: int, key: str) -> EventType | None:
        """Find by key."""
        return self.some(app_id, [key]).get(key)

    def some(self, app_id: int, keys: Collection[str]) -> dict[str, EventType]:
        """Give those of the keys that are declared."""
        query = select(event_types).where(c.app_id == app_id, self._scope.dialect.any_of(c.key, "keys"))
        rows = self._scope.connection.execute(query, {"keys": self._scope.dialect.many(sorted(set(keys)))})
        return {row.key: _event_type(row) for row in rows}

    def page(self, app_id: int, *, after: int, limit: int) -> list[EventType]:
        """List in the order in which they were declared; `after` is the id of the last one seen, 0 to begin."""
        query = select(event_types).where(c.app_id == app_id, c.id > after).order_by(c.id).limit(limit)
        return [_event_type(row) for row in self._scope.connection.execute(query)]

    def count(self, app_id: int) -> int:
        """Count an App's types."""
        query = select(func.count()).select_from(event_types).where(c.app_id == app_id)
        count: int = self._scope.connection.execute(query).scalar_one()
        return count

    def delete(self, app_id: int, key: str) -> bool:
        """Forget a type; its events stay."""
        return self._scope.connection.execute(delete(event_types).where(c.app_id == app_id, c.key == key)).rowcount == 1


def _values(new: NewEventType) -> dict[str, Any]:
    return {
        "name": new.name,
        "description": new.description,
        "category": new.category,
        "variables": dict(new.variables),
        "examples": [dict(one) for one in new.examples],
        "push": int(new.defaults.push),
        "feed": int(new.defaults.feed),
        "mandatory": int(new.mandatory),
        "language": new.language,
        "locales": {tag: _written(one) for tag, one in new.locales.items()},
    }


def _written(one: Naming) -> dict[str, str]:
    return {name: said for name, said in asdict(one).items() if said is not None}


def locales_from(stored: dict[str, dict[str, str]]) -> dict[str, Naming]:
    """Read what types are called in other languages."""
    return {tag: Naming(**one) for tag, one in stored.items()}


def _event_type(row: AnyRow) -> EventType:
    return EventType(
        id=row.id,
        app_id=row.app_id,
        key=row.key,
        name=row.name,
        description=row.description,
        category=row.category,
        variables=row.variables,
        examples=tuple(row.examples),
        defaults=Defaults(push=bool(row.push), feed=bool(row.feed)),
        mandatory=bool(row.mandatory),
        language=row.language,
        locales=locales_from(row.locales),
        edition=row.edition,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
