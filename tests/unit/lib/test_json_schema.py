"""Schemas that strangers wrote: what is not taken, and that nothing taken can hang, crash or fetch."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.lib.json_schema import DIALECT, Checker, declares, schema_faults

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from([
    "type", "properties", "items", "additionalProperties", "required", "enum", "const", "minimum", "maximum",
    "multipleOf", "pattern", "format", "minLength", "maxItems", "$ref", "$id", "allOf", "$schema", "default", "not",
])  # fmt: skip
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional={"type": TYPES, "enum": st.lists(JSON, max_size=3)})
    | st.dictionaries(WORDS, JSON, max_size=4),
    lambda inner: st.fixed_dictionaries(
        {"properties": st.dictionaries(st.text(max_size=8), inner, max_size=4)},
        optional={"items": inner, "additionalProperties": inner | st.booleans(), "pattern": st.text(max_size=30)},
    ),
    max_leaves=10,
)

HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"$ref": "https://evil.example/schema"}, "$ref"),
    ({"$ref": "#"}, "$ref"),
    ({"$defs": {"a": {"$ref": "#/$defs/a"}}}, "$defs"),
    ({"$dynamicRef": "#a"}, "$dynamicRef"),
    ({"$id": "https://evil.example/"}, "$id"),
    ({"allOf": [{}] * 1_000}, "allOf"),
    ({"properties": {"a": {"not": {}}}}, "properties.a.not"),
    ({"if": {}, "then": {}}, "if"),
    ({"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
    ({"unevaluatedProperties": False}, "unevaluatedProperties"),
    ({"properties": {"a": {"uniqueItems": True}}}, "properties.a.uniqueItems"),
    ({"properties": {"a": {"pattern": "a{1,1000}{1,1000}"}}}, "properties.a.pattern"),
    ({"properties": {"a": {"pattern": "(?=a)b"}}}, "properties.a.pattern"),
    ({"properties": {"a": {"pattern": "(a)\\1"}}}, "properties.a.pattern"),
    ({"properties": {"a": {"pattern": "a" * 201}}}, "properties.a.pattern"),
    ({"properties": {"a": {"pattern": "\\p{L}{0,200}" * 10}}}, "properties.a.pattern"),
    ({"properties": {f"p{n}": {} for n in range(101)}}, ""),
    ({"description": "x" * 40_000}, ""),
    ({"properties": {"a": {"type": "text"}}}, "properties.a.type"),
    ({"properties": {"a": {"type": []}}}, "properties.a.type"),
    ({"properties": {"a": 7}}, "properties.a"),
    ({"properties": {"a": {"items": [{}]}}}, "properties.a.items"),
    ({"properties": ["a"]}, "properties"),
    ({"required": "a"}, "required"),
    ({"properties": {"a": {"multipleOf": 0}}}, "properties.a.multipleOf"),
    ({"properties": {"a": {"minLength": -1}}}, "properties.a.minLength"),
    ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema"),
    ({"type": "array"}, "type"),
]


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(("schema", "place"), HOSTILE)
def test_what_is_not_taken_is_said_with_its_place_at_once(schema: dict[str, Any], place: str) -> None:
    begun = time.process_time()
    assert place in [one.place for one in schema_faults(schema)]
    assert time.process_time() - begun < 0.05


def test_levels_are_counted() -> None:
    assert schema_faults(nested(6)) == []
    assert schema_faults(nested(7))
    assert schema_faults(nested(30))


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, JSON)
def test_any_schema_is_refused_or_checks_any_value(schema: dict[str, Any], value: object) -> None:
    if schema_faults(schema):
        return
    checker = Checker(schema)
    assert checker.holds(value) is (checker.faults(value) == [])
    if not isinstance(value, dict):
        assert not checker.holds(value)


def test_no_pattern_is_slow() -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    assert schema_faults(schema) == []
    begun = time.process_time()
    assert not Checker(schema).holds({"a": "a" * 16_000 + "!"})
    assert time.process_time() - begun < 0.05


def test_the_usual_schema_is_taken_and_its_faults_are_said_in_words() -> None:
    schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "order": {
                "type": "object",
                "properties": {"lines": {"type": "array", "items": {"properties": {"n": {"type": "integer"}}}}},
            },
            "at": {"type": "string", "format": "date-time"},
        },
        "required": ["order"],
    }
    assert schema_faults(schema) == []
    checker = Checker(schema)
    assert checker.holds({"order": {"lines": [{"n": 1}]}, "at": "2026-11-26T10:00:00Z"})
    (fault,) = checker.faults({"order": {"lines": [{"n": 1}, {"n": "x"}]}})
    assert (fault.place, fault.words) == ("order.lines.1.n", '"x" is not of type "integer".')
    assert [one.place for one in checker.faults({"order": {}, "at": "soon"})] == ["at"]
    assert not checker.holds({})


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("bot.name", True), ("bot.age", False), ("bot", True), ("bot.name.first", False), ("tags.0", True),
        ("tags.first", False), ("free.any.thing", True), ("closed.any", False), ("map.any", True), ("other", False),
        ("map.any.deeper", False),
    ],
)  # fmt: skip
def test_what_a_schema_declares(path: str, known: bool) -> None:
    schema = {
        "properties": {
            "bot": {"type": "object", "properties": {"name": {"type": "string"}}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "free": {},
            "closed": {"type": "object", "additionalProperties": False},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
        }
    }
    assert declares(schema, path.split(".")) is known
    assert declares({}, path.split("."))
