"""A database that goes away while it commits: nobody knows whether it stored the work, and nothing happens twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.databases import Databases
from support.runners import PUSH, Pool, app_of, now_of, ready, runner_of
from support.severed import Cut, Way, way_to
from tidings import wiring
from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, NotificationStatus
from tidings.domain.message import Message
from tidings.pipeline.flow import Idempotent
from tidings.settings import Settings
from tidings.storage import OutcomeUnknown
from tidings.wiring import Container

pytestmark = pytest.mark.postgres


@pytest.fixture
async def severable(tmp_path: Path, databases: Databases) -> AsyncIterator[tuple[Container, Way]]:
    with databases.migrated() as url, way_to(url) as (way, along):
        async with wiring.opened(Settings(data=tmp_path, database_url=along, senders=1)) as container:
            yield container, way


@pytest.mark.parametrize("cut", Cut)
async def test_the_same_key_stores_a_request_once_whatever_became_of_the_first_try(
    severable: tuple[Container, Way], cut: Cut
) -> None:
    container, way = severable
    app = await container.apps.ensure_first()
    new = NewNotification(app_id=app.id, message=Message(title="Tide"), audience=Everyone())
    same = Idempotent(key="order-17", request_hash=b"r" * 32)

    def arm(*_: object) -> None:
        way.cut = cut

    with pytest.raises(OutcomeUnknown):
        await container.flow.accept(new, idempotency=same, gate=arm)
    again = await container.flow.accept(new, idempotency=same)
    assert way.severed == 1
    assert again.replayed is (cut is Cut.AFTER)
    assert len(await container.store.read(lambda tx: tx.notifications.page(app.id, after=0, limit=9))) == 1


@pytest.mark.parametrize("cut", Cut)
async def test_a_chunk_is_settled_once_whatever_became_of_the_first_try(
    severable: tuple[Container, Way], cut: Cut
) -> None:
    container, way = severable
    app = await app_of(container, [PUSH] * 5)
    new = NewNotification(app_id=app.id, message=Message(title="Tide"), audience=Everyone())
    notification = (await container.flow.accept(new)).notification

    def arm(chunk: int) -> None:
        way.cut = cut  # what commits next is what settles the chunk

    pool = Pool(meanwhile=arm)
    (shard,) = await ready(container)
    assert await runner_of(container, pool).run(shard)
    done = await now_of(container, notification)
    assert way.severed == 1
    assert (done.status, done.counts.sent, done.counts.settled) == (NotificationStatus.DONE, 5, 5)
    assert len(pool.chunks) == 1, "what was sent is not sent again"
