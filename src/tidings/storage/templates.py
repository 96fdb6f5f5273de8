"""Templates: rows of `templates`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from tidings.domain.template import NewTemplate, Template
from tidings.storage.codec import json_from_message, message_from_json
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.templates import templates

c = templates.c


class SqlTemplates:
    """Implements `storage.Templates`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, app_id: int, new: NewTemplate, *, public_id: str, now: datetime) -> Template:
        """Store a template as its first version."""
        values = {"app_id": app_id, "public_id": public_id, "version": 1, "created_at": now, "updated_at": now}
        row = self._scope.connection.execute(insert(templates).values(values | _values(new)).returning(templates)).one()
        return _template(row)

    def change(self, template_id: int, new: NewTemplate, *, now: datetime) -> Template:
        """Put other words in its place, as its next version."""
        values = {"version": c.version + 1, "updated_at": now} | _values(new)
        changed = update(templates).where(c.id == template_id).values(values).returning(templates)
        return _template(self._scope.connection.execute(changed).one())

    def get(self, app_id: int, public_id: str) -> Template | None:
        """Find by public id."""
        return self._one(c.public_id == public_id, app_id)

    def by_name(self, app_id: int, name: str) -> Template | None:
        """Find by name."""
        return self._one(c.name == name, app_id)

    def page(self, app_id: int, *, after: int, limit: int) -> list[Template]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(templates).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        return [_template(row) for row in self._scope.connection.execute(query)]

    def count(self, app_id: int) -> int:
        """Count an App's templates."""
        query = select(func.count()).select_from(templates).where(c.app_id == app_id)
        return int(self._scope.connection.execute(query).scalar_one())

    def delete(self, template_id: int) -> None:
        """Remove it; what was made with it keeps its words."""
        self._scope.connection.execute(delete(templates).where(c.id == template_id))

    def _one(self, which: ColumnElement[bool], app_id: int) -> Template | None:
        row = self._scope.connection.execute(select(templates).where(which, c.app_id == app_id)).first()
        return _template(row) if row else None


def _values(new: NewTemplate) -> dict[str, object]:
    return {
        "name": new.name,
        "event_type": new.event_type,
        "language": new.language,
        "message": json_from_message(new.message),
    }


def _template(row: AnyRow) -> Template:
    return Template(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        name=row.name,
        message=message_from_json(row.message),
        event_type=row.event_type,
        language=row.language,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
