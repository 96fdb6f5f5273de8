"""The final state of each recipient: rows of `deliveries`, written by settling and read here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, literal, select, text, tuple_

from tidings.domain.delivery import DeliveryStatus, SettledDelivery
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.notifications import deliveries

c = deliveries.c

MISSED = text(f"deliveries.status <> {DeliveryStatus.SENT.value}")
"""As the index of these has it: with a parameter in its place, no database would use that."""


class SqlDeliveries:
    """Implements `storage.Deliveries`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def page(self, notification_id: int, *, after: int, limit: int) -> list[SettledDelivery]:
        """List by subscription id; `after` is the last one seen, 0 to begin."""
        query = (
            select(deliveries)
            .where(c.notification_id == notification_id, c.subscription_id > after)
            .order_by(c.subscription_id)
            .limit(limit)
        )
        return [_delivery(row) for row in self._scope.connection.execute(query)]

    def sent(self, notification_id: int, *, after: int, limit: int) -> list[SettledDelivery]:
        """List whom a push service took it for, by subscription id."""
        query = select(deliveries).where(c.notification_id == notification_id, c.subscription_id > after)
        rows = self._scope.connection.execute(
            query.where(c.status == DeliveryStatus.SENT).order_by(c.subscription_id).limit(limit)
        )
        return [_delivery(row) for row in rows]

    def missed(self, notification_id: int, reason: str, *, after: int, limit: int) -> list[SettledDelivery]:
        """List whom it did not reach for this reason, by subscription id; `after` is the last one seen."""
        # A place in the index of reasons: by the id alone SQLite would take the key, and look at all it reached.
        further = tuple_(c.reason, c.subscription_id) > tuple_(literal(reason), literal(after))
        query = select(deliveries).where(c.notification_id == notification_id, MISSED, further, c.reason <= reason)
        rows = self._scope.connection.execute(query.order_by(c.reason, c.subscription_id).limit(limit))
        return [_delivery(row) for row in rows]

    def count_missed(self, notification_id: int, reason: str) -> int:
        """Count whom it did not reach for this reason, by their own rows."""
        of = select(func.count()).where(c.notification_id == notification_id, MISSED, c.reason == reason)
        return int(self._scope.connection.execute(of).scalar_one())

    def reasons(self, notification_id: int) -> list[str]:
        """List for which reasons it did not reach people: a step over the index for each."""
        query = select(c.reason).where(c.notification_id == notification_id, MISSED).order_by(c.reason).limit(1)
        found: list[str] = []
        while row := self._scope.connection.execute(query.where(c.reason > found[-1]) if found else query).first():
            found.append(row.reason)
        return found

    def statuses(self, notification_id: int) -> dict[int, int]:
        """Count the notification's deliveries by status (a DeliveryStatus)."""
        query = select(c.status, func.count()).where(c.notification_id == notification_id).group_by(c.status)
        return {DeliveryStatus(status): count for status, count in self._scope.connection.execute(query)}

    def of_subscription(
        self, subscription_id: int, *, limit: int, before: int = 0
    ) -> list[tuple[int, SettledDelivery, datetime]]:
        """List what became of a device's notifications, newest first: (notification id, delivery, when).

        `before` is the notification last seen, 0 to begin.
        """
        query = select(deliveries).where(c.subscription_id == subscription_id)
        if before:
            query = query.where(c.notification_id < before)
        rows = self._scope.connection.execute(query.order_by(c.notification_id.desc()).limit(limit))
        return [(row.notification_id, _delivery(row), row.at) for row in rows]

    def history(self, subscription_id: int, *, after: int, limit: int) -> list[tuple[int, SettledDelivery, datetime]]:
        """List the same, oldest first; `after` is the notification last seen, 0 to begin."""
        query = select(deliveries).where(c.subscription_id == subscription_id, c.notification_id > after)
        rows = self._scope.connection.execute(query.order_by(c.notification_id).limit(limit))
        return [(row.notification_id, _delivery(row), row.at) for row in rows]


def _delivery(row: AnyRow) -> SettledDelivery:
    return SettledDelivery(row.subscription_id, DeliveryStatus(row.status), row.reason, row.attempt, row.provider_ref)
