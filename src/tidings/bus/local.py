"""Doorbells within one process."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tidings.bus import Doorbell, Listeners


class LocalBus:
    """Rings for those who listen in this process."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._listeners = Listeners()

    async def ring(self, doorbell: Doorbell) -> None:
        """Tell all listeners; drops the bell for one that has too many waiting."""
        self._listeners.ring(doorbell)

    def listen(self) -> AsyncIterator[Doorbell]:
        """Give doorbells rung from this call on, until the bus is closed."""
        return self._listeners.listen()

    async def connected(self) -> None:
        """Nobody is elsewhere."""

    async def close(self) -> None:
        """End all listeners."""
        self._listeners.close()
