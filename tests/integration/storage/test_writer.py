"""What the one writer of SQLite promises: works apart, one commit together, and nothing said before it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidings.lib.sealed import KeyRing
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.storage.open import DATABASE_FILE, open_store


def stored(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
        names = connection.execute("SELECT name FROM instance_values WHERE name NOT LIKE 'data_key:%'")
        return {name for (name,) in names}


class Held:
    """Keeps the writer inside a work until it is let go, so that what follows waits and is committed together."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._go = threading.Event()

    def __call__(self, tx: Transaction) -> None:
        self.entered.set()
        assert self._go.wait(20)

    def let_go(self) -> None:
        self._go.set()

    async def hold(self, store: Store) -> asyncio.Task[None]:
        task = asyncio.create_task(store.write(self))
        assert await asyncio.to_thread(self.entered.wait, 20)
        return task


async def together(store: Store, *works: object) -> list[object]:
    """Give the results of works that the writer takes as one group."""
    held = Held()
    first = await held.hold(store)
    tasks = [asyncio.create_task(store.write(work)) for work in works]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    held.let_go()
    await first
    return list(await asyncio.gather(*tasks, return_exceptions=True))


def put(name: str, value: bytes = b"x"):  # type: ignore[no-untyped-def]
    def work(tx: Transaction) -> str:
        tx.instance.set_value(name, value)
        return name

    return work


def fail(tx: Transaction) -> None:
    tx.instance.set_value("half", b"done")
    raise ValueError("mine alone")


def break_rule(tx: Transaction) -> None:
    for _ in range(2):
        tx.idempotency.put(404, "k", request_hash=b"", answer=b"", now=FIXED)


FIXED = datetime(2026, 11, 21, 12, tzinfo=UTC)


class TestGroups:
    async def test_a_failing_work_rolls_back_only_itself(self, tmp_path: Path, sqlite: Store) -> None:
        one, failed, broken, two = await together(sqlite, put("one"), fail, break_rule, put("two"))
        assert (one, two) == ("one", "two")
        assert isinstance(failed, ValueError)
        assert "UNIQUE" in str(broken)
        assert stored(tmp_path) == {"one", "two"}

    async def test_later_works_of_a_group_see_what_earlier_ones_did(self, sqlite: Store) -> None:
        seen = await together(sqlite, put("one", b"1"), lambda tx: tx.instance.value("one"))
        assert seen == ["one", b"1"]

    async def test_nobody_is_answered_before_the_commit(self, tmp_path: Path, sqlite: Store) -> None:
        held = Held()
        first = await held.hold(sqlite)
        blocker = Held()
        one = asyncio.create_task(sqlite.write(put("one")))
        await asyncio.sleep(0)
        two = asyncio.create_task(sqlite.write(blocker))
        await asyncio.sleep(0)
        held.let_go()
        await first
        assert await asyncio.to_thread(blocker.entered.wait, 20)
        assert not one.done()
        assert stored(tmp_path) == set()
        blocker.let_go()
        assert await asyncio.gather(one, two) == ["one", None]
        assert stored(tmp_path) == {"one"}

    async def test_a_work_nobody_waits_for_any_more_is_not_begun(self, tmp_path: Path, sqlite: Store) -> None:
        held = Held()
        first = await held.hold(sqlite)
        task = asyncio.create_task(sqlite.write(put("cancelled")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held.let_go()
        await first
        await sqlite.write(put("after"))
        assert stored(tmp_path) == {"after"}

    async def test_what_waits_when_the_store_closes_is_still_stored(self, tmp_path: Path, sqlite: Store) -> None:
        held = Held()
        first = await held.hold(sqlite)
        waiting = [asyncio.create_task(sqlite.write(put(f"w-{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        closing_store = asyncio.create_task(sqlite.close())
        await asyncio.sleep(0)
        held.let_go()
        await asyncio.gather(first, *waiting, closing_store)
        assert stored(tmp_path) == {f"w-{n}" for n in range(5)}


class TestUrgent:
    async def test_what_is_urgent_waits_for_the_work_that_is_being_done_and_for_no_other(
        self, tmp_path: Path, sqlite: Store
    ) -> None:
        held, blocker, done = Held(), Held(), []

        def noted(name: str):  # type: ignore[no-untyped-def]
            def work(tx: Transaction) -> str:
                done.append(name)
                return str(put(name)(tx))

            return work

        first = await held.hold(sqlite)
        group = [asyncio.create_task(sqlite.write(work)) for work in (blocker, noted("one"), noted("two"))]
        await asyncio.sleep(0)
        held.let_go()
        await first
        # The three are one group now, and its first work is being done.
        assert await asyncio.to_thread(blocker.entered.wait, 20)
        urgent = asyncio.create_task(sqlite.write(noted("urgent"), urgent=True))
        await asyncio.sleep(0)
        assert sqlite.waiting == 1
        blocker.let_go()
        assert await urgent == "urgent"
        assert "urgent" in stored(tmp_path)
        assert await asyncio.gather(*group) == [None, "one", "two"]
        assert done == ["urgent", "one", "two"]
        assert stored(tmp_path) == {"urgent", "one", "two"}

    async def test_what_was_overtaken_is_still_stored_when_the_store_closes(
        self, tmp_path: Path, sqlite: Store
    ) -> None:
        held = Held()
        first = await held.hold(sqlite)
        works = [asyncio.create_task(sqlite.write(put(f"w-{n}"), urgent=n % 2 == 1)) for n in range(6)]
        await asyncio.sleep(0)
        closing_store = asyncio.create_task(sqlite.close())
        await asyncio.sleep(0)
        held.let_go()
        await asyncio.gather(first, *works, closing_store)
        assert stored(tmp_path) == {f"w-{n}" for n in range(6)}


class TestTrouble:
    async def test_a_full_disk_stores_nothing_of_the_group_and_the_writer_goes_on(
        self, tmp_path: Path, sqlite: Store
    ) -> None:
        def limit(tx: Transaction) -> None:
            connection = tx.instance._scope.connection  # type: ignore[attr-defined]
            (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

        await sqlite.write(limit)
        answers = await together(sqlite, put("small"), put("large", bytes(200_000)), put("after"))
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        assert "full" in str(answers[0])
        assert stored(tmp_path) == set()
        assert await sqlite.write(put("small again")) == "small again"
        assert stored(tmp_path) == {"small again"}
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    async def test_a_database_locked_by_another_program_is_unavailable_and_then_is_not(
        self, tmp_path: Path, sqlite: Store
    ) -> None:
        def impatient(tx: Transaction) -> None:
            tx.instance._scope.connection.exec_driver_sql("PRAGMA busy_timeout = 50")  # type: ignore[attr-defined]

        await sqlite.write(impatient)
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                await sqlite.write(put("while locked"))
            other.execute("ROLLBACK")
        assert await sqlite.write(put("after")) == "after"
        assert stored(tmp_path) == {"after"}


WRITING = """
import asyncio, sys
from pathlib import Path
from tidings.lib.sealed import KeyRing
from tidings.storage.open import open_store

async def main(folder, ring):
    store = open_store(database_url=None, folder=Path(folder), ring=KeyRing.parse(ring))

    async def write(worker):
        for n in range(100_000):
            name = f"{worker}-{n}"
            await store.write(lambda tx: tx.instance.set_value(name, bytes(500)))
            print(name, flush=True)

    await asyncio.gather(*(write(worker) for worker in range(5)))

asyncio.run(main(*sys.argv[1:]))
"""


class TestKilled:
    async def test_everything_acknowledged_survives_kill_9(self, tmp_path: Path, ring: KeyRing) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITING, str(tmp_path), ring.text()], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(150)]
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate(timeout=20)
        acknowledged += rest.split("\n")[:-1]
        store = open_store(database_url=None, folder=tmp_path, ring=ring)
        await store.write(put("after"))
        await store.close()
        assert set(acknowledged) <= stored(tmp_path)
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
