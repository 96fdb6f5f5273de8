"""A campaign in this process: an App with simulated subscribers, a worker, and what became of everybody."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.message import Message
from tidings.domain.subscription import NewSubscription
from tidings.lib.metrics import Metrics
from tidings.providers import GeneratesKeys, provider
from tidings.simulator.faults import Fault
from tidings.simulator.run import Running
from tidings.wiring import Container
from tidings.worker.run import Worker


@asynccontextmanager
async def working(container: Container) -> AsyncIterator[Worker]:
    worker = Worker(replace(container, metrics=Metrics()))
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def app_with_subscribers(
    container: Container,
    simulator: Running,
    count: int,
    *,
    faults: tuple[tuple[Fault, float], ...] = (),
    contact: str = "mailto:ops@example.com",
) -> App:
    """Make an App with a key and `count` simulated subscribers."""
    now = container.clock.now()
    webpush = provider("webpush")
    assert isinstance(webpush, GeneratesKeys)
    made = replace(webpush.generate_credential({"subject": "mailto:ops@example.com"}), settings={"subject": contact})
    app = await container.store.write(
        lambda tx: tx.apps.add(public_id=container.ids.new("app"), name="Test", identity_secret=b"i" * 32, now=now)
    )

    def add_key(tx: Any) -> int:
        integration = tx.credentials.ensure_integration(
            app.id, "webpush", public_id=container.ids.new("int"), label="Web Push", settings=made.settings, now=now
        )
        credential = tx.credentials.add(
            integration.id, fingerprint=made.fingerprint, secret=made.secret, settings=made.settings, now=now
        )
        return int(credential.id)

    credential_id = await container.store.write(add_key)
    public = base64.urlsafe_b64decode(made.fingerprint + "=")
    rows = []
    for subscription in simulator.subscribers.make(count, vapid_key=public, shares=faults, seed="campaign"):
        address, origin = webpush.address_from(subscription, policy=container.policy)
        new = NewSubscription(
            app_id=app.id, provider="webpush", address=address, origin=origin, credential_id=credential_id
        )
        rows.append((new, container.ids.new("sub"), b"h" * 32))
    added = await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=now))
    assert added == (count, 0)
    return app


def to_everyone(app: App, *, ttl: int = 3600) -> NewNotification:
    return NewNotification(
        app_id=app.id,
        message=Message(title="Tide", body="High water", url="https://example.com/", ttl=ttl),
        audience=Everyone(),
    )


async def finished(container: Container, notification: Notification, *, seconds: float = 90) -> Notification:
    async with asyncio.timeout(seconds):
        while True:
            found = await container.store.read(lambda tx: tx.notifications.by_id(notification.id))
            assert found is not None
            if found.status in {NotificationStatus.DONE, NotificationStatus.CANCELLED}:
                return found
            await asyncio.sleep(0.05)


def seen(simulator: Running, kind: str = "total") -> dict[str, int]:
    summary: dict[str, Any] = simulator.subscribers.summary()
    return dict(summary["total"] if kind == "total" else summary["kinds"][kind])
