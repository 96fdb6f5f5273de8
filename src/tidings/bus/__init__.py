"""Who wakes whom: doorbells that carry ids and control words, never data.

The database is the truth. A bus may lose, repeat or delay any doorbell, and only time is lost: the dispatcher looks
into the database every second anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Protocol

REGISTRY = {
    "local": "tidings.bus.local:LocalBus",
    "nats": "tidings.bus.nats:NatsBus",
    "tls": "tidings.bus.nats:NatsBus",
}
"""URL scheme -> dotted place, imported on first use. A new bus is one file and one line here."""


WAITING = 1_000
"""Doorbells kept for a slow listener; more are dropped, which costs it a second."""


class BusRefused(ValueError):
    """TIDINGS_BUS_URL names no bus that can be used; `mend` says what to do."""

    def __init__(self, what: str, *, mend: str) -> None:
        super().__init__(f"{what} {mend}")
        self.what = what
        self.mend = mend


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

    async def connected(self) -> None:
        """Wait until what is rung here reaches the others, and what they ring from now on is heard here."""
        ...

    async def close(self) -> None:
        """End all listeners."""
        ...


class Listeners:
    """Those who listen within one process: a bounded queue for each, all in one event loop."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Doorbell | None]] = set()
        self._closed = False

    def ring(self, doorbell: Doorbell) -> None:
        """Tell all of them; drops the bell for one that has too many waiting."""
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(doorbell)

    def listen(self) -> AsyncIterator[Doorbell]:
        """Give doorbells rung from this call on, until all is closed."""
        queue: asyncio.Queue[Doorbell | None] = asyncio.Queue(WAITING + 1)
        self._queues.add(queue)
        if self._closed:
            queue.put_nowait(None)
        return self._bells(queue)

    async def _bells(self, queue: asyncio.Queue[Doorbell | None]) -> AsyncIterator[Doorbell]:
        try:
            while (bell := await queue.get()) is not None:
                yield bell
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End all of them."""
        self._closed = True
        for queue in self._queues:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)


def bus_from(url: str | None) -> Bus:
    """Give the bus for TIDINGS_BUS_URL; without one, doorbells ring inside this process.

    Raises BusRefused for a scheme that no bus is registered for, and for an address that a bus cannot use.
    """
    scheme = url.partition("://")[0].lower() if url else "local"
    place = REGISTRY.get(scheme)
    if place is None:
        raise BusRefused(
            f"TIDINGS_BUS_URL begins with {scheme!r}; this version knows {', '.join(sorted(REGISTRY))}.",
            mend="Write it as nats://nats.example.com:4222, or leave it out.",
        )
    module, _, attribute = place.partition(":")
    found: Bus = getattr(import_module(module), attribute)(url)
    return found
