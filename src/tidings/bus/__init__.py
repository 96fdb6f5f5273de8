"""Who wakes whom: doorbells that carry ids and control words, never data.

The database is the truth. A bus may lose, repeat or delay any doorbell, and only time is lost: the dispatcher looks
into the database every second anyway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Protocol
from urllib.parse import urlsplit

REGISTRY = {
    "local": "tidings.bus.local:LocalBus",
}
"""URL scheme -> dotted place, imported on first use. A new bus is one file and one line here."""


class Bell(StrEnum):
    """What a doorbell says."""

    WORK = "work"
    CONTROL = "control"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Doorbell:
    """`WORK`: this notification has something to do. `CONTROL`: its status was changed by somebody.

    `EVENT`: an App has reported something; it is for no notification yet.
    """

    bell: Bell
    notification_id: int


class Bus(Protocol):
    """Carries doorbells to everyone who listens."""

    async def ring(self, doorbell: Doorbell) -> None:
        """Tell all listeners; never waits for them."""
        ...

    def listen(self) -> AsyncIterator[Doorbell]:
        """Give doorbells from now on, until the bus is closed."""
        ...

    async def close(self) -> None:
        """End all listeners."""
        ...


def bus_from(url: str | None) -> Bus:
    """Give the bus for TIDINGS_BUS_URL; without one, doorbells ring inside this process.

    Raises ValueError for a scheme that no bus is registered for.
    """
    scheme = urlsplit(url).scheme if url else "local"
    place = REGISTRY.get(scheme)
    if place is None:
        known = ", ".join(sorted(REGISTRY))
        raise ValueError(f"TIDINGS_BUS_URL begins with {scheme!r}; this version knows {known}.")
    module, _, attribute = place.partition(":")
    found: Bus = getattr(import_module(module), attribute)(url)
    return found
