"""SQLite's way of saying it (3.35 and later)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from tidings.storage.dialects import increment, insert_missing, upsert

_PRESENT = (
    "SELECT subscription_id FROM deliveries"
    " WHERE notification_id = ? AND subscription_id IN (SELECT value FROM json_each(?))"
)
_STORE = (
    "INSERT INTO deliveries (notification_id, at, subscription_id, status, attempt, reason, provider_ref)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class SQLiteDialect:
    """Lists travel as JSON text and are read with json_each."""

    name: str = "sqlite"

    def hold(self, connection: Connection, name: str) -> None:
        """Do nothing: there is one writer."""

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

    def many(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Make the parameter of `any_of`."""
        return msgspec.json.encode(values).decode()

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
        return msgspec.json.encode(wanted).decode()

    def insert_deliveries(
        self, connection: Connection, notification_id: int, at: int, rows: Sequence[tuple[int, int, int, str, str]]
    ) -> set[int]:
        """Look first, then insert what is missing: nobody else writes in between."""
        wanted = self.many([row[0] for row in rows])
        present = {found for (found,) in connection.exec_driver_sql(_PRESENT, (notification_id, wanted))}
        missing = {row[0]: row for row in rows if row[0] not in present}
        if missing:
            connection.exec_driver_sql(_STORE, [(notification_id, at, *row) for row in missing.values()])
        return set(missing)


SQLITE = SQLiteDialect()
