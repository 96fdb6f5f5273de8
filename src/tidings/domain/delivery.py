"""One recipient's part of a notification, and the shards and chunks it travels in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from tidings.domain.campaign import InDoubtPolicy


class DeliveryStatus(IntEnum):
    """The final state of one delivery; small numbers because there is a row per recipient."""

    SENT = 1
    FAILED = 2
    EXPIRED = 3
    SKIPPED = 4


class SkipReason(StrEnum):
    """Why a recipient was left out on purpose."""

    UNSUBSCRIBED = "unsubscribed"
    NO_CREDENTIAL = "no_credential"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"


class ShardStatus(StrEnum):
    """Where a shard stands."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Retry:
    """One recipient of a retry shard and how many tries it has had."""

    subscription_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class NewShard:
    """A part of a notification: subscription ids with `low` <= id <= `high`, or an explicit list to try again."""

    notification_id: int
    n: int
    low: int = 0
    high: int = 0
    retries: tuple[Retry, ...] = ()
    not_before: datetime | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    """A claimed shard: whoever holds `lease_token` may write its outcomes, nobody else.

    `cursor` is the highest subscription id settled so far (for a list: how many of its entries);
    `chunk_open` is the number of the chunk that was being sent, None between chunks.
    """

    id: int
    notification_id: int
    app_id: int
    n: int
    low: int
    high: int
    retries: tuple[Retry, ...]
    lease_token: int
    attempt: int
    cursor: int
    chunk_done: int
    chunk_open: int | None
    policy: InDoubtPolicy


@dataclass(frozen=True, slots=True)
class SettledDelivery:
    """The final state of one recipient, written once."""

    subscription_id: int
    status: DeliveryStatus
    reason: str
    attempt: int
    provider_ref: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything that one chunk changed; stored in one transaction under the shard's lease token.

    `cursor` becomes the shard's cursor. `gone` and `key_mismatch` name subscriptions with the reason to keep.
    Each group of `retries` becomes a new shard of the same notification that starts at the group's moment.
    """

    shard_id: int
    lease_token: int
    chunk: int
    cursor: int
    deliveries: tuple[SettledDelivery, ...]
    gone: tuple[tuple[int, str], ...] = ()
    key_mismatch: tuple[tuple[int, str], ...] = ()
    retries: tuple[tuple[datetime, tuple[Retry, ...]], ...] = ()
