"""What is sent to whom when something happens: rows of `triggers`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from tidings.domain.trigger import Definition, FiringOutcome, FiringReason, Trigger
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.events import event_types
from tidings.storage.tables.triggers import firings, trigger_pendings, trigger_windows, triggers
from tidings.storage.trigger_codec import definition_from_json, json_from_definition

c = triggers.c


class SqlTriggers:
    """Implements `storage.Triggers`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, app_id: int, new: Definition, *, public_id: str, now: datetime) -> Trigger:
        """Store a trigger."""
        values = {**_values(new), "app_id": app_id, "public_id": public_id, "created_at": now, "updated_at": now}
        row = self._scope.connection.execute(insert(triggers).values(values).returning(triggers)).one()
        self._touch(app_id, _types(new))
        return _trigger(row)

    def get(self, app_id: int, public_id: str) -> Trigger | None:
        """Find by public id."""
        query = select(triggers).where(c.app_id == app_id, c.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return _trigger(row) if row else None

    def by_id(self, trigger_id: int) -> Trigger | None:
        """Find by id."""
        row = self._scope.connection.execute(select(triggers).where(c.id == trigger_id)).first()
        return _trigger(row) if row else None

    def page(self, app_id: int, *, after: int, limit: int, event_type: str | None = None) -> list[Trigger]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(triggers).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        if event_type is not None:
            query = query.where(c.event_type == event_type)
        return [_trigger(row) for row in self._scope.connection.execute(query)]

    def of_type(self, app_id: int, event_type: str) -> list[Trigger]:
        """Give the enabled triggers of a type, and those whose waiting messages an event of it takes back."""
        return [one for one in self.naming(app_id, event_type) if one.definition.enabled]

    def naming(self, app_id: int, event_type: str) -> list[Trigger]:
        """Give every trigger that names a type, enabled or not."""
        concerned = or_(c.event_type == event_type, c.unless_type == event_type)
        query = select(triggers).where(c.app_id == app_id, concerned).order_by(c.id)
        return [_trigger(row) for row in self._scope.connection.execute(query)]

    def count(self, app_id: int) -> int:
        """Count an App's triggers."""
        query = select(func.count()).select_from(triggers).where(c.app_id == app_id)
        count: int = self._scope.connection.execute(query).scalar_one()
        return count

    def change(self, trigger_id: int, new: Definition, *, now: datetime) -> Trigger:
        """Put another definition in its place."""
        before = self._scope.connection.execute(select(triggers).where(c.id == trigger_id).with_for_update()).one()
        changed = update(triggers).where(c.id == trigger_id).values(**_values(new), updated_at=now).returning(triggers)
        row = self._scope.connection.execute(changed).one()
        self._touch(row.app_id, {before.event_type, before.unless_type or before.event_type, *_types(new)})
        return _trigger(row)

    def delete(self, trigger_id: int) -> None:
        """Forget a trigger with what it counts and what it has still to send; what came of events stays."""
        row = self._scope.connection.execute(delete(triggers).where(c.id == trigger_id).returning(triggers)).first()
        if row is None:
            return
        for table in (trigger_pendings, trigger_windows):
            self._scope.connection.execute(delete(table).where(table.c.trigger_id == trigger_id))
        f = firings.c
        open_ones = f.outcome.in_((FiringOutcome.WAITING, FiringOutcome.COLLECTED))
        ended = update(firings).where(f.trigger_id == trigger_id, open_ones)
        self._scope.connection.execute(
            ended.values(outcome=FiringOutcome.SUPPRESSED, reason=FiringReason.TRIGGER_OFF, pending_id=None)
        )
        self._touch(row.app_id, {row.event_type, row.unless_type or row.event_type})

    def _touch(self, app_id: int, keys: Iterable[str]) -> None:
        """Let workers see that what they keep of these types is old."""
        e = event_types.c
        for key in sorted(keys):
            touched = update(event_types).where(e.app_id == app_id, e.key == key).values(edition=e.edition + 1)
            self._scope.connection.execute(touched)


def _types(one: Definition) -> set[str]:
    return {one.event_type} | ({one.unless.event_type} if one.unless else set())


def _values(one: Definition) -> dict[str, Any]:
    return {
        "event_type": one.event_type,
        "unless_type": one.unless.event_type if one.unless else None,
        "name": one.name,
        "enabled": int(one.enabled),
        "definition": json_from_definition(one),
    }


def _trigger(row: AnyRow) -> Trigger:
    definition = definition_from_json(
        row.definition, name=row.name, event_type=row.event_type, enabled=bool(row.enabled)
    )
    return Trigger(row.id, row.public_id, row.app_id, definition, row.created_at, row.updated_at)
