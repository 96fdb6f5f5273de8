"""Event types as preferences see them."""

from __future__ import annotations

from sqlalchemy import select

from tidings.domain.preference import EventKind
from tidings.storage.event_types import locales_from
from tidings.storage.scope import AnyRow, AnySelect, Scope
from tidings.storage.tables.events import event_types

c = event_types.c


class SqlKinds:
    """Implements `storage.Kinds`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, app_id: int, key: str) -> EventKind | None:
        """Find by key."""
        row = self._scope.connection.execute(_some(app_id).where(c.key == key)).first()
        return None if row is None else _kind(row)

    def all(self, app_id: int) -> list[EventKind]:
        """Give all that an App declares, in the order in which it did."""
        return [_kind(row) for row in self._scope.connection.execute(_some(app_id).order_by(c.id))]


def _some(app_id: int) -> AnySelect:
    named = (c.key, c.name, c.description, c.category, c.language, c.locales)
    return select(*named, c.push, c.feed, c.mandatory).where(c.app_id == app_id)


def _kind(row: AnyRow) -> EventKind:
    return EventKind(
        key=row.key,
        name=row.name,
        description=row.description,
        category=row.category,
        push=bool(row.push),
        feed=bool(row.feed),
        mandatory=bool(row.mandatory),
        language=row.language,
        locales=locales_from(row.locales),
    )
