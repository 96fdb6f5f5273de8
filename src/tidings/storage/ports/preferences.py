"""The ports of what people want to hear of, and of their feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.campaign import Notification
from tidings.domain.feed import FeedCounts, FeedEntry, FeedPerson, FeedPlace, FeedRead
from tidings.domain.preference import EventKind, PreferenceChannel, QuietWish, Standing

Switch = tuple[str, PreferenceChannel]
"""An event type's key, and where it may come."""


class Kinds(Protocol):
    """Event types as preferences see them."""

    def get(self, app_id: int, key: str) -> EventKind | None: ...
    def all(self, app_id: int) -> list[EventKind]: ...


class Preferences(Protocol):
    """What people said; for whom it is not said, the event type's own default holds."""

    def of_user(self, app_id: int, user: str) -> dict[Switch, bool]: ...
    def put(self, app_id: int, user: str, changes: Mapping[Switch, bool | None], *, now: datetime) -> None:
        """Turn switches; None goes back to the default."""
        ...

    def of_users(self, app_id: int, users: Sequence[str], switch: Switch) -> dict[str, bool]:
        """Give what some people said of one switch."""
        ...

    def quiet(self, app_id: int, user: str) -> QuietWish | None:
        """Give what a person said of quiet hours; None where they said nothing."""
        ...

    def set_quiet(self, app_id: int, user: str, wish: QuietWish | None, *, now: datetime) -> None: ...
    def standings(self, event_type: str, subscription_ids: Collection[int]) -> dict[int, Standing]:
        """Give what the people of some devices said of an event type's pushes, in one statement."""
        ...


class Feed(Protocol):
    """What people find in the bell. A notification's item is there from when it is to be sent, and goes when that is
    cancelled."""

    def add(self, notification: Notification, users: Sequence[str], *, kind: EventKind | None) -> int:
        """Put a notification into the feeds of these people; give into how many."""
        ...

    def broadcast(self, notification: Notification) -> None:
        """Note a notification to everybody, once."""
        ...

    def person(self, app_id: int, user: str, *, now: datetime) -> FeedPerson:
        """Give how far a person is; somebody new sees broadcasts from when they were known, or from now."""
        ...

    def page(
        self, person: FeedPerson, *, read: FeedRead, before: FeedPlace | None, limit: int, now: datetime
    ) -> list[FeedEntry]: ...
    def since(
        self, person: FeedPerson, *, read: FeedRead, after: FeedPlace, limit: int, now: datetime
    ) -> list[FeedEntry]:
        """List what came after a place, oldest first."""
        ...

    def counts(self, person: FeedPerson, *, read: FeedRead, now: datetime) -> FeedCounts: ...
    def mark(self, person: FeedPerson, public_ids: Sequence[str], *, archived: bool, now: datetime) -> int:
        """Note that items were read, or put away; give how many of them there are."""
        ...

    def mark_to(
        self,
        person: FeedPerson,
        *,
        now: datetime,
        seen_to: datetime | None = None,
        read_to: datetime | None = None,
        archived_to: datetime | None = None,
    ) -> None:
        """Note that everything up to a moment was seen, read or put away."""
        ...

    def of_user(
        self, app_id: int, user: str, *, after: int, limit: int
    ) -> list[tuple[int, datetime, datetime | None, datetime | None]]:
        """List a person's own rows as (notification, moment, read, put away), by notification."""
        ...

    def changed(self, *, since: datetime, until: datetime) -> list[tuple[int, str | None, int]]:
        """Give (App, user or None for everybody, what it was) of what came or was done after `since`."""
        ...

    def crowded(self, *, most: int, limit: int) -> list[tuple[int, str]]:
        """Give people with more items than that."""
        ...

    def trim(self, app_id: int, user: str, *, most: int) -> int:
        """Remove a person's oldest items beyond that many."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` items and broadcasts older than that."""
        ...
