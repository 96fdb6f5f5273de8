"""Steps of the schema that change what is stored, taken by a database with something in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.databases import Databases
from support.stored import Given
from tidings.lib.sealed import KeyRing
from tidings.storage import Transaction, migrations
from tidings.storage.open import migrate, open_store

STEPS = tuple(sorted(file.stem for file in (Path(migrations.__file__).parent / "versions").glob("0*.py")))
PEOPLE = {"u-1": {"email": "K.Lee@Example.org"}, "u-2": {"name": "Kim"}, "u-3": {"email": 7}}


async def found_after_the_step(database_url: str | None, folder: Path, ring: KeyRing) -> list[str]:
    """Put a database back to before people were found by their e-mail address, take the step, and look for one."""
    store = open_store(database_url=database_url, folder=folder, ring=ring)
    app = await Given(store, datetime.now(UTC)).app()

    def before(tx: Transaction) -> None:
        for name, attributes in PEOPLE.items():
            tx.users.put(app.id, name, attributes=attributes, locale=None, time_zone=None, now=datetime.now(UTC))
        connection = tx.instance._scope.connection  # type: ignore[attr-defined]
        connection.exec_driver_sql("DELETE FROM user_words WHERE word IN ('k', 'lee', 'example', 'org')")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0022_pre_minutes'")

    await store.write(before)
    await store.close()
    assert migrate(database_url=database_url, folder=folder) == list(STEPS[STEPS.index("0023_pre_emails") :])
    store = open_store(database_url=database_url, folder=folder, ring=ring)
    people = await store.read(lambda tx: tx.users.page(app.id, after=0, limit=9, search="k.lee@example"))
    await store.close()
    return [one.external_id for one in people]


class TestSteps:
    async def test_who_is_there_already_is_found_by_their_e_mail_address(self, tmp_path: Path) -> None:
        migrate(database_url=None, folder=tmp_path)
        assert await found_after_the_step(None, tmp_path, KeyRing.generate()) == ["u-1"]

    @pytest.mark.postgres
    async def test_also_on_postgresql(self, databases: Databases) -> None:
        with databases.migrated() as url:
            assert await found_after_the_step(url, Path(), KeyRing.generate()) == ["u-1"]
