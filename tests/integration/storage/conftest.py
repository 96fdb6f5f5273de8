"""Real databases: a folder for SQLite, and a PostgreSQL server for the tests that need one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.databases import Databases
from support.postgres import running_postgres
from support.stored import Given
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.storage import Store, postgres_store
from tidings.storage.open import open_store


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with running_postgres() as url:
        made = Databases(url)
        yield made
        made.close()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
async def sqlite(tmp_path: Path, ring: KeyRing) -> AsyncIterator[Store]:
    made = open_store(database_url=None, folder=tmp_path, ring=ring)
    yield made
    await made.close()


@pytest.fixture
def given(sqlite: Store, clock: FixedClock) -> Given:
    return Given(sqlite, clock.now())


@pytest.fixture
async def store(databases: Databases, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A PostgreSQL store that tries nothing again: a deadlock is an error."""
    monkeypatch.setattr(postgres_store, "MOST_TRIES", 1)
    with databases.migrated() as url:
        made = open_store(database_url=url, folder=Path(), ring=ring)
        yield made
        await made.close()
