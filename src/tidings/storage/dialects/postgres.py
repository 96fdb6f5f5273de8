"""PostgreSQL's way of saying it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Numeric,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert, psycopg
from sqlalchemy.engine import Dialect as Driver
from sqlalchemy.sql.dml import Insert

from tidings.storage.dialects import JsonPlace, JsonScalar, NewDeliveries, Words, increment, insert_missing, upsert

# One statement with five arrays: measured against COPY into a staging table and against a row per statement.
_STORE = (
    "INSERT INTO deliveries (notification_id, at, subscription_id, status, attempt, reason, provider_ref)"
    " SELECT %s, %s, * FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[], %s::text[], %s::text[])"
    " ON CONFLICT DO NOTHING RETURNING subscription_id"
)


_DRIVER: Driver = psycopg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Goes through SQLAlchemy as text, so that what goes wrong has the same names as everywhere else."""

    words: Words

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Execute it and give its rows."""
        return self._execute(connection, values).fetchall()

    def records(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Execute it and give its rows, columns by name and of their own types."""
        return self.words.records(self.rows(connection, values))

    def count(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute it and give how many rows it changed."""
        return self._execute(connection, values).rowcount

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> CursorResult[Any]:
        return connection.exec_driver_sql(self.words.text, self.words.parameters(values))


@dataclass(frozen=True, slots=True)
class PostgresDialect:
    """Lists travel as arrays."""

    name: str = "postgresql"

    def hold(self, connection: Connection, name: str) -> None:
        """Take the advisory lock of that name; what is read after this was committed by whoever had it before."""
        number = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (number,))

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
        """Compare a column with the elements of an array."""
        return column == func.any(bindparam(parameter, type_=ARRAY(column.type)))

    def any_in_order(self, column: Column[int], parameter: str) -> ColumnElement[bool]:
        """Lock the rows in a subquery that sorts them: an update alone locks them as it comes upon them."""
        same = column.table.alias().c[column.name]
        return column.in_(_in_order(same, self.any_of(same, parameter)))

    def hold_in_order(
        self, connection: Connection, column: Column[int], *conditions: ColumnElement[bool], **values: Any
    ) -> None:
        """Lock the rows, and fetch none of them."""
        connection.execute(select(func.count()).select_from(_in_order(column, *conditions).subquery()), values)

    def many(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Make the parameter of `any_of`."""
        return list(values)

    def unindexed(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Give the column as it is: this planner knows how many rows to expect."""
        return column

    def has_tags(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Ask whether the document contains the wanted one."""
        return column.op("@>", is_comparison=True)(bindparam(parameter, type_=JSONB))

    def tags(self, wanted: Mapping[str, str]) -> Any:
        """Make the parameter of `has_tags`."""
        return dict(wanted)

    def json(self, document: ColumnElement[Any], path: Sequence[str]) -> JsonPlace:
        """Look into a document step by step: a name never counts as the place in a list."""
        value: ColumnElement[Any] = type_coerce(document, JSONB)
        for name in path:
            value = value.op("->", return_type=JSONB())(bindparam(None, name, type_=Text, unique=True))
        kind = func.jsonb_typeof(value)

        def some(test: Callable[[JsonScalar], ColumnElement[bool]]) -> ColumnElement[bool]:
            # In CASE, since nothing else keeps PostgreSQL from taking apart what is no list.
            elements = func.jsonb_array_elements(case((kind == "array", value))).table_valued("value")
            passes = select(literal(1)).select_from(elements).where(test(_scalar(type_coerce(elements.c.value, JSONB))))
            return passes.correlate_except(elements).exists()

        return JsonPlace(kind != "null", _scalar(value), some)

    def number(self, value: float) -> ColumnElement[Any]:
        """Give it as a decimal number, as documents hold them."""
        return bindparam(None, Decimal(repr(value)), type_=Numeric, unique=True)

    def among(self, value: ColumnElement[Any], wanted: Sequence[str] | Sequence[int | float]) -> ColumnElement[bool]:
        """Compare it with an array; long ones are hashed."""
        equal = value.op("=", is_comparison=True)  # `==` would put the array first, where it may not stand
        if wanted and not isinstance(wanted[0], str):
            exact = [Decimal(repr(one)) for one in wanted]
            return equal(func.any(bindparam(None, exact, type_=ARRAY(Numeric), unique=True)))
        return equal(func.any(bindparam(None, list(wanted), type_=ARRAY(Text), unique=True)))

    def has_part(self, value: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        """Look for it by strpos."""
        return func.strpos(value, part) > 0

    def insert_deliveries(
        self, connection: Connection, notification_id: int, at: int, new: NewDeliveries
    ) -> Collection[int] | None:
        """Insert in one statement; it gives back the rows that were really inserted."""
        stored = connection.exec_driver_sql(_STORE, (notification_id, at, *map(list, new))).fetchall()
        return None if len(stored) == len(new.subscriptions) else {subscription_id for (subscription_id,) in stored}


def _in_order(column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(column).where(*conditions).order_by(column).with_for_update(key_share=True)


def _scalar(value: ColumnElement[Any]) -> JsonScalar:
    kind = func.jsonb_typeof(value)
    return JsonScalar(
        text=case((kind == "string", value.op("#>>", return_type=Text())(literal_column("'{}'")))),
        number=case((kind == "number", cast(value, Numeric))),
        flag=case((kind == "boolean", cast(value, Text))),
    )


POSTGRES = PostgresDialect()
