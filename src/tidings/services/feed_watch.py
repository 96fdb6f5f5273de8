"""Feed watch: one look at the database for everybody whose bell is open in this process, instead of one for each."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.storage import Store, StoreUnavailable

EVERY = 0.5
"""Seconds between two looks."""

BACK = timedelta(seconds=10)
"""How far back each look goes: a transaction becomes visible after the moment it notes."""

MOST_OF_ONE = 10
"""Streams of one person in this process."""

MOST = 5_000
"""Streams in this process."""

Who = tuple[int, str]


class FeedWatch:
    """Wakes whoever listens when something came for them, or when they did something on another page."""

    def __init__(self, *, store: Store, clock: Clock, every: float = EVERY) -> None:
        self._store = store
        self._clock = clock
        self._every = every
        self._listening: dict[Who, set[asyncio.Event]] = defaultdict(set)
        self._of_app: Counter[int] = Counter()
        self._known: dict[tuple[int, str | None, int], datetime] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """How many listen."""
        return self._of_app.total()

    @contextmanager
    def listening(self, app_id: int, user: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there may be news. Raises RATE_LIMITED and SERVICE_BUSY."""
        who = (app_id, user)
        if len(self._listening.get(who, ())) >= MOST_OF_ONE:
            raise CatalogueError(ErrorCode.RATE_LIMITED, f"This person has {MOST_OF_ONE} streams open already.")
        if self.streams >= MOST:
            raise CatalogueError(ErrorCode.SERVICE_BUSY)
        woken = asyncio.Event()
        self._listening[who].add(woken)
        self._of_app[app_id] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield woken
        finally:
            self._of_app[app_id] -= 1
            self._listening[who].discard(woken)
            if not self._listening[who]:
                del self._listening[who]

    def wake(self, app_id: int, user: str | None) -> None:
        """Wake a person's streams; with None everybody's of the App."""
        meant = [(app_id, user)] if user is not None else [one for one in self._listening if one[0] == app_id]
        for who in meant:
            for woken in self._listening.get(who, ()):
                woken.set()

    async def _watch(self) -> None:
        """Look again and again, as long as anybody listens."""
        # What is there already is nothing new.
        await self._look(wake=False)
        while self.streams:
            await asyncio.sleep(self._every)
            await self._look(wake=True)

    async def _look(self, *, wake: bool) -> None:
        now = self._clock.now()
        since = now - BACK
        try:
            who = list(self._listening)
            changed = await self._store.read(lambda tx: tx.feed.changed(who, since=since, until=now))
        except StoreUnavailable:
            return  # the next look goes as far back
        for one in changed:
            if one not in self._known and wake:
                self.wake(one[0], one[1])
            self._known.setdefault(one, now)
        self._known = {one: at for one, at in self._known.items() if at > since - BACK}
