"""Why a notification never set out for a person: there is no delivery of it for any of their devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AbsenceReason(StrEnum):
    """Why nothing of a notification was sent to anybody's devices."""

    NO_DEVICE = "no_device"
    SUBSCRIBED_LATER = "subscribed_later"
    DEVICE_ENDED = "device_ended"
    NO_KEY = "no_key"
    NOT_NAMED = "not_named"
    CONDITIONS = "conditions"
    TAGS = "tags"
    CHANNEL = "channel"
    PUSH_SERVICE = "push_service"
    SCHEDULED = "scheduled"
    HELD = "held"
    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    UNDER_WAY = "under_way"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"
    JOINED_LATER = "joined_later"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Absence:
    """Why nothing was sent.

    `because` says what decided it (comparisons that do not hold, tags that are missing, why devices ended), `at` since
    when, or until when, where that is the answer.
    """

    reason: AbsenceReason
    because: tuple[str, ...] = ()
    at: datetime | None = None
