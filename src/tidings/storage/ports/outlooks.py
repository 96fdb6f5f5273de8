"""The port of what is known of a whole audience before anything is sent to it."""

from __future__ import annotations

from typing import Protocol

from tidings.domain.audience import Audience
from tidings.domain.outlook import Alike, Keyed


class Outlooks(Protocol):
    """Counts of an audience's devices, by what decides whether they are told and when."""

    def keyed(self, app_id: int, audience: Audience, *, by_origin: bool) -> list[Keyed]:
        """Count the devices of an audience by their key, or by key and push service."""
        ...

    def ended(self, app_id: int, audience: Audience, *, reason: str) -> dict[str, int]:
        """Count, by provider, devices that would be in an audience if they had not expired for that reason."""
        ...

    def has_quiet_hours(self, app_id: int) -> bool:
        """Say whether anybody in the App set quiet hours."""
        ...

    def alike(self, app_id: int, audience: Audience, event_type: str) -> list[Alike]:
        """Count the devices of an audience by what their people said of an event type and of quiet hours."""
        ...
