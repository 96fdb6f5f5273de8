"""Checking values against JSON Schemas that strangers wrote: a part of draft 2020-12 that cannot be made to hang.

No references, so nothing is fetched and nothing recurses; no combinations, so the work is linear in the value; patterns
run on an engine without backtracking and are compiled within a bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEEPEST = 6
MOST_PROPERTIES = 100
MOST_BYTES = 32_768
LONGEST_PATTERN = 200
MOST_FAULTS = 20

_ONE = frozenset({"items", "additionalProperties"})
_ALLOWED = _ONE | {
    "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "type", "properties",
    "required", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "minProperties", "maxProperties",
}  # fmt: skip
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=65_536, dfa_size_limit=65_536)


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong: where (`properties.id.type`, or `order.lines.0` in a value) and what."""

    place: str
    words: str


class Checker:
    """A schema made ready; `schema_faults` must have found nothing in it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _validator(schema)

    def holds(self, value: object) -> bool:
        """Say whether the value satisfies the schema."""
        return self._validator.is_valid(value)

    def faults(self, value: object) -> list[Found]:
        """Say what is wrong with a value, the first few faults."""
        found: list[Found] = []
        for fault in self._validator.iter_errors(value):
            found.append(Found(_place(fault.instance_path), _short(fault.message)))
            if len(found) == MOST_FAULTS:
                break
        return found


def schema_faults(schema: Mapping[str, Any]) -> list[Found]:
    """Say why a schema of an object's properties is not taken; nothing when it is."""
    size = len(json.dumps(schema, ensure_ascii=False).encode())
    if size > MOST_BYTES:
        return [Found("", f"This is {size} bytes of JSON; {MOST_BYTES} is the most.")]
    if schema.get("type", "object") != "object":
        return [Found("type", 'It describes an object: "type" is "object".')]
    found = list(_walk(schema, (), 0))[:MOST_FAULTS]
    if not found and (count := _properties(schema)) > MOST_PROPERTIES:
        found = [Found("", f"It declares {count} properties; {MOST_PROPERTIES} is the most.")]
    return found or _refused(schema)


def declares(schema: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Say whether a value that satisfies the schema may have something at this path that the schema speaks of.

    Below an object whose properties are not listed, and below what has no type, everything is spoken of.
    """
    node: Any = schema
    for name in path:
        if not isinstance(node, Mapping):
            return node is not False
        kinds = node.get("type", ["object", "array"])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        listed, rest = node.get("properties"), node.get("additionalProperties", True)
        if "object" in kinds and listed is not None and name in listed:
            node = listed[name]
        elif "object" in kinds and isinstance(rest, Mapping):
            node = rest
        elif "object" in kinds and listed is None and rest is not False:
            node = True
        elif "array" in kinds and name.isdigit():
            node = node.get("items", True)
        else:
            return False
    return True


def _walk(schema: object, place: tuple[str, ...], depth: int) -> Iterator[Found]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield Found(_place(place), "A schema is an object.")
        return
    if depth > DEEPEST:
        yield Found(_place(place), f"It is nested deeper than {DEEPEST} levels.")
        return
    for word, value in schema.items():
        at = (*place, word)
        wrong = _wrong(word, value)
        if wrong is not None:
            yield Found(_place(at), wrong)
        elif word in _ONE:
            yield from _walk(value, at, depth + 1)
        elif word == "properties" and isinstance(value, Mapping):
            for name, one in value.items():
                yield from _walk(one, (*at, name), depth + 1)


def _wrong(word: str, value: object) -> str | None:
    if word not in _ALLOWED:
        return f"The word {word[:32]!r} of JSON Schema is not taken here."
    if word == "$schema" and value != DIALECT:
        return f"The only dialect is {DIALECT}."
    if word == "type" and not _is_type(value):
        return f"Use one or several of {', '.join(sorted(_TYPES))}."
    if word == "pattern" and isinstance(value, str) and len(value) > LONGEST_PATTERN:
        return f"A pattern has at most {LONGEST_PATTERN} characters."
    return None


def _is_type(value: object) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return all(isinstance(one, str) and one in _TYPES for one in names)


def _properties(schema: object) -> int:
    if not isinstance(schema, Mapping):
        return 0
    listed = schema.get("properties")
    listed = listed if isinstance(listed, Mapping) else {}
    return len(listed) + sum(map(_properties, (*listed.values(), *(schema.get(word) for word in _ONE))))


def _refused(schema: Mapping[str, Any]) -> list[Found]:
    try:
        _validator(schema)
    except jsonschema_rs.ValidationError as fault:
        return [Found(_place(fault.instance_path), _short(fault.message))]
    return []


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    whole = {**schema, "type": "object"}
    return jsonschema_rs.Draft202012Validator(whole, pattern_options=_PATTERNS, validate_formats=True, offline=True)


def _place(path: Sequence[str | int]) -> str:
    return ".".join(str(part)[:64] for part in path)


def _short(message: str) -> str:
    return (message if len(message) <= 200 else f"{message[:199]}…") + "."
