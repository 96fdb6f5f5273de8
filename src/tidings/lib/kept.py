"""What was fetched is kept for a while, and fetched by one for all who ask meanwhile."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")

MOST = 64
"""Values that are kept; the one that was fetched first goes."""


@dataclass(frozen=True, slots=True)
class _Fetched(Generic[V]):
    at: float
    task: asyncio.Task[V]


class Kept(Generic[V]):
    """A cache by name of what takes a while to fetch. `keep` and `keep_fault` are in seconds of the clock `now`.

    Who asks while it is being fetched waits for that one fetch. What failed is not tried again for `keep_fault`, so
    that whoever asks on and on cannot make it be tried on and on.
    """

    def __init__(self, *, now: Callable[[], float], keep: float, keep_fault: float) -> None:
        self._now = now
        self._keep = keep
        self._keep_fault = keep_fault
        self._there: OrderedDict[str, _Fetched[V]] = OrderedDict()

    async def get(self, name: str, fetch: Callable[[], Awaitable[V]]) -> V:
        """Give what is kept, or fetch it. Raises what that raises.

        Who stops waiting does not end the fetch for the others.
        """
        found = self._there.get(name)
        if found is None or not self._is_good(found):
            found = _Fetched(self._now(), asyncio.ensure_future(fetch()))
            found.task.add_done_callback(_looked_at)
            self._there[name] = found
            self._there.move_to_end(name)
            while len(self._there) > MOST:
                self._there.popitem(last=False)
        return await asyncio.shield(found.task)

    def forget(self, name: str) -> None:
        """Keep it no longer."""
        self._there.pop(name, None)

    def _is_good(self, found: _Fetched[V]) -> bool:
        if not found.task.done():
            return True
        if found.task.cancelled():
            return False
        keep = self._keep if found.task.exception() is None else self._keep_fault
        return self._now() - found.at < keep


def _looked_at(task: asyncio.Task[object]) -> None:
    # Nobody may be waiting any more; a fault that nobody sees must not be reported as lost.
    if not task.cancelled():
        task.exception()
