"""The ports of devices and browsers, and of what they did on a site."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.audience import Audience
from tidings.domain.person import Person
from tidings.domain.subscription import Address, Known, NewSubscription, Recipient, Subscription, SubscriptionStatus
from tidings.domain.suspected import Suspected
from tidings.domain.tracked import NewTrackedEvent, TrackedEvent


class Subscriptions(Protocol):
    """Browsers and devices. One row per (App, address); addresses are sealed, found by a keyed hash."""

    def find(self, app_id: int, target: str) -> tuple[Subscription, bytes] | None:
        """Find by address; the bytes are the hash of the subscription's secret."""
        ...

    def hold(
        self, app_id: int, *, target: str | None = None, public_id: str | None = None
    ) -> tuple[Known | None, Known | None]:
        """Find the row with this address and the row with this id, and keep both from changing until the end."""
        ...

    def exchange(self, one: int, other: int) -> None:
        """Give each of two rows the address of the other, with the push service and key that belong to it."""
        ...

    def add(self, new: NewSubscription, *, public_id: str, secret_hash: bytes, now: datetime) -> Subscription: ...
    def refresh(
        self, subscription_id: int, new: NewSubscription, *, secret_hash: bytes | None, now: datetime, seen: bool = True
    ) -> Subscription:
        """Store a repeated registration: active again, seen now, with its new keys, owner, locale and tags.

        Not `seen` is a device that did not register itself.
        """
        ...

    def add_many(self, rows: Iterable[tuple[NewSubscription, str, bytes]], *, now: datetime) -> tuple[int, int]:
        """Import (subscription, public id, secret hash); count the new and the known (left as they were)."""
        ...

    def get(self, app_id: int, public_id: str) -> Subscription | None: ...
    def by_id(self, subscription_id: int) -> Subscription | None: ...
    def set_user(self, subscription_id: int, user_external_id: str | None) -> None: ...
    def set_tags(self, subscription_id: int, tags: Mapping[str, str]) -> None: ...
    def set_status(self, subscription_id: int, status: SubscriptionStatus, reason: str) -> None: ...
    def delete(self, app_id: int, public_id: str) -> bool: ...
    def address(self, subscription_id: int) -> Address | None:
        """Give the stored address, whatever the subscription's status."""
        ...

    def expire_made_with(self, credential_id: int, *, reason: str) -> int:
        """Expire every active subscription that was made with this credential; give how many."""
        ...

    def page(
        self,
        app_id: int,
        *,
        after: int,
        limit: int,
        status: SubscriptionStatus | None = None,
        user_external_id: str | None = None,
        integration_id: int | None = None,
        search: str = "",
    ) -> list[Subscription]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def statuses(self, app_id: int) -> dict[SubscriptionStatus, int]: ...
    def count(self, app_id: int, audience: Audience) -> int: ...
    def ceiling(self, app_id: int) -> int: ...
    def reached_since(self, credential_id: int, origin: str, *, since: datetime) -> bool:
        """Whether that origin took a message made with this key since then, for anybody who is still active."""
        ...

    def first_subscribed_user(self, app_id: int) -> str | None: ...
    def newest_device(self, app_id: int) -> str | None: ...
    def cut(self, app_id: int, audience: Audience, *, ceiling: int, size: int) -> list[tuple[int, int, int]]:
        """Cut the audience into (low id, high id, count) ranges of about `size` recipients, without copying them."""
        ...

    def recipients(self, app_id: int, audience: Audience, *, after: int, high: int, limit: int) -> list[Recipient]:
        """Read the next recipients with after < id <= high, by id; only active ones that have a credential."""
        ...

    def recipients_by_id(self, ids: Sequence[int], *, of: Audience = ...) -> list[Recipient]: ...
    def misplaced(self, ids: Collection[int]) -> dict[int, Suspected]: ...
    def count_misplaced(self, integration_id: int) -> int: ...
    def people(self, ids: Sequence[int]) -> dict[int, Person]:
        """Give who uses each of these subscriptions: what the App's server and the device itself have said."""
        ...

    def forget_suspicions(self, *, before: datetime) -> int:
        """Forget what was last held against an address before then; give how many rows."""
        ...

    def export(self, app_id: int) -> Iterator[tuple[Subscription, Recipient]]: ...


class Tracked(Protocol):
    """What devices did on their sites. A device's event with a known key is the one that is there."""

    def add(self, new: NewTrackedEvent, *, public_id: str, now: datetime) -> str: ...
    def knows(self, new: NewTrackedEvent) -> bool: ...
    def nth_newest(self, subscription_id: int, n: int) -> datetime | None:
        """When the device's n-th newest event was stored; None when it has fewer."""
        ...

    def page(self, subscription_id: int, *, after: int, limit: int) -> list[TrackedEvent]: ...
    def of_user(self, app_id: int, user_external_id: str, *, after: int, limit: int) -> list[TrackedEvent]:
        """List what a person did on any device, oldest first."""
        ...

    def forget_user(self, app_id: int, user_external_id: str) -> int: ...
    def purge(self, *, before: datetime, limit: int) -> int: ...
