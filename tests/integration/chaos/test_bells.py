"""Bells of very many people while workers are killed: everybody finds the message, and nobody twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from tests.integration.chaos import test_workers
from tests.integration.chaos.test_workers import container, settings, worker

from support.chaos import moments, until
from tidings.domain.app import App
from tidings.domain.audience import FEED, Matching, Through
from tidings.domain.campaign import NewNotification, Notification
from tidings.domain.filters import Compare, Field, Op, Root
from tidings.domain.message import Message
from tidings.domain.subscription import Address, NewSubscription
from tidings.settings import Settings
from tidings.storage import Transaction
from tidings.storage.tables.preferences import feed_items
from tidings.wiring import Container

__all__ = ["container", "settings"]
"""Fixtures."""

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(600)]
KNOWN, BY_DEVICE = 2_000, 1_000
PEOPLE = KNOWN + BY_DEVICE
SOMEBODY = Compare(Field(Root.USER, ("id",)), Op.EXISTS)


async def app_with_people(container: Container) -> App:
    """Make people whom the App knows, of whom every fourth has a device, and others of whom there is a device alone."""
    app = await container.apps.ensure_first()
    made = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    now, origin = container.clock.now(), "https://push.invalid"
    owners = [f"known-{n:04}" for n in range(0, KNOWN, 4)] + [f"device-{n:04}" for n in range(BY_DEVICE)]
    devices = [
        (
            NewSubscription(
                app_id=app.id,
                provider="webpush",
                address=Address(f"{origin}/{owner}", b"\x04" * 65 + b"a" * 16),
                origin=origin,
                credential_id=made.credential.id,
                user_external_id=owner,
            ),
            container.ids.new("sub"),
            b"h" * 32,
        )
        for owner in owners
    ]

    def add(tx: Transaction) -> None:
        for n in range(KNOWN):
            tx.users.put(app.id, f"known-{n:04}", attributes=None, locale=None, time_zone=None, now=now)
        tx.subscriptions.add_many(devices, now=now)

    await container.store.write(add)
    return app


async def rows_of(container: Container, notification: Notification) -> tuple[int, int]:
    """Count the rows of a notification in bells, and of how many people they are."""
    counted = select(func.count(), func.count(feed_items.c.user_external_id.distinct()))

    def count(tx: Transaction) -> tuple[int, int]:
        of = counted.where(feed_items.c.notification_id == notification.id)
        rows, people = tx.feed._scope.connection.execute(of).one()  # type: ignore[attr-defined]
        return rows, people

    return await container.store.read(count)


async def test_workers_killed_while_they_fill_bells_leave_nobody_out(
    settings: Settings, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = "import tidings.pipeline.feed\ntidings.pipeline.feed.FILLED = 10\n"
    monkeypatch.setattr(test_workers, "WORKER", few + test_workers.WORKER)
    app = await app_with_people(container)
    whom = Through(Matching(SOMEBODY, container.clock.now()), (FEED,))
    accepted = await container.flow.accept(NewNotification(app.id, Message(title="Low tide at noon"), whom))
    before = 0
    for moment in moments("kill a worker that fills bells", of=4, among=PEOPLE):
        with worker(settings) as one:
            await until(lambda moment=moment: _at_least(container, accepted.notification, moment))  # type: ignore[misc]
            one.kill()
            one.wait()
        rows, people = await rows_of(container, accepted.notification)
        assert before < rows == people < PEOPLE, "it was killed on its way"
        before = rows
    with worker(settings):
        await until(lambda: _done(container))
    assert await rows_of(container, accepted.notification) == (PEOPLE, PEOPLE)
    for name in ("known-0000", "known-1999", "device-0000", "device-0999"):
        page = await container.people.feed.page(app.id, name, cursor=None, limit=5)
        assert ([one.words.title for one in page.items], page.counts.unread) == (["Low tide at noon"], 1)


async def _at_least(container: Container, notification: Notification, many: int) -> bool:
    return (await rows_of(container, notification))[0] >= many


async def _done(container: Container) -> bool:
    now = container.clock.now()
    return await container.store.read(lambda tx: tx.feed_fills.due(now=now, limit=1)) == []
