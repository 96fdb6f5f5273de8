"""The Store on PostgreSQL: a transaction for each work, run again when the database asks for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from tidings.lib.backoff import full_jitter
from tidings.lib.log import cut
from tidings.lib.sealed import Sealer
from tidings.storage import OutcomeUnknown, StoreUnavailable, Transaction
from tidings.storage.dialects.postgres import POSTGRES
from tidings.storage.errors import StoreRefused
from tidings.storage.transaction import SqlTransaction

T = TypeVar("T")

MOST_TRIES = 5
CONNECTIONS = 8
"""Connections for writing, and as many threads; readers have half as many of their own."""

FIRST_PAUSE = 0.02
"""Seconds: the upper end of the pause before the second try, doubled with each."""

LONGEST_PAUSE = 0.5

_READ_ONLY = "25006"
"""Of a server that became the standby, and of one that its host made read-only because its disk is full. Whoever is
connected stays so: only a new connection finds out that it takes something again, or reaches the one that does."""

_AGAIN = frozenset({"40001", "40P01", "23505", _READ_ONLY})
"""Serialization failure, deadlock, and a unique key that another transaction took first: on a second run the work finds
what the other one stored."""

_DATABASE = ("08", _READ_ONLY, "40", "53", "55P03", "57", "58", "XX")
"""SQLSTATEs, or their classes, that blame the server: connection, conflict, resources, a lock that is not to be had,
operator, system, faults of its own."""

_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Seconds, and the last in milliseconds, after which a server that is gone without a word counts as gone: the system's
own are two hours, for which every connection would wait. What the URL says goes before."""


def driver_url(url: str) -> str:
    """Name the driver: `postgres://` and `postgresql://` become `postgresql+psycopg://`.

    Raises StoreRefused for any other database, and where the driver is not installed.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise StoreRefused(
            f"The database URL begins with {cut(scheme, 40)!r}.",
            mend="Give postgresql://user:password@host/name, or none at all for SQLite.",
        )
    try:
        import_module("psycopg")
    except ImportError as missing:
        raise StoreRefused(
            "The driver for PostgreSQL is not installed.", mend="Install it: pip install 'tidings[postgres]'."
        ) from missing
    return f"postgresql+psycopg://{rest}"


def writing_engine(url: str, *, size: int = CONNECTIONS) -> Engine:
    """Make the engine whose transactions write."""
    return _engine(url, size=size)


def reading_engine(url: str, *, size: int = CONNECTIONS // 2) -> Engine:
    """Make an engine whose transactions cannot write and see one consistent state."""
    engine = _engine(url, size=size, isolation_level="REPEATABLE READ")

    @event.listens_for(engine, "connect")
    def _read_only(connection: Any, _record: object) -> None:
        # The driver says both in its BEGIN, which costs no round trip and passes through a connection pooler.
        connection.read_only = True

    return engine


def _engine(url: str, *, size: int, **options: Any) -> Engine:
    # Errors go to logs, and what people write or where they are reached does not.
    options |= {"hide_parameters": True, "pool_timeout": 10}
    place = make_url(driver_url(url))
    options["connect_args"] = {name: value for name, value in _PATIENCE.items() if name not in place.query}
    return create_engine(place, poolclass=QueuePool, pool_size=size, max_overflow=0, **options)


class PostgresStore:
    """Implements `storage.Store`."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        self._sealer = sealer
        self._closed = self._refuses = False
        self._writers = writing_engine(url)
        self._readers = reading_engine(url)
        self._write_pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="tidings-write")
        self._read_pool = ThreadPoolExecutor(CONNECTIONS // 2, thread_name_prefix="tidings-read")
        self._asked = {self._write_pool: (0, CONNECTIONS), self._read_pool: (0, CONNECTIONS // 2)}

    @property
    def sealer(self) -> Sealer:
        """What seals this database's secrets."""
        return self._sealer

    @property
    def waiting(self) -> int:
        """Count the works that wait for a connection."""
        return sum(max(0, asked - threads) for asked, threads in self._asked.values())

    @property
    def refuses(self) -> bool:
        """Tell whether the database did not take what was last to be stored."""
        return self._refuses

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a work that only reads, on one consistent state of the database."""
        return await self._run(self._read_pool, self._readers, work)

    async def write(self, work: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        """Run a work that writes, in a transaction of its own; it returns once that is committed.

        There are connections enough that an urgent one finds one free.
        """
        try:
            result = await self._run(self._write_pool, self._writers, work)
        except StoreUnavailable:
            self._refuses = True
            raise
        self._refuses = False
        return result

    async def close(self) -> None:
        """Finish what runs, end the threads, close the connections. A second call does nothing."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        for pool in (self._write_pool, self._read_pool):
            pool.shutdown(wait=True)
        for engine in (self._writers, self._readers):
            engine.dispose()

    async def _run(self, pool: ThreadPoolExecutor, engine: Engine, work: Callable[[Transaction], T]) -> T:
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        self._count(pool, 1)
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, self._try, engine, work)
        finally:
            self._count(pool, -1)

    def _count(self, pool: ThreadPoolExecutor, change: int) -> None:
        asked, threads = self._asked[pool]
        self._asked[pool] = asked + change, threads

    def _try(self, engine: Engine, work: Callable[[Transaction], T]) -> T:
        for tries in range(1, MOST_TRIES + 1):
            try:
                return self._once(engine, work)
            except PoolTimeout as error:
                raise StoreUnavailable("The database is busy. Nothing was stored; try again soon.") from error
            except DBAPIError as error:
                if tries == MOST_TRIES or not _worth_another(error):
                    if _blames_the_database(error):
                        raise StoreUnavailable(f"The database cannot take this now: {error.orig}") from error
                    raise
            chance = random.random()  # noqa: S311 - spreads retries, protects nothing
            time.sleep(full_jitter(tries, first=FIRST_PAUSE, cap=LONGEST_PAUSE, chance=chance))
        raise AssertionError("the last try returns or raises")

    def _once(self, engine: Engine, work: Callable[[Transaction], T]) -> T:
        with engine.connect() as connection:
            transaction = connection.begin()
            try:
                result = work(SqlTransaction(connection, POSTGRES, self._sealer))
            except BaseException as error:
                transaction.rollback()
                if isinstance(error, DBAPIError) and _state(error) == _READ_ONLY:
                    connection.invalidate()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                if error.connection_invalidated:
                    # Not to be run again here: it may have been stored, and only the caller knows what that means.
                    raise OutcomeUnknown("The connection to the database was lost during the commit.") from error
                raise
            return result


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _worth_another(error: DBAPIError) -> bool:
    # A pooled connection that the server closed long ago is noticed only when it is used.
    return _state(error) in _AGAIN or error.connection_invalidated


def _blames_the_database(error: DBAPIError) -> bool:
    state = _state(error)
    if not state:
        # A server that cannot be reached has no SQLSTATE to give.
        return error.connection_invalidated or isinstance(error, OperationalError)
    return state.startswith(_DATABASE)
