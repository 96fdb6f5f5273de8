"""The demo that is started again: whoever was found gone is there again, but in no audience that was counted before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from support.runners import PUSH, accepted, app_of
from tidings import wiring
from tidings.cli.demo import there_again
from tidings.domain.subscription import SubscriptionStatus
from tidings.settings import Settings
from tidings.storage import Transaction
from tidings.wiring import Container


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", senders=1)) as opened:
        yield opened


async def test_who_was_gone_is_there_again_once_no_notification_waits(container: Container) -> None:
    app = await app_of(container, [PUSH, PUSH])

    def gone(tx: Transaction) -> list[str]:
        one, other = tx.subscriptions.recipients_by_id([1, 2])
        tx.subscriptions.set_status(one.subscription_id, SubscriptionStatus.EXPIRED, "gone")
        return [one.target, other.target]

    endpoints = await container.store.write(gone)
    notification = await accepted(container, app)
    started = partial(there_again, app_id=app.id, endpoints=endpoints)

    async def active() -> int:
        assert len(await container.store.write(started)) == 2
        found = await container.store.read(lambda tx: [tx.subscriptions.find(app.id, one) for one in endpoints])
        return sum(one[0].status is SubscriptionStatus.ACTIVE for one in found if one)

    assert await active() == 1
    await container.flow.cancel(app.id, notification.public_id)
    assert await active() == 2
