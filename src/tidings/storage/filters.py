"""Conditions -> SQL. What a comparison means is decided in `domain/filters/matching.py`; this says the same.

Every comparison is made true or false and never NULL, so that its negation is exact. Values are parameters, names of
JSON fields too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    LargeBinary,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from tidings.domain.filters import (
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
    fields_of,
    naming,
)
from tidings.domain.filters.tree import ORDERING, RELATIVE
from tidings.domain.filters.values import MICROSECOND, fold, microseconds_of, version_key
from tidings.storage.dialects import Dialect, JsonScalar
from tidings.storage.tables.apps import users
from tidings.storage.tables.segments import follows
from tidings.storage.tables.subscriptions import subscriptions

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]
_ORDERINGS: dict[Op, Callable[[Any, Any], Any]] = {Op.LESS: lt, Op.AT_MOST: le, Op.GREATER: gt, Op.AT_LEAST: ge}

_DEVICE = {
    name: subscriptions.c[name] for name in ("provider", "status", "locale", "time_zone", "device", "app_version")
} | {"id": subscriptions.c.public_id, "user_id": subscriptions.c.user_external_id}
_DEVICE_TIMES = {name: subscriptions.c[name] for name in ("created_at", "last_seen_at", "last_active_at")}
_PERSON = {"locale": users.c.locale, "time_zone": users.c.time_zone}


def asks_for(tree: Filter) -> frozenset[Root]:
    """Give the roots that conditions ask for, without `user` where the device's own row answers."""
    return frozenset(
        field.root
        for field in fields_of(tree)
        if field.root is not Root.USER or field.path not in (("id",), ("topics",))
    )


def devices_with_people() -> FromClause:
    """Give devices beside what the App knows of whoever they belong to: nothing, where nobody is known."""
    return subscriptions.outerjoin(
        users,
        and_(users.c.app_id == subscriptions.c.app_id, users.c.external_id == subscriptions.c.user_external_id),
    )


def named_by(
    dialect: Dialect, tree: Filter, whose: ColumnElement[Any] = subscriptions.c.user_external_id
) -> ColumnElement[bool]:
    """Say for whom alone conditions can hold, in a way that the index of their names, `whose`, answers."""
    found = naming(tree)
    if found is None:
        return true()
    if found.field.path == ("topics",):
        app_id = bindparam("app_id", type_=BigInteger)
        followers = select(follows.c.user_external_id).where(follows.c.app_id == app_id)
        return whose.in_(followers.where(follows.c.topic == _text(found.value)))
    if isinstance(found.value, tuple):
        return dialect.among(whose, [str(one) for one in found.value])
    return whose == _text(found.value)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Makes conditions of fields of `user` and `subscription`, over rows of devices or of people alone."""

    dialect: Dialect
    at: datetime
    """The moment that relative times count from."""

    people: bool = False
    """Whether the rows are those of `users` alone."""

    def sql(self, tree: Filter) -> ColumnElement[bool]:
        """Give the condition. Raises ValueError for fields of other roots, which have to be bound before."""
        match tree:
            case AllOf(parts):
                return and_(true(), *map(self.sql, parts))
            case AnyOf(parts):
                return or_(false(), *map(self.sql, parts))
            case Not(part):
                return not_(self.sql(part))
            case Compare():
                return func.coalesce(self._compare(tree), false(), type_=Boolean)

    def _compare(self, compare: Compare) -> ColumnElement[bool]:
        field = compare.field
        if isinstance(compare.value, Field) or field.root not in (Root.USER, Root.SUBSCRIPTION):
            raise ValueError(f"{field} has to be bound before it can be asked for")
        if field.root is Root.USER:
            return self._of_person(compare)
        if self.people:
            raise ValueError(f"{field} is not known of a person")
        if len(field.path) == 2:
            return self._in_json(subscriptions.c.tags, field.path[1:], compare)
        (name,) = field.path
        if name in _DEVICE_TIMES:
            return self._of_time(_DEVICE_TIMES[name], compare)
        return self._of_text(_DEVICE[name], compare)

    def _of_person(self, compare: Compare) -> ColumnElement[bool]:
        path = compare.field.path
        row = users if self.people else subscriptions
        name = users.c.external_id if self.people else subscriptions.c.user_external_id
        if path == ("id",):
            return self._of_text(name, compare)
        if path == ("topics",):
            if compare.op not in (Op.EXISTS, Op.CONTAINS):
                return false()  # a list equals nothing
            followed = exists().where(follows.c.app_id == row.c.app_id, follows.c.user_external_id == name)
            if compare.op is Op.CONTAINS:
                followed = followed.where(follows.c.topic == _text(compare.value))
            return followed.correlate(row)
        if path == ("created_at",):
            return self._of_time(users.c.created_at, compare)
        if len(path) == 1 and path[0] in _PERSON:
            return self._of_text(_PERSON[path[0]], compare)
        return self._in_json(users.c.attributes, path, compare)

    def _of_time(self, column: ColumnElement[Any], compare: Compare) -> ColumnElement[bool]:
        if compare.op is Op.EXISTS:
            return column.is_not(None)
        if compare.op not in RELATIVE and not isinstance(compare.value, datetime):
            return false()  # a time equals no text and no number, alone or in a list
        return self._moment(type_coerce(column, BigInteger), compare.op, compare.value)

    def _of_text(self, column: ColumnElement[Any], compare: Compare) -> ColumnElement[bool]:
        nothing: ColumnElement[Any] = literal(None, Text)
        value = compare.value
        if compare.op is Op.EXISTS:
            return column.is_not(None)
        if compare.op in (Op.EQUALS, Op.CONTAINS) and not isinstance(value, str | Version):
            return false()
        if compare.op in ORDERING and isinstance(value, int | float):
            return false()
        if isinstance(value, tuple):
            compare = replace(compare, value=tuple(one for one in value if isinstance(one, str)))
        return self._scalar(JsonScalar(column, nothing, nothing), compare)

    def _in_json(self, document: ColumnElement[Any], path: tuple[str, ...], compare: Compare) -> ColumnElement[bool]:
        place = self.dialect.json(document, path)
        if compare.op is Op.EXISTS:
            return place.there
        if compare.op is Op.CONTAINS:
            one = Compare(compare.field, Op.EQUALS, compare.value, compare.ignore_case)
            listed = place.some(lambda element: self._scalar(element, one))
            if not isinstance(compare.value, str):
                return listed
            return _one_of([listed, self._scalar(place.scalar, compare)])
        return self._scalar(place.scalar, compare)

    def _scalar(self, found: JsonScalar, compare: Compare) -> ColumnElement[bool]:
        op, value = compare.op, compare.value
        if op in RELATIVE or isinstance(value, datetime):
            return self._moment(func.tidings_moment(found.text, type_=BigInteger), op, value)
        if isinstance(value, Version):
            key = func.tidings_version(found.text, type_=LargeBinary)
            wanted = bindparam(None, (version_key(value.text) or "").encode(), type_=LargeBinary, unique=True)
            return key == wanted if op is Op.EQUALS else _ORDERINGS[op](key, wanted)
        if isinstance(value, tuple):
            return self._among(found, value, compare.ignore_case)
        if isinstance(value, bool):
            return found.flag == ("true" if value else "false")
        if isinstance(value, int | float):
            number = self.dialect.number(value)
            return found.number == number if op is Op.EQUALS else _ORDERINGS[op](found.number, number)
        return self._text(found.text, op, value, compare.ignore_case)

    def _text(self, found: ColumnElement[str], op: Op, value: Value, ignore_case: bool) -> ColumnElement[bool]:
        assert isinstance(value, str)
        if ignore_case:
            found, value = func.tidings_fold(found, type_=Text), fold(value)
        wanted = _text(value)
        if op is Op.EQUALS:
            return found == wanted
        if op is Op.CONTAINS:
            return self.dialect.has_part(found, wanted)
        length = len(value)
        from_start = 1 if op is Op.STARTS_WITH else func.length(found) - (length - 1)
        return and_(func.length(found) >= length, func.substr(found, from_start, length) == wanted)

    def _among(self, found: JsonScalar, values: tuple[Any, ...], ignore_case: bool) -> ColumnElement[bool]:
        words = [one for one in values if isinstance(one, str)]
        flags = {one for one in values if isinstance(one, bool)}
        numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
        text = func.tidings_fold(found.text, type_=Text) if ignore_case else found.text
        parts: list[ColumnElement[bool]] = [found.flag == ("true" if one else "false") for one in flags]
        if words:
            parts.append(self.dialect.among(text, [fold(one) for one in words] if ignore_case else words))
        if numbers:
            parts.append(self.dialect.among(found.number, numbers))
        return _one_of(parts)

    def _moment(self, found: ColumnElement[Any], op: Op, value: Value) -> ColumnElement[bool]:
        if isinstance(value, datetime):
            return _ORDERINGS[op](found, _big(microseconds_of(value)))  # type: ignore[no-any-return]
        assert isinstance(value, timedelta)
        now, distance = microseconds_of(self.at), value // MICROSECOND
        if op is Op.MORE_THAN_AGO:
            return found < _big(now - distance)
        low, high = (now - distance, now) if op is Op.WITHIN_LAST else (now, now + distance)
        return and_(found >= _big(low), found <= _big(high))


def _one_of(parts: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Join parts of which some may be NULL where others are true."""
    return or_(false(), *(func.coalesce(part, false(), type_=Boolean) for part in parts))


def _text(value: Value) -> ColumnElement[str]:
    return bindparam(None, value, type_=Text, unique=True)


def _big(value: int) -> ColumnElement[int]:
    return bindparam(None, value, type_=BigInteger, unique=True)
