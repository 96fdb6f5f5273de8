"""Messages to audiences: rows of `notifications` with their counters, and `notification_reasons`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, literal, or_, select, update

from tidings.domain.campaign import (
    FINAL_STATUSES,
    SENDABLE,
    NewNotification,
    Notification,
    NotificationStatus,
)
from tidings.domain.delivery import NewShard, ShardStatus, SkipReason
from tidings.domain.safety import HoldReason
from tidings.storage.cancelling import take_shards
from tidings.storage.codec import json_from_audience, json_from_message
from tidings.storage.columns import Moment
from tidings.storage.counters import COUNTERS, add_reasons
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.holding import UNFINISHED, follow
from tidings.storage.notification_rows import counts_of, notification_from
from tidings.storage.outbox import tell_finished, wanted_of
from tidings.storage.scope import AnyRow, AnySelect, Scope
from tidings.storage.tables.instance import PAUSED, instance_values
from tidings.storage.tables.notifications import notification_reasons, notifications, shards
from tidings.storage.tallies import tally_skipped

c = notifications.c

_sendable = or_(*(c.status == one for one in SENDABLE))
_GIVEN = (
    *("public_id", "app_id", "message", "audience", "policy", "status", "held_because", "source", "event_type"),
    *("trigger", "event", "ceiling", "n_audience", "created_at", "send_at", "expires_at"),
)


@cache
def _add(dialect: Dialect) -> Prepared:
    given: dict[str, Any] = {name: bindparam(name) for name in _GIVEN}
    return dialect.prepare(insert(notifications).values(given).returning(notifications))


@cache
def _by_id(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(notifications).where(c.id == bindparam("id")))


@cache
def _ending(dialect: Dialect) -> Prepared:
    columns = (c.id, c.status, *(c[f"n_{name}"] for name in COUNTERS))
    return dialect.prepare(select(*columns).where(c.id == bindparam("id")).with_for_update())


@cache
def _statuses(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(shards.c.status).where(shards.c.notification_id == bindparam("id")).distinct())


@cache
def _wanted(dialect: Dialect) -> Prepared:
    standstill = select(instance_values.c.name).where(instance_values.c.name == PAUSED).exists()
    return dialect.prepare(select(c.id).where(c.id == bindparam("id"), _sendable, ~standstill))


@cache
def _stopped(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(c.id).where(dialect.any_of(c.id, "ids"), ~_sendable))


@cache
def _due(dialect: Dialect) -> Prepared:
    unplanned = (c.status == NotificationStatus.QUEUED, c.planned_at.is_(None))
    return dialect.prepare(
        select(c.id)
        .where(*unplanned, c.send_at <= bindparam("now", type_=Moment))
        .order_by(c.send_at, c.id)
        .limit(bindparam("most"))
    )


@cache
def _reasons(dialect: Dialect) -> Prepared:
    r = notification_reasons.c
    return dialect.prepare(
        select(r.notification_id, r.reason, r.n)
        .where(dialect.any_of(r.notification_id, "ids"), r.n > 0)
        .order_by(r.n.desc(), r.reason)
    )


class SqlNotifications:
    """Implements `storage.Notifications`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(
        self,
        new: NewNotification,
        *,
        public_id: str,
        audience: int,
        ceiling: int,
        now: datetime,
        held: HoldReason | None = None,
    ) -> Notification:
        """Store a request to send; its time to live runs from when it is to be sent, also while it is `held`."""
        send_at = new.send_at or now
        (row,) = _add(self._scope.dialect).records(
            self._scope.connection,
            {
                "public_id": public_id,
                "app_id": new.app_id,
                "message": json_from_message(new.message),
                "audience": json_from_audience(new.audience),
                "policy": new.policy,
                "status": NotificationStatus.PAUSED if held else NotificationStatus.QUEUED,
                "held_because": held,
                "source": new.source,
                "event_type": new.event_type,
                "trigger": new.trigger,
                "event": new.event,
                "ceiling": ceiling,
                "n_audience": audience,
                "created_at": now,
                "send_at": send_at,
                "expires_at": send_at + timedelta(seconds=new.message.ttl),
            },
        )
        return notification_from(row, {})

    def get(self, app_id: int, public_id: str) -> Notification | None:
        """Find by public id."""
        return self._first(c.app_id == app_id, c.public_id == public_id)

    def by_id(self, notification_id: int) -> Notification | None:
        """Find by id."""
        found = self._read(_by_id(self._scope.dialect).records(self._scope.connection, {"id": notification_id}))
        return found[0] if found else None

    def whole(self, notification_id: int) -> NewShard | None:
        """Give a shard that is all of it, by what every version can read: neither words nor audience."""
        of = select(c.id, c.ceiling, c.send_at, c.n_audience).where(c.id == notification_id)
        row = self._scope.connection.execute(of).first()
        if row is None:
            return None
        return NewShard(row.id, 0, low=1, high=row.ceiling, not_before=row.send_at, size=row.n_audience)

    def wanted(self, notification_id: int) -> bool:
        """Say whether it is to be sent now: neither it nor all sending is paused, and it has not ended."""
        return bool(_wanted(self._scope.dialect).rows(self._scope.connection, {"id": notification_id}))

    def page(self, app_id: int, *, after: int, limit: int) -> list[Notification]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(notifications).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        return self._all(query.where(c.id < after) if after else query)

    def unfinished_to(self, app_id: int, segment: str, *, limit: int) -> list[str]:
        """Give the public ids of what was sent to a segment (`seg_...`) and is not finished."""
        unfinished = [one for one in NotificationStatus if one not in FINAL_STATUSES]
        named = self._scope.dialect.json(c.audience, ("segment",)).scalar.text == segment
        query = select(c.public_id).where(c.app_id == app_id, c.status.in_(unfinished), named).order_by(c.id)
        return list(self._scope.connection.execute(query.limit(limit)).scalars())

    def set_status(
        self, notification_id: int, to: NotificationStatus, *, allowed_from: Sequence[NotificationStatus], now: datetime
    ) -> bool:
        """Change the status if it is one of `allowed_from`; False when it is not.

        Cancelling takes every shard that is not being sent. Whoever they would have reached is counted as skipped as
        soon as no shard is being sent any more: now, or by `finish_if_settled` after the last of them.
        """
        values: dict[str, Any] = {"status": to, "held_because": None}
        if to in FINAL_STATUSES:
            values["finished_at"] = now
        if to is NotificationStatus.SENDING:
            values["started_at"] = func.coalesce(c.started_at, literal(now, Moment))
        changing = update(notifications).where(c.id == notification_id, c.status.in_(allowed_from)).values(values)
        changed = self._scope.connection.execute(changing.returning(c.id, c.app_id, wanted_of(c.app_id))).first()
        if changed is not None and to is NotificationStatus.CANCELLED:
            self.finish_if_settled(notification_id, now=now)
            tell_finished(self._scope, changed, now=now)
        elif changed is not None and to not in FINAL_STATUSES:
            follow(self._scope, notification_id, to)
            if to is NotificationStatus.QUEUED:
                self.finish_if_settled(notification_id, now=now)  # its last shard may have ended while it was paused
        return changed is not None

    def held(self, app_id: int | None) -> int:
        """Count what the tripwire holds, of one App or of all."""
        query = select(func.count()).select_from(notifications).where(c.held_because.is_not(None))
        of_app = query if app_id is None else query.where(c.app_id == app_id)
        count: int = self._scope.connection.execute(of_app).scalar_one()
        return count

    def held_ids(self, app_id: int, *, limit: int) -> list[int]:
        """Give ids of what the tripwire holds, the oldest first."""
        query = select(c.id).where(c.app_id == app_id, c.held_because.is_not(None)).order_by(c.id).limit(limit)
        return list(self._scope.connection.execute(query).scalars())

    def due(self, *, now: datetime, limit: int) -> list[int]:
        """Give ids of queued notifications without shards whose time has come, the oldest first."""
        found = _due(self._scope.dialect).rows(self._scope.connection, {"now": now, "most": limit})
        return [one for (one,) in found]

    def left_behind(self, *, now: datetime, limit: int) -> list[int]:
        """Give ids of cancelled notifications with a shard whose holder's lease ran out, the oldest first."""
        s = shards.c
        stale = select(s.id).where(s.notification_id == c.id, s.status == ShardStatus.LEASED, s.due_at <= now).exists()
        query = select(c.id).where(c.status == NotificationStatus.CANCELLED, stale).order_by(c.id).limit(limit)
        return list(self._scope.connection.execute(query).scalars())

    def stopped(self, ids: Collection[int]) -> set[int]:
        """Give those of the ids whose notification is not to be sent now."""
        values = {"ids": self._scope.dialect.many(list(ids))}
        return {one for (one,) in _stopped(self._scope.dialect).rows(self._scope.connection, values)}

    def finish_if_settled(self, notification_id: int, *, now: datetime) -> bool:
        """Mark done when no shard of it is open; True when this call did it.

        The counters then add up: what was left of dead shards was counted when they were given up, everybody else
        that is missing unsubscribed between freezing and sending. A cancelled notification stays cancelled and has its
        counters completed once no shard of it is being sent; who may have been told is in doubt.
        """
        # Two workers that finish the last two shards at once meet at this lock; the second sees what the first did.
        found = _ending(self._scope.dialect).records(self._scope.connection, {"id": notification_id})
        if not found:
            return False
        row = found[0]
        cancelled = row.status == NotificationStatus.CANCELLED
        if cancelled:
            if take_shards(self._scope, notification_id, now=now):  # and counted who is in doubt
                (row,) = _ending(self._scope.dialect).records(self._scope.connection, {"id": notification_id})
        elif row.status not in (NotificationStatus.SENDING, NotificationStatus.QUEUED):
            return False
        left = _statuses(self._scope.dialect).rows(self._scope.connection, {"id": notification_id})
        statuses = {status for (status,) in left}
        unplanned = not statuses and not cancelled
        if unplanned or not statuses.isdisjoint(UNFINISHED):
            return False
        self._complete(row, now, cancelled=cancelled)
        if cancelled:
            return False
        done = update(notifications).where(c.id == notification_id)
        done = done.values(status=NotificationStatus.DONE, finished_at=now)
        of = self._scope.connection.execute(done.returning(c.id, c.app_id, wanted_of(c.app_id))).one()
        tell_finished(self._scope, of, now=now)
        return True

    def _complete(self, row: AnyRow, now: datetime, *, cancelled: bool) -> None:
        counts = counts_of(row)
        missing = counts.audience - counts.settled
        if missing == 0:
            return
        if missing < 0:
            # Devices that became active again after the freezing were sent to as well.
            values = {"n_audience": counts.settled}
        else:
            counted: dict[str, int] = {SkipReason.CANCELLED if cancelled else SkipReason.UNSUBSCRIBED: missing}
            add_reasons(self._scope, row.id, counted)
            tally_skipped(self._scope, row.id, counted, now=now)
            values = {"n_skipped": counts.skipped + missing}
        self._scope.connection.execute(update(notifications).where(c.id == row.id).values(values))

    def _first(self, *conditions: ColumnElement[bool]) -> Notification | None:
        found = self._all(select(notifications).where(*conditions))
        return found[0] if found else None

    def _all(self, query: AnySelect) -> list[Notification]:
        return self._read(self._scope.connection.execute(query).all())

    def _read(self, rows: Sequence[AnyRow]) -> list[Notification]:
        if not rows:
            return []
        reasons: dict[int, dict[str, int]] = {row.id: {} for row in rows}
        ids = {"ids": self._scope.dialect.many(list(reasons))}
        for notification_id, reason, count in _reasons(self._scope.dialect).rows(self._scope.connection, ids):
            reasons[notification_id][reason] = count
        return [notification_from(row, reasons[row.id]) for row in rows]
