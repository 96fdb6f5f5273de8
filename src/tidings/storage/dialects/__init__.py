"""What differs between the databases: inserts that meet a row, lists as one parameter, tags, rows in bulk."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from typing import Any, NamedTuple, Protocol, Self

from sqlalchemy import ClauseElement, Column, ColumnElement, Connection, Table
from sqlalchemy.engine import Dialect as Driver
from sqlalchemy.sql.compiler import SQLCompiler
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


@dataclass(frozen=True, slots=True)
class Words:
    """A statement's text for a driver, made once, and how its parameters are made of the values of one execution.

    For the statements of a chunk: finding them in its cache and wrapping their results costs SQLAlchemy many times what
    the database needs for them.
    """

    text: str
    order: tuple[str, ...]
    constants: Mapping[str, Any]
    encoders: tuple[tuple[str, Callable[[Any], Any]], ...]
    decoders: tuple[tuple[int, Callable[[Any], Any]], ...]
    """What makes the values of columns, by their places, of what the driver gives."""
    record: Callable[[Iterable[Any]], Any]

    @classmethod
    def of(cls, statement: ClauseElement, driver: Driver) -> Self:
        """Compile a statement; one with `in_` has no text of its own before its values are known."""
        compiled = statement.compile(dialect=driver)
        assert isinstance(compiled, SQLCompiler)
        assert not compiled.post_compile_params
        encoders = {
            name: bind.type.dialect_impl(driver).bind_processor(driver) for bind, name in compiled.bind_names.items()
        }
        constants = {
            name: value.value if isinstance(value, Enum) else value
            for name, value in compiled.params.items()
            if name not in compiled.binds or not compiled.binds[name].required
        }
        columns: Sequence[ColumnElement[Any]] = tuple(getattr(statement, "exported_columns", ()))
        decoders = (one.type.dialect_impl(driver).result_processor(driver, None) for one in columns)
        names = [str(getattr(one, "name", "")) for one in columns]
        return cls(
            text=str(compiled),
            order=tuple(compiled.positiontup or compiled.params),
            constants=constants,
            encoders=tuple((name, encode) for name, encode in encoders.items() if encode is not None),
            decoders=tuple((at, decode) for at, decode in enumerate(decoders) if decode is not None),
            record=partial(tuple.__new__, namedtuple("Record", names, rename=True)),
        )

    def parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Give every parameter as the driver takes it; a missing value is a KeyError."""
        given = {**self.constants, **values}
        for name, encode in self.encoders:
            given[name] = encode(given[name])
        return given

    def records(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Give rows of a driver as tuples with the columns' names and types."""
        if not self.decoders:
            return list(map(self.record, rows))
        return [self.record(self._decoded(list(row))) for row in rows]

    def _decoded(self, values: list[Any]) -> list[Any]:
        for at, decode in self.decoders:
            values[at] = decode(values[at])
        return values


class NewDeliveries(NamedTuple):
    """Rows of `deliveries` as columns of plain values, all equally long."""

    subscriptions: Sequence[int]
    statuses: Sequence[int]
    attempts: Sequence[int]
    reasons: Sequence[str]
    references: Sequence[str]


class JsonScalar(NamedTuple):
    """A value of a JSON document as expressions, one for each kind; those of the other kinds are NULL."""

    text: ColumnElement[str]
    number: ColumnElement[Any]
    flag: ColumnElement[str]
    """`true` or `false`."""


class JsonPlace(NamedTuple):
    """A place in a JSON document, as expressions."""

    there: ColumnElement[bool]
    """Whether something is there that is not null; NULL where nothing is."""

    scalar: JsonScalar
    some: Callable[[Callable[[JsonScalar], ColumnElement[bool]]], ColumnElement[bool]]
    """Whether a list is there, and one element of it passes a test."""


class Prepared(Protocol):
    """A statement that is ready to be executed."""

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Execute it and give its rows, columns as the driver gives them: for plain types."""
        ...

    def records(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Execute it and give its rows, columns by name and of their own types."""
        ...

    def count(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute it and give how many rows it changed."""
        ...


class Dialect(Protocol):
    """One database's way of saying it. Instances hold nothing and are hashable, and statements are built once."""

    @property
    def name(self) -> str: ...

    def __hash__(self) -> int: ...

    def hold(self, connection: Connection, name: str) -> None:
        """Let nobody else past this name until the transaction ends."""
        ...

    def prepare(self, statement: ClauseElement) -> Prepared:
        """Make a statement ready; keep what comes back."""
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

    def any_in_order(self, column: Column[int], parameter: str) -> ColumnElement[bool]:
        """Compare like `any_of`, and take hold of the rows one after the other by that column before any is changed."""
        ...

    def hold_in_order(
        self, connection: Connection, column: Column[int], *conditions: ColumnElement[bool], **values: Any
    ) -> None:
        """Hold the rows that meet the conditions until the transaction ends, one after the other by that column."""
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

    def json(self, document: ColumnElement[Any], path: Sequence[str]) -> JsonPlace:
        """Look into a JSON document; a name of the path has no quotes, backslashes and control characters."""
        ...

    def number(self, value: float) -> ColumnElement[Any]:
        """Give a number to compare with one of a document, read as those are."""
        ...

    def among(self, value: ColumnElement[Any], wanted: Sequence[str] | Sequence[int | float]) -> ColumnElement[bool]:
        """Ask whether a value is in a list of any length, of texts or of numbers."""
        ...

    def has_part(self, value: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        """Ask whether a text holds another one, sign by sign."""
        ...

    def insert_deliveries(
        self, connection: Connection, notification_id: int, at: int, new: NewDeliveries
    ) -> Collection[int] | None:
        """Store rows that are missing; give the subscriptions whose were stored, or None when all were.

        `at` is in microseconds since 1970.
        """
        ...
