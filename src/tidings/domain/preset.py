"""Presets: event types, templates, triggers and segments that are made together, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidings.domain.event import NewEventType
from tidings.domain.filters import Filter
from tidings.domain.template import NewTemplate
from tidings.domain.trigger import Definition


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment as it is to be."""

    name: str
    conditions: Filter


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset makes, in this order.

    All but event types stand under names of the preset's own; `words.template` and a segment in the audience of a
    trigger are such names.
    """

    name: str
    title: str
    description: str
    event_types: tuple[NewEventType, ...]
    templates: tuple[tuple[str, NewTemplate], ...]
    triggers: tuple[tuple[str, Definition], ...]
    segments: tuple[tuple[str, NewSegment], ...]


class PartKind(StrEnum):
    """What a part of a preset is."""

    EVENT_TYPE = "event_type"
    TEMPLATE = "template"
    TRIGGER = "trigger"
    SEGMENT = "segment"


class PartOutcome(StrEnum):
    """Made now; there as the preset has it; or there, but changed since, and left alone."""

    MADE = "made"
    THERE = "there"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one part; `id` is an event type's key or a public id, `name` what people call it in the App."""

    kind: PartKind
    id: str
    name: str
    outcome: PartOutcome
