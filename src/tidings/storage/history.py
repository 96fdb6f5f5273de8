"""What hangs on one device or one notification, removed a few rows at a time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, select, tuple_, update

from tidings.domain.receipt import ReceiptEvent
from tidings.storage.clearing import delete_some
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import deliveries, notifications, receipts, shards
from tidings.storage.tables.stats import notification_answers
from tidings.storage.tables.subscriptions import subscriptions, suspicions, tracked_events

_OF_DEVICE: tuple[tuple[str, Table], ...] = (
    ("events", tracked_events),
    ("receipts", receipts),
    ("deliveries", deliveries),
    ("suspicions", suspicions),
)


def clear_history(scope: Scope, subscription_id: int, *, limit: int) -> Counter[str]:
    """Remove what is kept of a device, but not the device; give how many rows of each kind, `limit` of all at most."""
    removed: Counter[str] = Counter()
    for name, table in _OF_DEVICE:
        room = limit - removed.total()
        if room <= 0:
            break
        if table is receipts:
            removed[name] += _clear_receipts(scope, subscription_id, limit=room)
        else:
            removed[name] += delete_some(scope, table, table.c.subscription_id == subscription_id, limit=room)
    return removed


def remove_device(scope: Scope, subscription_id: int, *conditions: ColumnElement[bool]) -> bool:
    """Remove the device itself, if it still meets the conditions; whatever is being stored of it ends first."""
    gone = delete(subscriptions).where(subscriptions.c.id == subscription_id, *conditions)
    return scope.connection.execute(gone).rowcount == 1


def clear_details(scope: Scope, notification_id: int, *, limit: int, now: datetime) -> int:
    """Remove receipts, deliveries and parts of a notification; give how many rows, 0 when there were none left.

    Its counters stay, and how often each action was chosen is kept as a number.
    """
    # One that somebody has tried again meanwhile has not ended, and a part of it may be what is to be sent.
    ended = select(notifications.c.id).where(
        notifications.c.id == notification_id, notifications.c.finished_at.is_not(None)
    )
    if scope.connection.execute(ended.with_for_update()).first() is None:
        return 0
    removed = _clear_receipts(scope, limit=limit, notification_id=notification_id)
    for table in (deliveries, shards):
        if removed < limit:
            removed += delete_some(scope, table, table.c.notification_id == notification_id, limit=limit - removed)
    if removed < limit:
        done = update(notifications).where(notifications.c.id == notification_id).values(details_until=now)
        scope.connection.execute(done)
    return removed


def _clear_receipts(
    scope: Scope, subscription_id: int | None = None, *, limit: int, notification_id: int | None = None
) -> int:
    r = receipts.c
    wanted = r.subscription_id == subscription_id if notification_id is None else r.notification_id == notification_id
    key = tuple(receipts.primary_key)
    some = select(*key).where(wanted).limit(limit)
    gone = delete(receipts).where(tuple_(*key).in_(some)).returning(r.notification_id, r.event, r.action)
    rows = scope.connection.execute(gone).all()
    answers = Counter((row.notification_id, row.action) for row in rows if row.event == ReceiptEvent.ANSWERED)
    if answers:
        kept = scope.dialect.increment(notification_answers, key=("notification_id", "action"), column="n")
        new = [
            {"notification_id": notification, "action": action, "n": count}
            for (notification, action), count in sorted(answers.items())
        ]
        scope.connection.execute(kept, new)
    return len(rows)
