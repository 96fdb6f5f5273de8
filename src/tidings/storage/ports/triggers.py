"""The ports of triggers: what they are, what came of events, and the turn in which events are taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.event import Event
from tidings.domain.trigger import (
    Activity,
    Definition,
    Firing,
    FiringOutcome,
    FiringReason,
    NewFiring,
    Pending,
    PendingKind,
    Trigger,
    Window,
)


class Triggers(Protocol):
    """What is sent to whom when something happens."""

    def add(self, app_id: int, new: Definition, *, public_id: str, now: datetime) -> Trigger: ...
    def get(self, app_id: int, public_id: str) -> Trigger | None: ...
    def by_id(self, trigger_id: int) -> Trigger | None: ...
    def page(self, app_id: int, *, after: int, limit: int, event_type: str | None = None) -> list[Trigger]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def of_type(self, app_id: int, event_type: str) -> list[Trigger]:
        """Give the enabled triggers of a type, and those whose waiting messages an event of it takes back."""
        ...

    def naming(self, app_id: int, event_type: str) -> list[Trigger]:
        """Give every trigger that names a type, enabled or not."""
        ...

    def count(self, app_id: int) -> int: ...
    def change(self, trigger_id: int, new: Definition, *, now: datetime) -> Trigger: ...
    def delete(self, trigger_id: int) -> None:
        """Forget a trigger with what it counts and what it has still to send; what came of events stays."""
        ...


class Firings(Protocol):
    """What came of events, what triggers count, and what is still to be sent. Keys are texts; kept as keyed hashes."""

    def add(self, new: Sequence[NewFiring], *, now: datetime) -> None: ...
    def of_event(self, event_id: int) -> list[Firing]: ...
    def page(self, trigger_id: int, *, after: int, limit: int) -> list[Firing]:
        """List what came of a trigger, newest event first; `after` is the position of the last one seen."""
        ...

    def activity(self, trigger_id: int, *, limit: int) -> Activity:
        """Count what came of the newest `limit` events of a trigger."""
        ...

    def clock_went_back(self, *, now: datetime) -> None:
        """Let windows and waits that began at a time that is still to come begin now."""
        ...

    def window(self, trigger_id: int, key: str) -> Window | None:
        """Give what is counted, if anything is."""
        ...

    def hold(self, app_id: int, trigger_id: int, key: str, *, now: datetime) -> Window:
        """Give what is counted, and keep others from counting until the end; n is 0 where nothing was."""
        ...

    def count(self, trigger_id: int, key: str, window: Window, *, closes_at: datetime | None) -> None: ...
    def purge(self, *, now: datetime, limit: int) -> int: ...
    def wait(
        self, app_id: int, trigger_id: int, kind: PendingKind, key: str, *, due_at: datetime, now: datetime
    ) -> int:
        """Store something to be sent later and give its id; what is collected already for a digest gets one more."""
        ...

    def due(self, app_id: int, *, now: datetime, limit: int) -> list[Pending]: ...
    def events_of(self, pending_id: int, *, limit: int) -> list[Event]:
        """Give the newest events that wait for this, the oldest of them first."""
        ...

    def take(self, pending_id: int) -> bool:
        """Take what waited; False when somebody did before."""
        ...

    def settle(
        self,
        pending_id: int,
        outcome: FiringOutcome,
        reason: FiringReason = FiringReason.NONE,
        notifications: Sequence[str] = (),
    ) -> None:
        """Store what came of what was taken."""
        ...

    def give_up(self, pending_id: int, reason: FiringReason) -> bool:
        """Take what waited and send nothing; False when somebody took it before."""
        ...

    def take_back(self, trigger_id: int, key: str) -> int:
        """Settle what waits with this key as taken back; give how many messages that were."""
        ...


class Lanes(Protocol):
    """Whose turn it is to have the events of an App taken: one worker at a time, in their order."""

    def waiting(self, *, now: datetime, limit: int) -> list[int]:
        """Apps with something to do that nobody has in hand; who was served longest ago comes first."""
        ...

    def claim(self, app_id: int, *, owner: str, now: datetime, lease: float) -> int | None:
        """Take an App's lane and give the token; None when somebody has it."""
        ...

    def keep(self, app_id: int, token: int, *, now: datetime, lease: float) -> bool:
        """Hold the lane to the end of the transaction and longer; False when it was lost."""
        ...

    def release(self, app_id: int, token: int, *, now: datetime) -> None: ...
    def free(self, *, now: datetime) -> int:
        """Let every lease end now; only for a process that knows that nobody else takes events."""
        ...

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> None:
        """Free the lanes that were given back before the clock went back from `was`; leases end as they would have."""
        ...

    def queued(self, app_id: int, *, limit: int) -> list[Event]:
        """Give the oldest events that wait."""
        ...

    def take(self, ids: Collection[int], *, now: datetime) -> set[int]:
        """Mark events done that wait still; give which."""
        ...

    def fail(self, event_id: int, fault: str, *, now: datetime) -> bool: ...
