"""The Store on SQLite: one writer thread with group commit, and a small pool of readers that can do nothing else.

SQLite before 3.51.3 can damage a WAL database that two connections write and checkpoint at once. So only the writer
writes and checkpoints, and readers are opened read-only.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from tidings.lib.sealed import Sealer
from tidings.storage import StoreUnavailable, Transaction
from tidings.storage.dialects.sqlite import SQLITE
from tidings.storage.functions import add_functions
from tidings.storage.line import Line
from tidings.storage.transaction import SqlTransaction

T = TypeVar("T")

MOST_IN_GROUP = 500
"""Works committed together at most."""

MOST_WAITING = 20_000
"""Works waiting for the writer before the store says that it is busy."""

READERS = 3

_BUSY_TIMEOUT = "PRAGMA busy_timeout=5000"
_WRITER = (
    _BUSY_TIMEOUT,
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)
_READER = (_BUSY_TIMEOUT, "PRAGMA wal_autocheckpoint=0", "PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY")

_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Primary result codes that blame the database, its disk or another program, never the work."""


def writing_engine(path: Path) -> Engine:
    """Make the engine of the one connection that writes; every transaction begins with BEGIN IMMEDIATE."""
    # Made here, so that it and the files SQLite puts beside it are readable by their owner only.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return _engine(path, mode="rw", pragmas=_WRITER, begin="BEGIN IMMEDIATE", size=1)


def reading_engine(path: Path, *, size: int = READERS) -> Engine:
    """Make an engine whose connections cannot write and never checkpoint."""
    return _engine(path, mode="ro", pragmas=_READER, begin="BEGIN", size=size)


def _engine(path: Path, *, mode: str, pragmas: tuple[str, ...], begin: str, size: int) -> Engine:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None: the driver's own transactions would begin late and deferred, and then meet a lock
        # that no timeout waits for.
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        for pragma in pragmas:
            connection.execute(pragma).close()
        add_functions(connection)
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_reset_on_return=None,
        hide_parameters=True,  # errors go to logs, and what people write or where they are reached does not
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def blames_the_database(error: BaseException) -> bool:
    """Say whether an error means that the database cannot take anything now."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code: int = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF in _UNAVAILABLE


def unavailable(error: BaseException) -> StoreUnavailable:
    """Say it in words."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return StoreUnavailable(f"The database cannot take this now: {cause}. Nothing was stored.")


@dataclass(slots=True)
class _Item:
    """A work waiting for the writer, and what came of it before the commit."""

    work: Callable[[Transaction], Any]
    future: Future[Any]
    urgent: bool = False
    begun: bool = False
    result: Any = None
    error: BaseException | None = None

    def begins(self) -> bool:
        """Say whether it is still wanted; from then on it cannot be taken back."""
        self.begun = self.begun or self.future.set_running_or_notify_cancel()
        return self.begun

    def answer(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SQLiteStore:
    """Implements `storage.Store`. The caller makes sure that only one process opens the folder."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._sealer = sealer
        self._line: Line[_Item] = Line()
        self._closed = self._refuses = False
        self._submitting = threading.Lock()
        self._readers = reading_engine(path)
        self._mine = threading.local()
        self._reading: list[Connection] = []
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="tidings-read")
        self._writer = threading.Thread(
            target=self._write_loop, args=(writing_engine(path),), name="tidings-write", daemon=True
        )
        self._writer.start()

    @property
    def sealer(self) -> Sealer:
        """What seals this database's secrets."""
        return self._sealer

    @property
    def waiting(self) -> int:
        """Count the works that wait for the writer."""
        return len(self._line)

    @property
    def refuses(self) -> bool:
        """Tell whether the database did not take what was last to be stored."""
        return self._refuses

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a work that only reads, on one consistent state of the database."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    async def write(self, work: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        """Run a work that writes; it returns once what it did survives a loss of power.

        An urgent one waits for the work that is being done and for no other, and is committed by itself.
        """
        item = _Item(work, Future(), urgent)
        with self._submitting:
            if self._closed:
                raise StoreUnavailable("The store is closed.")
            if len(self._line) >= MOST_WAITING and not urgent:
                raise StoreUnavailable("The database is behind with its work. Nothing was stored; try again soon.")
            self._line.put(item, urgent=urgent)
        result: T = await asyncio.wrap_future(item.future)
        return result

    async def close(self) -> None:
        """Finish what waits, end the threads, close the files. A second call does nothing."""
        with self._submitting:
            if self._closed:
                return
            self._closed = True
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        # Readers first: the writer is then the last connection, and its closing puts everything into the one file.
        self._pool.shutdown(wait=True)
        for connection in self._reading:
            connection.close()
        self._readers.dispose()
        self._line.end()
        self._writer.join()

    def _read(self, work: Callable[[Transaction], T]) -> T:
        try:
            connection = self._connection()
            with connection.begin():
                return work(SqlTransaction(connection, SQLITE, self._sealer))
        except (DBAPIError, sqlite3.Error) as error:
            if blames_the_database(error):
                raise unavailable(error) from error
            raise

    def _connection(self) -> Connection:
        """Give the connection of this thread: taking one from the pool and back costs as much as a small work."""
        known: Connection | None = getattr(self._mine, "connection", None)
        if known is None or known.invalidated:
            known = self._mine.connection = self._readers.connect()
            self._reading.append(known)
        return known

    def _write_loop(self, engine: Engine) -> None:
        connection: Connection | None = None
        try:
            while taken := self._line.take(MOST_IN_GROUP):
                group = [item for item in taken if item.begins()]
                try:
                    connection = connection or engine.connect()
                    self._write_group(connection, group)
                    self._refuses = False
                except Exception as error:  # noqa: BLE001 - whatever it is, it is said to every awaiter, and the writer lives
                    self._refuses = True
                    said = error if isinstance(error, StoreUnavailable) else unavailable(error)
                    for item in group:
                        item.error = said
                    connection = _recovered(connection)
                for item in group:
                    item.answer()
        finally:
            if connection is not None:
                connection.close()
            engine.dispose()

    def _write_group(self, connection: Connection, group: list[_Item]) -> None:
        """Do the works of a group and commit them; those that something urgent overtakes go back into the line."""
        with connection.begin():
            transaction = SqlTransaction(connection, SQLITE, self._sealer)
            driver = _driver(connection)
            for number, item in enumerate(group):
                if self._line.hurries and not item.urgent:
                    self._line.put_back(group[number:])
                    del group[number:]
                    break
                # On the driver itself: a savepoint of SQLAlchemy's costs as much as a small work.
                try:
                    driver.execute("SAVEPOINT work").close()
                    item.result = item.work(transaction)
                    driver.execute("RELEASE work").close()
                except BaseException as error:  # a work's own failure, of any kind, goes to its own awaiter
                    if blames_the_database(error) or not driver.in_transaction:
                        # SQLite may have rolled back everything by itself: the whole group fails.
                        raise unavailable(error) from error
                    driver.execute("ROLLBACK TO work").close()
                    driver.execute("RELEASE work").close()
                    item.error = error


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _recovered(connection: Connection | None) -> Connection | None:
    """Give the connection back in a clean state, or None when a new one is needed."""
    if connection is None:
        return None
    try:
        connection.rollback()
        _driver(connection).rollback()
    except (DBAPIError, sqlite3.Error):
        connection.invalidate()
        connection.close()
        return None
    return connection
