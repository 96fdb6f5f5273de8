"""Runners on a real database, whose pool answers what a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.postgres import fresh_database
from tidings.bus import bus_from
from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.campaign import InDoubtPolicy, NewNotification, Notification
from tidings.domain.message import Message
from tidings.domain.outcome import Accepted, Outcome
from tidings.domain.subscription import Address, NewSubscription
from tidings.lib.clock import FixedClock, SystemClock
from tidings.lib.metrics import Metrics
from tidings.lib.sealed import KeyRing
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.providers import provider
from tidings.settings import Settings
from tidings.storage.open import migrate, open_store
from tidings.wiring import Container, assembled
from tidings.worker.runner import Runner
from tidings.worker.signs import Meters

PUSH = "https://fcm.googleapis.com"


class Pool:
    """Answers every parcel; `meanwhile` is what happens elsewhere while a chunk is being sent."""

    def __init__(
        self,
        answer: Callable[[Parcel], Outcome] = lambda _: Accepted(),
        meanwhile: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.answer = answer
        self.meanwhile = meanwhile
        self.chunks: list[list[int]] = []

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        self.chunks.append([parcel.subscription_id for parcel in chunk.parcels])
        happening = self.meanwhile(len(self.chunks))
        if asyncio.iscoroutine(happening):
            await happening
        return {parcel.subscription_id: self.answer(parcel) for parcel in chunk.parcels}


def runner_of(container: Container, pool: Any) -> Runner:
    """Make a runner whose chunks go to that pool."""
    return Runner(
        store=container.store,
        clock=container.clock,
        pool=pool,
        deliveries=container.deliveries,
        provider=provider,
        chance=lambda: 0.5,
        owner="test",
        meters=Meters(Metrics()),
    )


async def app_of(container: Container, origins: list[str]) -> App:
    """Make an App with a subscription at each of the origins."""
    app = await container.apps.ensure_first()
    made = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    rows = [
        (
            NewSubscription(
                app_id=app.id,
                provider="webpush",
                address=Address(f"{origin}/{number}", b"\x04" * 65 + b"a" * 16),
                origin=origin,
                credential_id=made.credential.id,
            ),
            container.ids.new("sub"),
            b"h" * 32,
        )
        for number, origin in enumerate(origins)
    ]
    await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=container.clock.now()))
    return app


async def accepted(container: Container, app: App, *, ttl: int = 86_400) -> Notification:
    new = NewNotification(app_id=app.id, message=Message(title="Tide", ttl=ttl), audience=Everyone())
    return (await container.flow.accept(new)).notification


async def ready(container: Container, *, within: float = 0.0) -> list[int]:
    now = container.clock.now() + timedelta(seconds=within)
    return await container.store.read(lambda tx: tx.shards.ready(now=now, limit=1_000))


async def now_of(container: Container, notification: Notification) -> Notification:
    found = await container.store.read(lambda tx: tx.notifications.by_id(notification.id))
    assert found is not None
    return found


@asynccontextmanager
async def standing_still(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Container]:
    """Open a new instance on the database of `request.param`, whose clock somebody else turns."""
    with ExitStack() as stack:
        url = None
        if request.param == "postgres":
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres")))
            migrate(database_url=url, folder=folder)
        store = open_store(database_url=url, folder=folder, ring=KeyRing.generate())
        clock = FixedClock(SystemClock().now())
        yield assembled(Settings(data=folder), store=store, bus=bus_from(None), clock=clock)
        await store.close()
