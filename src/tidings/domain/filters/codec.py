"""The JSON form of conditions, version 1.

    {"all": [...]}, {"any": [...]}, {"not": {...}}
    {"field": "user.plan", "op": "equals", "value": "pro", "ignore_case": true}

A field is a dotted text, or a list where a name has a dot: ["user", "mr. name"]. A value is a text, a number, true or
false, a list of them (`in`), {"time": "2026-11-26T12:00:00Z"}, {"version": "2.10"}, {"field": "event.owner"}, or a
length of time like "7d" (`within_last`, `more_than_ago`, `within_next`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tidings.domain.errors import CatalogueError, FieldFault
from tidings.domain.filters.limits import DEEPEST, LONGEST_LIST, LONGEST_PATH, MOST_NODES, refusal
from tidings.domain.filters.tree import (
    RELATIVE,
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    Not,
    Op,
    Root,
    Value,
    Version,
)
from tidings.domain.filters.values import length_of, length_text, moment_from

VERSION = 1

NEGATED = {"not_equals": Op.EQUALS, "not_in": Op.IN, "missing": Op.EXISTS, "not_contains": Op.CONTAINS}
"""Words for the opposite of an operator; in the tree they are a Not around it."""

_NEGATIONS = {op: word for word, op in NEGATED.items()}
_WORDS = {op.value: op for op in Op}


def filter_from_json(plain: object) -> Filter:
    """Read the JSON form from plain values. Raises FILTER_INVALID naming the place and what belongs there."""
    reader = _Reader()
    if isinstance(plain, Mapping) and "v" in plain:
        if plain["v"] != VERSION or isinstance(plain["v"], bool):
            raise _fault("v", f"This is version {VERSION} of the form.")
        plain = {name: value for name, value in plain.items() if name != "v"}
    return reader.node(plain, "", 1)


def json_from_filter(tree: Filter) -> dict[str, Any]:
    """Give the JSON form."""
    return {"v": VERSION, **_plain(tree)}


def _fault(place: str, message: str) -> CatalogueError:
    return refusal([FieldFault(place, message)])


class _Reader:
    """Reads one tree; it stops at the limits, however large the rest is."""

    def __init__(self) -> None:
        self._nodes = 0

    def node(self, plain: object, place: str, depth: int) -> Filter:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _fault(place, f"Conditions have up to {MOST_NODES} parts.")
        if depth > DEEPEST:
            raise _fault(place, f"Conditions are nested up to {DEEPEST} levels.")
        if not isinstance(plain, Mapping):
            raise _fault(place, "This is one condition: an object.")
        for word in ("all", "any", "not"):
            if word in plain:
                return self._joined(word, plain, f"{place}.{word}" if place else word, depth)
        return self._compare(plain, f"{place}." if place else "")

    def _joined(self, word: str, plain: Mapping[str, object], place: str, depth: int) -> Filter:
        if len(plain) > 1:
            raise _fault(place, f"Beside `{word}` nothing else belongs here.")
        inner = plain[word]
        if word == "not":
            return Not(self.node(inner, place, depth + 1))
        if not isinstance(inner, list):
            raise _fault(place, "This is a list of conditions.")
        parts = tuple(self.node(one, f"{place}[{n}]", depth + 1) for n, one in enumerate(inner[: MOST_NODES + 1]))
        return AllOf(parts) if word == "all" else AnyOf(parts)

    def _compare(self, plain: Mapping[str, object], place: str) -> Filter:
        for name in plain:
            if name not in ("field", "op", "value", "ignore_case"):
                raise _fault(
                    place + str(name)[:40],
                    "A condition has `field`, `op`, `value` and `ignore_case`, or all, any, not.",
                )
        word = plain.get("op")
        op = (_WORDS.get(word) or NEGATED.get(word)) if isinstance(word, str) else None
        if op is None:
            raise _fault(f"{place}op", f"One of {', '.join([*_WORDS, *NEGATED])}.")
        ignore_case = plain.get("ignore_case", False)
        if not isinstance(ignore_case, bool):
            raise _fault(f"{place}ignore_case", "This is true or false.")
        field = field_from(plain.get("field"), f"{place}field")
        value = _value_from(op, plain, f"{place}value")
        compare = Compare(field, op, value, ignore_case)
        return Not(compare) if word in NEGATED else compare


def field_from(plain: object, place: str) -> Field:
    """Read a field. Raises FILTER_INVALID."""
    names = plain.split(".", LONGEST_PATH + 2) if isinstance(plain, str) else plain
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) for one in names):
        raise _fault(place, "A field is written like `user.plan`, or as a list of names.")
    if names[0] not in tuple(Root):
        raise _fault(place, f"A field begins with one of {', '.join(Root)}.")
    return Field(Root(names[0]), tuple(names[1:]))


def _value_from(op: Op, plain: Mapping[str, object], place: str) -> Value:
    if op is Op.EXISTS:
        if "value" in plain:
            raise _fault(place, "`exists` and `missing` take no value.")
        return None
    if "value" not in plain:
        raise _fault(place, "There is nothing to compare with; give it as `value`.")
    value = plain["value"]
    if op in RELATIVE:
        length = length_of(value) if isinstance(value, str) else None
        if length is None:
            raise _fault(place, "A length of time is written like 30m, 12h, 7d or 2w.")
        return length
    if isinstance(value, Mapping):
        return _tagged(value, place)
    if op is Op.IN:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            raise _fault(place, f"This is a list of up to {LONGEST_LIST} values.")
        return tuple(_scalar(one, f"{place}[{n}]") for n, one in enumerate(value))
    return _scalar(value, place)


def _scalar(value: object, place: str) -> str | int | float | bool:
    if isinstance(value, str | int | float):  # a bool is an int
        return value
    if value is None:
        raise _fault(place, "Nothing equals null; use `missing` or `exists`.")
    raise _fault(place, "A value is a text, a number, true or false.")


def _tagged(value: Mapping[str, object], place: str) -> Value:
    ((tag, inner),) = value.items() if len(value) == 1 else [("", None)]
    if tag == "field":
        return field_from(inner, f"{place}.field")
    if tag == "time":
        moment = moment_from(inner) if isinstance(inner, str) else None
        if moment is None:
            raise _fault(f"{place}.time", "A time is written like 2026-11-26T12:00:00Z.")
        return moment
    if tag == "version" and isinstance(inner, str):
        return Version(inner)
    raise _fault(place, 'An object here is {"time": ...}, {"version": ...} or {"field": ...}.')


def _plain(tree: Filter) -> dict[str, Any]:
    match tree:
        case AllOf(parts):
            return {"all": [_plain(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [_plain(part) for part in parts]}
        case Not(Compare(op=op) as part) if op in _NEGATIONS:
            return _plain_compare(part, _NEGATIONS[op])
        case Not(part):
            return {"not": _plain(part)}
        case Compare():
            return _plain_compare(tree, tree.op.value)


def _plain_compare(compare: Compare, word: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"field": plain_field(compare.field), "op": word}
    if compare.op is not Op.EXISTS:
        plain["value"] = _plain_value(compare.value)
    return plain | ({"ignore_case": True} if compare.ignore_case else {})


def plain_field(field: Field) -> str | list[str]:
    """Give a field as dotted text, or as a list where a name has a dot."""
    names = [field.root.value, *field.path]
    return names if any("." in name for name in names) else ".".join(names)


def _plain_value(value: Value) -> Any:
    match value:
        case datetime():
            return {"time": value.isoformat().replace("+00:00", "Z")}
        case timedelta():
            return length_text(value)
        case Version(text):
            return {"version": text}
        case Field():
            return {"field": plain_field(value)}
        case tuple():
            return list(value)
        case _:
            return value
