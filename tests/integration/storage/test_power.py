"""What a loss of power takes of SQLite: nothing that was said to be stored. A kill cannot show it, so it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidings.lib.sealed import KeyRing
from tidings.storage import Transaction
from tidings.storage.open import open_store

FULL = 2
"""Each commit waits until the disk has it; with NORMAL, 1, the last ones of a WAL are lost with the power."""


def says(pragma: str):  # type: ignore[no-untyped-def]
    def ask(tx: Transaction) -> object:
        connection = tx.instance._scope.connection  # type: ignore[attr-defined]
        return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

    return ask


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", FULL), ("journal_mode", "wal"), ("foreign_keys", 1)])
async def test_the_writer_waits_for_the_disk(tmp_path: Path, pragma: str, value: object) -> None:
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    try:
        assert await store.write(says(pragma)) == value
    finally:
        await store.close()


@pytest.mark.parametrize(("pragma", "value"), [("query_only", 1), ("wal_autocheckpoint", 0)])
async def test_readers_write_nothing_and_never_checkpoint(tmp_path: Path, pragma: str, value: object) -> None:
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    try:
        assert await store.read(says(pragma)) == value
    finally:
        await store.close()
