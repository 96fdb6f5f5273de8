"""Segments: conditions kept under names, counted, and held on to while something is sent to them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from tidings.domain.audience import Matching
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.filters import Filter, Root, check, filter_from, refusal, topic_named
from tidings.domain.rules import InSegment
from tidings.domain.segment import Estimate, Segment
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.needing import triggers_of
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction

MOST = 1_000
"""Segments of an App."""

_AT_ONCE = 100
_NAMED = 3
"""Users of a segment that a refusal names."""

CONDITIONS = "conditions"


class Place(StrEnum):
    """Where conditions are to stand, which says what they may ask for."""

    SEGMENT = "segment"
    TRIGGER = "trigger"


_ROOTS = {
    Place.SEGMENT: frozenset({Root.USER, Root.SUBSCRIPTION}),
    Place.TRIGGER: frozenset({Root.EVENT, Root.ACTOR, Root.USER}),
}


class Segments:
    """Makes, finds, changes, counts and deletes segments."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(self, app_id: int, name: str, conditions: Filter, *, by: Actor = SYSTEM) -> Segment:
        """Keep a segment. Raises SEGMENT_NAME_TAKEN and SEGMENTS_TOO_MANY."""
        public_id, now = self._ids.new("seg"), self._clock.now()

        def create(tx: Transaction) -> Segment:
            tx.apps.hold(app_id, "rules")
            if tx.segments.total(app_id) >= MOST:
                raise CatalogueError(ErrorCode.SEGMENTS_TOO_MANY)
            made = tx.segments.add(app_id, public_id=public_id, name=name, conditions=conditions, now=now)
            if made is None:
                raise _taken(name)
            tx.audit.add(by, Action.SEGMENT_CREATED, app_id=app_id, subject=_subject(made), now=now)
            return made

        return await self._store.write(create)

    async def change(
        self, app_id: int, public_id: str, *, name: str | None, conditions: Filter | None, by: Actor = SYSTEM
    ) -> Segment:
        """Change what is not None; what was sent to it before stays as it was.

        Raises NOT_FOUND and SEGMENT_NAME_TAKEN.
        """
        now = self._clock.now()

        def change(tx: Transaction) -> Segment:
            tx.apps.hold(app_id, "rules")
            found = found_in(tx, app_id, public_id)
            if name in (None, found.name) and conditions in (None, found.filter):
                return found
            changed = tx.segments.update(found.id, name=name, conditions=conditions, now=now)
            if changed is None:
                raise _taken(name or "")
            detail = {"conditions": changed.filter != found.filter, "name": changed.name != found.name}
            tx.audit.add(by, Action.SEGMENT_CHANGED, app_id=app_id, subject=_subject(changed), detail=detail, now=now)
            return changed

        return await self._store.write(change)

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Forget a segment. Raises NOT_FOUND, and SEGMENT_IN_USE while a trigger or what is not sent yet needs it."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            tx.apps.hold(app_id, "rules")
            found = _needless(tx, app_id, public_id)
            tx.segments.delete(app_id, public_id)
            tx.audit.add(by, Action.SEGMENT_DELETED, app_id=app_id, subject=_subject(found), now=now)

        await self._store.write(delete)

    async def check_deletable(self, app_id: int, public_id: str) -> None:
        """Raise what `delete` would, and delete nothing."""
        await self._store.read(lambda tx: _needless(tx, app_id, public_id))

    async def get(self, app_id: int, public_id: str) -> Segment:
        """Give one segment. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: found_in(tx, app_id, public_id))

    async def page(self, app_id: int, *, cursor: str | None, limit: int, name: str | None = None) -> Page[Segment]:
        """List segments, newest first, or the one of a name. Raises INVALID_CURSOR."""
        if name is not None:
            found = await self._store.read(lambda tx: tx.segments.by_name(app_id, name))
            return Page([] if found is None else [found], None)
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.segments.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def count(self, app_id: int, conditions: Filter) -> Estimate:
        """Count the devices that conditions hold for: exactly, or by samples where there are very many."""
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.segments.estimate(app_id, conditions, at=now))

    async def count_of(self, app_id: int, public_id: str) -> Estimate:
        """Count the devices of a segment, likewise. Raises NOT_FOUND."""
        now = self._clock.now()
        return await self._store.read(
            lambda tx: tx.segments.estimate(app_id, found_in(tx, app_id, public_id).filter, at=now)
        )

    async def audience(self, app_id: int, public_id: str) -> Matching:
        """Give whom a message to a segment is for: those its conditions of this moment hold for.

        Raises AUDIENCE_INVALID.
        """
        now = self._clock.now()

        def look(tx: Transaction) -> Matching | None:
            found = tx.segments.get(app_id, public_id)
            if found is None:
                return None
            topic = topic_named(found.filter)
            few = topic is not None and tx.follows.few(app_id, topic)
            return Matching(found.filter, now, found.public_id, few)

        found = await self._store.read(look)
        if found is None:
            words = f"There is no segment {public_id[:64]!r}; it may have been deleted."
            fault = FieldFault("to.segment", words)
            raise CatalogueError(ErrorCode.AUDIENCE_INVALID, f"to.segment: {words}", faults=(fault,))
        return found


def conditions_from(form: object, *, place: Place = Place.SEGMENT) -> Filter:
    """Read conditions in one of their two forms, for a place where they are to stand.

    Raises FILTER_INVALID; each of its faults begins with `conditions`.
    """
    try:
        tree = filter_from(form)
    except CatalogueError as wrong:
        raise refusal([_under(one) for one in wrong.faults]) from None
    bound = frozenset[Root]() if place is Place.SEGMENT else None
    faults = check(tree, roots=_ROOTS[place], bound=bound)
    if faults:
        raise refusal([_under(one) for one in faults])
    return tree


def found_in(tx: Transaction, app_id: int, public_id: str) -> Segment:
    """Find a segment in a transaction. Raises NOT_FOUND."""
    found = tx.segments.get(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no segment {public_id[:64]!r}.")
    return found


def _needless(tx: Transaction, app_id: int, public_id: str) -> Segment:
    """Give a segment that nothing needs. Raises NOT_FOUND, SEGMENT_IN_USE."""
    found = found_in(tx, app_id, public_id)
    users = list(_users(tx, found))
    if users:
        more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
        raise CatalogueError(ErrorCode.SEGMENT_IN_USE, f"It is used by {', '.join(users[:_NAMED])}{more}.")
    return found


def _users(tx: Transaction, segment: Segment) -> Iterator[str]:
    """Name what needs a segment: triggers, and notifications that are not sent to everybody yet."""
    for one in triggers_of(tx, segment.app_id):
        if InSegment(segment.public_id) in one.definition.audience.parts:
            yield f"the trigger {one.definition.name!r} ({one.public_id})"
    for public_id in tx.notifications.unfinished_to(segment.app_id, segment.public_id, limit=_AT_ONCE):
        yield f"the notification {public_id}"


def _under(fault: FieldFault) -> FieldFault:
    return FieldFault(f"{CONDITIONS}.{fault.field}" if fault.field else CONDITIONS, fault.message)


def _taken(name: str) -> CatalogueError:
    return CatalogueError(
        ErrorCode.SEGMENT_NAME_TAKEN,
        f"There is a segment named {name[:64]!r} already.",
        faults=(FieldFault("name", "Another segment has this name."),),
    )


def _subject(segment: Segment) -> Subject:
    return Subject("segment", segment.public_id, segment.name)
