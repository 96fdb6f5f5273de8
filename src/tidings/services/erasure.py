"""Erasing somebody's data: nothing is sent to them from the answer on, and what hangs on them goes step by step."""

from __future__ import annotations

import asyncio
import time

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.app import App
from tidings.domain.erasure import Erasure as Found
from tidings.domain.erasure import ErasureStatus
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction

AT_ONCE = 500
"""Rows that one transaction removes."""

PATIENCE = 10.0
"""Seconds for which an answer waits for what is being sent, and for the end of the erasure; then it goes on alone."""

LOOK_EVERY = 0.05
"""Seconds between looks whether chunks have come back."""

RUNNING_AT_ONCE = 20


class Erasure:
    """Erases people, devices and whole Apps."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids

    async def user(self, app: App, external_id: str) -> Found:
        """Erase a person with all their devices; one of whom nothing is known has an empty erasure.

        When this returns, nothing more is sent to them, unless the status is `running` and `in_hand` names chunks.
        """
        public_id, now = self._ids.new("era"), self._clock.now()
        begun = await self._store.write(
            lambda tx: tx.erasures.user(app, external_id, public_id=public_id, now=now), urgent=True
        )
        return await self._carried(begun)

    async def subscription(self, app: App, public_id: str) -> Found:
        """Erase one device. Raises NOT_FOUND for one that was never here."""
        erasure_id, now = self._ids.new("era"), self._clock.now()
        begun = await self._store.write(
            lambda tx: tx.erasures.device(app, public_id, public_id=erasure_id, now=now), urgent=True
        )
        if begun is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
        return await self._carried(begun)

    async def app(self, app: App) -> Found:
        """Erase an App with everything in it; it is found by nobody from now on."""
        public_id, now = self._ids.new("era"), self._clock.now()
        begun = await self._store.write(lambda tx: tx.erasures.app(app, public_id=public_id, now=now), urgent=True)
        await self._bus.ring(Doorbell(Bell.CONTROL, 0))
        return await self._carried(begun)

    async def get(self, public_id: str) -> Found:
        """Give an erasure. Raises NOT_FOUND."""
        found = await self._store.read(lambda tx: tx.erasures.get(public_id))
        if found is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no erasure {public_id[:64]!r}.")
        return found

    async def page(self, app_id: int, *, cursor: str | None, limit: int) -> Page[Found]:
        """List erasures, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.erasures.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def go_on(self) -> int:
        """Carry on what is not done; for the background of any worker. Gives how many are left."""
        running = await self._store.read(lambda tx: tx.erasures.running(limit=RUNNING_AT_ONCE))
        for erasure_id in running:
            await self._work(erasure_id, until=None)
        return len(await self._store.read(lambda tx: tx.erasures.running(limit=RUNNING_AT_ONCE)))

    async def _carried(self, begun: Found) -> Found:
        """Carry an erasure as far as an answer may wait for it."""
        if begun.status is ErasureStatus.DONE:
            return begun
        until = time.monotonic() + PATIENCE
        now = self._clock.now()
        await self._store.write(lambda tx: tx.erasures.note_in_hand(begun.id, now=now))
        while await self._in_hand(begun.id) and time.monotonic() < until:  # noqa: ASYNC110 - others end it
            await asyncio.sleep(LOOK_EVERY)
        await self._work(begun.id, until=until)
        return await self.get(begun.public_id)

    async def _in_hand(self, erasure_id: int) -> int:
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.erasures.still_in_hand(erasure_id, now=now))

    async def _work(self, erasure_id: int, *, until: float | None) -> None:
        def step(tx: Transaction) -> bool:
            return tx.erasures.step(erasure_id, limit=AT_ONCE, now=self._clock.now())

        while await self._store.write(step):
            if until is not None and time.monotonic() >= until:
                return
