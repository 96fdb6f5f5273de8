"""Writing down what webhooks are to be told, in the transaction in which it happened: rows of `webhook_outbox`.

Whether anybody wants to know is read in a statement that runs anyway, with `wanted_of`; where nobody does, that is all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Label, insert, select

from tidings.domain.subscription import SubscriptionStatus
from tidings.domain.webhook import MOST_EVENTS, NUMBERS, Happening, Told, WebhookEvent, mask_of
from tidings.storage.columns import microseconds
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tables.webhooks import webhook_outbox

s = subscriptions.c
IMPORTED = "imported"

_told = msgspec.msgpack.Decoder(list[Told])
_happenings = msgspec.msgpack.Decoder(list[Happening])

OF_DELIVERIES = mask_of(kind for kind in WebhookEvent if kind.startswith("delivery."))
EXPIRED = mask_of([WebhookEvent.SUBSCRIPTION_EXPIRED])


def wanted_of(app_id: ColumnElement[int]) -> Label[int]:
    """Give, for RETURNING, the kinds that webhooks of a row's App want to be told."""
    kinds = select(apps.c.webhook_kinds).where(apps.c.id == app_id)
    return kinds.correlate_except(apps).scalar_subquery().label("wanted")


def wanted_in(scope: Scope, app_id: int) -> int:
    """Give the kinds that webhooks of an App want to be told, where no statement could bring it along."""
    found = scope.connection.execute(select(apps.c.webhook_kinds).where(apps.c.id == app_id)).scalar()
    return int(found or 0)


def wants(wanted: int, kind: WebhookEvent) -> bool:
    """Say whether one kind is among those wanted."""
    return bool(wanted >> NUMBERS[kind] & 1)


def of_subscriptions(kind: WebhookEvent, ids: Iterable[int], text: str = "") -> Iterable[Told]:
    """Say the same of many devices."""
    number = NUMBERS[kind]
    return (Told(number, one, text) for one in ids)


def tell(
    scope: Scope, app_id: int, wanted: int, happened: Iterable[Told], *, now: datetime, notification_id: int = 0
) -> None:
    """Write down what is wanted of what happened, a row for up to 1 000 events."""
    if not wanted:
        return
    left = (one for one in happened if wanted >> one.kind & 1)
    common: dict[str, Any] = {"app_id": app_id, "notification_id": notification_id, "at": now}
    while some := list(islice(left, MOST_EVENTS)):
        row = {**common, "events": msgspec.msgpack.encode(some)}
        scope.connection.execute(insert(webhook_outbox).values(row))


def tell_finished(scope: Scope, notification: AnyRow, *, now: datetime) -> None:
    """Write down that a notification (its id, its `app_id`, what is `wanted`) has come to its end."""
    told = [Told(NUMBERS[WebhookEvent.NOTIFICATION_FINISHED])]
    tell(scope, notification.app_id, notification.wanted, told, now=now, notification_id=notification.id)


class SqlOutbox:
    """Implements `storage.Outbox`: what is told of devices, beside what delivery and receipts write down themselves."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def waits(self) -> bool:
        """Say whether anything is to be told that no message was made of yet."""
        return self._scope.connection.execute(select(webhook_outbox.c.id).limit(1)).first() is not None

    def device(self, app_id: int, subscription_id: int, kind: WebhookEvent, reason: str, *, now: datetime) -> None:
        """Tell one thing of one device."""
        if wants(wanted := wanted_in(self._scope, app_id), kind):
            tell(self._scope, app_id, wanted, of_subscriptions(kind, [subscription_id], reason), now=now)

    def imported(self, app_id: int, public_ids: Sequence[str], *, now: datetime) -> None:
        """Tell that devices were created, of those of the ids that are there."""
        kind = WebhookEvent.SUBSCRIPTION_CREATED
        if wants(wanted := wanted_in(self._scope, app_id), kind):
            there = select(s.id).where(self._scope.dialect.any_of(s.public_id, "ids"), s.app_id == app_id)
            ids = self._scope.connection.execute(there, {"ids": self._scope.dialect.many(list(public_ids))}).scalars()
            tell(self._scope, app_id, wanted, of_subscriptions(kind, ids.all(), IMPORTED), now=now)

    def expiring(self, app_id: int, credential_id: int, reason: str, *, now: datetime) -> None:
        """Tell that every active device made with a key expires; to be called just before they do."""
        kind = WebhookEvent.SUBSCRIPTION_EXPIRED
        if wants(wanted := wanted_in(self._scope, app_id), kind):
            active = (s.credential_id == credential_id, s.status == SubscriptionStatus.ACTIVE)
            query, after = select(s.id).where(*active).order_by(s.id).limit(MOST_EVENTS), 0
            while ids := self._scope.connection.execute(query.where(s.id > after)).scalars().all():
                tell(self._scope, app_id, wanted, of_subscriptions(kind, ids, reason), now=now)
                after = ids[-1]


def happening_from(notification_id: int, at: datetime, events: bytes) -> Happening:
    """Read a row."""
    return Happening(notification_id, microseconds(at), _told.decode(events))


def bytes_from_happenings(happenings: Sequence[Happening]) -> bytes:
    """Pack what a message carries: a few bytes for each event."""
    return msgspec.msgpack.encode(happenings)


def happenings_from_bytes(packed: bytes) -> list[Happening]:
    """Read what a message carries."""
    return _happenings.decode(packed)
