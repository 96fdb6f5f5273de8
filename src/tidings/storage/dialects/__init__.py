"""What differs between the databases: inserts that meet a row, lists as one parameter, tags, rows in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.sql.dml import Insert

Inserts = Callable[[Table], Any]
"""A database's own `insert` construct: both have `on_conflict_...`, which their common class lacks."""


@cache
def insert_missing(insert: Inserts, table: Table) -> Insert:
    """Build an insert that leaves rows alone which are there already."""
    built: Insert = insert(table).on_conflict_do_nothing()
    return built


@cache
def upsert(insert: Inserts, table: Table, key: tuple[str, ...], update: tuple[str, ...]) -> Insert:
    """Build an insert that sets the columns `update` of a row that is there already."""
    new = insert(table)
    built: Insert = new.on_conflict_do_update(index_elements=key, set_={name: new.excluded[name] for name in update})
    return built


@cache
def increment(insert: Inserts, table: Table, key: tuple[str, ...], column: str) -> Insert:
    """Build an insert that adds to the column of a row that is there already."""
    new = insert(table)
    total = table.c[column] + new.excluded[column]
    built: Insert = new.on_conflict_do_update(index_elements=key, set_={column: total})
    return built


class Dialect(Protocol):
    """One database's way of saying it. Instances hold nothing and are hashable, and statements are built once."""

    @property
    def name(self) -> str: ...

    def __hash__(self) -> int: ...

    def hold(self, connection: Connection, name: str) -> None:
        """Let nobody else past this name until the transaction ends."""
        ...

    def insert_missing(self, table: Table) -> Insert:
        """Build an insert that leaves rows alone which are there already."""
        ...

    def upsert(self, table: Table, *, key: tuple[str, ...], update: tuple[str, ...]) -> Insert:
        """Build an insert that, when a row with that key is there, sets the columns `update` to the new values."""
        ...

    def increment(self, table: Table, *, key: tuple[str, ...], column: str) -> Insert:
        """Build an insert that, when a row with that key is there, adds the new value of `column` to its own."""
        ...

    def any_of(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Compare a column with a list of any length that is passed as one parameter, made by `many`."""
        ...

    def many(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Make the parameter of `any_of`."""
        ...

    def unindexed(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Give the column such that no index is chosen for a condition on it, where the planner needs to be told."""
        ...

    def has_tags(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Ask whether a JSON object carries every wanted tag; the parameter is made by `tags`."""
        ...

    def tags(self, wanted: Mapping[str, str]) -> Any:
        """Make the parameter of `has_tags`."""
        ...

    def insert_deliveries(
        self, connection: Connection, notification_id: int, at: int, rows: Sequence[tuple[int, int, int, str, str]]
    ) -> set[int]:
        """Store rows (subscription, status, attempt, reason, reference) that are missing; give whose were stored.

        `at` is in microseconds since 1970.
        """
        ...
