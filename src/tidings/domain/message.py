"""What a notification says: one message model for every provider, and its rendered form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tidings.domain.platforms import SAME, Platforms


class Urgency(StrEnum):
    """How soon a device should be woken (RFC 8030 §5.3)."""

    VERY_LOW = "very-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Action:
    """A button under the notification."""

    id: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What it says in one language; None keeps the message's own. `actions` maps the id of a button to its title."""

    title: str | None = None
    body: str | None = None
    url: str | None = None
    actions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Templated:
    """What fills the gaps of a message whose texts and links are Liquid.

    The names of `variables` stand at the top level of its templates; `user`, whom it is for, is put in beside them when
    it is sent. `language` is that of the message's own words; `otherwise` is tried for those whose language it does
    not have. `template` and `version` name where the words were copied from.
    """

    variables: dict[str, Any] = field(default_factory=dict)
    language: str = "en"
    otherwise: str | None = None
    template: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its author wrote it, valid by construction of the edge that parsed it.

    `ttl` is in seconds (60 to 2 419 200). `collapse_id` replaces an earlier message with the same id.
    `locales` maps a language tag such as `de` or `pt-BR` to its translation. `platforms` is what it says differently
    on Android, on Apple's systems and in browsers. With `templated`, texts and links are Liquid.
    """

    title: str
    body: str = ""
    url: str | None = None
    icon: str | None = None
    image: str | None = None
    badge_count: int | None = None
    actions: tuple[Action, ...] = ()
    ttl: int = 86_400
    urgency: Urgency = Urgency.NORMAL
    collapse_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    locales: dict[str, Translation] = field(default_factory=dict)
    platforms: Platforms = SAME
    templated: Templated | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """One distinct result of rendering a Message: everything a provider needs that recipients share."""

    title: str
    body: str
    url: str | None
    icon: str | None
    image: str | None
    badge_count: int | None
    actions: tuple[Action, ...]
    urgency: Urgency
    collapse_id: str | None
    language: str | None
    data: dict[str, Any]
    platforms: Platforms = SAME
