"""What the person did with a notification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReceiptEvent(StrEnum):
    """The four things a device reports."""

    SHOWN = "shown"
    CLICKED = "clicked"
    CLOSED = "closed"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report; the same one twice counts once."""

    notification_id: int
    subscription_id: int
    event: ReceiptEvent
    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answering:
    """Whether a device can answer a notification still, and the id of the action it has chosen."""

    open: bool
    action: str | None = None
