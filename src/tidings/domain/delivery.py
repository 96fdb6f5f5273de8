"""One recipient's part of a notification, and the shards and chunks it travels in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple

from tidings.domain.campaign import InDoubtPolicy, NotificationStatus


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
    WEB_PUSH_OFF = "web_push_off"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    OTHER_KIND = "token_of_another_kind"
    PREFERENCE_OFF = "preference_off"
    QUIET_HOURS = "quiet_hours"


class HeldBack(NamedTuple):
    """Lists to try again that were stored before a clock was put ahead are due if they were to be by `due_by`."""

    stored_by: datetime
    due_by: datetime


class Lease(NamedTuple):
    """Who has a shard in hand, and until when by the clock of whoever said so; of nobody where its holder is dead."""

    shard_id: int
    owner: str | None
    token: int
    until: datetime


class ShardStatus(StrEnum):
    """Where a shard stands. One is held while its notification is paused, so that nobody looks at it meanwhile."""

    READY = "ready"
    HELD = "held"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"
    DROPPED = "dropped"
    CANCELLED = "cancelled"


class Priority(IntEnum):
    """How many turns of the most urgent kind a shard waits for one of its own; what waits shares the senders so."""

    AT_ONCE = 1
    HIGH = 2
    NORMAL = 4
    LOW = 8


@dataclass(frozen=True, slots=True)
class Retry:
    """One recipient of a retry shard, how many tries it has had, and how many of those nobody could make sense of."""

    subscription_id: int
    attempt: int
    puzzling: int = 0


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
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Shard:
    """A claimed shard: whoever holds `lease_token` may write its outcomes, nobody else.

    `cursor` is the highest subscription id settled so far (for a list: how many of its entries);
    `chunk_open` is the number of the chunk that was being sent, None between chunks; `chunk_high` is the cursor that
    settling it would have given.
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
    chunk_high: int | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class DeadShard:
    """A shard that was given up: why, of which notification, and how many recipients nobody knows the fate of."""

    id: int
    app_id: int
    app: str
    notification: str
    title: str
    status: NotificationStatus
    in_doubt: int
    because: str
    buried_at: datetime
    expires_at: datetime


class SettledDelivery(NamedTuple):
    """The final state of one recipient, written once; a tuple, because one is made for each."""

    subscription_id: int
    status: DeliveryStatus
    reason: str
    attempt: int
    provider_ref: str = ""


@dataclass(frozen=True, slots=True)
class Retired:
    """A subscription whose address is dead. `address_hash` is of the address that was tried: one that has registered
    anew since has another, and lives; so does one that was here after `at`, when the service saw that it is dead."""

    subscription_id: int
    reason: str
    address_hash: bytes
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How often in a row, and over how long, a fault is borne before the address is retired for it.

    With `unreached_only`, an address that ever took a message is borne for ever; without `retires`, every address is.
    """

    times: int
    over: timedelta
    unreached_only: bool = False
    retires: bool = True


@dataclass(frozen=True, slots=True)
class Suspicion:
    """An answer that one address alone got, and that may mean that it is dead."""

    subscription_id: int
    reason: str
    address_hash: bytes
    patience: Patience


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything that one chunk changed; stored in one transaction under the shard's lease token.

    `cursor` becomes the shard's cursor. Each group of `retries` becomes a new shard of the same notification that
    starts at the group's moment; `doubtful` becomes one whose chunk is open: they may have been told already. So may
    those of `retries` who are in `unsure`.
    """

    shard_id: int
    lease_token: int
    chunk: int
    cursor: int
    deliveries: tuple[SettledDelivery, ...]
    retired: tuple[Retired, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    retries: tuple[tuple[datetime, tuple[Retry, ...]], ...] = ()
    doubtful: tuple[Retry, ...] = ()
    unsure: frozenset[int] = frozenset()
