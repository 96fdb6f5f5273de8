"""Doorbells within one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tidings.bus import Doorbell

WAITING = 1_000
"""Doorbells kept for a slow listener; more are dropped, which costs it a second."""


class LocalBus:
    """One bounded queue a listener, all in one event loop."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._listeners: set[asyncio.Queue[Doorbell | None]] = set()
        self._closed = False

    async def ring(self, doorbell: Doorbell) -> None:
        """Tell all listeners; drops the bell for one that has too many waiting."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(doorbell)

    def listen(self) -> AsyncIterator[Doorbell]:
        """Give doorbells rung from this call on, until the bus is closed."""
        queue: asyncio.Queue[Doorbell | None] = asyncio.Queue(WAITING + 1)
        self._listeners.add(queue)
        if self._closed:
            queue.put_nowait(None)
        return self._bells(queue)

    async def _bells(self, queue: asyncio.Queue[Doorbell | None]) -> AsyncIterator[Doorbell]:
        try:
            while (bell := await queue.get()) is not None:
                yield bell
        finally:
            self._listeners.discard(queue)

    async def close(self) -> None:
        """End all listeners."""
        self._closed = True
        for queue in self._listeners:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
