"""A row of `notifications` as a Notification."""

from __future__ import annotations

from tidings.domain.campaign import Counts, InDoubtPolicy, Notification, NotificationStatus
from tidings.domain.safety import HoldReason
from tidings.storage.codec import audience_from_json, message_from_json
from tidings.storage.counters import COUNTERS
from tidings.storage.scope import AnyRow


def counts_of(row: AnyRow) -> Counts:
    """Read the counters."""
    return Counts(*(getattr(row, f"n_{name}") for name in COUNTERS))


def notification_from(row: AnyRow, reasons: dict[str, int]) -> Notification:
    """Read a whole row; `reasons` counts why somebody was not reached."""
    return Notification(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        message=message_from_json(row.message),
        audience=audience_from_json(row.audience),
        policy=InDoubtPolicy(row.policy),
        status=NotificationStatus(row.status),
        source=row.source,
        ceiling=row.ceiling,
        counts=counts_of(row),
        created_at=row.created_at,
        send_at=row.send_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        reasons=reasons,
        held_because=HoldReason(row.held_because) if row.held_because else None,
        event_type=row.event_type,
        trigger=row.trigger,
        event=row.event,
    )
