"""Costly work, so much of it at once: whoever waits takes turns by whose it is, so that a flood waits for itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Crowded(Exception):
    """Too many wait; come back later."""


class Turns:
    """Lets `at_once` work and `most` wait.

    Who is nobody in particular (`None`) goes before everybody who is named. Of the others one name has its turn after
    the other, however many each has in line; where the line is full, the name with the most in it loses its last.
    """

    def __init__(self, *, at_once: int, most: int) -> None:
        self._free = at_once
        self._most = most
        self._first: deque[asyncio.Future[None]] = deque()
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._first) + sum(len(line) for line in self._lines.values())

    @asynccontextmanager
    async def turn(self, whose: str | None) -> AsyncIterator[None]:
        """Wait for one's turn and have it. Raises Crowded, at once or while waiting."""
        if self._free and not self.waiting:
            self._free -= 1
        else:
            await self._wait(whose)
        try:
            yield
        finally:
            self._free += 1
            self._call_next()

    async def _wait(self, whose: str | None) -> None:
        if self.waiting >= self._most:
            self._make_room(whose)
        mine = asyncio.get_running_loop().create_future()
        line = self._first if whose is None else self._lines.setdefault(whose, deque())
        line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine in line:
                line.remove(mine)
                self._forget_empty(whose)
            elif mine.done() and not mine.cancelled() and mine.exception() is None:
                self._free += 1
                self._call_next()
            raise

    def _make_room(self, whose: str | None) -> None:
        longest = max(self._lines, key=lambda name: len(self._lines[name]), default=None)
        own = 0 if whose is None else len(self._lines.get(whose, ())) + 1
        if longest is None or own >= len(self._lines[longest]):
            raise Crowded
        self._lines[longest].pop().set_exception(Crowded())
        self._forget_empty(longest)

    def _call_next(self) -> None:
        while self._free and (mine := self._next()) is not None:
            if not mine.done():
                self._free -= 1
                mine.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        if self._first:
            return self._first.popleft()
        if not self._lines:
            return None
        name, line = self._lines.popitem(last=False)
        found = line.popleft()
        if line:
            self._lines[name] = line
        return found

    def _forget_empty(self, name: str | None) -> None:
        if name is not None and not self._lines.get(name, True):
            del self._lines[name]
