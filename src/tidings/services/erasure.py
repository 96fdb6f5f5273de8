"""Erasing somebody's data: nothing is sent to them from the answer on, and what hangs on them goes step by step."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.app import App
from tidings.domain.audit import Action, Actor
from tidings.domain.audit import Subject as AuditSubject
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

    async def user(self, app: App, external_id: str, *, by: Actor) -> Found:
        """Erase a person with all their devices; one of whom nothing is known has an empty erasure.

        When this returns, nothing more is sent to them, unless the status is `running` and `in_hand` names chunks.
        """
        public_id, now = self._ids.new("era"), self._clock.now()

        def begin(tx: Transaction) -> Found:
            begun = tx.erasures.user(app, external_id, public_id=public_id, now=now)
            _note(tx, begun, app, external_id, new=begun.public_id == public_id, by=by, now=now)
            return begun

        return await self._carried(await self._store.write(begin, urgent=True))

    async def subscription(self, app: App, public_id: str, *, by: Actor) -> Found:
        """Erase one device. Raises NOT_FOUND for one that was never here."""
        erasure_id, now = self._ids.new("era"), self._clock.now()

        def begin(tx: Transaction) -> Found:
            begun = tx.erasures.device(app, public_id, public_id=erasure_id, now=now)
            if begun is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
            _note(tx, begun, app, public_id, new=begun.public_id == erasure_id, by=by, now=now)
            return begun

        return await self._carried(await self._store.write(begin, urgent=True))

    async def app(self, app: App, *, by: Actor) -> Found:
        """Erase an App with everything in it; it is found by nobody from now on."""
        public_id, now = self._ids.new("era"), self._clock.now()

        def begin(tx: Transaction) -> Found:
            about = AuditSubject("app", app.public_id, app.name)
            tx.audit.add(by, Action.APP_DELETED, app_id=None, subject=about, detail={"erasure": public_id}, now=now)
            return tx.erasures.app(app, public_id=public_id, now=now)

        begun = await self._store.write(begin, urgent=True)
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


def _note(tx: Transaction, begun: Found, app: App, name: str, *, new: bool, by: Actor, now: datetime) -> None:
    """Write down who had it erased; whose data it was only as a pseudonym, as in all of the log."""
    if new:
        about = AuditSubject(begun.subject.value, tx.audit.pseudonym(app.id, name))
        detail = {"erasure": begun.public_id}
        tx.audit.add(by, Action.PERSONAL_DATA_ERASED, app_id=app.id, subject=about, detail=detail, now=now)
