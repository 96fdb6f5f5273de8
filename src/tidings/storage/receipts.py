"""What people did with notifications: rows of `receipts`, and the counters they move."""

from __future__ import annotations

from sqlalchemy import func, literal, select, update

from tidings.domain.campaign import Counts
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.storage.columns import Moment
from tidings.storage.counters import COUNTERS
from tidings.storage.schema import notifications, receipts
from tidings.storage.scope import Scope

c = receipts.c


class SqlReceipts:
    """Implements `storage.Receipts`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, receipt: Receipt) -> bool:
        """Store and count; False when the device had reported that event, or the notification is gone.

        A device counts once for each event, and its first answer stands: nobody votes twice.
        """
        n = notifications.c
        values = select(
            n.id,
            literal(receipt.subscription_id),
            literal(receipt.event.value),
            literal(receipt.action),
            literal(receipt.at, Moment),
        ).where(n.id == receipt.notification_id)
        stored = self._scope.connection.execute(
            self._scope.dialect.insert_missing(receipts)
            .from_select(["notification_id", "subscription_id", "event", "action", "at"], values)
            .returning(c.subscription_id)
        ).first()
        if stored is None:
            return False
        counter = f"n_{receipt.event.value}"
        self._scope.connection.execute(
            update(notifications).where(n.id == receipt.notification_id).values({counter: n[counter] + 1})
        )
        return True

    def counts(self, notification_id: int) -> Counts:
        """Give the notification's counters; all 0 when there is no such notification."""
        columns = [notifications.c[f"n_{name}"] for name in COUNTERS]
        row = self._scope.connection.execute(select(*columns).where(notifications.c.id == notification_id)).first()
        return Counts(*row) if row else Counts()

    def answers(self, notification_id: int) -> dict[str, int]:
        """Count the answers by action, the most frequent first."""
        count = func.count()
        query = (
            select(c.action, count)
            .where(c.notification_id == notification_id, c.event == ReceiptEvent.ANSWERED)
            .group_by(c.action)
            .order_by(count.desc(), c.action)
        )
        return dict(self._scope.connection.execute(query).all())
