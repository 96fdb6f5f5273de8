"""What devices did on their sites: rows of `tracked_events`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, literal, select

from tidings.domain.tracked import NewTrackedEvent, TrackedEvent
from tidings.storage.clearing import delete_some
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.subscriptions import tracked_events

c = tracked_events.c


class SqlTracked:
    """Implements `storage.Tracked`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, new: NewTrackedEvent, *, public_id: str, now: datetime) -> str:
        """Store an event and give its public id; for one that is there already, give that one's."""
        stored: str | None = self._scope.connection.execute(
            self._scope.dialect.insert_missing(tracked_events)
            .values(
                public_id=public_id,
                app_id=new.app_id,
                subscription_id=new.subscription_id,
                user_external_id=new.user_external_id,
                key=new.key,
                name=new.name,
                properties=dict(new.properties),
                at=now,
            )
            .returning(c.public_id)
        ).scalar()
        if stored is None:
            stored = self._scope.connection.execute(select(c.public_id).where(*_is(new))).scalar_one()
        return stored

    def knows(self, new: NewTrackedEvent) -> bool:
        """Say whether the event is there already."""
        return self._scope.connection.execute(select(literal(1)).where(*_is(new))).first() is not None

    def nth_newest(self, subscription_id: int, n: int) -> datetime | None:
        """Give when the device's n-th newest event was stored; None when it has fewer."""
        query = select(c.at).where(c.subscription_id == subscription_id).order_by(c.id.desc()).offset(n - 1).limit(1)
        found: datetime | None = self._scope.connection.execute(query).scalar()
        return found

    def page(self, subscription_id: int, *, after: int, limit: int) -> list[TrackedEvent]:
        """List a device's events, newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(tracked_events).where(c.subscription_id == subscription_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        return [_event(row) for row in self._scope.connection.execute(query)]

    def forget_user(self, app_id: int, user_external_id: str) -> int:
        """Remove every event of a person; give how many."""
        gone = delete(tracked_events).where(c.app_id == app_id, c.user_external_id == user_external_id)
        return self._scope.connection.execute(gone).rowcount

    def of_user(self, app_id: int, user_external_id: str, *, after: int, limit: int) -> list[TrackedEvent]:
        """List what a person did on any device, oldest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(tracked_events).where(c.app_id == app_id, c.user_external_id == user_external_id, c.id > after)
        return [_event(row) for row in self._scope.connection.execute(query.order_by(c.id).limit(limit))]

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` events older than that; give how many."""
        return delete_some(self._scope, tracked_events, c.at < before, limit=limit)


def _is(new: NewTrackedEvent) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return c.subscription_id == new.subscription_id, c.key == new.key


def _event(row: AnyRow) -> TrackedEvent:
    return TrackedEvent(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        properties=row.properties,
        user_external_id=row.user_external_id,
        at=row.at,
    )
