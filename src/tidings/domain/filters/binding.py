"""Putting in what is known already: fields of an event become constants before anybody is looked for."""

from __future__ import annotations

from collections.abc import Set as Names
from dataclasses import replace
from datetime import datetime

from tidings.domain.filters.matching import Record, constant, holds, turned, value_of
from tidings.domain.filters.tree import FALSE, TRUE, AllOf, AnyOf, Compare, Field, Filter, Not, Op, Root
from tidings.domain.filters.values import fold

_NAMING = frozenset(
    {
        Field(Root.USER, ("id",)),
        Field(Root.ACTOR, ("id",)),
        Field(Root.SUBSCRIPTION, ("user_id",)),
        Field(Root.SUBSCRIPTION, ("id",)),
    }
)


def bind(tree: Filter, record: Record, now: datetime) -> Filter:
    """Decide what the record's roots decide, and put their values into the rest; other roots stay to be asked for.

    What comes back has no field of those roots, and holds for a person exactly when the whole would.
    """
    match tree:
        case AllOf(parts):
            return _joined([bind(part, record, now) for part in parts], AllOf)
        case AnyOf(parts):
            return _joined([bind(part, record, now) for part in parts], AnyOf)
        case Not(part):
            bound = bind(part, record, now)
            return FALSE if bound == TRUE else TRUE if bound == FALSE else Not(bound)
        case Compare():
            return _bound(tree, record, now)


def _bound(compare: Compare, record: Record, now: datetime) -> Filter:
    compare = turned(compare)
    value = compare.value
    left_known = compare.field.root in record
    if isinstance(value, Field):
        if left_known and value.root in record:
            return TRUE if holds(compare, record, now) else FALSE
        if value.root not in record:
            return compare
        found = constant(compare.op, value_of(value, record))
        return FALSE if found is None else replace(compare, value=found)
    if left_known:
        return TRUE if holds(compare, record, now) else FALSE
    return compare


def of_people(tree: Filter) -> Filter:
    """Give the part of conditions that holds for a person whatever devices they have, or none; FALSE for no such part.

    Without a device no condition on devices holds for anybody, nor its opposite.
    """
    if not _asks_for_devices(tree):
        return tree
    match tree:
        case AllOf(parts):
            return _joined([of_people(part) for part in parts], AllOf)
        case AnyOf(parts):
            return _joined([of_people(part) for part in parts], AnyOf)
        case _:
            return FALSE


def _asks_for_devices(tree: Filter) -> bool:
    match tree:
        case AllOf(parts) | AnyOf(parts):
            return any(map(_asks_for_devices, parts))
        case Not(part):
            return _asks_for_devices(part)
        case Compare(field=field, value=value):
            return Root.SUBSCRIPTION in (field.root, value.root if isinstance(value, Field) else None)


def forgotten(tree: Filter, names: Names[str]) -> Filter:
    """Give the conditions without these ids of people and devices; they hold for everybody else as before."""
    match tree:
        case AllOf(parts):
            return _joined([forgotten(part, names) for part in parts], AllOf)
        case AnyOf(parts):
            return _joined([forgotten(part, names) for part in parts], AnyOf)
        case Not(part):
            left = forgotten(part, names)
            return FALSE if left == TRUE else TRUE if left == FALSE else Not(left)
        case Compare():
            return _unnamed(tree, names)


def _unnamed(compare: Compare, names: Names[str]) -> Filter:
    value = compare.value
    if compare.field not in _NAMING:
        return compare
    meant = {fold(name) for name in names} if compare.ignore_case else names

    def is_meant(one: object) -> bool:
        return isinstance(one, str) and (fold(one) if compare.ignore_case else one) in meant

    if compare.op is Op.EQUALS and is_meant(value):
        return FALSE
    if compare.op is Op.IN and isinstance(value, tuple) and any(map(is_meant, value)):
        others = tuple(one for one in value if not is_meant(one))
        return replace(compare, value=others) if others else FALSE
    return compare


def _joined(parts: list[Filter], kind: type[AllOf] | type[AnyOf]) -> Filter:
    deciding, idle = (FALSE, TRUE) if kind is AllOf else (TRUE, FALSE)
    if deciding in parts:
        return deciding
    left = tuple(part for part in parts if part != idle)
    return left[0] if len(left) == 1 else kind(left)
