"""Receipts: a device's report comes in, a counted Receipt goes out, once for each event."""

from __future__ import annotations

from datetime import datetime

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.lib.opaque import OpaquePairs
from tidings.storage import Transaction

ACTION_LENGTH = 64
"""Characters kept of an action's id."""


def receipt_from(
    deliveries: OpaquePairs, *, delivery: str, token: str, event: ReceiptEvent, action: str, at: datetime
) -> Receipt:
    """Read a report; raise RECEIPT_INVALID when delivery and token were not made by this instance."""
    pair = deliveries.decode(delivery, token)
    if pair is None:
        raise CatalogueError(ErrorCode.RECEIPT_INVALID)
    notification_id, subscription_id = pair
    return Receipt(
        notification_id=notification_id,
        subscription_id=subscription_id,
        event=event,
        action=action[:ACTION_LENGTH] if event is ReceiptEvent.ANSWERED or event is ReceiptEvent.CLICKED else "",
        at=at,
    )


def record(tx: Transaction, receipt: Receipt, *, app_id: int | None) -> bool:
    """Store and count the report; False when it was there already.

    Raises RECEIPT_INVALID when the notification is gone or belongs to another App than `app_id`.
    """
    notification = tx.notifications.by_id(receipt.notification_id)
    if notification is None or (app_id is not None and notification.app_id != app_id):
        raise CatalogueError(ErrorCode.RECEIPT_INVALID)
    return tx.receipts.add(receipt)
