"""The ports of what happens in Apps: the types they declare, and their events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.event import Event, EventType, NewEvent, NewEventType, Sought, Stored


class EventTypes(Protocol):
    """What kinds of events an App declares, by key."""

    def put(self, app_id: int, new: NewEventType, *, now: datetime) -> tuple[EventType, bool]:
        """Store a type, or change the one with its key; the second value tells whether it is new."""
        ...

    def get(self, app_id: int, key: str) -> EventType | None: ...
    def some(self, app_id: int, keys: Collection[str]) -> dict[str, EventType]:
        """Give those of the keys that are declared."""
        ...

    def page(self, app_id: int, *, after: int, limit: int) -> list[EventType]: ...
    def count(self, app_id: int) -> int: ...
    def delete(self, app_id: int, key: str) -> bool: ...


class Events(Protocol):
    """What happened. An App's event with a known key is the one that is there."""

    def add(self, new: Sequence[NewEvent], *, now: datetime) -> list[Stored]:
        """Store events and say of each, in their order, what it is now."""
        ...

    def get(self, app_id: int, public_id: str) -> Event | None: ...
    def page(self, app_id: int, sought: Sought, *, after: int, limit: int) -> list[Event]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def of_user(self, app_id: int, external_id: str, *, after: int, limit: int) -> list[Event]:
        """List what names a person, oldest first."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` events that were stored before then and do not wait any more."""
        ...
