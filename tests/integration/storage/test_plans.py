"""Which indexes SQLite takes: nothing on the way of a notification may look at rows it does not need."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event

from support.stored import Given
from tidings.domain.audience import Audience, Devices, Everyone, Users
from tidings.storage import Store, Transaction

MUCH = 10**9


def plans(tx: Transaction, work: Callable[[Transaction], object]) -> str:
    """Run a work and give SQLite's plans of its statements."""
    connection = tx.apps._scope.connection  # type: ignore[attr-defined]
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    work(tx)
    event.remove(connection, "before_cursor_execute", note)
    driver = connection.connection.driver_connection
    return "\n".join(
        row[3]
        for statement, parameters in seen
        for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    )


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

    plan = await sqlite.read(lambda tx: plans(tx, work))
    lanes = "shards USING INDEX ix_shards_lanes (app_id=? AND priority=? AND due_at<?)"
    assert plan.count(lanes) >= 2, plan
    assert plan.count("ix_shards_lanes (app_id>?)") == 2, plan
    assert "SCAN shards" not in plan.replace("SCAN shards USING INDEX ix_shards_leased", "")  # a window's worth
    assert "TEMP B-TREE" not in plan


async def test_what_has_no_shards_yet_is_found_without_a_look_at_what_has(sqlite: Store, given: Given) -> None:
    plan = await sqlite.read(lambda tx: plans(tx, lambda tx: tx.notifications.due(now=given.now, limit=10)))
    assert "USING INDEX ix_notifications_unplanned (status=? AND send_at<?)" in plan, plan
    assert "shards" not in plan
