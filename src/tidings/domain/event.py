"""What happened in an App: the types it declares, and the events of these types that its servers report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a person gets of an event type before they choose: a push, a place in the feed."""

    push: bool = True
    feed: bool = True


@dataclass(frozen=True, slots=True)
class Naming:
    """What a type is called in one language; None is as in the type's own words."""

    name: str | None = None
    description: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class NewEventType:
    """A type as an App declares it.

    `key` is dotted (`conversation.escalated`); `variables` is a JSON Schema of its events' data, `examples` are data
    that satisfy it. Of a `mandatory` one nobody can turn off what they get. `category` is what people see it under.
    `language` is that of name, description and category; `locales` has them in others, by language tag.
    """

    key: str
    name: str
    description: str = ""
    category: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Mapping[str, Any], ...] = ()
    defaults: Defaults = Defaults()
    mandatory: bool = False
    language: str = "en"
    locales: Mapping[str, Naming] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventType:
    """A stored event type. `edition` counts up with every change of it or of a trigger of it."""

    id: int
    app_id: int
    key: str
    name: str
    description: str
    category: str
    variables: dict[str, Any]
    examples: tuple[dict[str, Any], ...]
    defaults: Defaults
    mandatory: bool
    language: str
    locales: dict[str, Naming]
    edition: int
    created_at: datetime
    updated_at: datetime


class EventStatus(StrEnum):
    """Queued until its triggers were asked; `failed` when asking them failed again and again."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be stored once: the same `key` in the same App again is the same event; None is always another one.

    `users` and `actor` are external ids: whom it concerns, and who did it. `content` is a hash of what was reported,
    by which another event under a used key is told from a repeated one.
    """

    app_id: int
    public_id: str
    type: str
    key: str | None
    content: bytes
    data: Mapping[str, Any] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    actor: str | None = None
    occurred_at: datetime | None = None
    replay_of: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event. `key` is None where its sender gave it none."""

    id: int
    public_id: str
    app_id: int
    type: str
    key: str | None
    data: dict[str, Any]
    users: tuple[str, ...]
    actor: str | None
    occurred_at: datetime
    status: EventStatus
    fault: str | None
    replay_of: str | None
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of storing an event: its public id; `known` when it was there already, `differs` when as another."""

    public_id: str
    known: bool = False
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """Which events to list: of a type, naming a person, in a status."""

    type: str | None = None
    user: str | None = None
    status: EventStatus | None = None


def record_of(event: Event) -> dict[str, Any]:
    """Give an event as conditions and templates see it: its data, and who did it."""
    return {"event": event.data, "actor": None if event.actor is None else {"id": event.actor}}
