"""What a trigger must be to be stored: of fields that its event has, of templates and segments that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.event import EventType
from tidings.domain.filters import Field, Filter, Root, check
from tidings.domain.rules import EventUsers, Everybody, Followers, InSegment, Part, UsersWhere, gaps_of
from tidings.domain.trigger import Definition, Paths
from tidings.lib.json_schema import declares
from tidings.pipeline.personal import faults as unreadable
from tidings.pipeline.triggers import DIGEST
from tidings.pipeline.vocabulary import unknown_variables
from tidings.storage import Transaction

LONGEST_PATH = 100
_ROOTS = frozenset({Root.EVENT, Root.ACTOR, Root.USER})
_BOUND = frozenset({Root.EVENT, Root.ACTOR})


def check_definition(tx: Transaction, app_id: int, one: Definition) -> None:
    """Look at everything that could fail when it happens. Raises EVENT_TYPE_UNKNOWN and TRIGGER_INVALID."""
    kind = tx.event_types.get(app_id, one.event_type)
    if kind is None:
        raise CatalogueError(ErrorCode.EVENT_TYPE_UNKNOWN, f"The App declares no event type {one.event_type[:100]!r}.")
    found = tuple(definition_faults(tx, app_id, one, kind))
    if found:
        more = f" ({len(found) - 1} more in `errors`)" if len(found) > 1 else ""
        raise CatalogueError(ErrorCode.TRIGGER_INVALID, f"{found[0].field}: {found[0].message}{more}", faults=found)


def definition_faults(tx: Transaction, app_id: int, one: Definition, kind: EventType) -> Iterator[FieldFault]:
    """Find what is wrong with a trigger of this event type."""
    schema = kind.variables
    if one.conditions is not None:
        yield from _conditions("conditions", one.conditions, schema, bound=None)
    for n, part in enumerate(one.audience.parts):
        place = "audience" if len(one.audience.parts) == 1 else f"audience.union.{n}"
        yield from _part(tx, app_id, place, part, schema)
    yield from _words(tx, app_id, one, schema)
    yield from _timing(tx, app_id, one, schema)


def _conditions(
    place: str, conditions: Filter, schema: Mapping[str, Any], *, bound: frozenset[Root] | None
) -> Iterator[FieldFault]:
    def known(field: Field) -> str | None:
        if field.root is Root.EVENT and not declares(schema, field.path):
            return _undeclared(field.path)
        return None

    for fault in check(conditions, roots=_ROOTS, bound=bound, known=known):
        yield FieldFault(".".join(filter(None, (place, fault.field))), fault.message)


def _part(tx: Transaction, app_id: int, place: str, part: Part, schema: Mapping[str, Any]) -> Iterator[FieldFault]:
    match part:
        case UsersWhere(conditions):
            yield from _conditions(f"{place}.users_where", conditions, schema, bound=_BOUND)
        case Followers(topic):
            for gap in gaps_of(topic):
                if gap != ("actor", "id") and not declares(schema, gap):
                    yield FieldFault(f"{place}.followers", _undeclared(gap))
        case InSegment(public_id):
            if tx.segments.get(app_id, public_id) is None:
                yield FieldFault(
                    f"{place}.segment", f"There is no segment {public_id[:64]!r}; it may have been deleted."
                )
        case EventUsers() | Everybody():
            pass


def _words(tx: Transaction, app_id: int, one: Definition, schema: Mapping[str, Any]) -> Iterator[FieldFault]:
    message = one.words.message
    if one.words.template is not None:
        template = tx.templates.get(app_id, one.words.template)
        if template is None:
            yield FieldFault(
                "template",
                f"There is no template {one.words.template[:64]!r}; write words here, or take one that is there.",
            )
            return
        if template.event_type not in (None, one.event_type):
            yield FieldFault(
                "template",
                f"It was written for {template.event_type}; take one of {one.event_type}, or of no event type.",
            )
            return
        message = template.message
    assert message is not None
    if (words := message.platforms.fault(one.channels or None)) is not None:
        yield FieldFault("channels", words)
    wrong = list(unreadable(message))
    if not wrong:
        wrong = list(unknown_variables(message, _with_digest(schema) if one.digest else schema))
    for fault in wrong:
        yield FieldFault(f"template.{fault.field}", fault.message)


def _with_digest(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give the schema of what a digest's words see besides: how many there were, and the data of each."""
    each = {"type": "object", "properties": schema.get("properties", {})} if "properties" in schema else {}
    digest = {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "events": {"type": "array", "items": each}},
    }
    return {**schema, "properties": {**schema.get("properties", {}), DIGEST: digest}} if "properties" in schema else {}


def _timing(tx: Transaction, app_id: int, one: Definition, schema: Mapping[str, Any]) -> Iterator[FieldFault]:
    if one.digest is not None and (one.delay or one.throttle is not None):
        yield FieldFault("digest", "A digest is one message for its window already; leave out delay and throttle.")
    if one.throttle is not None:
        yield from _key("throttle.key", one.throttle.key, schema)
    if one.digest is not None:
        yield from _key("digest.key", one.digest.key, schema)
    if one.unless is None:
        return
    if not one.delay:
        yield FieldFault("unless", "Nothing waits that it could take back; set `delay`.")
    other = tx.event_types.get(app_id, one.unless.event_type)
    if other is None:
        yield FieldFault(
            "unless.event_type", f"The App declares no event type {one.unless.event_type[:100]!r}; declare it first."
        )
        return
    yield from _key("unless.key", one.unless.key, schema)
    yield from _key("unless.key", one.unless.key, other.variables)


def _undeclared(path: Sequence[str]) -> str:
    name = ".".join(path)[:LONGEST_PATH]
    return f"The event type declares no {name}; add it to its `variables`, or write a name that is there."


def _key(place: str, paths: Paths, schema: Mapping[str, Any]) -> Iterator[FieldFault]:
    for path in paths:
        root, *rest = path.split(".")
        if root == "actor" and rest == ["id"]:
            continue
        if root != "event" or not rest:
            yield FieldFault(place, f"{path[:LONGEST_PATH]!r} is no field of the event; write event.error.type.")
        elif not declares(schema, rest):
            yield FieldFault(place, _undeclared(rest))
