"""The store under test: every test of this folder runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.databases import Databases
from support.postgres import running_postgres
from support.stored import Given
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.storage import Store
from tidings.storage.open import open_store

RING = KeyRing.generate()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    with running_postgres() as url:
        databases = Databases(url)
        yield databases
        databases.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        made = open_store(database_url=None, folder=tmp_path, ring=RING)
        yield made
        await made.close()
        return
    with request.getfixturevalue("postgres").migrated() as url:
        made = open_store(database_url=url, folder=tmp_path, ring=RING)
        yield made
        await made.close()


@pytest.fixture
def given(store: Store, clock: FixedClock) -> Given:
    return Given(store, clock.now())
