"""Templates: words with gaps, kept under a name, that triggers and servers send by their id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.domain.message import Message, Templated


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template as its author wrote it. `event_type` is the key of the event whose variables it reads.

    `language` is that of the message's own words; its variants are the message's `locales`.
    """

    name: str
    message: Message
    event_type: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Template:
    """A stored template; `version` counts up with every change. A notification keeps the words it was made with."""

    id: int
    public_id: str
    app_id: int
    name: str
    message: Message
    event_type: str | None
    language: str
    version: int
    created_at: datetime
    updated_at: datetime

    def filled(self, variables: Mapping[str, Any], *, otherwise: str | None = None) -> Message:
        """Give the message that says this, with what fills its gaps; `otherwise` is the App's language."""
        templated = Templated(dict(variables), self.language, otherwise, self.public_id, self.version)
        return replace(self.message, templated=templated)
