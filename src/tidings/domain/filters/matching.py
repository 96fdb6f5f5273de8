"""Whether conditions hold for a record: the meaning of every comparison, decided here once.

A comparison is true or false, never unknown. With a value that is missing, null or of another kind it is false, and
its negation true: whoever is not counted by a condition is counted by its opposite. Nothing is converted: the text "5"
is not the number 5. `storage/filters.py` says the same in SQL, and a property test holds both to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from tidings.domain.filters.tree import (
    ORDERING,
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
from tidings.domain.filters.values import (
    LARGEST,
    MICROSECOND,
    fold,
    microseconds_of,
    moment_from,
    moment_of,
    version_key,
)

Record = Mapping[str, Mapping[str, Any]]
"""Values by root: {"event": {...}, "user": {...}}; a root or a field that is not there is missing."""

_ORDERINGS: dict[Op, Callable[[Any, Any], bool]] = {Op.LESS: lt, Op.AT_MOST: le, Op.GREATER: gt, Op.AT_LEAST: ge}
_TURNED = {
    Op.EQUALS: Op.EQUALS,
    Op.LESS: Op.GREATER,
    Op.AT_MOST: Op.AT_LEAST,
    Op.GREATER: Op.LESS,
    Op.AT_LEAST: Op.AT_MOST,
}
_SAID = frozenset({Root.EVENT, Root.ACTOR})
"""Roots whose values are known before anybody is asked for."""


def matches(tree: Filter, record: Record, now: datetime) -> bool:
    """Say whether the conditions hold."""
    match tree:
        case AllOf(parts):
            return all(matches(part, record, now) for part in parts)
        case AnyOf(parts):
            return any(matches(part, record, now) for part in parts)
        case Not(part):
            return not matches(part, record, now)
        case Compare():
            return holds(tree, record, now)


def holds(compare: Compare, record: Record, now: datetime) -> bool:
    """Say whether one comparison is true."""
    if isinstance(compare.value, Field):
        compare = turned(compare)
        assert isinstance(compare.value, Field)
        value = constant(compare.op, value_of(compare.value, record))
    else:
        value = compare.value
    found = value_of(compare.field, record)
    if found is None or (value is None and compare.op is not Op.EXISTS):
        return False
    return compared(found, compare.op, value, now, ignore_case=compare.ignore_case)


def turned(compare: Compare) -> Compare:
    """Put the field that is asked for before the one that is known, where the operator can be turned round."""
    other = compare.value
    if isinstance(other, Field) and compare.field.root in _SAID and other.root not in _SAID and compare.op in _TURNED:
        return Compare(other, _TURNED[compare.op], compare.field, compare.ignore_case)
    return compare


def value_of(field: Field, record: Record) -> Any:
    """Give what the record holds in that place; None where nothing is."""
    found: Any = record.get(field.root)
    for name in field.path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def constant(op: Op, found: Any) -> Value:
    """Make of what a record holds the value that an operator compares with; None for what it takes nothing of."""
    if op is Op.IN:
        return tuple(one for one in found if _is_scalar(one)) if isinstance(found, list | tuple) else None
    if op in ORDERING:
        if isinstance(found, str):
            return moment_from(found)
        return found if isinstance(found, datetime) or (_is_number(found) and _is_scalar(found)) else None
    return found if _is_scalar(found) else None


def compared(found: Any, op: Op, value: Value, now: datetime, *, ignore_case: bool = False) -> bool:
    """Compare what was found, which is not None, with a constant."""
    if op is Op.EXISTS:
        return True
    if op in RELATIVE:
        assert isinstance(value, timedelta)
        return _relative(_microseconds(found), op, value, microseconds_of(now))
    if op in ORDERING:
        return _ordered(found, op, value)
    if op is Op.IN:
        assert isinstance(value, tuple)
        return any(_equal(found, one, ignore_case) for one in value)
    if op is Op.EQUALS:
        return _equal(found, value, ignore_case)
    if op is Op.CONTAINS and isinstance(found, list | tuple):
        return any(_equal(one, value, ignore_case) for one in found)
    if not isinstance(found, str) or not isinstance(value, str):
        return False
    if ignore_case:
        found, value = fold(found), fold(value)
    return _within(found, op, value)


def _within(found: str, op: Op, value: str) -> bool:
    if op is Op.CONTAINS:
        return value in found
    return found.startswith(value) if op is Op.STARTS_WITH else found.endswith(value)


def _equal(found: Any, value: Value, ignore_case: bool) -> bool:
    if isinstance(value, str):
        return isinstance(found, str) and (fold(found) == fold(value) if ignore_case else found == value)
    if isinstance(value, bool):
        return found is value
    if isinstance(value, int | float):
        return _is_number(found) and bool(found == value)
    if isinstance(value, Version):
        key = version_key(found) if isinstance(found, str) else None
        return key is not None and key == version_key(value.text)
    return False


def _ordered(found: Any, op: Op, value: Value) -> bool:
    ordering = _ORDERINGS[op]
    if isinstance(value, datetime):
        microseconds = _microseconds(found)
        return microseconds is not None and ordering(microseconds, microseconds_of(value))
    if isinstance(value, Version):
        key = version_key(found) if isinstance(found, str) else None
        return key is not None and ordering(key, version_key(value.text))
    return _is_number(found) and ordering(found, value)


def _relative(found: int | None, op: Op, length: timedelta, now: int) -> bool:
    if found is None:
        return False
    distance = length // MICROSECOND
    if op is Op.MORE_THAN_AGO:
        return found < now - distance
    return now - distance <= found <= now if op is Op.WITHIN_LAST else now <= found <= now + distance


def _microseconds(found: Any) -> int | None:
    if isinstance(found, datetime):
        return microseconds_of(found)
    return moment_of(found) if isinstance(found, str) else None


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_scalar(found: Any) -> bool:
    """Say whether a value of a record can be compared with: a number that means the same everywhere, or a text."""
    if isinstance(found, int | float):
        return isinstance(found, bool) or -LARGEST <= found <= LARGEST
    return isinstance(found, str)
