"""Opening, migrating and copying databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from support.databases import Databases
from support.stored import Given
from tidings import wiring
from tidings.domain.audience import Everyone
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing, KeyRingError
from tidings.settings import Settings
from tidings.storage import Store, StoreUnavailable, Transaction, migrations, postgres_store, sqlite_store
from tidings.storage.errors import StoreRefused
from tidings.storage.open import DATABASE_FILE, backup, migrate, open_store, schema_state, sqlite_facts
from tidings.storage.schema import metadata

STEPS = tuple(sorted(file.stem for file in (Path(migrations.__file__).parent / "versions").glob("0*.py")))
HEAD = STEPS[-1]
CUT_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def difference(engine: Engine) -> list[object]:
    try:
        with engine.begin() as connection:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))
    finally:
        engine.dispose()


def at(folder: Path, revision: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


class TestSchema:
    def test_the_steps_lead_to_the_tables_of_the_schema_on_sqlite(self, tmp_path: Path) -> None:
        assert migrate(database_url=None, folder=tmp_path) == list(STEPS)
        assert migrate(database_url=None, folder=tmp_path) == []
        assert difference(sqlite_store.writing_engine(tmp_path / DATABASE_FILE)) == []

    @pytest.mark.postgres
    def test_the_steps_lead_to_the_tables_of_the_schema_on_postgresql(self, databases: Databases) -> None:
        with databases.empty() as url:
            assert schema_state(database_url=url, folder=Path()).pending == STEPS
            assert migrate(database_url=url, folder=Path()) == list(STEPS)
            assert schema_state(database_url=url, folder=Path()).current == HEAD
            assert difference(postgres_store.writing_engine(url)) == []

    def test_every_table_of_sqlite_is_strict(self, tmp_path: Path) -> None:
        migrate(database_url=None, folder=tmp_path)
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection:
            tables = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
        assert {name for name, strict in tables if not strict} <= {
            "alembic_version", "sqlite_schema", "sqlite_sequence",
        }  # fmt: skip

    def test_asking_how_far_it_is_makes_nothing(self, tmp_path: Path) -> None:
        assert schema_state(database_url=None, folder=tmp_path / "none").pending == STEPS
        assert list(tmp_path.iterdir()) == []


class TestOpening:
    async def test_what_was_stored_is_there_after_a_restart(self, tmp_path: Path, clock: FixedClock) -> None:
        ring = KeyRing.generate()
        first = open_store(database_url=None, folder=tmp_path / "new", ring=ring)
        app = await Given(first, clock.now()).app()
        secret = first.sealer.derive("receipts")
        await first.close()
        second = open_store(database_url=None, folder=tmp_path / "new", ring=ring)
        assert await second.read(lambda tx: tx.apps.all()) == [app]
        assert second.sealer.derive("receipts") == secret
        await second.close()

    async def test_closing_leaves_one_private_file(self, tmp_path: Path, sqlite: Store) -> None:
        await sqlite.close()
        await sqlite.close()
        assert [file.name for file in tmp_path.iterdir()] == [DATABASE_FILE]
        assert (tmp_path / DATABASE_FILE).stat().st_mode & 0o077 == 0
        for call in (sqlite.read, sqlite.write):
            with pytest.raises(StoreUnavailable, match="closed"):
                await call(lambda tx: tx.apps.all())

    def test_a_database_that_is_behind_is_refused_with_the_command_that_mends_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        migrate(database_url=None, folder=tmp_path)
        from tidings.storage import open as opening

        behind = opening.SchemaState("0001_pre_begin", "0002_pre_more", ("0002_pre_more",))
        monkeypatch.setattr(opening, "_state", lambda _: behind)
        with pytest.raises(StoreRefused, match="tidings migrate"):
            open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())

    def test_a_database_of_a_newer_version_is_refused(self, tmp_path: Path) -> None:
        migrate(database_url=None, folder=tmp_path)
        at(tmp_path, "9999_pre_future")
        assert schema_state(database_url=None, folder=tmp_path).unknown
        with pytest.raises(StoreRefused, match="9999_pre_future"):
            open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())

    async def test_another_key_ring_does_not_open_it(self, tmp_path: Path, sqlite: Store) -> None:
        await sqlite.close()
        with pytest.raises(KeyRingError):
            open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())

    def test_a_file_that_is_no_database_is_refused_with_what_mends_it(self, tmp_path: Path) -> None:
        (tmp_path / DATABASE_FILE).write_bytes(b"not a database, and longer than a header of one is" * 100)
        with pytest.raises(StoreRefused, match="damaged, or it is none") as refused:
            open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
        assert "backup" in refused.value.mend

    def test_a_database_of_a_newer_version_is_not_called_up_to_date(self, tmp_path: Path) -> None:
        migrate(database_url=None, folder=tmp_path)
        at(tmp_path, "9999_of_the_future")
        with pytest.raises(StoreRefused, match="9999_of_the_future"):
            migrate(database_url=None, folder=tmp_path)

    def test_a_server_that_is_not_there_is_said_to_be_unavailable(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            open_store(database_url="postgres://127.0.0.1:1/none", folder=tmp_path, ring=KeyRing.generate())

    @pytest.mark.postgres
    async def test_a_server_that_takes_nothing_is_said_to_refuse_until_it_takes_something(
        self, databases: Databases
    ) -> None:
        def cut(tx: Transaction) -> None:
            scope = tx.instance._scope  # type: ignore[attr-defined]
            scope.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

        with databases.migrated() as url:
            store = open_store(database_url=url, folder=Path(), ring=KeyRing.generate())
            assert not store.refuses
            with pytest.raises(StoreUnavailable):
                await store.write(cut)
            assert store.refuses
            await store.write(lambda tx: tx.instance.set_value("a", b""))
            assert not store.refuses
            await store.close()

    def test_the_sqlite_of_this_python_is_judged_by_its_version(self) -> None:
        facts = sqlite_facts()
        assert facts.version == sqlite3.sqlite_version
        assert facts.wal_reset_bug is (sqlite3.sqlite_version_info < (3, 51, 3))


class TestSecrecy:
    async def test_no_address_key_or_secret_is_in_the_files(self, tmp_path: Path, sqlite: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        ids = await given.devices(app, credential, 50)
        found = await sqlite.read(lambda tx: tx.subscriptions.recipients_by_id(ids))
        in_use = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        await sqlite.close()
        for content in (in_use, (tmp_path / DATABASE_FILE).read_bytes()):
            assert b"https://push.example.com" in content  # the origin, so the search does find what is there
            for one in found:
                assert one.address.target.encode() not in content
            for secret in (b"SECRET-TOKEN", b"wpush", b"PRIVATE-KEY", b"IDENTITY-SECRET", found[0].address.keys[:16]):
                assert secret not in content

    async def test_an_address_copied_to_another_row_does_not_open(
        self, tmp_path: Path, sqlite: Store, given: Given, ring: KeyRing
    ) -> None:
        app = await given.app()
        one, other = await given.devices(app, await given.credential(app), 2)
        await sqlite.close()
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection, connection:
            connection.execute(
                "UPDATE subscriptions SET address = (SELECT address FROM subscriptions WHERE id = ?) WHERE id = ?",
                (one, other),
            )
        again = open_store(database_url=None, folder=tmp_path, ring=ring)
        assert await again.read(lambda tx: tx.subscriptions.address(one)) is not None
        with pytest.raises(Exception, match=r"(?i)seal|open|broken|changed"):
            await again.read(lambda tx: tx.subscriptions.address(other))
        await again.close()


class TestBackup:
    async def test_a_copy_of_a_database_in_use_is_whole(
        self, tmp_path: Path, sqlite: Store, given: Given, ring: KeyRing
    ) -> None:
        app = await given.app()
        await given.devices(app, await given.credential(app), 20)
        target = tmp_path / "copy" / DATABASE_FILE
        target.parent.mkdir()
        backup(database_url=None, folder=tmp_path, target=target)
        await given.device(app, None)
        assert [file.name for file in target.parent.iterdir()] == [DATABASE_FILE]
        assert target.stat().st_mode & 0o077 == 0
        copy = open_store(database_url=None, folder=target.parent, ring=ring)
        assert await copy.read(lambda tx: tx.subscriptions.count(app.id, Everyone())) == 20
        assert await copy.read(lambda tx: tx.subscriptions.ceiling(app.id)) == 20
        await copy.close()

    async def test_a_copy_of_a_database_at_rest_is_whole_too(self, tmp_path: Path, sqlite: Store) -> None:
        await sqlite.close()
        backup(database_url=None, folder=tmp_path, target=tmp_path / "copy.db")
        with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    async def test_nothing_is_overwritten(self, tmp_path: Path, sqlite: Store) -> None:
        (tmp_path / "copy.db").write_text("mine")
        with pytest.raises(StoreRefused, match="exists already"):
            backup(database_url=None, folder=tmp_path, target=tmp_path / "copy.db")
        assert (tmp_path / "copy.db").read_text() == "mine"

    async def test_into_a_folder_that_is_not_there_it_says_so(self, tmp_path: Path, sqlite: Store) -> None:
        with pytest.raises(StoreRefused, match="There is no folder"):
            backup(database_url=None, folder=tmp_path, target=tmp_path / "none" / "copy.db")

    def test_for_postgresql_it_names_pg_dump(self, tmp_path: Path) -> None:
        with pytest.raises(StoreRefused, match="pg_dump"):
            backup(database_url="postgresql://localhost/x", folder=tmp_path, target=tmp_path / "copy.db")

    def test_without_a_database_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(StoreRefused, match="no database"):
            backup(database_url=None, folder=tmp_path, target=tmp_path / "copy.db")


@pytest.mark.postgres
class TestPostgres:
    async def test_both_spellings_of_the_url_are_taken_and_the_keys_are_made_once(
        self, databases: Databases, tmp_path: Path, clock: FixedClock
    ) -> None:
        ring = KeyRing.generate()
        with databases.empty() as url:
            secrets = set()
            for spelling in (url, url.replace("postgresql://", "postgres://")):
                store = open_store(database_url=spelling, folder=tmp_path, ring=ring)
                await Given(store, clock.now()).store.read(lambda tx: tx.apps.all())
                secrets.add(store.sealer.derive("receipts"))
                await store.close()
            assert len(secrets) == 1
        assert list(tmp_path.iterdir()) == []

    async def test_a_lost_connection_is_replaced_when_it_is_noticed(
        self, databases: Databases, tmp_path: Path, clock: FixedClock
    ) -> None:
        with databases.migrated() as url:
            store = open_store(database_url=url, folder=tmp_path, ring=KeyRing.generate())
            await Given(store, clock.now()).app()
            engine = postgres_store.writing_engine(url)
            with engine.begin() as connection:
                connection.exec_driver_sql(CUT_OTHERS)
            engine.dispose()
            assert len(await store.read(lambda tx: tx.apps.all())) == 1
            await store.write(lambda tx: tx.instance.set_value("x", b"y"))
            await store.close()

    async def test_one_that_was_made_read_only_is_unavailable_until_it_takes_what_is_stored_again(
        self, databases: Databases, tmp_path: Path, clock: FixedClock
    ) -> None:
        """As hosts do with a full disk, and as a server is that became the standby."""
        with databases.migrated() as url:
            store = open_store(database_url=url, folder=tmp_path, ring=KeyRing.generate())
            await Given(store, clock.now()).app()
            engine = postgres_store.writing_engine(url)
            name = engine.url.database

            def put(read_only: str) -> None:
                with engine.begin() as connection:
                    connection.exec_driver_sql("SET TRANSACTION READ WRITE")
                    connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {read_only}")
                    connection.exec_driver_sql(CUT_OTHERS)

            put("on")
            for _ in range(2 * postgres_store.CONNECTIONS):
                with pytest.raises(StoreUnavailable, match="read-only"):
                    await store.write(lambda tx: tx.instance.set_value("x", b"y"))
            assert store.refuses
            assert len(await store.read(lambda tx: tx.apps.all())) == 1
            with engine.begin() as connection:  # those who are connected stay read-only: only new ones are not
                connection.exec_driver_sql("SET TRANSACTION READ WRITE")
                connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
            engine.dispose()
            for _ in range(2 * postgres_store.CONNECTIONS):
                await store.write(lambda tx: tx.instance.set_value("x", b"z"))
            await store.close()

    async def test_a_server_that_is_gone_without_a_word_is_noticed_within_a_minute(self, databases: Databases) -> None:
        def told(url: str) -> dict[str, str]:
            engine = postgres_store.writing_engine(url)
            with engine.connect() as connection:
                told: dict[str, str] = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
            engine.dispose()
            return told

        with databases.migrated() as url:
            ours = told(url)
            assert 0 < int(ours["connect_timeout"]) <= 60
            assert 0 < int(ours["tcp_user_timeout"]) <= 60_000
            silence = int(ours["keepalives_idle"]) + int(ours["keepalives_interval"]) * int(ours["keepalives_count"])
            assert silence <= 60
            own = told(f"{url}{'&' if '?' in url else '?'}tcp_user_timeout=7000")
            assert own == {**ours, "tcp_user_timeout": "7000"}, "what the URL says goes before"


async def test_a_lost_key_ring_is_not_replaced_by_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDINGS_KEY", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    settings = Settings(data=tmp_path)
    async with wiring.opened(settings) as first:
        assert first.new_key_file == tmp_path / "tidings.key"
    (tmp_path / "tidings.key").rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(KeyRingError, match="which the key ring lacks"):
            async with wiring.opened(settings):
                pass
        assert not (tmp_path / "tidings.key").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "tidings.key")
    async with wiring.opened(settings) as again:
        assert again.new_key_file is None
