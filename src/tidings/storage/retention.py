"""What has had its time: found on a connection that only reads, removed a few rows at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select

from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.history import clear_details, clear_history, remove_device
from tidings.storage.relay_status import ENDED, RELAY
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notification_reasons, notifications
from tidings.storage.tables.stats import notification_answers, notification_minutes
from tidings.storage.tables.subscriptions import subscriptions

n = notifications.c
s = subscriptions.c


class SqlRetention:
    """Implements `storage.Retention`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def details_due(self, *, before: datetime, limit: int) -> list[int]:
        """Give ids of notifications that ended before then and still have deliveries, receipts or shards."""
        query = select(n.id).where(n.finished_at < before, n.details_until.is_(None)).order_by(n.finished_at)
        return list(self._scope.connection.execute(query.limit(limit)).scalars())

    def clear_details(self, notification_id: int, *, limit: int, now: datetime) -> int:
        """Remove some of a notification's deliveries, receipts and shards; fewer than `limit` are the last."""
        return clear_details(self._scope, notification_id, limit=limit, now=now)

    def notifications_due(self, *, before: datetime, limit: int) -> list[int]:
        """Give ids of notifications that ended before then and have no details left."""
        query = select(n.id).where(n.finished_at < before, n.details_until.is_not(None)).order_by(n.id)
        return list(self._scope.connection.execute(query.limit(limit)).scalars())

    def forget_notifications(self, ids: list[int]) -> int:
        """Remove notifications without details; give how many. What was counted by day stays."""
        wanted = self._scope.dialect.many(ids)
        for table in (notification_reasons, notification_answers, notification_minutes):
            gone = delete(table).where(self._scope.dialect.any_of(table.c.notification_id, "ids"))
            self._scope.connection.execute(gone, {"ids": wanted})
        gone = delete(notifications).where(self._scope.dialect.any_of(n.id, "ids"), n.details_until.is_not(None))
        return self._scope.connection.execute(gone, {"ids": wanted}).rowcount

    def devices_due(self, *, before: datetime, after: int, limit: int) -> list[int]:
        """Give ids of devices that are not active and were neither seen nor reached since then, by id."""
        query = select(s.id).where(s.id > after, *_ended(before)).order_by(s.id).limit(limit)
        return list(self._scope.connection.execute(query).scalars())

    def forget_device(self, subscription_id: int, *, before: datetime, limit: int) -> int:
        """Remove some of what is kept of an ended device, at last the device; give how many rows.

        One that has come back meanwhile stays, and so does its history.
        """
        still = select(s.id).where(s.id == subscription_id, *_ended(before)).with_for_update()
        if self._scope.connection.execute(still).first() is None:
            return 0
        removed = clear_history(self._scope, subscription_id, limit=limit).total()
        if removed < limit and remove_device(self._scope, subscription_id):
            removed += 1
        return removed


def _ended(before: datetime) -> tuple[ColumnElement[bool], ...]:
    ended = s.status.in_((SubscriptionStatus.EXPIRED, SubscriptionStatus.UNSUBSCRIBED, RELAY, ENDED))
    return ended, s.last_seen_at < before, func.coalesce(s.last_active_at, s.last_seen_at) < before
