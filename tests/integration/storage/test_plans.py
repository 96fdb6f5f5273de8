"""Which indexes SQLite takes: nothing on the way of a notification may look at rows it does not need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from support.stored import Given
from tidings.domain.audience import Audience, Devices, Everyone, Users
from tidings.domain.delivery import NewShard
from tidings.domain.safety import GlobalPause
from tidings.domain.vitals import Vitals
from tidings.storage import Store, Transaction, vitals

T = TypeVar("T")
MUCH = 10**9


def plans(tx: Transaction, work: Callable[[Transaction], object]) -> str:
    """Run a work and give SQLite's plans of its statements."""
    driver = tx.apps._scope.connection.connection.driver_connection  # type: ignore[attr-defined]
    seen: list[str] = []
    driver.set_trace_callback(seen.append)  # whoever executes them, and with their parameters in place
    work(tx)
    driver.set_trace_callback(None)
    return "\n".join(row[3] for statement in seen for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}"))


def steps(tx: Transaction, work: Callable[[Transaction], T]) -> tuple[T, int]:
    """Run a work; give what it gives, and how many tens of steps SQLite's machine took for it."""
    driver = tx.apps._scope.connection.connection.driver_connection  # type: ignore[attr-defined]
    taken: list[None] = []
    driver.set_progress_handler(lambda: taken.append(None), 10)
    done = work(tx)
    driver.set_progress_handler(None, 0)
    return done, len(taken)


@pytest.mark.parametrize(
    ("audience", "index"),
    [
        (Everyone(), "ix_subscriptions_app_id_status_id (app_id=? AND status=?"),
        (Users(("u-1",)), "ix_subscriptions_app_id_user_external_id (app_id=? AND user_external_id=?)"),
        (Devices(("sub_1",)), "uq_subscriptions_public_id|sqlite_autoindex_subscriptions"),
    ],
)
async def test_an_audience_is_found_by_the_index_of_its_kind(
    sqlite: Store, given: Given, audience: Audience, index: str
) -> None:
    app = await given.app()
    for work in (
        lambda tx: tx.subscriptions.count(app.id, audience),
        lambda tx: tx.subscriptions.cut(app.id, audience, ceiling=MUCH, size=1_000),
        lambda tx: tx.subscriptions.recipients(app.id, audience, after=0, high=MUCH, limit=200),
    ):
        plan = await sqlite.read(lambda tx, work=work: plans(tx, work))
        assert any(name in plan for name in index.split("|")), plan
        assert "SCAN subscriptions" not in plan


async def test_whose_turn_it_is_is_found_without_a_look_at_all_that_waits(sqlite: Store, given: Given) -> None:
    await given.shard(await given.notification(await given.app()))

    def work(tx: Transaction) -> None:
        tx.shards.ready(now=given.now, limit=10)
        tx.shards.lag(now=given.now)
        tx.shards.leases()

    plan = await sqlite.read(lambda tx: plans(tx, work))
    lanes = "shards USING INDEX ix_shards_lanes (app_id=? AND priority=? AND due_at<?)"
    assert plan.count(lanes) >= 2, plan
    assert plan.count("ix_shards_lanes (app_id>?)") == 2, plan
    assert "SCAN shards" not in plan.replace("SCAN shards USING INDEX ix_shards_leased", "")  # a window's worth
    assert "TEMP B-TREE" not in plan


async def test_while_all_sending_is_paused_nothing_that_waits_is_looked_at(sqlite: Store, given: Given) -> None:
    notification = await given.notification(await given.app(), of=5_000)
    await sqlite.write(lambda tx: tx.instance.pause(GlobalPause(given.now, "owner")))

    def look(tx: Transaction) -> tuple[list[int], float]:
        return tx.shards.ready(now=given.later(9), limit=10), tx.shards.lag(now=given.later(9))

    costs = []
    for first, last in ((0, 50), (50, 2_000)):
        some = [NewShard(notification.id, n, low=n, high=n, size=1) for n in range(first, last)]
        await sqlite.write(lambda tx, some=some: tx.shards.add(some, now=given.now))  # type: ignore[misc]
        found, cost = await sqlite.read(lambda tx: steps(tx, look))
        assert found == ([], 0.0)
        costs.append(cost)
    assert costs[1] <= costs[0] * 1.05 + 5, costs
    assert await sqlite.write(lambda tx: tx.instance.resume())
    assert len(await sqlite.read(lambda tx: tx.shards.ready(now=given.now, limit=10))) == 10


async def test_what_has_no_shards_yet_is_found_without_a_look_at_what_has(sqlite: Store, given: Given) -> None:
    plan = await sqlite.read(lambda tx: plans(tx, lambda tx: tx.notifications.due(now=given.now, limit=10)))
    assert "USING INDEX ix_notifications_unplanned (status=? AND send_at<?)" in plan, plan
    assert "shards" not in plan


async def test_how_the_instance_is_doing_is_told_without_a_look_at_all_that_waits(
    sqlite: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification = await given.notification(await given.app(), of=5_000)

    def look(tx: Transaction) -> Vitals:
        return tx.instance.vitals(now=given.now, alive_since=given.now)

    plan = await sqlite.read(lambda tx: plans(tx, look))
    assert "SCAN shards\n" not in f"{plan}\n", plan
    for index in ("ix_shards_lanes", "ix_shards_leased", "ix_shards_dead", "ix_shards_in_doubt"):
        assert f"SCAN shards USING COVERING INDEX {index}" in plan or f"SCAN shards USING INDEX {index}" in plan, plan

    monkeypatch.setattr(vitals, "MOST", 20)
    costs = []
    for first, last in ((0, 50), (50, 2_000)):
        some = [NewShard(notification.id, n, low=n, high=n, size=1) for n in range(first, last)]
        await sqlite.write(lambda tx, some=some: tx.shards.add(some, now=given.now))  # type: ignore[misc]
        found, cost = await sqlite.read(lambda tx: steps(tx, look))
        assert (found.ready, found.leased, found.dead, found.in_doubt) == (20, 0, 0, 0)
        costs.append(cost)
    assert costs[1] <= costs[0] * 1.05 + 5, costs


async def test_what_people_did_with_one_is_read_without_a_look_at_others(sqlite: Store, given: Given) -> None:
    def work(tx: Transaction) -> None:
        tx.receipts.span(1)
        tx.receipts.over_time(1, step=timedelta(minutes=1))

    plan = await sqlite.read(lambda tx: plans(tx, work))
    assert plan.count("SEARCH receipts USING PRIMARY KEY (notification_id=?)") == 2, plan


async def test_answers_are_counted_without_a_look_at_other_reports_and_minutes_without_one_at_other_notifications(
    sqlite: Store, given: Given
) -> None:
    plan = await sqlite.read(lambda tx: plans(tx, lambda tx: tx.receipts.answers(1)))
    assert "SEARCH receipts USING COVERING INDEX ix_receipts_answered (notification_id=?)" in plan, plan
    plan = await sqlite.read(lambda tx: plans(tx, lambda tx: tx.stats.by_minute(1, 1)))
    assert "SEARCH notification_minutes USING PRIMARY KEY (notification_id=?)" in plan, plan


async def test_whom_one_did_not_reach_is_found_without_a_look_at_those_it_did(sqlite: Store, given: Given) -> None:
    notification = await given.notification(await given.app())
    for work in (
        lambda tx: tx.deliveries.reasons(notification.id),
        lambda tx: tx.deliveries.missed(notification.id, "gone", after=5, limit=50),
    ):
        plan = await sqlite.read(lambda tx, work=work: plans(tx, work))
        assert "ix_deliveries_missed (notification_id=?" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
