"""Outgoing webhooks: what an App's own server is told, where, and how each telling went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

MOST_EVENTS = 1_000
"""Events that one request carries."""

TRIES_END = timedelta(days=3)
"""How long one message is tried before it is given up; it can be sent again by hand as long as it is kept."""

DISABLED_AFTER = timedelta(days=5)
"""How long a receiver may fail without one success before it is turned off."""


class WebhookEvent(StrEnum):
    """What can be told; the order is part of what is stored, so new ones come last."""

    DELIVERY_SENT = "delivery.sent"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_EXPIRED = "delivery.expired"
    DELIVERY_SKIPPED = "delivery.skipped"
    RECEIPT_SHOWN = "receipt.shown"
    RECEIPT_CLICKED = "receipt.clicked"
    RECEIPT_CLOSED = "receipt.closed"
    RECEIPT_ANSWERED = "receipt.answered"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_UNSUBSCRIBED = "subscription.unsubscribed"
    NOTIFICATION_FINISHED = "notification.finished"


NUMBERS = {kind: number for number, kind in enumerate(WebhookEvent)}
KINDS = tuple(WebhookEvent)


def mask_of(kinds: Iterable[WebhookEvent]) -> int:
    """Give kinds as one number with a bit for each."""
    return sum(1 << NUMBERS[kind] for kind in set(kinds))


def kinds_of(mask: int) -> tuple[WebhookEvent, ...]:
    """Read such a number."""
    return tuple(kind for number, kind in enumerate(KINDS) if mask >> number & 1)


class Told(NamedTuple):
    """One thing that happened; `text` is a reason or an action's id, `tries` those of a delivery."""

    kind: int
    subscription_id: int = 0
    text: str = ""
    tries: int = 0


class Happening(NamedTuple):
    """Things that happened in one transaction: of one notification (0 for none), in microseconds since 1970.

    `first` is the place of the first of them in their message, by which each is told apart for ever.
    """

    notification_id: int
    at: int
    events: list[Told]
    first: int = 0


class DisabledBecause(StrEnum):
    """Why a webhook is off without anybody having turned it off."""

    FAILING = "failing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook as its owner wants it."""

    url: str = field(repr=False)
    kinds: tuple[WebhookEvent, ...]
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Webhook:
    """A stored one. `secrets` sign, the newest first; `rests_until` is when it is asked again after failures."""

    id: int
    public_id: str
    app_id: int
    url: str = field(repr=False)
    kinds: tuple[WebhookEvent, ...]
    description: str
    enabled: bool
    disabled_because: DisabledBecause | None
    secrets: tuple[bytes, ...] = field(repr=False)
    earlier_until: datetime | None
    failures: int
    failing_since: datetime | None
    succeeded_at: datetime | None
    rests_until: datetime
    created_at: datetime
    updated_at: datetime


class MessageStatus(StrEnum):
    """Where a message to a webhook stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One request to a webhook: the events it carries, and how far it is. `begun_at` is when it was first due, or
    when somebody had it sent again; tries end `TRIES_END` later."""

    id: int
    public_id: str
    webhook_id: int
    app_id: int
    status: MessageStatus
    events: int
    tries: int
    test: bool
    created_at: datetime
    begun_at: datetime
    due_at: datetime
    done_at: datetime | None
    last_status: int | None = None
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One try: the status that came back, or why none did; the answer is cut and escaped."""

    at: datetime
    status: int | None
    failure: str
    seconds: float
    answer: str

    @property
    def succeeded(self) -> bool:
        """Say whether the receiver took it: any 2xx, as Standard Webhooks has it."""
        return self.status is not None and 200 <= self.status < 300


class ReadyWebhook(NamedTuple):
    """A webhook that may be told now, and whether its last try failed."""

    webhook_id: int
    app_id: int
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A message in hand: to which webhook, under which token, and which erasure was the newest when it was taken."""

    webhook: Webhook
    message: WebhookMessage
    token: int
    erasure: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt: when the message is tried again (None is never), when the webhook is asked again,
    and whether it is turned off."""

    status: MessageStatus
    due_at: datetime | None = None
    rests_until: datetime | None = None
    disable: DisabledBecause | None = None
