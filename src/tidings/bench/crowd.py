"""The crowd: subscribers with real keys whose endpoints lead to the sink."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from tidings.domain.app import App
from tidings.domain.subscription import Address, NewSubscription
from tidings.lib.crypto import generate_key, point_from
from tidings.wiring import Container

DISTINCT = 20_000
"""Key pairs made; a larger crowd has them in turn. Nothing remembers so many, so each is as good as new."""

BATCH = 2_000
"""Subscribers stored in one transaction."""

_TOKEN = 150
"""Characters of an endpoint's secret part: those of the large push services are about as long."""


@dataclass(frozen=True, slots=True)
class Host:
    """The App that a crowd subscribes to, and its key."""

    app: App
    credential_id: int
    public_key: str


async def host_of(container: Container) -> Host:
    """Give the instance's first App, with a new VAPID key."""
    app = await container.apps.ensure_first()
    change = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    return Host(app, change.credential.id, change.credential.fingerprint)


def token_of(number: int) -> str:
    """Give the secret part of a subscriber's endpoint; the same number, the same part."""
    return (sha256(number.to_bytes(8, "big")).hexdigest() * 3)[:_TOKEN]


def addresses(count: int, *, base: str, start: int = 0) -> Iterator[Address]:
    """Make addresses below `base` (`https://localhost:9443/push/`), each with a `p256dh` and an `auth`."""
    points = [point_from(generate_key()) for _ in range(min(count, DISTINCT))]
    for number in range(start, start + count):
        yield Address(base + token_of(number), points[number % len(points)] + os.urandom(16))


async def fill(
    container: Container, host: Host, *, count: int, origin: str, place: str = "push", start: int = 0
) -> None:
    """Store `count` subscribers, numbered from `start`, whose endpoints lead to that place of the sink."""
    now = container.clock.now()
    batch: list[tuple[NewSubscription, str, bytes]] = []
    for number, address in enumerate(addresses(count, base=f"{origin}/{place}/", start=start), start=1):
        new = NewSubscription(
            app_id=host.app.id,
            provider="webpush",
            address=address,
            origin=origin,
            credential_id=host.credential_id,
            user_external_id=f"user-{start + number - 1}",
        )
        batch.append((new, container.ids.new("sub"), bytes(32)))
        if len(batch) == BATCH or number == count:
            rows, batch = batch, []
            await container.store.write(lambda tx, rows=rows: tx.subscriptions.add_many(rows, now=now))  # type: ignore[misc]
