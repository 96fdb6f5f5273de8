"""SQLite's way of saying it (3.35 and later)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import insert, pysqlite
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import NullType, TypeEngine

from tidings.storage.dialects import JsonPlace, JsonScalar, NewDeliveries, Words, increment, insert_missing, upsert

_PRESENT = (
    "SELECT subscription_id FROM deliveries"
    " WHERE notification_id = ? AND subscription_id IN (SELECT value FROM json_each(?))"
)
# Measured: a row at a time through the driver costs two and a half times as much.
_STORE = (
    "INSERT INTO deliveries (notification_id, at, status, attempt, reason, subscription_id, provider_ref)"
    " SELECT ?, ?, ?, ?, ?, CAST(key AS INTEGER), value FROM json_each(?)"
)

_DRIVER = pysqlite.dialect()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Goes to the driver itself, which keeps statements compiled by their text."""

    words: Words

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it and give its rows."""
        return self._execute(connection, values).fetchall()

    def records(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Execute it and give its rows, columns by name and of their own types."""
        return self.words.records(self.rows(connection, values))

    def count(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute it and give how many rows it changed."""
        return self._execute(connection, values).rowcount

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        given = self.words.parameters(values)
        return _driver_of(connection).execute(self.words.text, [given[name] for name in self.words.order])


def _driver_of(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@dataclass(frozen=True, slots=True)
class SQLiteDialect:
    """Lists travel as JSON text and are read with json_each."""

    name: str = "sqlite"

    def hold(self, connection: Connection, name: str) -> None:
        """Do nothing: there is one writer."""

    def prepare(self, statement: ClauseElement) -> _Prepared:
        """Make a statement ready."""
        return _Prepared(Words.of(statement, _DRIVER))

    def insert_missing(self, table: Table) -> Insert:
        """Build an insert that leaves rows alone which are there already."""
        return insert_missing(insert, table)

    def upsert(self, table: Table, *, key: tuple[str, ...], update: tuple[str, ...]) -> Insert:
        """Build an insert that sets the columns `update` of a row that is there already."""
        return upsert(insert, table, key, update)

    def increment(self, table: Table, *, key: tuple[str, ...], column: str) -> Insert:
        """Build an insert that adds to the column of a row that is there already."""
        return increment(insert, table, key, column)

    def any_of(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Compare a column with the elements of a JSON array."""
        values = func.json_each(bindparam(parameter, type_=Text)).table_valued("value", name=parameter)
        return column.in_(select(values.c.value))

    def any_in_order(self, column: Column[int], parameter: str) -> ColumnElement[bool]:
        """Compare with any of them: there is one writer."""
        return self.any_of(column, parameter)

    def hold_in_order(
        self, connection: Connection, column: Column[int], *conditions: ColumnElement[bool], **values: Any
    ) -> None:
        """Hold nothing: there is one writer."""

    def many(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Make the parameter of `any_of`."""
        return _json(values)

    def unindexed(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Put a plus before the column, SQLite's own way to say so."""
        return UnaryExpression(column, operator=custom_op("+"), type_=column.type)

    def has_tags(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Ask that no wanted tag is missing; json_each takes any key, a JSON path would need quoting."""
        wanted = func.json_each(bindparam(parameter, type_=Text)).table_valued("key", "value", name="wanted")
        carried = func.json_each(column, type_=Text).table_valued("key", "value", name="carried")
        held = select(carried.c.key).where(carried.c.key == wanted.c.key, carried.c.value == wanted.c.value)
        return (
            ~select(wanted.c.key).where(~held.correlate(wanted, column.table).exists()).correlate(column.table).exists()
        )

    def tags(self, wanted: Mapping[str, str]) -> Any:
        """Make the parameter of `has_tags`."""
        return _json(wanted)

    def json(self, document: ColumnElement[Any], path: Sequence[str]) -> JsonPlace:
        """Look into a JSON text; names are labels, as msgspec writes signs beyond ASCII as they are."""
        place = bindparam(None, "$" + "".join(f'."{name}"' for name in path), type_=Text, unique=True)

        kind = func.json_type(document, place)

        def some(test: Callable[[JsonScalar], ColumnElement[bool]]) -> ColumnElement[bool]:
            element = func.json_each(document, place).table_valued("type", "atom")
            passes = select(literal(1)).select_from(element).where(test(_scalar(element.c.type, element.c.atom)))
            return and_(kind == "array", passes.correlate_except(element).exists())

        return JsonPlace(kind != "null", _scalar(kind, func.json_extract(document, place)), some)

    def number(self, value: float) -> ColumnElement[Any]:
        """Let SQLite read it from JSON, as it reads those of a document."""
        return func.json_extract(bindparam(None, _json(value), type_=Text, unique=True), "$", type_=NullType())

    def among(self, value: ColumnElement[Any], wanted: Sequence[str] | Sequence[int | float]) -> ColumnElement[bool]:
        """Look it up in a JSON array, which SQLite reads once for a whole statement."""
        values = func.json_each(bindparam(None, _json(wanted), type_=Text, unique=True)).table_valued("value")
        return value.in_(select(values.c.value))

    def has_part(self, value: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        """Look for it by instr."""
        return func.instr(value, part) > 0

    def insert_deliveries(
        self, connection: Connection, notification_id: int, at: int, new: NewDeliveries
    ) -> Collection[int] | None:
        """Insert all that are alike in one statement; where one is there, look which are missing."""
        driver = _driver_of(connection)
        stored: list[int] = []
        for (status, attempt, reason), references in _alike(new).items():
            shared = (notification_id, at, status, attempt, reason)
            try:
                driver.execute(_STORE, (*shared, _json(references))).close()
            except sqlite3.IntegrityError:  # nothing of this statement was stored
                asked = (notification_id, self.many(list(references)))
                present = {found for (found,) in driver.execute(_PRESENT, asked)}
                references = {one: reference for one, reference in references.items() if one not in present}
                driver.execute(_STORE, (*shared, _json(references))).close()
            stored += references
        return None if len(stored) == len(new.subscriptions) else set(stored)


def _scalar(kind: ColumnElement[str], value: ColumnElement[Any]) -> JsonScalar:
    return JsonScalar(
        text=_where(kind == "text", value, Text()),
        number=_where(or_(kind == "integer", kind == "real"), value, NullType()),
        flag=_where(or_(kind == "true", kind == "false"), kind, Text()),
    )


def _where(test: ColumnElement[bool], value: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return type_coerce(case((test, value)), kind)


def _alike(new: NewDeliveries) -> dict[tuple[int, int, str], dict[int, str]]:
    """Group rows by (status, attempt, reason), as subscription -> reference; nearly always there is one group."""
    kinds = list(zip(new.statuses, new.attempts, new.reasons, strict=True))
    rows = zip(new.subscriptions, new.references, strict=True)
    if len(set(kinds)) == 1:
        return {kinds[0]: dict(rows)}
    groups: dict[tuple[int, int, str], dict[int, str]] = {}
    for kind, (subscription_id, reference) in zip(kinds, rows, strict=True):
        groups.setdefault(kind, {})[subscription_id] = reference
    return groups


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


SQLITE = SQLiteDialect()
