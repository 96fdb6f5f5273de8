"""One message to an audience: the notification, its states and its counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tidings.domain.audience import Audience
from tidings.domain.message import Message
from tidings.domain.safety import HoldReason


class NotificationStatus(StrEnum):
    """Where a notification stands; `cancelled` and `done` are final."""

    QUEUED = "queued"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


TEST = "test"
"""The source of a notification that somebody sends to see whether it arrives."""

SENDABLE = frozenset({NotificationStatus.QUEUED, NotificationStatus.SENDING})
FINAL_STATUSES = frozenset({NotificationStatus.CANCELLED, NotificationStatus.DONE})


class InDoubtPolicy(StrEnum):
    """What happens to a chunk that may or may not have left before a crash."""

    RESEND = "resend"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Counts:
    """Counters of one notification; audience = sent + failed + expired + skipped once it is done."""

    audience: int = 0
    sent: int = 0
    failed: int = 0
    expired: int = 0
    skipped: int = 0
    shown: int = 0
    clicked: int = 0
    closed: int = 0
    answered: int = 0

    @property
    def settled(self) -> int:
        """How many recipients have reached their final state."""
        return self.sent + self.failed + self.expired + self.skipped


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A validated request to send, ready to be stored.

    `event_type` is the key of what it is about; `trigger` and `event` are public ids of what made it.
    """

    app_id: int
    message: Message
    audience: Audience
    policy: InDoubtPolicy = InDoubtPolicy.RESEND
    send_at: datetime | None = None
    source: str = "api"
    event_type: str | None = None
    trigger: str | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A stored notification.

    `ceiling` is the highest subscription id at the moment of freezing: who subscribes later is not in the audience.
    `expires_at` is when the message's time to live ends; no try is made after it.
    """

    id: int
    public_id: str
    app_id: int
    message: Message
    audience: Audience
    policy: InDoubtPolicy
    status: NotificationStatus
    source: str
    ceiling: int
    counts: Counts
    created_at: datetime
    send_at: datetime
    expires_at: datetime
    finished_at: datetime | None
    reasons: dict[str, int] = field(default_factory=dict)
    held_because: HoldReason | None = None
    event_type: str | None = None
    trigger: str | None = None
    event: str | None = None
