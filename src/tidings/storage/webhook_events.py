"""What a message to a webhook says: read when it is told, so that nothing of a person is kept for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from tidings.domain.webhook import KINDS, Happening, Told, WebhookEvent
from tidings.storage.columns import moment
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.notifications import notifications
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tables.webhooks import webhook_attempts, webhooks

n = notifications.c
s = subscriptions.c

_SETTLED = ("audience", "sent", "failed", "expired", "skipped")
_ERASED = "erased"


def events_from(scope: Scope, app_id: int, message: str, happenings: Sequence[Happening]) -> list[dict[str, Any]]:
    """Write out what happened. Devices that were erased, and notifications that are gone, are left out.

    Of a device that has changed hands since, nobody is named: it is another's now.
    """
    devices = _devices(scope, app_id, {told.subscription_id for one in happenings for told in one.events})
    about = _notifications(scope, app_id, {one.notification_id for one in happenings})
    return [event for one in happenings for event in _events(message, one, devices, about)]


def hold_answers(scope: Scope, app_id: int) -> None:
    """Let no answer be stored until the transaction ends; asked before an erasure is, which later ones then find."""
    held = select(webhooks.c.id).where(webhooks.c.app_id == app_id).order_by(webhooks.c.id).with_for_update()
    scope.connection.execute(held)


def forget_answers(scope: Scope, app_id: int) -> None:
    """Forget what receivers answered: it may repeat what we said of whoever is being erased.

    Of the events themselves nothing is left to read once the device is gone.
    """
    answers = update(webhook_attempts).where(webhook_attempts.c.app_id == app_id, webhook_attempts.c.answer != "")
    scope.connection.execute(answers.values(answer=""))


def when(at: datetime) -> str:
    """Write a moment as RFC 3339 has it, in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def _events(
    message: str, one: Happening, devices: dict[int, AnyRow], about: dict[int, AnyRow]
) -> Iterator[dict[str, Any]]:
    at, notification = when(moment(one.at)), about.get(one.notification_id)
    if one.notification_id and notification is None:
        return
    for place, told in enumerate(one.events, start=one.first):
        kind, device = KINDS[told.kind], devices.get(told.subscription_id)
        if kind is WebhookEvent.NOTIFICATION_FINISHED:
            assert notification is not None
            data = _finished(notification)
        elif device is None:
            continue
        else:
            data = _of_device(kind, told, device, notification)
            if device.owner_since is not None and device.owner_since > moment(one.at):
                data["user"] = None
        yield {"id": f"{message}.{place}", "type": kind.value, "timestamp": at, "data": data}


def _finished(notification: AnyRow) -> dict[str, Any]:
    counts = {name: notification._mapping[f"n_{name}"] for name in _SETTLED}
    return {"notification": notification.public_id, "status": notification.status, **counts}


def _of_device(kind: WebhookEvent, told: Told, device: AnyRow, notification: AnyRow | None) -> dict[str, Any]:
    data: dict[str, Any] = {"subscription": device.public_id, "user": device.user_external_id}
    if notification is not None:
        data = {"notification": notification.public_id, **data}
    if kind.startswith("delivery."):
        return {**data, "provider": device.provider, "reason": told.text, "tries": told.tries}
    if kind.startswith("subscription."):
        return {**data, "provider": device.provider, "reason": told.text}
    return {**data, "action": told.text} if told.text else data


def _devices(scope: Scope, app_id: int, ids: set[int]) -> dict[int, AnyRow]:
    there = (s.app_id == app_id, or_(s.status_reason.is_(None), s.status_reason != _ERASED))
    query = select(s.id, s.public_id, s.user_external_id, s.owner_since, s.provider).where(
        scope.dialect.any_of(s.id, "ids"), *there
    )
    rows = scope.connection.execute(query, {"ids": scope.dialect.many(sorted(ids - {0}))})
    return {row.id: row for row in rows}


def _notifications(scope: Scope, app_id: int, ids: set[int]) -> dict[int, AnyRow]:
    columns = (n.id, n.public_id, n.status, *(n[f"n_{name}"] for name in _SETTLED))
    query = select(*columns).where(scope.dialect.any_of(n.id, "ids"), n.app_id == app_id)
    rows = scope.connection.execute(query, {"ids": scope.dialect.many(sorted(ids - {0}))})
    return {row.id: row for row in rows}
