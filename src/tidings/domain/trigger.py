"""Triggers: what is sent to whom when something happens, how often at most, and what came of each event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as Names
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from tidings.domain.filters import Filter, forgotten
from tidings.domain.message import Message, Urgency
from tidings.domain.rules import Rule

Paths = tuple[str, ...]
"""Fields of an event that make a key: `event.error.type`, `actor.id`."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `count` firings for a key within `window` seconds of the first; without a window, ever."""

    key: Paths
    count: int = 1
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Unless:
    """What takes a waiting message back: an event of this type with the same key, before it is sent."""

    event_type: str
    key: Paths


@dataclass(frozen=True, slots=True)
class Digest:
    """What happens with the same key within `window` seconds of the first is told in one message."""

    window: int
    key: Paths = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What it says: a template by its id, or a message of its own whose texts are Liquid, in `language`."""

    template: str | None = None
    message: Message | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Definition:
    """A trigger as its author wrote it. `delay` is in seconds; `urgency` and `ttl` replace the template's own."""

    name: str
    event_type: str
    audience: Rule
    words: Words
    conditions: Filter | None = None
    channels: tuple[str, ...] | None = None
    throttle: Throttle | None = None
    delay: int = 0
    unless: Unless | None = None
    digest: Digest | None = None
    urgency: Urgency | None = None
    ttl: int | None = None
    enabled: bool = True

    def without(self, names: Names[str]) -> Definition:
        """Give the trigger without these people's ids in its conditions and its rule."""
        conditions = None if self.conditions is None else forgotten(self.conditions, names)
        return replace(self, conditions=conditions, audience=self.audience.without(names))


@dataclass(frozen=True, slots=True)
class Trigger:
    """A stored trigger."""

    id: int
    public_id: str
    app_id: int
    definition: Definition
    created_at: datetime
    updated_at: datetime


class FiringOutcome(StrEnum):
    """What came of an event whose conditions a trigger's were: sent, kept back, or still to be sent."""

    FIRED = "fired"
    SUPPRESSED = "suppressed"
    WAITING = "waiting"
    COLLECTED = "collected"


class FiringReason(StrEnum):
    """Why a trigger whose conditions held sent nothing."""

    NONE = ""
    THROTTLED = "throttled"
    NOBODY = "nobody"
    UNLESS = "unless"
    CONDITIONS = "conditions_hold_no_more"
    TEMPLATE_MISSING = "template_missing"
    TRIGGER_OFF = "trigger_off"
    TOO_MANY_HELD = "too_many_held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Activity:
    """What came of the newest events whose conditions a trigger's were, and when it fired last."""

    fired: int = 0
    suppressed: int = 0
    waiting: int = 0
    last_fired_at: datetime | None = None


class PendingKind(StrEnum):
    """What waits to be sent: one message, or what is collected for a digest."""

    DELAY = "delay"
    DIGEST = "digest"


class NewFiring(NamedTuple):
    """What came of one event and one trigger."""

    event_id: int
    trigger_id: int
    app_id: int
    outcome: FiringOutcome
    reason: FiringReason = FiringReason.NONE
    notifications: tuple[str, ...] = ()
    pending_id: int | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """A stored firing, by public ids."""

    event: str
    trigger: str
    outcome: FiringOutcome
    reason: FiringReason
    notifications: tuple[str, ...]
    at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Pending:
    """What is to be sent at `due_at`, of `n` events."""

    id: int
    trigger_id: int
    kind: PendingKind
    n: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """How often a trigger fired for a key since `opened_at`."""

    opened_at: datetime
    n: int


def one_more(window: Window | None, throttle: Throttle, now: datetime) -> Window:
    """Count one more; a window that nothing was counted in, or that has had its time, is opened now."""
    if window is None or window.n == 0:
        return Window(now, 1)
    if throttle.window is not None and window.opened_at + timedelta(seconds=throttle.window) <= now:
        return Window(now, 1)
    return Window(window.opened_at, window.n + 1)


def key_of(paths: Paths, record: Mapping[str, Any]) -> str:
    """Give the values at these paths as one text; what is missing is null."""
    return json.dumps([_at(record, path) for path in paths], sort_keys=True, separators=(",", ":"), default=str)


def _at(record: Mapping[str, Any], path: str) -> Any:
    here: Any = record
    for name in path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here
