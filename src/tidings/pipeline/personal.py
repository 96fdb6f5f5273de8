"""Words for each person: a message whose texts are Liquid goes in with a person, what that person is told comes out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from functools import lru_cache, partial
from typing import Any

import msgspec

from tidings.domain.content import (
    LONGEST_BODY,
    LONGEST_BUTTON,
    LONGEST_COLLAPSE_ID,
    LONGEST_LINK,
    LONGEST_TITLE,
    ContentFault,
    findings,
)
from tidings.domain.errors import FieldFault
from tidings.domain.message import Action, Message, Rendered, Translation
from tidings.domain.person import NOBODY, Person
from tidings.domain.platforms import Platforms
from tidings.lib.liquid import LONGEST_SOURCE, MOST_WORK, LiquidFault, Reader, Template
from tidings.lib.liquid import parse as parse_liquid
from tidings.pipeline.render import render, tag_for

USER = "user"
"""Under this name a template finds whom it is for."""

RESERVED = frozenset({USER, "actor", "app"})
"""Names that no template may set anew."""

MOST_TOGETHER = 3 * MOST_WORK
"""Steps of all texts of a message in one language: a template alone is bounded, and its `data` may hold very many."""

_TOGETHER = "All texts of the message together do too much: use fewer tags and filters, above all inside of loops."

_DEEPEST_DATA = 16
_parse = lru_cache(maxsize=512)(partial(parse_liquid, reserved=RESERVED))
"""What a trigger says is the same at every event."""


class Kind(Enum):
    """What becomes of the text that a template gives."""

    TITLE = LONGEST_TITLE, True
    BUTTON = LONGEST_BUTTON, True
    BODY = LONGEST_BODY, False
    EXACT = LONGEST_COLLAPSE_ID, True
    LINK = LONGEST_LINK, True
    DATA = LONGEST_SOURCE, False

    def __init__(self, most: int, one_line: bool) -> None:
        self.most = most
        self.one_line = one_line


class Unrenderable(ValueError):
    """What keeps a message from being written for a person: in which field, what kind of fault, and in words."""

    def __init__(self, field: str, words: str, fault: ContentFault = ContentFault.TEMPLATE_FAILED) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field
        self.words = words
        self.fault = fault


Fill = Callable[[str, str, Kind], str]
"""Takes the name of a field, its template and its kind; gives its text."""


class Words:
    """A templated message, read once. Raises Unrenderable where it cannot be read."""

    def __init__(self, message: Message) -> None:
        assert message.templated is not None
        self._message = message
        self._given = message.templated
        self._parts = {language: _read(message, language) for language in (None, *message.locales)}
        self._users = {language: _of_user(parts) for language, parts in self._parts.items()}
        self._zoned = {language: any(one.reads_zone for one in parts) for language, parts in self._parts.items()}

    @property
    def asks_for_user(self) -> bool:
        """Say whether it reads anything of whom it is for."""
        return any(self._users.values())

    def language_for(self, locale: str | None, person: Person = NOBODY) -> str | None:
        """Choose the variant: of the device's language, else of the person's, else of the App's; None is its own."""
        own = {self._given.language: None, **{tag: tag for tag in self._message.locales}}
        for wanted in (locale, person.locale, self._given.otherwise):
            tag = tag_for(own, wanted)
            if tag is not None:
                return own[tag]
        return None

    def used(self, language: str | None, person: Person) -> Hashable:
        """Give what of a person it depends on: whoever has the same is told the same."""
        record = person.record()
        values = [_at(record, path) for path in self._users[language]]
        zone = person.time_zone if self._zoned[language] else None
        return (zone, msgspec.json.encode(values, enc_hook=str)) if values or zone else None

    def render(self, language: str | None, person: Person = NOBODY, *, cuts: list[str] | None = None) -> Rendered:
        """Write it for a person, and look at what came of it. Raises Unrenderable.

        The names of fields that were too long and are cut are added to `cuts`.
        """
        values = {**self._given.variables, USER: person.record()}
        reader = Reader(language or self._given.language, person.time_zone or "UTC")

        def fill(field: str, source: str, kind: Kind) -> str:
            try:
                return _fitted(_template(source, kind), values, reader, kind, partial(_note, cuts, field))
            except LiquidFault as fault:
                raise Unrenderable(field, str(fault)) from fault

        written = _mapped(render(self._message, language), fill)
        if not written.title:
            raise Unrenderable("title", "Nothing is left of the title; give it words for that case with `default`.")
        for one in findings(written):
            raise Unrenderable(one.field, one.words, one.fault)
        return written


def faults(message: Message) -> Iterator[FieldFault]:
    """Find what in a message cannot be read as a template, or is too much of them, with the name of its field."""
    readable = True
    for field, source, kind in sources(message):
        try:
            _template(source, kind)
        except LiquidFault as fault:
            readable = False
            yield FieldFault(field, str(fault))
    for language in (None, *message.locales) if readable else ():
        try:
            _read(message, language)
        except Unrenderable as fault:
            name = _name_in(message.locales[language], fault.field, message) if language else None
            yield FieldFault(f"locales.{language}.{name}" if name else fault.field, fault.words)
            return


def sources(message: Message) -> Iterator[tuple[str, str, Kind]]:
    """Walk all that is a template in a message, in all its languages: field, text, kind."""
    for language in (None, *message.locales):
        found: list[tuple[str, str, Kind]] = []
        _mapped(render(message, language), partial(_collect, found))
        own = message.locales[language] if language else None
        for field, source, kind in found:
            if own is None:
                yield field, source, kind
            elif (name := _name_in(own, field, message)) is not None:
                yield f"locales.{language}.{name}", source, kind


def template_of(source: str, kind: Kind) -> Template:
    """Read one of the templates that `sources` gives. Raises LiquidFault."""
    return _template(source, kind)


def _name_in(own: Translation, field: str, message: Message) -> str | None:
    """Give the name of a field that is the variant's own; None for what all of them share."""
    if field.startswith("actions.") and field.endswith(".title"):
        name = message.actions[int(field.split(".")[1])].id
        return f"actions.{name}" if name in own.actions else None
    return field if field in ("title", "body", "url") and getattr(own, field) is not None else None


def _read(message: Message, language: str | None) -> list[Template]:
    found: list[tuple[str, str, Kind]] = []
    _mapped(render(message, language), partial(_collect, found))
    templates: list[Template] = []
    for field, source, kind in found:
        try:
            templates.append(_template(source, kind))
        except LiquidFault as fault:
            raise Unrenderable(field, str(fault)) from fault
        if sum(one.work for one in templates) > MOST_TOGETHER:
            raise Unrenderable(field, _TOGETHER)
    return templates


def _collect(found: list[tuple[str, str, Kind]], field: str, source: str, kind: Kind) -> str:
    found.append((field, source, kind))
    return source


def _template(source: str, kind: Kind) -> Template:
    return _parse(source, url=kind is Kind.LINK)


def _fitted(template: Template, values: Mapping[str, Any], reader: Reader, kind: Kind, note: Callable[[], None]) -> str:
    if kind in (Kind.LINK, Kind.EXACT):
        return template.render(values, reader=reader, most=kind.most).strip()
    text = template.render(values, reader=reader, cut=True)
    text = " ".join(text.split()) if kind.one_line else text.strip()
    if len(text) <= kind.most:
        return text
    note()
    return text[: kind.most - 1].rstrip() + "…"


def _note(cuts: list[str] | None, field: str) -> None:
    if cuts is not None:
        cuts.append(field)


def _of_user(templates: list[Template]) -> list[tuple[str, ...]]:
    return sorted({path[1:] for one in templates for path in one.variables if path[0] == USER})


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def _mapped(rendered: Rendered, fill: Fill) -> Rendered:
    """Put every text and link of a message through `fill`; a link that comes back empty is none."""
    actions = [
        Action(
            one.id,
            fill(f"actions.{n}.title", one.title, Kind.BUTTON),
            fill(f"actions.{n}.url", one.url, Kind.LINK) or None if one.url else None,
        )
        for n, one in enumerate(rendered.actions)
    ]
    return replace(
        rendered,
        title=fill("title", rendered.title, Kind.TITLE),
        body=fill("body", rendered.body, Kind.BODY) if rendered.body else "",
        url=_link("url", rendered.url, fill),
        icon=_link("icon", rendered.icon, fill),
        image=_link("image", rendered.image, fill),
        collapse_id=fill("collapse_id", rendered.collapse_id, Kind.EXACT) or None if rendered.collapse_id else None,
        actions=tuple(one for one in actions if one.title),
        data={name: _data(f"data.{name}", value, fill) for name, value in rendered.data.items()},
        platforms=_platforms(rendered.platforms, fill),
    )


def _link(field: str, source: str | None, fill: Fill) -> str | None:
    return fill(field, source, Kind.LINK) or None if source else None


def _data(field: str, value: Any, fill: Fill, depth: int = 0) -> Any:
    if depth > _DEEPEST_DATA:
        raise Unrenderable("data", "It is too deep; put less into each other.")
    if isinstance(value, str):
        return fill(field, value, Kind.DATA)
    if isinstance(value, Mapping):
        return {name: _data(f"{field}.{name}", one, fill, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_data(f"{field}.{n}", one, fill, depth + 1) for n, one in enumerate(value)]
    return value


_ON_PLATFORMS = {
    "android": {"title": Kind.TITLE, "body": Kind.BODY, "ticker": Kind.TITLE, "image": Kind.LINK},
    "apns": {"title": Kind.TITLE, "subtitle": Kind.TITLE, "body": Kind.BODY},
    "webpush": {
        "title": Kind.TITLE,
        "body": Kind.BODY,
        "url": Kind.LINK,
        "icon": Kind.LINK,
        "image": Kind.LINK,
    },
}


def _platforms(platforms: Platforms, fill: Fill) -> Platforms:
    for name, fields in _ON_PLATFORMS.items():
        of = getattr(platforms, name)
        if of is None:
            continue
        given = {field: (getattr(of, field), kind) for field, kind in fields.items() if getattr(of, field)}
        filled = {
            field: fill(f"platforms.{name}.{field}", source, kind) or None for field, (source, kind) in given.items()
        }
        platforms = replace(platforms, **{name: replace(of, **filled)})
    return platforms
