"""A shard that cannot be read is given up after a while, and tried again when somebody says so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.runners import PUSH, Pool, accepted, app_of, now_of, ready, runner_of
from tidings import wiring
from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import SkipReason
from tidings.lib.clock import FixedClock
from tidings.pipeline import flow, plan
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker.runner import LEASE, MOST_STUMBLES


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", senders=1)) as opened:
        yield opened


def _write(container: Container, table: str, column: str, value: Any) -> Any:
    """Change every row of a table by hand; give what stood there."""
    with closing(sqlite3.connect(container.settings.data / "tidings.db")) as database, database:
        (was,) = database.execute(f"SELECT {column} FROM {table}").fetchone()
        database.execute(f"UPDATE {table} SET {column} = ?", [value])
    return was


def _write_one(container: Container, notification_id: int, column: str, value: Any) -> None:
    with closing(sqlite3.connect(container.settings.data / "tidings.db")) as database, database:
        database.execute(f"UPDATE notifications SET {column} = ? WHERE id = ?", [value, notification_id])


@pytest.mark.parametrize(
    ("table", "column", "broken"),
    [
        ("notifications", "message", json.dumps({"title": ["of a newer version"]})),
        ("notifications", "audience", json.dumps({"kind": "everybody"})),
        ("notifications", "policy", "of a newer version"),
        ("shards", "retries", b"\xc1"),
        ("shards", "retries", b"\x91\x95\x01\x02\x03\x04\x05"),
        ("shards", "priority", 3),
    ],
    ids=["message", "audience", "policy", "list", "list of a newer version", "priority"],
)
async def test_it_is_given_up_so_that_its_notification_ends_and_can_be_tried_again(
    container: Container, table: str, column: str, broken: Any
) -> None:
    app = await app_of(container, [PUSH] * 3)
    notification = await accepted(container, app)
    (shard,) = await ready(container)
    was = _write(container, table, column, broken)
    clock = FixedClock(container.clock.now())
    runner = runner_of(replace(container, clock=clock), Pool())

    for looks in range(1, MOST_STUMBLES + 1):
        assert await container.store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9)) == []
        with pytest.raises((ValueError, KeyError, TypeError)):  # of whoever could not read it
            await runner.run(shard)
        assert not await runner.run(shard), f"after look {looks} it is left alone for a lease"
        clock.at += timedelta(seconds=LEASE + 1)

    (dead,) = await container.store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
    assert (dead.in_doubt, dead.because[:6]) == (3, "fault:")
    _write(container, table, column, was)
    ended = await now_of(container, notification)
    assert (ended.status, ended.reasons) == (NotificationStatus.DONE, {SkipReason.IN_DOUBT: 3})

    assert await container.store.write(lambda tx: tx.shards.requeue(shard, now=clock.now()))
    assert await runner.run(shard)
    assert (await now_of(container, notification)).counts.sent == 3


@pytest.mark.parametrize(
    ("column", "broken"),
    [("message", json.dumps({"title": ["of a newer version"]})), ("audience", json.dumps({"kind": "everybody"}))],
)
async def test_what_cannot_be_read_when_it_is_to_be_cut_is_given_up_too_and_holds_up_nobody(
    container: Container, monkeypatch: pytest.MonkeyPatch, column: str, broken: str
) -> None:
    monkeypatch.setattr(flow, "SHARD_SIZE", 2)
    monkeypatch.setattr(plan, "SHARD_SIZE", 2)
    monkeypatch.setattr(flow, "DUE_AT_ONCE", 1)
    app = await app_of(container, [PUSH] * 3)
    notification = await accepted(container, app)
    was = _write(container, "notifications", column, broken)
    other = await accepted(container, app)
    clock = FixedClock(container.clock.now() + timedelta(seconds=1))
    for _ in range(2):
        assert await container.flow.plan() == 1
    assert await container.flow.plan() == 0

    pool = Pool()
    for _ in range(MOST_STUMBLES):
        runner = runner_of(replace(container, clock=clock), pool)
        for shard in await container.store.read(lambda tx: tx.shards.ready(now=clock.now(), limit=9)):
            with suppress(ValueError, KeyError, TypeError):
                await runner.run(shard)
        clock.at += timedelta(seconds=LEASE + 1)
    (dead,) = await container.store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9))
    _write_one(container, notification.id, column, was)
    ended = await now_of(container, notification)
    assert (ended.status, ended.reasons) == (NotificationStatus.DONE, {SkipReason.IN_DOUBT: 3})
    assert (await now_of(container, other)).counts.sent == 3

    assert await container.store.write(lambda tx: tx.shards.requeue(dead.id, now=clock.now()))
    assert await runner.run(dead.id)
    assert (await now_of(container, notification)).counts.sent == 3
