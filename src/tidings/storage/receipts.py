"""What people did with notifications: rows of `receipts`, and the counters they move."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal, or_, select, text, tuple_, type_coerce, union_all, update

from tidings.domain.campaign import Counts
from tidings.domain.receipt import Answering, Receipt, ReceiptEvent
from tidings.domain.webhook import NUMBERS, Told, WebhookEvent
from tidings.storage.columns import Big, Moment
from tidings.storage.counters import COUNTERS
from tidings.storage.outbox import tell, wanted_of
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notifications, receipts
from tidings.storage.tables.stats import notification_answers
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tallies import tally_receipt

c = receipts.c
ERASED = "erased"
ANSWERED = text(f"receipts.event = '{ReceiptEvent.ANSWERED.value}'")
"""As the index of these has it: with a parameter in its place, no database would use that."""

_TOLD = {event: WebhookEvent(f"receipt.{event}") for event in ReceiptEvent}


class SqlReceipts:
    """Implements `storage.Receipts`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, receipt: Receipt) -> bool:
        """Store and count; False when the device had reported that event, or the notification or the device is gone.

        A device counts once for each event, and its first answer stands: nobody votes twice. Where nobody knows any
        more whether it has reported, for its receipts had their time, it has.
        """
        n, s = notifications.c, subscriptions.c
        values = select(
            n.id,
            literal(receipt.subscription_id),
            literal(receipt.event.value),
            literal(receipt.action),
            literal(receipt.at, Moment),
        ).where(n.id == receipt.notification_id, n.details_until.is_(None))
        # Held, so that the device is not erased under a report that leaves a row of it.
        there = select(s.id).where(s.id == receipt.subscription_id).with_for_update(read=True, key_share=True)
        if self._scope.connection.execute(there).first() is None:
            return False
        stored = self._scope.connection.execute(
            self._scope.dialect.insert_missing(receipts)
            .from_select(["notification_id", "subscription_id", "event", "action", "at"], values)
            .returning(c.subscription_id)
        ).first()
        if stored is None:
            return False
        counter = f"n_{receipt.event.value}"
        counted = update(notifications).where(n.id == receipt.notification_id).values({counter: n[counter] + 1})
        of = self._scope.connection.execute(counted.returning(n.app_id, wanted_of(n.app_id))).one()
        tally_receipt(self._scope, receipt)
        self._tell(receipt, of.app_id, of.wanted)
        return True

    def answering(self, notification_id: int, subscription_id: int) -> Answering:
        """Say whether a device can answer still, and what it has answered."""
        of, s = notifications.c, subscriptions.c
        given = select(c.action).where(*_answer_of(notification_id, subscription_id)).scalar_subquery()
        both = notifications.join(subscriptions, s.id == subscription_id)
        query = select(given).select_from(both).where(of.id == notification_id, of.details_until.is_(None))
        there = or_(s.status_reason.is_(None), s.status_reason != ERASED)
        row = self._scope.connection.execute(query.where(there)).first()
        return Answering(row is not None, row[0] if row else None)

    def change_answer(self, receipt: Receipt) -> bool:
        """Put another answer in the place of one that was given; False when there was none."""
        mine = _answer_of(receipt.notification_id, receipt.subscription_id)
        changed = update(receipts).where(*mine, c.action != receipt.action)
        if not self._scope.connection.execute(changed.values(action=receipt.action, at=receipt.at)).rowcount:
            return False
        of = select(notifications.c.app_id, wanted_of(notifications.c.app_id))
        row = self._scope.connection.execute(of.where(notifications.c.id == receipt.notification_id)).one()
        self._tell(receipt, row.app_id, row.wanted)
        return True

    def _tell(self, receipt: Receipt, app_id: int, wanted: int) -> None:
        if wanted:
            told = Told(NUMBERS[_TOLD[receipt.event]], receipt.subscription_id, receipt.action)
            tell(self._scope, app_id, wanted, [told], now=receipt.at, notification_id=receipt.notification_id)

    def counts(self, notification_id: int) -> Counts:
        """Give the notification's counters; all 0 when there is no such notification."""
        columns = [notifications.c[f"n_{name}"] for name in COUNTERS]
        row = self._scope.connection.execute(select(*columns).where(notifications.c.id == notification_id)).first()
        return Counts(*row) if row else Counts()

    def of_subscription(self, subscription_id: int, *, after: tuple[int, str], limit: int) -> list[Receipt]:
        """List what a device reported, by notification and event; `after` is that of the last one seen."""
        query = select(receipts).where(
            c.subscription_id == subscription_id, tuple_(c.notification_id, c.event) > tuple_(*map(literal, after))
        )
        rows = self._scope.connection.execute(query.order_by(c.notification_id, c.event).limit(limit))
        return [
            Receipt(row.notification_id, row.subscription_id, ReceiptEvent(row.event), row.action, row.at)
            for row in rows
        ]

    def answers(self, notification_id: int) -> dict[str, int]:
        """Count the answers by action, the most frequent first."""
        a = notification_answers.c
        kept = select(c.action, func.count().label("n")).where(c.notification_id == notification_id, ANSWERED)
        earlier = select(a.action, a.n).where(a.notification_id == notification_id)
        found: Counter[str] = Counter()
        for action, count in self._scope.connection.execute(union_all(kept.group_by(c.action), earlier)):
            found[action] += count
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def span(self, notification_id: int) -> tuple[datetime, datetime] | None:
        """Give when the first and the last report about a notification came; None if there is none."""
        query = select(func.min(c.at), func.max(c.at))
        first, last = self._scope.connection.execute(query.where(c.notification_id == notification_id)).one()
        return None if first is None else (first, last)

    def over_time(self, notification_id: int, *, step: timedelta) -> dict[tuple[datetime, ReceiptEvent], int]:
        """Count reports by the part of time in which they came, parts being counted from 1970, and by event."""
        at = type_coerce(c.at, Big)
        begin = type_coerce(at - at % (step // timedelta(microseconds=1)), Moment).label("begin")
        query = select(begin, c.event, func.count()).where(c.notification_id == notification_id)
        rows = self._scope.connection.execute(query.group_by("begin", c.event))
        return {(found, ReceiptEvent(event)): count for found, event, count in rows}


def _answer_of(notification_id: int, subscription_id: int) -> tuple[ColumnElement[bool], ...]:
    of = (c.notification_id == notification_id, c.subscription_id == subscription_id)
    return (*of, c.event == ReceiptEvent.ANSWERED)
