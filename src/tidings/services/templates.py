"""Templates: kept under names, checked when they are written, shown with data before they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tidings.domain.app import App
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.event import EventType
from tidings.domain.message import Message, Rendered, Templated
from tidings.domain.outcome import Refused
from tidings.domain.person import NOBODY, Person
from tidings.domain.template import NewTemplate, Template
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.json_schema import Checker
from tidings.pipeline.personal import RESERVED, Unrenderable, Words, faults
from tidings.pipeline.vocabulary import unknown_variables
from tidings.providers import CHANNELS, provider
from tidings.services.events import data_faults
from tidings.services.needing import named, saying
from tidings.services.paging import Page, page_from, position_from
from tidings.services.trigger_checks import definition_faults
from tidings.storage import Store, Transaction

MOST = 1_000
"""Templates of one App."""

SHOWN_OF_TITLE = 50
SHOWN_OF_BODY = 150
BUTTONS = 2
"""Characters that most devices show before they cut, and the buttons that browsers show."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A template in one of its languages (None: its own): what it says, or why it says nothing, and what to know."""

    language: str
    rendered: Rendered | None
    fault: FieldFault | None
    warnings: tuple[FieldFault, ...]


class Templates:
    """Makes, finds, changes and shows templates."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(self, app: App, new: NewTemplate, *, by: Actor = SYSTEM) -> Template:
        """Keep a template. Raises TEMPLATE_INVALID, TEMPLATE_NAME_TAKEN, TEMPLATES_TOO_MANY.

        With an event type every variable must be one that its events have.
        """
        public_id, now = self._ids.new("tpl"), self._clock.now()
        check(new)

        def create(tx: Transaction) -> Template:
            tx.apps.hold(app.id, "rules")
            if tx.templates.count(app.id) >= MOST:
                raise CatalogueError(ErrorCode.TEMPLATES_TOO_MANY)
            check_variables(tx, app.id, new)
            _check_name(tx, app.id, new.name, of=None)
            made = tx.templates.add(app.id, new, public_id=public_id, now=now)
            tx.audit.add(by, Action.TEMPLATE_CREATED, app_id=app.id, subject=_subject(made), now=now)
            return made

        return await self._store.write(create)

    async def change(self, app_id: int, public_id: str, new: NewTemplate, *, by: Actor = SYSTEM) -> Template:
        """Put other words in its place.

        Raises NOT_FOUND, TEMPLATE_INVALID, TEMPLATE_NAME_TAKEN, and TEMPLATE_IN_USE where a trigger could say nothing
        with them.
        """
        now = self._clock.now()
        check(new)

        def change(tx: Transaction) -> Template:
            tx.apps.hold(app_id, "rules")
            found = found_in(tx, app_id, public_id)
            if NewTemplate(found.name, found.message, found.event_type, found.language) == new:
                return found
            check_variables(tx, app_id, new)
            _check_name(tx, app_id, new.name, of=found.id)
            changed = tx.templates.change(found.id, new, now=now)
            _check_triggers(tx, changed)
            detail = {"version": changed.version}
            tx.audit.add(by, Action.TEMPLATE_CHANGED, app_id=app_id, subject=_subject(changed), detail=detail, now=now)
            return changed

        return await self._store.write(change)

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Remove it; what was made with it keeps its words. Raises NOT_FOUND, TEMPLATE_IN_USE."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            tx.apps.hold(app_id, "rules")
            found = _needless(tx, app_id, public_id)
            tx.templates.delete(found.id)
            tx.audit.add(by, Action.TEMPLATE_DELETED, app_id=app_id, subject=_subject(found), now=now)

        await self._store.write(delete)

    async def check_deletable(self, app_id: int, public_id: str) -> None:
        """Raise what `delete` would, and delete nothing."""
        await self._store.read(lambda tx: _needless(tx, app_id, public_id))

    async def get(self, app_id: int, public_id: str) -> Template:
        """Give one template. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: found_in(tx, app_id, public_id))

    async def message(self, app: App, public_id: str, variables: Mapping[str, Any]) -> Message:
        """Give the message that a template makes with these variables.

        Raises NOT_FOUND, and INVALID_REQUEST where they are not what events of the template's type have.
        """

        def look(tx: Transaction) -> tuple[Template, EventType | None]:
            found = found_in(tx, app.id, public_id)
            return found, tx.event_types.get(app.id, found.event_type) if found.event_type else None

        template, kind = await self._store.read(look)
        if kind is not None:
            _check_filled(kind, variables)
        return template.filled({**variables, "app": {"name": app.name}}, otherwise=app.language)

    async def page(self, app_id: int, *, cursor: str | None, limit: int) -> Page[Template]:
        """List templates, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.templates.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def data(self, app_id: int, *, event: str | None, event_type: str | None) -> dict[str, Any]:
        """Give data to show a template with: those of an event, else the first example of a type. Raises NOT_FOUND."""

        def look(tx: Transaction) -> dict[str, Any]:
            if event is not None:
                found = tx.events.get(app_id, event)
                if found is None:
                    raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no event {event[:64]!r}.")
                return {"actor": {"id": found.actor}, **found.data}
            kind = tx.event_types.get(app_id, event_type) if event_type else None
            return dict(kind.examples[0]) if kind is not None and kind.examples else {}

        return await self._store.read(look)

    async def person(self, app_id: int, external_id: str | None) -> Person:
        """Give a person to show a template for; None is nobody in particular. Raises NOT_FOUND."""
        if external_id is None:
            return NOBODY
        user = await self._store.read(lambda tx: tx.users.get(app_id, external_id))
        if user is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"The App knows no user {external_id[:64]!r}.")
        return Person(user.external_id, user.attributes, user.locale, user.time_zone)


def check(new: NewTemplate) -> None:
    """Look at everything that is Liquid in a template. Raises TEMPLATE_INVALID."""
    found = tuple(faults(new.message))
    unknown = [name for one in new.message.locales.values() for name in one.actions]
    known = {one.id for one in new.message.actions}
    there = f"there are {', '.join(sorted(known))}" if known else "the template has none"
    found += tuple(
        FieldFault("locales", f"There is no action {name[:64]!r}; {there}.") for name in unknown if name not in known
    )
    if found:
        raise CatalogueError(ErrorCode.TEMPLATE_INVALID, f"{found[0].field}: {found[0].message}", faults=found)


def previews(new: NewTemplate, variables: Mapping[str, Any], person: Person) -> Iterator[Preview]:
    """Show what a template says with these variables, in each of its languages. Raises TEMPLATE_INVALID."""
    check(new)
    words = Words(replace(new.message, templated=Templated(dict(variables), new.language)))
    for language in (None, *new.message.locales):
        cuts: list[str] = []
        try:
            rendered = words.render(language, person, cuts=cuts)
        except Unrenderable as fault:
            yield Preview(language or new.language, None, FieldFault(fault.field, fault.words), ())
            continue
        warnings = (*(FieldFault(field, "It is too long and is cut.") for field in cuts), *_warnings(rendered))
        yield Preview(language or new.language, rendered, None, warnings)


def _warnings(rendered: Rendered) -> Iterator[FieldFault]:
    """Tell what some devices will not show."""
    for field, text, most in (("title", rendered.title, SHOWN_OF_TITLE), ("body", rendered.body, SHOWN_OF_BODY)):
        if len(text) > most:
            yield FieldFault(field, f"These are {len(text)} characters; many devices show about {most} of them.")
    if len(rendered.actions) > BUTTONS:
        yield FieldFault("actions", f"Browsers show {BUTTONS} buttons, and some show none.")
    for name in CHANNELS:
        via = provider(name)
        draft = via.draft(rendered)
        if isinstance(draft, Refused):
            yield FieldFault(f"platforms.{name}", f"The message {draft.reason}.")
            continue
        for service, over in via.too_large_for(draft):
            words = f"The message is {over} bytes too long for the push service of {service.title()}."
            yield FieldFault(f"platforms.{name}", words)


def _needless(tx: Transaction, app_id: int, public_id: str) -> Template:
    """Give a template that nothing needs. Raises NOT_FOUND, TEMPLATE_IN_USE."""
    found = found_in(tx, app_id, public_id)
    in_use = saying(tx, app_id, public_id)
    if in_use:
        raise CatalogueError(ErrorCode.TEMPLATE_IN_USE, f"{named(in_use)} would have no words any more.")
    return found


def _check_triggers(tx: Transaction, template: Template) -> None:
    for one in saying(tx, template.app_id, template.public_id):
        kind = tx.event_types.get(template.app_id, one.definition.event_type)
        found = definition_faults(tx, template.app_id, one.definition, kind) if kind else iter(())
        fault = next((wrong for wrong in found if wrong.field.startswith(("template", "channels"))), None)
        if fault is not None:
            detail = f"{named([one])} could not do its work: {fault.field}: {fault.message}"
            raise CatalogueError(ErrorCode.TEMPLATE_IN_USE, detail)


def found_in(tx: Transaction, app_id: int, public_id: str) -> Template:
    """Find a template in a transaction. Raises NOT_FOUND."""
    found = tx.templates.get(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no template {public_id[:64]!r}.")
    return found


def _check_filled(kind: EventType, variables: Mapping[str, Any]) -> None:
    data = {name: value for name, value in variables.items() if name not in RESERVED}
    found = data_faults(Checker(kind.variables), data, place="variables")
    if found:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{found[0].field}: {found[0].message}", faults=found)


def check_variables(tx: Transaction, app_id: int, new: NewTemplate) -> None:
    """Look for what its event type does not declare. Raises TEMPLATE_INVALID."""
    if new.event_type is None:
        return
    kind = tx.event_types.get(app_id, new.event_type)
    if kind is None:
        fault = FieldFault("event_type", f"The App declares no event type {new.event_type!r}.")
        raise CatalogueError(ErrorCode.TEMPLATE_INVALID, f"{fault.field}: {fault.message}", faults=(fault,))
    found = tuple(unknown_variables(new.message, kind.variables))
    if found:
        raise CatalogueError(ErrorCode.TEMPLATE_INVALID, f"{found[0].field}: {found[0].message}", faults=found)


def _check_name(tx: Transaction, app_id: int, name: str, *, of: int | None) -> None:
    taken = tx.templates.by_name(app_id, name)
    if taken is not None and taken.id != of:
        raise CatalogueError(
            ErrorCode.TEMPLATE_NAME_TAKEN,
            f"{taken.public_id} is named {name[:64]!r} already.",
            faults=(FieldFault("name", "Another template has this name."),),
        )


def _subject(template: Template) -> Subject:
    return Subject("template", template.public_id, template.name)
