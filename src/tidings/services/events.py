"""Events: what an App's servers report; stored in a moment, matched by the workers, never waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.audit import SYSTEM, Action, Actor, Subject, is_person
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.event import Event, EventType, NewEvent, Sought, Stored
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.json_schema import Checker
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction

MAX_DATA = 16_384
"""Bytes of an event's data as JSON."""

MOST_CHECKERS = 10_000
"""Schemas that are kept ready; of all Apps."""


@dataclass(frozen=True, slots=True)
class Reported:
    """An event as it was reported. `id` is its sender's own; `occurred_at` None is now."""

    type: str
    id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    actor: str | None = None
    occurred_at: datetime | None = None


class Events:
    """Takes events in, and shows what came of them."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._checkers: dict[tuple[int, int], Checker] = {}

    async def report(
        self, app_id: int, reported: Sequence[Reported | CatalogueError], *, by: Actor = SYSTEM
    ) -> list[Stored | CatalogueError]:
        """Store events and say of each, in their order, what became of it; what is an error already stays one.

        The errors are EVENT_TYPE_UNKNOWN, EVENT_TOO_LARGE, EVENT_INVALID and EVENT_ID_REUSED. Once this returns, the
        stored ones survive a crash; workers ask their triggers, and nobody waits for that.
        """
        keys = {one.type for one in reported if isinstance(one, Reported)}
        types = await self._store.read(lambda tx: tx.event_types.some(app_id, keys)) if keys else {}
        answers: list[Stored | CatalogueError | NewEvent] = [
            one if isinstance(one, CatalogueError) else self._checked(app_id, one, types) for one in reported
        ]
        new = [one for one in answers if isinstance(one, NewEvent)]
        if not new:
            return [one for one in answers if not isinstance(one, NewEvent)]
        now = self._clock.now()

        def store(tx: Transaction) -> list[Stored]:
            stored = tx.events.add(new, now=now)
            if is_person(by):
                about, detail = Subject("event_type", new[0].type), {"count": len(new)}
                tx.audit.add(by, Action.EVENTS_SENT, app_id=app_id, subject=about, detail=detail, now=now)
            return stored

        stored = await self._store.write(store)
        if not all(one.known for one in stored):
            await self._bus.ring(Doorbell(Bell.EVENT, 0))
        results = {one.public_id: _result(one, what) for one, what in zip(new, stored, strict=True)}
        return [results[one.public_id] if isinstance(one, NewEvent) else one for one in answers]

    async def get(self, app_id: int, public_id: str) -> Event:
        """Give one event. Raises NOT_FOUND."""
        found = await self._store.read(lambda tx: tx.events.get(app_id, public_id))
        if found is None:
            raise _not_found(public_id)
        return found

    async def page(self, app_id: int, sought: Sought, *, cursor: str | None, limit: int) -> Page[Event]:
        """List events, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.events.page(app_id, sought, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def check(self, app_id: int, one: Reported) -> None:
        """Raise what reporting this would raise; nothing is stored."""
        types = await self._store.read(lambda tx: tx.event_types.some(app_id, [one.type]))
        checked = self._checked(app_id, one, types)
        if isinstance(checked, CatalogueError):
            raise checked

    async def replay(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> str:
        """Let an event happen again, as a new one that names it; give the new one's id.

        Raises NOT_FOUND, and EVENT_TYPE_UNKNOWN or EVENT_INVALID where its type was changed since.
        """
        past = await self.get(app_id, public_id)
        types = await self._store.read(lambda tx: tx.event_types.some(app_id, [past.type]))
        again = self._checked(app_id, Reported(past.type, None, past.data, past.users, past.actor), types)
        if isinstance(again, CatalogueError):
            raise again
        now, new = self._clock.now(), replace(again, replay_of=past.public_id)

        def store(tx: Transaction) -> str:
            (stored,) = tx.events.add([new], now=now)
            about = Subject("event", past.public_id, past.type)
            detail = {"event": stored.public_id}
            tx.audit.add(by, Action.EVENT_REPLAYED, app_id=app_id, subject=about, detail=detail, now=now)
            return stored.public_id

        made = await self._store.write(store)
        await self._bus.ring(Doorbell(Bell.EVENT, 0))
        return made

    def _checked(self, app_id: int, one: Reported, types: Mapping[str, EventType]) -> NewEvent | CatalogueError:
        kind = types.get(one.type)
        if kind is None:
            return CatalogueError(ErrorCode.EVENT_TYPE_UNKNOWN, f"The App declares no event type {one.type[:100]!r}.")
        size = len(json.dumps(one.data, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_DATA:
            return CatalogueError(
                ErrorCode.EVENT_TOO_LARGE, f"The data have {size} bytes as JSON; {MAX_DATA} is the most."
            )
        faults = data_faults(self._checker(kind), one.data)
        if faults:
            detail = f"{faults[0].field}: {faults[0].message}"
            return CatalogueError(ErrorCode.EVENT_INVALID, detail, faults=faults)
        return NewEvent(
            app_id=app_id,
            public_id=self._ids.new("evt"),
            type=one.type,
            key=one.id,
            content=_content(one),
            data=one.data,
            users=tuple(dict.fromkeys(one.users)),
            actor=one.actor,
            occurred_at=one.occurred_at,
        )

    def _checker(self, kind: EventType) -> Checker:
        found = self._checkers.get((kind.id, kind.edition))
        if found is None:
            if len(self._checkers) >= MOST_CHECKERS:
                self._checkers.clear()
            found = self._checkers[kind.id, kind.edition] = Checker(kind.variables)
        return found


def data_faults(checker: Checker, data: Mapping[str, Any], *, place: str = "data") -> tuple[FieldFault, ...]:
    """Say what is wrong with an event's data, by field; `place` is the name they have in the request."""
    if checker.holds(data):
        return ()
    return tuple(FieldFault(".".join(filter(None, (place, one.place))), one.words) for one in checker.faults(data))


def _content(one: Reported) -> bytes:
    """Hash what was reported, by which another event under a used id is told from a repeated one."""
    when = one.occurred_at.isoformat() if one.occurred_at else None
    said = json.dumps([one.type, one.data, one.users, one.actor, when], sort_keys=True, separators=(",", ":"))
    return sha256(said.encode()).digest()


def _result(new: NewEvent, stored: Stored) -> Stored | CatalogueError:
    if not stored.differs:
        return stored
    return CatalogueError(ErrorCode.EVENT_ID_REUSED, f"{stored.public_id} has the id {new.key!r}, and says otherwise.")


def _not_found(public_id: str) -> CatalogueError:
    return CatalogueError(ErrorCode.NOT_FOUND, f"There is no event {public_id[:64]!r}.")
