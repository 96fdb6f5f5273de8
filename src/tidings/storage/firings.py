"""What came of events, what triggers count, and what is still to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, type_coerce, update

from tidings.domain.event import Event
from tidings.domain.trigger import (
    Activity,
    Firing,
    FiringOutcome,
    FiringReason,
    NewFiring,
    Pending,
    PendingKind,
    Window,
)
from tidings.storage.columns import microseconds
from tidings.storage.events import event_of
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.events import events
from tidings.storage.tables.triggers import firings, trigger_pendings, trigger_windows, triggers

f = firings.c
w = trigger_windows.c
p = trigger_pendings.c


class SqlFirings:
    """Implements `storage.Firings`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, new: Sequence[NewFiring], *, now: datetime) -> None:
        """Store what came of events; a pair of event and trigger that is there already is refused by the database."""
        rows = [
            {
                "event_id": one.event_id,
                "trigger_id": one.trigger_id,
                "app_id": one.app_id,
                "outcome": one.outcome,
                "reason": one.reason,
                "notifications": list(one.notifications),
                "pending_id": one.pending_id,
                "at": now,
            }
            for one in new
        ]
        if rows:
            self._scope.connection.execute(insert(firings), rows)

    def of_event(self, event_id: int) -> list[Firing]:
        """Give what came of an event, by trigger."""
        return self._list(f.event_id == event_id, order=f.trigger_id.asc())

    def page(self, trigger_id: int, *, after: int, limit: int) -> list[Firing]:
        """List what came of a trigger, newest event first; `after` is the position of the last one seen."""
        conditions = (f.trigger_id == trigger_id, f.event_id < after) if after else (f.trigger_id == trigger_id,)
        return self._list(*conditions, order=f.event_id.desc(), limit=limit)

    def activity(self, trigger_id: int, *, limit: int) -> Activity:
        """Count what came of the newest `limit` events of a trigger."""
        newest = select(f.outcome, f.at).where(f.trigger_id == trigger_id).order_by(f.event_id.desc()).limit(limit)
        lately = newest.subquery()
        query = select(lately.c.outcome, func.count(), func.max(lately.c.at)).group_by(lately.c.outcome)
        rows = {FiringOutcome(row[0]): (row[1], row[2]) for row in self._scope.connection.execute(query)}

        def count(outcome: FiringOutcome) -> int:
            return int(rows.get(outcome, (0, None))[0])

        return Activity(
            fired=count(FiringOutcome.FIRED),
            suppressed=count(FiringOutcome.SUPPRESSED),
            waiting=count(FiringOutcome.WAITING) + count(FiringOutcome.COLLECTED),
            last_fired_at=rows.get(FiringOutcome.FIRED, (0, None))[1],
        )

    def window(self, trigger_id: int, key: str) -> Window | None:
        """Give what is counted, if anything is."""
        mine = (w.trigger_id == trigger_id, w.key == self._hash(trigger_id, key))
        row = self._scope.connection.execute(select(w.opened_at, w.n).where(*mine)).first()
        return Window(row.opened_at, row.n) if row else None

    def hold(self, app_id: int, trigger_id: int, key: str, *, now: datetime) -> Window:
        """Give what is counted, and keep others from counting until the end; n is 0 where nothing was."""
        hashed = self._hash(trigger_id, key)
        new = {"trigger_id": trigger_id, "key": hashed, "app_id": app_id, "opened_at": now, "n": 0}
        query = select(w.opened_at, w.n).where(w.trigger_id == trigger_id, w.key == hashed).with_for_update()
        while True:
            # The row is made before it is read: who makes it at the same time waits here for the other's end. One that
            # was there already may be purged between the two; then it is made again.
            self._scope.connection.execute(self._scope.dialect.insert_missing(trigger_windows), new)
            row = self._scope.connection.execute(query).first()
            if row is not None:
                return Window(row.opened_at, row.n)

    def count(self, trigger_id: int, key: str, window: Window, *, closes_at: datetime | None) -> None:
        """Store what is counted of a window that is held."""
        values = {"opened_at": window.opened_at, "n": window.n, "closes_at": closes_at}
        mine = (w.trigger_id == trigger_id, w.key == self._hash(trigger_id, key))
        self._scope.connection.execute(update(trigger_windows).where(*mine).values(values))

    def purge(self, *, now: datetime, limit: int) -> int:
        """Forget up to `limit` windows that have closed; give how many."""
        closed = select(w.trigger_id, w.key).where(w.closes_at < now).limit(limit)
        rows = self._scope.connection.execute(closed).all()
        for row in rows:
            gone = delete(trigger_windows).where(w.trigger_id == row.trigger_id, w.key == row.key, w.closes_at < now)
            self._scope.connection.execute(gone)
        return len(rows)

    def wait(
        self, app_id: int, trigger_id: int, kind: PendingKind, key: str, *, due_at: datetime, now: datetime
    ) -> int:
        """Store something to be sent later and give its id; what is collected already for a digest gets one more."""
        hashed = self._hash(trigger_id, key)
        if kind is PendingKind.DIGEST:
            mine = (p.trigger_id == trigger_id, p.kind == kind, p.key == hashed)
            more = update(trigger_pendings).where(*mine).values(n=p.n + 1).returning(p.id)
            found: int | None = self._scope.connection.execute(more).scalar()
            if found is not None:
                return found
        values = {"app_id": app_id, "trigger_id": trigger_id, "kind": kind, "key": hashed, "due_at": due_at, "n": 1}
        new = insert(trigger_pendings).values(values | {"created_at": now}).returning(p.id)
        made: int = self._scope.connection.execute(new).scalar_one()
        return made

    def due(self, app_id: int, *, now: datetime, limit: int) -> list[Pending]:
        """Give what is due, the longest due first."""
        query = select(trigger_pendings).where(p.app_id == app_id, p.due_at <= now).order_by(p.due_at, p.id)
        return [_pending(row) for row in self._scope.connection.execute(query.limit(limit))]

    def events_of(self, pending_id: int, *, limit: int) -> list[Event]:
        """Give the newest events that wait for this, the oldest of them first."""
        query = select(events).join(firings, f.event_id == events.c.id).where(f.pending_id == pending_id)
        newest = self._scope.connection.execute(query.order_by(events.c.id.desc()).limit(limit)).all()
        return [event_of(row) for row in reversed(newest)]

    def take(self, pending_id: int) -> bool:
        """Take what waited; False when somebody did before."""
        gone = delete(trigger_pendings).where(p.id == pending_id)
        return bool(self._scope.connection.execute(gone).rowcount)

    def settle(
        self,
        pending_id: int,
        outcome: FiringOutcome,
        reason: FiringReason = FiringReason.NONE,
        notifications: Sequence[str] = (),
    ) -> None:
        """Store what came of what was taken."""
        values = {"outcome": outcome, "reason": reason, "notifications": list(notifications), "pending_id": None}
        self._scope.connection.execute(update(firings).where(f.pending_id == pending_id).values(values))

    def give_up(self, pending_id: int, reason: FiringReason) -> bool:
        """Take what waited and send nothing; False when somebody took it before."""
        taken = self.take(pending_id)
        if taken:
            self.settle(pending_id, FiringOutcome.SUPPRESSED, reason)
        return taken

    def take_back(self, trigger_id: int, key: str) -> int:
        """Settle what waits with this key as taken back; give how many messages that were."""
        mine = (p.trigger_id == trigger_id, p.key == self._hash(trigger_id, key), p.kind == PendingKind.DELAY)
        waiting = self._scope.connection.execute(select(p.id).where(*mine)).scalars().all()
        return sum(self.give_up(one, FiringReason.UNLESS) for one in waiting)

    def clock_went_back(self, *, now: datetime) -> None:
        """Let windows and waits that began at a time that is still to come begin now. Twice is the same as once."""
        at = type_coerce(bindparam("at", microseconds(now)), BigInteger)
        for table, began, ends in (
            (trigger_windows, w.opened_at, w.closes_at),
            (trigger_pendings, p.created_at, p.due_at),
        ):
            ahead = type_coerce(began, BigInteger) - at
            sooner = {ends: type_coerce(ends, BigInteger) - ahead, began: now}
            self._scope.connection.execute(update(table).where(began > now).values(sooner))

    def _list(self, *conditions: Any, order: Any, limit: int = 1_000) -> list[Firing]:
        query = (
            select(firings, events.c.public_id.label("event"), triggers.c.public_id.label("trigger"))
            .join(events, events.c.id == f.event_id)
            .join(triggers, triggers.c.id == f.trigger_id, isouter=True)
            .where(*conditions)
            .order_by(order)
            .limit(limit)
        )
        return [_firing(row) for row in self._scope.connection.execute(query)]

    def _hash(self, trigger_id: int, key: str) -> bytes:
        # A key may be a person's name, and what is counted stays for as long as the window.
        return self._scope.sealer.blind_index(key.encode(), context=f"triggers|{trigger_id}")


def _pending(row: AnyRow) -> Pending:
    return Pending(row.id, row.trigger_id, PendingKind(row.kind), row.n, row.due_at)


def _firing(row: AnyRow) -> Firing:
    return Firing(
        event=row.event,
        trigger=row.trigger or "",
        outcome=FiringOutcome(row.outcome),
        reason=FiringReason(row.reason),
        notifications=tuple(row.notifications),
        at=row.at,
        position=row.event_id,
    )
