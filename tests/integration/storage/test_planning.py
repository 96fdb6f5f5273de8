"""Cutting what is due into shards, on a real store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from support.stored import Given
from tidings.bus.local import LocalBus
from tidings.lib.clock import FixedClock
from tidings.lib.ids import Ids
from tidings.pipeline.flow import Flow
from tidings.storage import Store, Transaction
from tidings.storage.tables.notifications import notifications

NOT_ASKED: Any = None


async def test_one_that_cannot_be_read_does_not_keep_the_others_waiting(
    sqlite: Store, given: Given, clock: FixedClock
) -> None:
    app = await given.app()
    damaged, whole = await given.notification(app), await given.notification(app)

    def damage(tx: Transaction) -> None:
        scope = tx.notifications._scope  # type: ignore[attr-defined]
        scope.connection.execute(update(notifications).where(notifications.c.id == damaged.id).values(message={}))

    await sqlite.write(damage)
    flow = Flow(store=sqlite, bus=LocalBus(), clock=clock, ids=Ids(clock), deliveries=NOT_ASKED, provider=NOT_ASKED)
    assert await flow.plan() == 2
    assert await flow.plan() == 0, "it is cut as one, and not looked at again and again"
    for one in (damaged, whole):
        assert await sqlite.read(lambda tx, one=one: tx.shards.open_count(one.id)) == 1
