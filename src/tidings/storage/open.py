"""Opening, migrating and copying databases: the only place that decides between SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from tidings.lib.sealed import KeyRing, Sealer, open_sealer
from tidings.storage import Store, StoreUnavailable
from tidings.storage import postgres_store as postgres
from tidings.storage import sqlite_store as sqlite
from tidings.storage.dialects.postgres import POSTGRES
from tidings.storage.dialects.sqlite import SQLITE
from tidings.storage.errors import StoreRefused
from tidings.storage.tables.instance import instance_values

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE_FILE = "tidings.db"
DATA_KEYS = "data_key:"
"""Values of the instance whose names begin so are the wrapped keys that seal everything else."""

_ONE_AT_A_TIME = 0x74_69_64_69_6E_67_73
"""PostgreSQL's advisory lock under which processes that start together migrate and make keys."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a database is: the step it is at (None: empty), the newest step, and those between them, in order."""

    current: str | None
    head: str
    pending: tuple[str, ...]
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class SQLiteFacts:
    """The SQLite library of this Python. `wal_reset_bug`: before 3.51.3, safe only with our one writer."""

    version: str
    wal_reset_bug: bool


def open_store(*, database_url: str | None, folder: Path, ring: KeyRing) -> Store:
    """Open the database, making and migrating an empty one: `<folder>/tidings.db`, or the URL's PostgreSQL.

    Raises StoreRefused when the database is behind or ahead of this version, StoreUnavailable when it cannot be
    reached, and KeyRingError when the ring does not open its keys.
    """
    with _writing(database_url, folder) as connection:
        state = _known(_state(connection))
        if state.current is None:
            _upgrade(connection)
        elif state.pending:
            raise StoreRefused(
                f"The database is {len(state.pending)} steps behind this version of Tidings.",
                mend="Make a copy with `tidings backup`, then run `tidings migrate`.",
            )
        sealer = _sealer(connection, ring)
    if database_url is None:
        return sqlite.SQLiteStore(folder / DATABASE_FILE, sealer)
    return postgres.PostgresStore(database_url, sealer)


def migrate(*, database_url: str | None, folder: Path) -> list[str]:
    """Bring the database up to date and give the names of the steps taken.

    Raises StoreRefused when it is ahead of this version.
    """
    with _writing(database_url, folder) as connection:
        state = _known(_state(connection))
        if state.pending:
            _upgrade(connection)
        return list(state.pending)


def schema_state(*, database_url: str | None, folder: Path) -> SchemaState:
    """Say how far the database is, without changing it; one that does not exist yet is empty."""
    if database_url is None and not (folder / DATABASE_FILE).exists():
        return _state(None)
    engine = (
        sqlite.reading_engine(folder / DATABASE_FILE, size=1)
        if database_url is None
        else postgres.reading_engine(database_url, size=1)
    )
    with _connected(engine) as connection:
        return _state(connection)


def backup(*, database_url: str | None, folder: Path, target: Path) -> None:
    """Copy the SQLite database, in use or not, to a new file `target`; it is whole, or it is not there.

    Raises StoreRefused for PostgreSQL, for a target that exists, for a missing database and for a damaged copy. The
    key ring is not in the copy, and without it the copy's secrets cannot be read.
    """
    source = folder / DATABASE_FILE
    if database_url is not None:
        raise StoreRefused(
            "`tidings backup` copies SQLite databases, and yours is PostgreSQL.", mend="Use `pg_dump --format=custom`."
        )
    if not source.exists():
        raise StoreRefused(f"There is no database at {source}.", mend="Name the data folder with --data.")
    if target.exists():
        raise StoreRefused(f"{target} exists already.", mend="Name a file that does not.")
    if not target.parent.is_dir():
        raise StoreRefused(f"There is no folder {target.parent}.", mend="Make it, or name another file.")
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        _copy(source, partial)
        os.link(partial, target)
    except sqlite3.Error as error:
        raise StoreRefused(f"The copy failed: {error}.", mend="Check the disk, then try again.") from error
    except FileExistsError:
        raise StoreRefused(f"{target} exists already.", mend="Name a file that does not.") from None
    finally:
        partial.unlink(missing_ok=True)


@cache
def is_behind(step: str | None) -> bool:
    """Say whether a database at that step lacks some that this version needs; one of a newer version does not."""
    steps = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()]
    return step is None or step in steps[1:]


def sqlite_facts() -> SQLiteFacts:
    """Say which SQLite this Python carries and whether it has the fault mended in 3.51.3."""
    return SQLiteFacts(sqlite3.sqlite_version, wal_reset_bug=sqlite3.sqlite_version_info < (3, 51, 3))


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"file:{quote(str(source.absolute()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as origin, closing(sqlite3.connect(target)) as copy:
        # In one step: a copy in several would begin anew whenever the running server writes in between.
        origin.backup(copy)
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise StoreRefused(f"The copy is damaged: {verdict}.", mend="Restore the database from an older copy.")
        # One file, that opens anywhere.
        copy.execute("PRAGMA journal_mode=DELETE").close()
    descriptor = os.open(target, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _writing(database_url: str | None, folder: Path) -> Iterator[Connection]:
    """Give a connection in a transaction that nobody else opens, migrates or makes keys in at the same time."""
    if database_url is None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = sqlite.writing_engine(folder / DATABASE_FILE)
    else:
        engine = postgres.writing_engine(database_url, size=1)
    with _connected(engine) as connection:
        if connection.dialect.name == POSTGRES.name:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        yield connection


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        # The low byte of a code of SQLite's is what it is about.
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise StoreRefused(
                f"The database is damaged, or it is none: {error.orig}.", mend="Restore it from your last backup."
            ) from error
        raise StoreUnavailable(f"The database cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()


def _known(state: SchemaState) -> SchemaState:
    """Pass a state that this version knows. Raise StoreRefused for that of another."""
    if state.unknown:
        raise StoreRefused(
            f"The database is at step {state.current}, which this version of Tidings does not know.",
            mend="Install the version it was last used with, or a newer one.",
        )
    return state


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "tidings.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


def _state(connection: Connection | None) -> SchemaState:
    scripts = ScriptDirectory.from_config(_config())
    steps = [step.revision for step in reversed(list(scripts.walk_revisions()))]
    current = None if connection is None else MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in steps:
        return SchemaState(current, steps[-1], (), unknown=True)
    done = 0 if current is None else steps.index(current) + 1
    return SchemaState(current, steps[-1], tuple(steps[done:]))


def _sealer(connection: Connection, ring: KeyRing) -> Sealer:
    v = instance_values.c
    stored = select(v.name, v.value).where(v.name.startswith(DATA_KEYS, autoescape=True))
    sealer, changed = open_sealer(ring, dict(connection.execute(stored).all()))
    dialect = SQLITE if connection.dialect.name == SQLITE.name else POSTGRES
    for name, value in changed.items():
        connection.execute(
            dialect.upsert(instance_values, key=("name",), update=("value",)), {"name": name, "value": value}
        )
    return sealer
