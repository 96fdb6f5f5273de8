"""The ports of notifications on their way: shards, deliveries, receipts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tidings.domain.campaign import Counts, NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import DeadShard, HeldBack, Lease, NewShard, Priority, SettledDelivery, Settlement, Shard
from tidings.domain.receipt import Answering, Receipt, ReceiptEvent
from tidings.domain.safety import HoldReason


class Notifications(Protocol):
    """Messages to audiences."""

    def add(
        self,
        new: NewNotification,
        *,
        public_id: str,
        audience: int,
        ceiling: int,
        now: datetime,
        held: HoldReason | None = None,
    ) -> Notification:
        """Store a request to send; one that is `held` begins paused."""
        ...

    def get(self, app_id: int, public_id: str) -> Notification | None: ...
    def by_id(self, notification_id: int) -> Notification | None: ...
    def whole(self, notification_id: int) -> NewShard | None:
        """Give a shard that is all of it, by what every version can read."""
        ...

    def wanted(self, notification_id: int) -> bool:
        """Say whether it is to be sent now: neither it nor all sending is paused, and it has not ended."""
        ...

    def page(self, app_id: int, *, after: int, limit: int) -> list[Notification]: ...
    def unfinished_to(self, app_id: int, segment: str, *, limit: int) -> list[str]:
        """Give the public ids of what was sent to a segment (`seg_...`) and is not finished."""
        ...

    def set_status(
        self, notification_id: int, to: NotificationStatus, *, allowed_from: Sequence[NotificationStatus], now: datetime
    ) -> bool:
        """Change the status if it is one of `allowed_from`; False when it is not."""
        ...

    def held(self, app_id: int | None) -> int:
        """Count what the tripwire holds, of one App or of all."""
        ...

    def held_ids(self, app_id: int, *, limit: int) -> list[int]:
        """Ids of what the tripwire holds, the oldest first."""
        ...

    def due(self, *, now: datetime, limit: int) -> list[int]:
        """Ids of queued notifications without shards whose time has come."""
        ...

    def stopped(self, ids: Collection[int]) -> set[int]:
        """Those of the ids whose notification is not to be sent now."""
        ...

    def left_behind(self, *, now: datetime, limit: int) -> list[int]:
        """Ids of cancelled notifications with a shard whose holder's lease ran out: nobody else will finish them."""
        ...

    def finish_if_settled(self, notification_id: int, *, now: datetime) -> bool:
        """Mark done when no shard of it is open; whatever the counters lack was skipped. True when this call did it."""
        ...


class Shards(Protocol):
    """Parts of notifications, claimed under a lease with a fencing token."""

    def add(self, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store shards; one that exists already, by (notification, n), is left alone."""
        ...

    def add_plan(self, notification_id: int, shards: Sequence[NewShard], *, now: datetime) -> list[int]: ...
    def ready(
        self, *, now: datetime, limit: int, least: Priority = Priority.LOW, held_back: Sequence[HeldBack] = ()
    ) -> list[int]:
        """Ids of shards that may be claimed now: ready and due, or leased with the lease run out.

        Of the priority `least` or a more urgent one; fair over Apps and priorities; without what is held back.
        """
        ...

    def claim(self, shard_id: int, *, owner: str, now: datetime, lease: float) -> Shard | None:
        """Claim for `lease` seconds, atomically; None if somebody has it or its notification is not being sent."""
        ...

    def renew(self, shard_id: int, lease_token: int, *, now: datetime, lease: float) -> bool: ...
    def open_chunk(self, shard_id: int, lease_token: int, chunk: int, *, high: int) -> bool: ...
    def settle(self, settlement: Settlement, *, now: datetime) -> bool:
        """Store everything one chunk changed; False, and nothing stored, when the lease was lost."""
        ...

    def wait_for_owner(self, shard_id: int) -> None:
        """Let nobody pause, resume or cancel the shard's notification until this transaction ends."""
        ...

    def finish(self, shard_id: int, lease_token: int) -> bool: ...
    def release(self, shard_id: int, lease_token: int, *, not_before: datetime | None = None) -> bool: ...
    def stumble(self, shard_id: int, *, owner: str, fault: str, now: datetime, lease: float, most: int) -> int | None:
        """Count a claim of a shard that cannot even be read, and leave it alone for `lease` seconds.

        With the claim of that number, `most`, it is given up (`bury`), and its notification's id is given.
        """
        ...

    def note_fault(self, shard_id: int, lease_token: int, fault: str) -> bool: ...
    def bury(self, shard_id: int, lease_token: int, *, because: str, now: datetime) -> bool:
        """Give the shard up: it is dead, and whoever it did not reach is skipped as in doubt."""
        ...

    def dead(self, *, app_ids: Collection[int] | None, after: int, limit: int) -> list[DeadShard]: ...
    def dead_shard(self, shard_id: int) -> DeadShard | None: ...
    def requeue(self, shard_id: int, *, now: datetime) -> bool:
        """Make a dead shard ready again, and its notification one that is being sent; False when it is not dead."""
        ...

    def drop(self, shard_id: int) -> bool: ...

    def free_leases(self, *, now: datetime) -> int:
        """Let every lease end now; only for a process that knows that nobody else carries shards."""
        ...

    def leases(self) -> list[Lease]:
        """All leases, those that have run out among them."""
        ...

    def latest(self) -> datetime | None:
        """When the newest notification was made."""
        ...

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> int:
        """Let what was due before the clock went back from `was` be due now; give how much that was."""
        ...

    def open_count(self, notification_id: int) -> int: ...
    def lag(self, *, now: datetime) -> float:
        """Seconds since the oldest due shard should have been claimed; 0 when none waits."""
        ...


class Deliveries(Protocol):
    """The final state of each recipient."""

    def page(self, notification_id: int, *, after: int, limit: int) -> list[SettledDelivery]: ...
    def sent(self, notification_id: int, *, after: int, limit: int) -> list[SettledDelivery]: ...
    def missed(self, notification_id: int, reason: str, *, after: int, limit: int) -> list[SettledDelivery]: ...
    def count_missed(self, notification_id: int, reason: str) -> int: ...
    def reasons(self, notification_id: int) -> list[str]:
        """List for which reasons it did not reach people."""
        ...

    def statuses(self, notification_id: int) -> dict[int, int]: ...
    def of_subscription(
        self, subscription_id: int, *, limit: int, before: int = 0
    ) -> list[tuple[int, SettledDelivery, datetime]]: ...
    def history(self, subscription_id: int, *, after: int, limit: int) -> list[tuple[int, SettledDelivery, datetime]]:
        """List the same, oldest first; `after` is the notification last seen, 0 to begin."""
        ...


class Receipts(Protocol):
    """What people did with notifications."""

    def add(self, receipt: Receipt) -> bool:
        """Store and count; False when the same receipt is there already."""
        ...

    def answering(self, notification_id: int, subscription_id: int) -> Answering: ...
    def change_answer(self, receipt: Receipt) -> bool:
        """Put another answer in the place of one that was given, which counts once; False when there was none."""
        ...

    def counts(self, notification_id: int) -> Counts: ...
    def answers(self, notification_id: int) -> dict[str, int]: ...
    def span(self, notification_id: int) -> tuple[datetime, datetime] | None: ...
    def over_time(self, notification_id: int, *, step: timedelta) -> dict[tuple[datetime, ReceiptEvent], int]: ...
    def of_subscription(self, subscription_id: int, *, after: tuple[int, str], limit: int) -> list[Receipt]:
        """List what a device reported, by notification and event; `after` is that of the last one seen."""
        ...
