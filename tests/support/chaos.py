"""What goes wrong on purpose: when it happens follows from a seed, and afterwards everybody is counted."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.campaign import seen
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.delivery import DeliveryStatus
from tidings.lib.clock import SystemClock
from tidings.simulator.run import Running
from tidings.storage import StoreUnavailable
from tidings.wiring import Container

SEED = 20261121
PATIENCE = 120
"""Seconds for anything to happen on a slow machine that others use: a database that recovers may take one of them."""


_SENDERS_CLOCK = """
import os, time

_real = time.time


def _set() -> float:
    with open(os.environ["SET_CLOCK"]) as file:
        return _real() + float(file.read() or 0)


time.time = _set
"""
"""What a Python runs that is started while senders share the clock: it reads by how much somebody has set it."""


class Jumping(SystemClock):
    """The machine's clock, after somebody has set it."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._told: Path | None = None

    @property
    def ahead(self) -> timedelta:
        """By how much it was set."""
        return self._ahead

    @ahead.setter
    def ahead(self, ahead: timedelta) -> None:
        self._ahead = ahead
        if self._told is not None:
            new = self._told.with_suffix(".new")
            new.write_text(str(ahead.total_seconds()))
            new.replace(self._told)

    def now(self) -> datetime:
        return super().now() + self._ahead

    def real(self) -> float:
        """Give what a clock shows that nobody sets, in Unix seconds."""
        return super().now().timestamp()

    @contextmanager
    def in_senders(self) -> Iterator[None]:
        """Set the clock of processes that are started while the block runs, too."""
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            (Path(folder) / "sitecustomize.py").write_text(_SENDERS_CLOCK)
            self._told = Path(folder) / "ahead"
            self.ahead = self._ahead
            patch.setenv("SET_CLOCK", str(self._told))
            patch.setenv("PYTHONPATH", folder, prepend=os.pathsep)
            yield
        self._told = None


def moments(name: str, *, of: int, among: int) -> list[int]:
    """Choose after how many messages something goes wrong: `of` of them, well before the last of `among`."""
    chosen = sorted(random.Random(f"{SEED} {name}").sample(range(among // 10, among * 8 // 10), of))
    print(f"seed {SEED}: {name} after {chosen} of {among} messages")
    return chosen


async def until(happened: Callable[[], bool | Awaitable[bool]], *, seconds: float = PATIENCE) -> None:
    """Wait for something to happen."""
    async with asyncio.timeout(seconds):
        while True:
            found = happened()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


async def arrived(simulator: Running, count: int) -> None:
    """Wait until so many messages have arrived."""
    await until(lambda: seen(simulator)["accepted"] >= count)


async def finished_in_the_end(container: Container, notification: Notification) -> Notification:
    """Wait until a notification is final, over whatever happens to the database meanwhile."""

    async def final() -> bool:
        try:
            found = await container.store.read(lambda tx: tx.notifications.by_id(notification.id))
        except StoreUnavailable:
            return False
        return found is not None and found.status in {NotificationStatus.DONE, NotificationStatus.CANCELLED}

    await until(final, seconds=2 * PATIENCE)
    found = await container.store.read(lambda tx: tx.notifications.by_id(notification.id))
    assert found is not None
    return found


async def assert_told_once(container: Container, done: Notification, simulator: Running, count: int) -> None:
    """Check that everybody has one final state, that it is `sent`, and that nobody was shown two notifications.

    A message that may have left before something died is sent again under the same delivery id: the push service
    (Topic) and the device (tag, ids it showed) take both for one. So what is counted is distinct deliveries.
    """
    assert done.status is NotificationStatus.DONE
    assert (done.counts.audience, done.counts.sent, done.counts.settled) == (count, count, count), done
    assert done.reasons == {}
    rows = await container.store.read(lambda tx: tx.deliveries.statuses(done.id))
    assert rows == {DeliveryStatus.SENT: count}
    total = seen(simulator)
    assert (total["reached"], total["distinct"], total["unreadable"]) == (count, count, 0), total
    print(f"{total['doubled']} of {count} messages were sent again under their delivery id")


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Let a process write nothing to any file while the block runs, as if its disk were full."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(at: Path, *, megabytes: int = 64) -> Iterator[Path]:
    """Mount a disk of its own there while the block runs; skips the test for who may not mount."""
    at.mkdir()
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", at], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


@contextmanager
def filled_up(disk: Path) -> Iterator[None]:
    """Leave no byte free on a disk while the block runs."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        yield
    finally:
        filler.unlink()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold SQLite's write lock while the block runs, as a program that has no business there would."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=PATIENCE)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
