"""Presets: makes what of a preset is not there yet, and leaves alone what is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from tidings.domain.app import App
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import EventType, NewEventType
from tidings.domain.preset import NewSegment, Part, PartKind, PartOutcome, Preset
from tidings.domain.rules import InSegment
from tidings.domain.segment import Segment
from tidings.domain.template import NewTemplate
from tidings.domain.trigger import Definition
from tidings.lib.clock import Clock
from tidings.lib.ids import ALPHABET
from tidings.services.event_types import MOST as MOST_EVENT_TYPES
from tidings.services.segments import MOST as MOST_SEGMENTS
from tidings.services.templates import MOST as MOST_TEMPLATES
from tidings.services.templates import check_variables
from tidings.services.trigger_checks import check_definition
from tidings.services.triggers import MOST as MOST_TRIGGERS
from tidings.storage import Store, Transaction


class Presets:
    """Makes what presets have, all of it or nothing."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def apply(self, app: App, preset: Preset, *, by: Actor = SYSTEM) -> list[Part]:
        """Make what is not there, and say what became of each part.

        All but event types are known by an id that comes from App, preset and its name there, so that a second call
        finds them whatever they are called by now. Raises PRESET_IN_THE_WAY where the App's own event type or template
        of that name does not fit, and the errors of too many.
        """
        now = self._clock.now()

        def apply(tx: Transaction) -> list[Part]:
            tx.apps.hold(app.id, "rules")
            return _Applying(tx, app, preset, by=by, now=now).run()

        return await self._store.write(apply)


class _Applying:
    """One call, in one transaction."""

    def __init__(self, tx: Transaction, app: App, preset: Preset, *, by: Actor, now: datetime) -> None:
        self._tx = tx
        self._app = app
        self._preset = preset
        self._by = by
        self._now = now
        self._templates: dict[str, str] = {}
        self._segments: dict[str, str] = {}

    def run(self) -> list[Part]:
        preset = self._preset
        return [
            *(self._event_type(new) for new in preset.event_types),
            *(self._template(key, new) for key, new in preset.templates),
            *(self._segment(key, new) for key, new in preset.segments),
            *(self._trigger(key, new) for key, new in preset.triggers),
        ]

    def _event_type(self, new: NewEventType) -> Part:
        found = self._tx.event_types.get(self._app.id, new.key)
        if found is not None:
            return Part(PartKind.EVENT_TYPE, found.key, found.name, _there(_declared(found) == new))
        self._tx.event_types.put(self._app.id, new, now=self._now)
        if self._tx.event_types.count(self._app.id) > MOST_EVENT_TYPES:
            raise CatalogueError(ErrorCode.EVENT_TYPES_TOO_MANY)
        self._audit(Action.EVENT_TYPE_SET, Subject("event_type", new.key, new.name), new=True)
        return Part(PartKind.EVENT_TYPE, new.key, new.name, PartOutcome.MADE)

    def _template(self, key: str, new: NewTemplate) -> Part:
        tx, app_id, public_id = self._tx, self._app.id, self._id("tpl", key)
        found = tx.templates.get(app_id, public_id) or tx.templates.by_name(app_id, new.name)
        if found is not None:
            self._templates[key] = found.public_id
            same = NewTemplate(found.name, found.message, found.event_type, found.language) == new
            return Part(PartKind.TEMPLATE, found.public_id, found.name, _there(same))
        try:
            check_variables(tx, app_id, new)
        except CatalogueError as error:
            raise self._in_the_way(f"The template {new.name!r}", error) from error
        if tx.templates.count(app_id) >= MOST_TEMPLATES:
            raise CatalogueError(ErrorCode.TEMPLATES_TOO_MANY)
        tx.templates.add(app_id, new, public_id=public_id, now=self._now)
        self._templates[key] = public_id
        self._audit(Action.TEMPLATE_CREATED, Subject("template", public_id, new.name))
        return Part(PartKind.TEMPLATE, public_id, new.name, PartOutcome.MADE)

    def _trigger(self, key: str, new: Definition) -> Part:
        tx, app_id, public_id = self._tx, self._app.id, self._id("trg", key)
        new = self._with_ids(new)
        found = tx.triggers.get(app_id, public_id)
        if found is not None:
            return Part(PartKind.TRIGGER, public_id, found.definition.name, _there(found.definition == new))
        try:
            check_definition(tx, app_id, new)
        except CatalogueError as error:
            raise self._in_the_way(f"The trigger {new.name!r}", error) from error
        if tx.triggers.count(app_id) >= MOST_TRIGGERS:
            raise CatalogueError(ErrorCode.TRIGGERS_TOO_MANY)
        tx.triggers.add(app_id, new, public_id=public_id, now=self._now)
        self._audit(Action.TRIGGER_CREATED, Subject("trigger", public_id, new.name))
        return Part(PartKind.TRIGGER, public_id, new.name, PartOutcome.MADE)

    def _segment(self, key: str, new: NewSegment) -> Part:
        tx, app_id, public_id = self._tx, self._app.id, self._id("seg", key)
        found = tx.segments.get(app_id, public_id) or self._named(new.name)
        if found is not None:
            self._segments[key] = found.public_id
            same = (found.name, found.filter) == (new.name, new.conditions)
            return Part(PartKind.SEGMENT, found.public_id, found.name, _there(same))
        if tx.segments.total(app_id) >= MOST_SEGMENTS:
            raise CatalogueError(ErrorCode.SEGMENTS_TOO_MANY)
        tx.segments.add(app_id, public_id=public_id, name=new.name, conditions=new.conditions, now=self._now)
        self._segments[key] = public_id
        self._audit(Action.SEGMENT_CREATED, Subject("segment", public_id, new.name))
        return Part(PartKind.SEGMENT, public_id, new.name, PartOutcome.MADE)

    def _with_ids(self, new: Definition) -> Definition:
        """Put the ids of its template and segments in place of their names."""
        parts = tuple(
            InSegment(self._segments[part.segment]) if isinstance(part, InSegment) else part
            for part in new.audience.parts
        )
        words = replace(new.words, template=self._templates[new.words.template]) if new.words.template else new.words
        return replace(new, words=words, audience=replace(new.audience, parts=parts))

    def _named(self, name: str) -> Segment | None:
        rows = self._tx.segments.page(self._app.id, after=0, limit=MOST_SEGMENTS)
        return next((one for one in rows if one.name == name), None)

    def _audit(self, action: Action, subject: Subject, **detail: object) -> None:
        detail["preset"] = self._preset.name
        self._tx.audit.add(self._by, action, app_id=self._app.id, subject=subject, detail=detail, now=self._now)

    def _id(self, prefix: str, key: str) -> str:
        """Make the public id that this part has in this App, in the form of all others."""
        place = "\n".join((self._app.public_id, self._preset.name, prefix, key))
        number = int.from_bytes(hashlib.sha256(place.encode()).digest()[:16], "big")
        return f"{prefix}_" + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))

    def _in_the_way(self, what: str, error: CatalogueError) -> CatalogueError:
        return CatalogueError(
            ErrorCode.PRESET_IN_THE_WAY, f"{what} cannot be made: {error.detail}", faults=error.faults
        )


def _there(same: bool) -> PartOutcome:
    return PartOutcome.THERE if same else PartOutcome.CHANGED


def _declared(stored: EventType) -> NewEventType:
    """Give a stored type as its App declared it."""
    return NewEventType(
        key=stored.key,
        name=stored.name,
        description=stored.description,
        category=stored.category,
        variables=stored.variables,
        examples=stored.examples,
        defaults=stored.defaults,
        mandatory=stored.mandatory,
        language=stored.language,
        locales=stored.locales,
    )
