"""The ports of what people want to hear of, and of their feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.audience import Audience
from tidings.domain.campaign import Notification
from tidings.domain.feed import FeedCounts, FeedEntry, FeedPerson, FeedPlace, FeedRead, Fill, FillStage
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

    def add(
        self, notification: Notification, users: Sequence[str], *, kind: EventKind | None, at: datetime | None = None
    ) -> int:
        """Put a notification into the feeds of these people, from `at` or when it is to be sent; give into how many."""
        ...

    def broadcast(self, notification: Notification, *, but: str | None = None) -> None:
        """Note a notification to everybody, or everybody but one, once."""
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

    def changed(
        self, listening: Collection[tuple[int, str]], *, since: datetime, until: datetime
    ) -> list[tuple[int, str | None, int]]:
        """Give (App, user or None for everybody, what it was) of what came or was done after `since`.

        What concerns one person is given of those alone that are `listening`.
        """
        ...

    def crowded(self, *, most: int, after: tuple[int, str] | None, limit: int) -> list[tuple[int, str]]:
        """Give the next people with more items than that, as (App, user); from the first with None."""
        ...

    def trim(self, app_id: int, user: str, *, most: int, limit: int) -> int:
        """Remove up to `limit` of a person's items beyond that many, the oldest."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` items and broadcasts older than that."""
        ...


class FeedFills(Protocol):
    """What is being put into the feeds of many who are not named, some people at a time."""

    def begin(self, notification: Notification) -> None:
        """Note that it is to be put into feeds, from when it is to be sent."""
        ...

    def due(self, *, now: datetime, limit: int) -> list[Fill]:
        """Give those whose time has come, of each App the oldest; what the tripwire holds waits."""
        ...

    def owners(self, app_id: int, audience: Audience, *, after: int, limit: int) -> list[tuple[int, str]]:
        """Give the next devices of an audience, by id, whose people the App knows by their devices alone."""
        ...

    def still(self, stage: FillStage, rows: Mapping[int, str]) -> list[str]:
        """Give whose these rows are, by id, where they still are; nobody is erased until the end."""
        ...

    def advance(self, fill: Fill, to: Fill | None) -> bool:
        """Go on from another place, or end with None; False when somebody else has gone on from there."""
        ...

    def drop(self, notification_id: int) -> None: ...
    def clock_went_back(self, *, now: datetime, was: datetime) -> None: ...
