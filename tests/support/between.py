"""Two who meet in the middle: one has read and not yet written when the other comes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tidings.storage import Store
from tidings.storage.postgres_store import PostgresStore
from tidings.storage.sqlite_store import SQLiteStore

PATIENCE = 60.0
"""Seconds within which the other one comes."""


class Between:
    """Lets one begin when another is half done, and holds that one until it is over or has to wait for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._half, self._over = threading.Event(), threading.Event()

    def after(self, half: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function, after whose first call the other one comes."""

        def done(*args: Any, **kwargs: Any) -> Any:
            found = half(*args, **kwargs)
            if not self._half.is_set():
                self._half.set()
                until = time.monotonic() + PATIENCE
                while not self._over.wait(0.02) and not _somebody_waits(self._store):
                    assert time.monotonic() < until, "the other one neither came nor waits"
            return found

        return done

    async def both(self, first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]) -> tuple[Any, Any]:
        """Let the second come in between of the first; give what each gave or raised."""

        async def then() -> Any:
            try:
                assert await asyncio.to_thread(self._half.wait, PATIENCE), "nobody is half done"
                return await second
            finally:
                second.close()
                self._over.set()

        one, other = await asyncio.gather(first, then(), return_exceptions=True)
        return one, other


def _somebody_waits(store: Store) -> bool:
    if isinstance(store, SQLiteStore):
        return store.waiting > 0
    assert isinstance(store, PostgresStore)
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
    with store._readers.connect() as connection:
        return connection.exec_driver_sql(waiting).first() is not None
