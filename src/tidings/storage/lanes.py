"""Whose turn it is: the events of each App are taken by one worker at a time, in the order in which they came."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal_column, or_, select, union, update

from tidings.domain.event import Event, EventStatus
from tidings.storage.events import event_of
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.events import event_lanes, events
from tidings.storage.tables.triggers import trigger_pendings

c = event_lanes.c
e = events.c
_QUEUED: ColumnElement[bool] = literal_column("events.status = 'queued'")
"""Written out, not bound: only so does it match the condition of the partial index."""

# One App after the other by a look into the index for each, however many events wait.
_first = select(func.min(e.app_id).label("app_id")).where(_QUEUED).cte("waiting_apps", recursive=True)
_next = select(func.min(e.app_id)).where(_QUEUED, e.app_id > _first.c.app_id).scalar_subquery()
_apps = _first.union_all(select(_next).where(_first.c.app_id.is_not(None)))


class SqlLanes:
    """Implements `storage.Lanes`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def waiting(self, *, now: datetime, limit: int) -> list[int]:
        """Give Apps with something to do that nobody has in hand; who was served longest ago comes first."""
        due = select(trigger_pendings.c.app_id).where(trigger_pendings.c.due_at <= now)
        some = union(select(_apps.c.app_id).where(_apps.c.app_id.is_not(None)), due).subquery("some")
        query = (
            select(some.c.app_id)
            .join(apps, apps.c.id == some.c.app_id)
            .join(event_lanes, c.app_id == some.c.app_id, isouter=True)
            .where(apps.c.erased_at.is_(None), or_(c.app_id.is_(None), c.leased_until <= now))
            .order_by(c.served_at.is_not(None), c.served_at, some.c.app_id)
            .limit(limit)
        )
        return list(self._scope.connection.execute(query).scalars())

    def claim(self, app_id: int, *, owner: str, now: datetime, lease: float) -> int | None:
        """Take an App's lane and give the token; None when somebody has it."""
        until = now + timedelta(seconds=lease)
        values = {"owner": owner, "leased_until": until, "served_at": now}
        taken = update(event_lanes).where(c.app_id == app_id, c.leased_until <= now)
        token: int | None = self._scope.connection.execute(
            taken.values(**values, token=c.token + 1).returning(c.token)
        ).scalar()
        if token is not None:
            return token
        new = self._scope.dialect.insert_missing(event_lanes).values(app_id=app_id, token=1, **values)
        made: int | None = self._scope.connection.execute(new.returning(c.token)).scalar()
        return made

    def keep(self, app_id: int, token: int, *, now: datetime, lease: float) -> bool:
        """Hold the lane to the end of the transaction and longer; False when it was lost."""
        kept = update(event_lanes).where(c.app_id == app_id, c.token == token)
        until = now + timedelta(seconds=lease)
        return self._scope.connection.execute(kept.values(leased_until=until)).rowcount == 1

    def release(self, app_id: int, token: int, *, now: datetime) -> None:
        """Give the lane back."""
        given = update(event_lanes).where(c.app_id == app_id, c.token == token)
        self._scope.connection.execute(given.values(leased_until=now))

    def free(self, *, now: datetime) -> int:
        """Let every lease end now."""
        return self._scope.connection.execute(
            update(event_lanes).where(c.leased_until > now).values(leased_until=now)
        ).rowcount

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> None:
        """Free the lanes that were given back before the clock went back from `was`; leases end as they would have.

        Doing it twice changes nothing: every worker may.
        """
        until = now + timedelta(seconds=lease)
        given_back = update(event_lanes).where(c.leased_until > until, c.leased_until <= was)
        self._scope.connection.execute(given_back.values(leased_until=now))
        held = update(event_lanes).where(c.leased_until > until)
        self._scope.connection.execute(held.values(leased_until=until))
        self._scope.connection.execute(update(event_lanes).where(c.served_at > now).values(served_at=now))

    def queued(self, app_id: int, *, limit: int) -> list[Event]:
        """Give the oldest events that wait."""
        query = select(events).where(e.app_id == app_id, _QUEUED).order_by(e.id).limit(limit)
        return [event_of(row) for row in self._scope.connection.execute(query)]

    def take(self, ids: Collection[int], *, now: datetime) -> set[int]:
        """Mark events done that wait still; give which."""
        wanted = update(events).where(self._scope.dialect.any_of(e.id, "ids"), e.status == EventStatus.QUEUED)
        taken = wanted.values(status=EventStatus.DONE, done_at=now).returning(e.id)
        return set(self._scope.connection.execute(taken, {"ids": self._scope.dialect.many(list(ids))}).scalars())

    def fail(self, event_id: int, fault: str, *, now: datetime) -> bool:
        """Give an event up whose triggers cannot be asked."""
        failed = update(events).where(e.id == event_id, e.status == EventStatus.QUEUED)
        return (
            self._scope.connection.execute(failed.values(status=EventStatus.FAILED, fault=fault, done_at=now)).rowcount
            == 1
        )
