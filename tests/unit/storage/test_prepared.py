"""Statements whose text is made once: values are what the column's type makes of them, and none is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, select, update

from tidings.domain.delivery import ShardStatus
from tidings.storage.columns import Moment, microseconds
from tidings.storage.dialects import Dialect
from tidings.storage.dialects.postgres import POSTGRES
from tidings.storage.dialects.sqlite import SQLITE
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.notifications import shards

NOW = datetime(2026, 11, 26, tzinfo=UTC)
c = shards.c


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda one: one.name)
def test_moments_become_numbers_and_enums_words(dialect: Dialect) -> None:
    statement = update(shards).where(c.status == ShardStatus.LEASED, c.id == bindparam("shard"))
    words = dialect.prepare(statement.values(due_at=bindparam("at", type_=Moment), fault=None)).words  # type: ignore[attr-defined]
    given = words.parameters({"shard": 7, "at": NOW})
    assert sorted(map(str, given.values())) == sorted(map(str, [7, microseconds(NOW), "leased", None]))
    assert all(type(value) in (int, str, type(None)) for value in given.values())
    assert set(words.order) == set(given)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda one: one.name)
def test_a_value_that_is_missing_is_a_bug_of_the_caller(dialect: Dialect) -> None:
    words = dialect.prepare(update(shards).values(due_at=bindparam("at", type_=Moment))).words  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="at"):
        words.parameters({})


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda one: one.name)
def test_a_statement_whose_text_depends_on_its_values_is_refused(dialect: Dialect) -> None:
    with pytest.raises(AssertionError):
        dialect.prepare(select(c.id).where(c.status.in_(["ready", "leased"])))


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda one: one.name)
def test_records_have_the_columns_names_and_types(dialect: Dialect) -> None:
    changed = update(shards).where(c.id == bindparam("shard")).values(fault=None)
    for statement in (select(c.id, c.due_at, c.retries), changed.returning(c.id, c.due_at, c.retries)):
        words = dialect.prepare(statement).words  # type: ignore[attr-defined]
        (record,) = words.records([(7, microseconds(NOW), None)])
        assert (record.id, record.due_at, record.retries) == (7, NOW, None)
        assert words.records([]) == []


def test_a_document_is_read_as_it_was_written() -> None:
    words = SQLITE.prepare(select(credentials.c.id, credentials.c.settings)).words
    assert words.records([(1, '{"a":[1,null]}')])[0].settings == {"a": [1, None]}
