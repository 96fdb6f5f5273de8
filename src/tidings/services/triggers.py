"""Triggers: kept, checked when they are saved, and tried dry."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import Event
from tidings.domain.trigger import Activity, Definition, Firing, Trigger
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.paging import Page, page_from, position_from
from tidings.services.trigger_checks import check_definition
from tidings.storage import Store, Transaction

MOST = 1_000
"""Triggers of an App."""

LATELY = 200
"""Events that a trigger's activity counts: the newest, so that a list of triggers costs the same for ever."""


class Triggers:
    """Makes, finds, changes and deletes triggers, and shows what came of them."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(self, app_id: int, new: Definition, *, by: Actor = SYSTEM) -> Trigger:
        """Keep a trigger. Raises EVENT_TYPE_UNKNOWN, TRIGGER_INVALID and TRIGGERS_TOO_MANY."""
        public_id, now = self._ids.new("trg"), self._clock.now()

        def create(tx: Transaction) -> Trigger:
            tx.apps.hold(app_id, "rules")
            check_definition(tx, app_id, new)
            if tx.triggers.count(app_id) >= MOST:
                raise CatalogueError(ErrorCode.TRIGGERS_TOO_MANY)
            made = tx.triggers.add(app_id, new, public_id=public_id, now=now)
            tx.audit.add(by, Action.TRIGGER_CREATED, app_id=app_id, subject=_subject(made), now=now)
            return made

        return await self._store.write(create)

    async def change(self, app_id: int, public_id: str, new: Definition, *, by: Actor = SYSTEM) -> Trigger:
        """Put another definition in its place; what waits is sent by the new one.

        Raises NOT_FOUND, EVENT_TYPE_UNKNOWN and TRIGGER_INVALID.
        """
        now = self._clock.now()

        def change(tx: Transaction) -> Trigger:
            tx.apps.hold(app_id, "rules")
            found = found_in(tx, app_id, public_id)
            check_definition(tx, app_id, new)
            changed = tx.triggers.change(found.id, new, now=now)
            detail = {"enabled": new.enabled} if new.enabled is not found.definition.enabled else {}
            tx.audit.add(by, Action.TRIGGER_CHANGED, app_id=app_id, subject=_subject(changed), detail=detail, now=now)
            return changed

        return await self._store.write(change)

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Forget a trigger; what waits is not sent any more. Raises NOT_FOUND."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            tx.apps.hold(app_id, "rules")
            found = found_in(tx, app_id, public_id)
            tx.triggers.delete(found.id)
            tx.audit.add(by, Action.TRIGGER_DELETED, app_id=app_id, subject=_subject(found), now=now)

        await self._store.write(delete)

    async def get(self, app_id: int, public_id: str) -> Trigger:
        """Give one trigger. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: found_in(tx, app_id, public_id))

    async def page(
        self, app_id: int, *, cursor: str | None, limit: int, event_type: str | None = None
    ) -> Page[Trigger]:
        """List triggers, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(
            lambda tx: tx.triggers.page(app_id, after=after, limit=limit + 1, event_type=event_type)
        )
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def activity(self, rows: Sequence[Trigger]) -> list[Activity]:
        """Give for each trigger what came of the newest LATELY events whose conditions it held for."""
        return await self._store.read(lambda tx: [tx.firings.activity(row.id, limit=LATELY) for row in rows])

    async def firings(self, app_id: int, public_id: str, *, cursor: str | None, limit: int) -> Page[Firing]:
        """List what came of a trigger, newest event first. Raises NOT_FOUND and INVALID_CURSOR."""
        after = position_from(cursor)

        def read(tx: Transaction) -> list[Firing]:
            return tx.firings.page(found_in(tx, app_id, public_id).id, after=after, limit=limit + 1)

        return page_from(await self._store.read(read), limit=limit, position=lambda row: row.position)

    async def of_event(self, event: Event) -> list[Firing]:
        """Give what came of an event."""
        return await self._store.read(lambda tx: tx.firings.of_event(event.id))


def found_in(tx: Transaction, app_id: int, public_id: str) -> Trigger:
    """Find a trigger. Raises NOT_FOUND."""
    found = tx.triggers.get(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no trigger {public_id[:64]!r}.")
    return found


def _subject(one: Trigger) -> Subject:
    return Subject("trigger", one.public_id, one.definition.name)
