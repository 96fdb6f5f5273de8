"""The tree of conditions: comparisons of a field with a value, joined by all, any and not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Root(StrEnum):
    """What a field is a part of."""

    EVENT = "event"
    USER = "user"
    ACTOR = "actor"
    SUBSCRIPTION = "subscription"


ALL_ROOTS = frozenset(Root)


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a record: `user.address.city` is the root `user` and the path ("address", "city")."""

    root: Root
    path: tuple[str, ...]


class Op(StrEnum):
    """How a field is compared. What is not here is the negation of one: `!=`, `not in`, missing."""

    EXISTS = "exists"
    EQUALS = "equals"
    IN = "in"
    LESS = "less"
    AT_MOST = "at_most"
    GREATER = "greater"
    AT_LEAST = "at_least"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    WITHIN_LAST = "within_last"
    MORE_THAN_AGO = "more_than_ago"
    WITHIN_NEXT = "within_next"


ORDERING = frozenset({Op.LESS, Op.AT_MOST, Op.GREATER, Op.AT_LEAST})
RELATIVE = frozenset({Op.WITHIN_LAST, Op.MORE_THAN_AGO, Op.WITHIN_NEXT})
TEXTUAL = frozenset({Op.EQUALS, Op.IN, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH})
"""Operators that can leave upper and lower case out of account."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version to compare with, as it was written: 2.10.0 comes after 2.9.1, and 2.0.0-beta before 2.0.0."""

    text: str


Scalar = str | int | float | bool
Value = Scalar | datetime | timedelta | Version | Field | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `value` is None with EXISTS alone, a tuple or a Field with IN, a timedelta with RELATIVE."""

    field: Field
    op: Op
    value: Value = None
    ignore_case: bool = False

    def __eq__(self, other: object) -> bool:
        """Tell `true` from 1, which Python takes for equal and JSON does not."""
        return isinstance(other, Compare) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        value = self.value
        kinds = tuple(map(type, value)) if isinstance(value, tuple) else type(value)
        return self.field, self.op, value, kinds, self.ignore_case


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; of no parts, everything does."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part holds at least; of no parts, nothing does."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


Filter = AllOf | AnyOf | Not | Compare

TRUE = AllOf(())
FALSE = AnyOf(())
