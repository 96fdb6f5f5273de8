"""What a device did on its site: an event that its page reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewTrackedEvent:
    """An event to be stored once: the same `key` of the same device again is the same event."""

    app_id: int
    subscription_id: int
    user_external_id: str | None
    key: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrackedEvent:
    """A stored event; `user_external_id` is whose device it was when it happened."""

    id: int
    public_id: str
    name: str
    properties: dict[str, Any]
    user_external_id: str | None
    at: datetime
