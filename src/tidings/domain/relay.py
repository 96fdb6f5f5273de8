"""Where a push service sends a message on by itself: to a topic, by a condition, through a broadcast channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidings.domain.subscription import Address


@dataclass(frozen=True, slots=True)
class NewRelay:
    """A relay to be stored; `label` is what people call it. A channel stays until it is deleted, others for a while."""

    app_id: int
    provider: str
    address: Address
    origin: str
    credential_id: int
    label: str
    channel: bool = False


@dataclass(frozen=True, slots=True)
class Relay:
    """A stored one. `last_active_at` is when the push service last took a message for it."""

    id: int
    public_id: str
    provider: str
    origin: str
    credential_id: int | None
    label: str
    address: Address
    created_at: datetime
    last_active_at: datetime | None
