"""Event types: what kinds of events an App declares, with the variables of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.event import EventType, NewEventType
from tidings.lib.clock import Clock
from tidings.lib.json_schema import Checker, schema_faults
from tidings.services.needing import named
from tidings.services.paging import Page, page_from, position_from
from tidings.services.trigger_checks import definition_faults
from tidings.storage import Store, Transaction

MOST = 1_000
"""Event types of an App."""


class EventTypes:
    """Keeps the catalogue of an App's events."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, app_id: int, new: NewEventType, *, by: Actor = SYSTEM) -> tuple[EventType, bool]:
        """Declare a type, or change the one with its key; the second value tells whether it is new.

        Raises EVENT_TYPE_INVALID, EVENT_TYPES_TOO_MANY, and EVENT_TYPE_IN_USE where a trigger reads what is gone.
        """
        check(new)
        now = self._clock.now()

        def put(tx: Transaction) -> tuple[EventType, bool]:
            tx.apps.hold(app_id, "rules")
            stored, made = tx.event_types.put(app_id, new, now=now)
            if made and tx.event_types.count(app_id) > MOST:
                raise CatalogueError(ErrorCode.EVENT_TYPES_TOO_MANY)
            if not made:
                _check_triggers(tx, stored)
            about = Subject("event_type", stored.key, stored.name)
            tx.audit.add(by, Action.EVENT_TYPE_SET, app_id=app_id, subject=about, detail={"new": made}, now=now)
            return stored, made

        return await self._store.write(put)

    async def get(self, app_id: int, key: str) -> EventType:
        """Give one type. Raises NOT_FOUND."""
        found = await self._store.read(lambda tx: tx.event_types.get(app_id, key))
        if found is None:
            raise _not_found(key)
        return found

    async def page(self, app_id: int, *, cursor: str | None, limit: int) -> Page[EventType]:
        """List types in the order in which they were declared. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.event_types.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def delete(self, app_id: int, key: str, *, by: Actor = SYSTEM) -> None:
        """Forget a type; events of it that are stored stay. Raises NOT_FOUND and EVENT_TYPE_IN_USE."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            tx.apps.hold(app_id, "rules")
            found = _needless(tx, app_id, key)
            tx.event_types.delete(app_id, key)
            about = Subject("event_type", key, found.name)
            tx.audit.add(by, Action.EVENT_TYPE_REMOVED, app_id=app_id, subject=about, now=now)

        await self._store.write(delete)

    async def check_deletable(self, app_id: int, key: str) -> None:
        """Raise what `delete` would, and delete nothing."""
        await self._store.read(lambda tx: _needless(tx, app_id, key))


def check(new: NewEventType) -> None:
    """Check what the shape of a request does not say.

    Raises EVENT_TYPE_INVALID for variables that are no schema we take, for examples that do not satisfy it, and for a
    language that is given twice.
    """
    faults = (*_twice(new), *_faults(new.variables, new.examples))
    if faults:
        more = f" ({len(faults) - 1} more in `errors`)" if len(faults) > 1 else ""
        detail = f"{faults[0].field}: {faults[0].message}{more}"
        raise CatalogueError(ErrorCode.EVENT_TYPE_INVALID, detail, faults=faults)


def _twice(new: NewEventType) -> Iterator[FieldFault]:
    taken = {new.language.lower().replace("_", "-"): "language"}
    for tag in new.locales:
        place = taken.setdefault(tag.lower().replace("_", "-"), f"locales.{tag}")
        if place != f"locales.{tag}":
            yield FieldFault(f"locales.{tag}", f"This is the language of `{place}` already.")


def _faults(variables: Mapping[str, Any], examples: tuple[Mapping[str, Any], ...]) -> Iterator[FieldFault]:
    wrong = schema_faults(variables)
    for one in wrong:
        yield FieldFault(".".join(filter(None, ("variables", one.place))), one.words)
    if wrong:
        return
    checker = Checker(variables)
    for n, example in enumerate(examples):
        for one in checker.faults(example):
            yield FieldFault(".".join(filter(None, ("examples", str(n), one.place))), one.words)


def _check_triggers(tx: Transaction, kind: EventType) -> None:
    for one in tx.triggers.naming(kind.app_id, kind.key):
        own = tx.event_types.get(kind.app_id, one.definition.event_type)
        fault = next(definition_faults(tx, kind.app_id, one.definition, own), None) if own else None
        if fault is not None:
            detail = f"{named([one])} could not do its work: {fault.field}: {fault.message}"
            raise CatalogueError(ErrorCode.EVENT_TYPE_IN_USE, detail)


def _needless(tx: Transaction, app_id: int, key: str) -> EventType:
    """Give a type that nothing needs. Raises NOT_FOUND, EVENT_TYPE_IN_USE."""
    found = tx.event_types.get(app_id, key)
    if found is None:
        raise _not_found(key)
    in_use = tx.triggers.naming(app_id, key)
    if in_use:
        raise CatalogueError(ErrorCode.EVENT_TYPE_IN_USE, f"{named(in_use)} would have no events any more.")
    return found


def _not_found(key: str) -> CatalogueError:
    return CatalogueError(ErrorCode.NOT_FOUND, f"There is no event type {key[:64]!r}.")
