"""Things to find in a store: an App with its key, devices, notifications and shards, made through the ports."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from tidings.domain.app import App, Credential
from tidings.domain.audience import Audience, Everyone
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import DeliveryStatus, NewShard, Retired, SettledDelivery, Settlement, Shard
from tidings.domain.message import Action, Message, Translation, Urgency
from tidings.domain.subscription import Address, NewSubscription, Subscription
from tidings.storage import Store, Transaction

KEYS = bytes(range(81))

MESSAGE = Message(
    title="Grüße",
    body="It's here",
    url="https://www.example.com/",
    actions=(Action("yes", "Yes", "https://www.example.com/yes"),),
    ttl=3_600,
    urgency=Urgency.HIGH,
    collapse_id="news",
    data={"deep": [1, {"x": None}]},
    locales={"de": Translation(title="Hallo")},
)


def endpoint(number: int) -> str:
    return f"https://push.example.com/wpush/v2/SECRET-TOKEN-{number:07d}"


def sent(*ids: int) -> tuple[SettledDelivery, ...]:
    return tuple(SettledDelivery(one, DeliveryStatus.SENT, "sent", 1, f"ref-{one}") for one in ids)


class Given:
    """Makes what a test begins with."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.now = now
        self._numbers = count(1)

    def later(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    async def app(self, name: str = "My site") -> App:
        public_id = f"app_{next(self._numbers)}"
        return await self.store.write(
            lambda tx: tx.apps.add(public_id=public_id, name=name, identity_secret=b"IDENTITY-SECRET", now=self.now)
        )

    async def credential(self, app: App, fingerprint: str = "key-1") -> Credential:
        def work(tx: Transaction) -> Credential:
            integration = tx.credentials.ensure_integration(
                app.id, "webpush", public_id=f"int_{next(self._numbers)}", label="Web Push", settings={}, now=self.now
            )
            return tx.credentials.add(
                integration.id,
                fingerprint=fingerprint,
                secret=b"PRIVATE-KEY-" + fingerprint.encode(),
                settings={"subject": "mailto:you@example.com"},
                now=self.now,
            )

        return await self.store.write(work)

    def registration(self, app: App, credential: Credential | None, **changes: Any) -> NewSubscription:
        number = next(self._numbers)
        new = NewSubscription(
            app_id=app.id,
            provider="webpush",
            address=Address(endpoint(number), KEYS),
            origin="https://push.example.com",
            credential_id=credential.id if credential else None,
            locale="de-AT",
        )
        return replace(new, **changes)

    async def device(self, app: App, credential: Credential | None, **changes: Any) -> Subscription:
        new = self.registration(app, credential, **changes)
        return await self.store.write(lambda tx: self._add(tx, new))

    async def devices(self, app: App, credential: Credential, number: int) -> list[int]:
        new = [self.registration(app, credential) for _ in range(number)]
        return await self.store.write(lambda tx: [self._add(tx, one).id for one in new])

    def _add(self, tx: Transaction, new: NewSubscription) -> Subscription:
        public_id = f"sub_{next(self._numbers)}"
        return tx.subscriptions.add(
            new, public_id=public_id, secret_hash=sha256(public_id.encode()).digest(), now=self.now
        )

    async def notification(
        self, app: App, audience: Audience | None = None, *, of: int | None = None, **changes: Any
    ) -> Notification:
        new = NewNotification(app.id, MESSAGE, audience or Everyone(), **changes)

        def work(tx: Transaction) -> Notification:
            return tx.notifications.add(
                new,
                public_id=f"ntf_{next(self._numbers)}",
                audience=tx.subscriptions.count(app.id, new.audience) if of is None else of,
                ceiling=tx.subscriptions.ceiling(app.id),
                now=self.now,
            )

        return await self.store.write(work)

    async def shard(self, notification: Notification, n: int = 0, **changes: Any) -> int:
        new = NewShard(notification.id, n, low=1, high=notification.ceiling, size=notification.counts.audience)
        (made,) = await self.store.write(lambda tx: tx.shards.add([replace(new, **changes)], now=self.now))
        return made

    async def claim(
        self, shard_id: int, *, owner: str = "worker", at: datetime | None = None, lease: float = 60
    ) -> Shard | None:
        now = at or self.now
        return await self.store.write(lambda tx: tx.shards.claim(shard_id, owner=owner, now=now, lease=lease))

    async def claimed(self, shard_id: int, **terms: Any) -> Shard:
        shard = await self.claim(shard_id, **terms)
        assert shard is not None
        return shard

    async def settle(
        self, shard: Shard, deliveries: tuple[SettledDelivery, ...] = (), *, chunk: int = 1, **changes: Any
    ) -> bool:
        cursor = max((one.subscription_id for one in deliveries), default=shard.cursor)
        settlement = Settlement(shard.id, shard.lease_token, chunk, cursor, deliveries)
        return await self.store.write(lambda tx: tx.shards.settle(replace(settlement, **changes), now=self.now))

    async def retired(self, subscription_id: int, reason: str) -> Retired:
        """Say that the address which the subscription has now is dead."""
        (found,) = await self.store.read(lambda tx: tx.subscriptions.recipients_by_id([subscription_id]))
        return Retired(subscription_id, reason, found.address_hash)

    async def bury(self, shard: Shard, because: str = "worker_died") -> bool:
        return await self.store.write(
            lambda tx: tx.shards.bury(shard.id, shard.lease_token, because=because, now=self.now)
        )

    async def look(self, notification: Notification) -> Notification:
        found = await self.store.read(lambda tx: tx.notifications.by_id(notification.id))
        assert found is not None
        return found

    async def set_status(
        self, notification: Notification, to: NotificationStatus, *allowed_from: NotificationStatus
    ) -> bool:
        return await self.store.write(
            lambda tx: tx.notifications.set_status(
                notification.id, to, allowed_from=allowed_from or tuple(NotificationStatus), now=self.now
            )
        )

    async def left_behind(self, *, at: datetime) -> list[int]:
        return await self.store.read(lambda tx: tx.notifications.left_behind(now=at, limit=10))

    async def finish(self, notification: Notification, *, at: datetime | None = None) -> bool:
        now = at or self.now
        return await self.store.write(lambda tx: tx.notifications.finish_if_settled(notification.id, now=now))
