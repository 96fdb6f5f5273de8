"""The final state of each recipient: rows of `deliveries`, written by settling and read here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from tidings.domain.delivery import DeliveryStatus, SettledDelivery
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.notifications import deliveries

c = deliveries.c


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
