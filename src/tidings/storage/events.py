"""What happened in Apps: rows of `events`, and of `event_people` for whoever they name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from tidings.domain.event import Event, EventStatus, NewEvent, Sought, Stored
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.events import event_people, events
from tidings.storage.tables.triggers import firings

c = events.c
p = event_people.c


class SqlEvents:
    """Implements `storage.Events`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, new: Sequence[NewEvent], *, now: datetime) -> list[Stored]:
        """Store events and say of each, in their order, what it is now."""
        if not new:
            return []
        statement = self._scope.dialect.insert_missing(events).returning(c.id, c.public_id)
        added = {
            public_id: row_id
            for row_id, public_id in self._scope.connection.execute(statement, [_values(one, now) for one in new])
        }
        people = [
            {"app_id": one.app_id, "external_id": name, "event_id": added[one.public_id]}
            for one in new
            if one.public_id in added
            for name in dict.fromkeys((*one.users, *([one.actor] if one.actor else ())))
        ]
        if people:
            self._scope.connection.execute(self._scope.dialect.insert_missing(event_people), people)
        known = self._known([one for one in new if one.public_id not in added])
        return [known.get(one.public_id) or Stored(one.public_id) for one in new]

    def get(self, app_id: int, public_id: str) -> Event | None:
        """Find by public id."""
        query = select(events).where(c.app_id == app_id, c.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return event_of(row) if row else None

    def page(self, app_id: int, sought: Sought, *, after: int, limit: int) -> list[Event]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(events).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        if sought.type is not None:
            query = query.where(c.type == sought.type)
        if sought.status is not None:
            query = query.where(c.status == sought.status)
        if sought.user is not None:
            query = query.join(event_people, (p.event_id == c.id) & (p.app_id == app_id)).where(
                p.external_id == sought.user
            )
        return [event_of(row) for row in self._scope.connection.execute(query)]

    def of_user(self, app_id: int, external_id: str, *, after: int, limit: int) -> list[Event]:
        """List what names a person, oldest first; `after` is the id of the last one seen, 0 to begin."""
        query = (
            select(events)
            .join(event_people, p.event_id == c.id)
            .where(p.app_id == app_id, p.external_id == external_id, p.event_id > after)
            .order_by(c.id)
            .limit(limit)
        )
        return [event_of(row) for row in self._scope.connection.execute(query)]

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` events that were stored before then and do not wait any more."""
        over = select(c.id).where(c.created_at < before, c.status != EventStatus.QUEUED).limit(limit)
        return remove_events(self._scope, list(self._scope.connection.execute(over).scalars()))

    def _known(self, refused: Sequence[NewEvent]) -> dict[str, Stored]:
        """Say of events whose key was there already, or was taken by one before them, which one that is."""
        if not refused:
            return {}
        keys = self._scope.dialect.many([one.key for one in refused if one.key])
        rows = self._scope.connection.execute(
            select(c.key, c.public_id, c.content).where(
                c.app_id == refused[0].app_id, self._scope.dialect.any_of(c.key, "keys")
            ),
            {"keys": keys},
        )
        there = {row.key: row for row in rows}
        return {
            one.public_id: Stored(
                there[one.key].public_id, known=True, differs=bytes(there[one.key].content) != one.content
            )
            for one in refused
        }


def remove_events(scope: Scope, ids: Sequence[int]) -> int:
    """Remove events with what hangs on them; give how many there were."""
    if not ids:
        return 0
    wanted = {"ids": scope.dialect.many(ids)}
    scope.connection.execute(delete(event_people).where(scope.dialect.any_of(p.event_id, "ids")), wanted)
    scope.connection.execute(delete(firings).where(scope.dialect.any_of(firings.c.event_id, "ids")), wanted)
    return scope.connection.execute(delete(events).where(scope.dialect.any_of(c.id, "ids")), wanted).rowcount


def forget_person(scope: Scope, app_id: int, external_id: str, *, before: datetime, limit: int) -> int:
    """Take a person out of events that were stored until then; give how many, `limit` at most.

    What they did, and what concerned them alone, goes whole; of what concerned others besides, their name.
    """
    mine = (p.app_id == app_id, p.external_id == external_id)
    query = select(c.id, c.users, c.actor).join(event_people, p.event_id == c.id).where(*mine, c.created_at <= before)
    rows = scope.connection.execute(query.limit(limit)).all()
    gone = [row.id for row in rows if row.actor == external_id or row.users == [external_id]]
    remove_events(scope, gone)
    for row in rows:
        if row.id not in gone:
            left = [one for one in row.users if one != external_id]
            scope.connection.execute(update(events).where(c.id == row.id).values(users=left))
            scope.connection.execute(delete(event_people).where(*mine, p.event_id == row.id))
    return len(rows)


def _values(new: NewEvent, now: datetime) -> dict[str, Any]:
    return {
        "public_id": new.public_id,
        "app_id": new.app_id,
        "type": new.type,
        "key": new.key,
        "content": new.content,
        "data": dict(new.data),
        "users": list(new.users),
        "actor": new.actor,
        "occurred_at": new.occurred_at or now,
        "status": EventStatus.QUEUED,
        "replay_of": new.replay_of,
        "created_at": now,
    }


def event_of(row: AnyRow) -> Event:
    """Read a row of `events`."""
    return Event(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        type=row.type,
        key=row.key,
        data=row.data,
        users=tuple(row.users),
        actor=row.actor,
        occurred_at=row.occurred_at,
        status=EventStatus(row.status),
        fault=row.fault,
        replay_of=row.replay_of,
        created_at=row.created_at,
        done_at=row.done_at,
    )
