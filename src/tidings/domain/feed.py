"""What a person finds in the bell: the same notifications, in the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.message import Message

MOST_ITEMS = 500
"""Items that are kept for one person: the newest."""


class FeedPlace(NamedTuple):
    """Where an item stands: by its moment, then by its notification."""

    at: datetime
    notification_id: int


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item: a notification, and what became of it here. `message` is as its author wrote it."""

    notification_id: int
    public_id: str
    event_type: str | None
    message: Message
    at: datetime
    seen: bool
    read_at: datetime | None
    archived_at: datetime | None

    @property
    def place(self) -> FeedPlace:
        """Where it stands."""
        return FeedPlace(self.at, self.notification_id)


@dataclass(frozen=True, slots=True)
class FeedPerson:
    """How far a person is with their feed: broadcasts are theirs from `since` on."""

    app_id: int
    user: str
    since: datetime
    seen_to: datetime
    read_to: datetime
    archived_to: datetime
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class FeedRead:
    """Which items are read: those put away, or the others; without broadcasts of event types that are `off`."""

    archived: bool = False
    off: tuple[str, ...] = ()


class FillStage(StrEnum):
    """Who is gone through: devices of people whom the App knows by those alone, then people whom it knows itself.

    In this order, as people become known meanwhile: whoever is not among the first any more is among the second.
    """

    DEVICES = "devices"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Fill:
    """How far a notification to many is with getting into their feeds: `cursor` is the id it has come to."""

    notification_id: int
    stage: FillStage
    cursor: int


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """How many items are there to read, and how many of them came since the bell was last opened."""

    unread: int = 0
    unseen: int = 0
