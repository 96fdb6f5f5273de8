"""What of an App's integrations wants somebody's attention: credentials that end, and those that were refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from tidings.domain.app import Integration
from tidings.domain.webhook import DisabledBecause, Webhook
from tidings.providers import BROWSER
from tidings.services.grants import EXPIRES_AT
from tidings.storage import Transaction

STEPS = (3, 12, 30)
"""Days before the end from which on it is urgent, pressing and worth knowing."""


class Matter(StrEnum):
    """What it is about."""

    EXPIRES = "credentials_expire"
    EXPIRED = "credentials_expired"
    PAUSED = "integration_paused"
    MISPLACED = "devices_suspected"
    WEBHOOK = "webhook_disabled"


@dataclass(frozen=True, slots=True)
class Item:
    """One matter of one integration, or of one webhook: then `integration` is its id and `provider` is empty.

    `days` are those left of credentials that end, and `within` is the step reached: 30, 12 or 3 days, 0 when they
    have ended.
    """

    integration: str
    provider: str
    label: str
    matter: Matter
    detail: str
    mend: str
    days: int | None = None
    within: int | None = None


def expiry_of(integration: Integration) -> datetime | None:
    """Give when an integration's credentials end, if they do."""
    stated = integration.settings.get(EXPIRES_AT)
    return datetime.fromisoformat(stated) if stated else None


def next_ends(tx: Transaction) -> dict[str, datetime]:
    """Give by provider when the next credentials of any App end; one whose credentials never do is left out."""
    ends: dict[str, datetime] = {}
    for app in tx.apps.all():
        for one in tx.credentials.integrations(app.id):
            expiry = expiry_of(one)
            if expiry is not None:
                ends[one.provider] = min(expiry, ends.get(one.provider, expiry))
    return ends


def attention(tx: Transaction, app_id: int, *, now: datetime) -> tuple[Item, ...]:
    """List what wants attention in an App, the most urgent first."""
    integrations = tx.credentials.integrations(app_id)
    items = [item for one in integrations for item in _of(one, now=now)]
    items += [item for one in integrations if (item := _misplaced(tx, one)) is not None]
    items += [_disabled(one) for one in tx.webhooks.disabled(app_id)]
    return tuple(sorted(items, key=lambda item: (item.within is not None, item.within or 0, item.label)))


def _disabled(one: Webhook) -> Item:
    host = urlsplit(one.url).hostname or ""
    label = one.description or host
    if one.disabled_because is DisabledBecause.GONE:
        why = f"{host} answered 410 Gone"
    else:
        why = f"{host} took nothing for days"
    detail = f"The webhook {label} was turned off: {why}. What happens now is not told to it."
    mend = "Send it a test event, mend the receiver, turn the webhook on, and have what it missed sent again."
    return Item(one.public_id, "", label, Matter.WEBHOOK, detail, mend)


def _misplaced(tx: Transaction, one: Integration) -> Item | None:
    if one.provider == BROWSER or not (devices := tx.subscriptions.count_misplaced(one.id)):
        return None
    detail = (
        f"{devices} {'device' if devices == 1 else 'devices'} of {one.label} seem to be of another environment, "
        "project or app: their tokens are refused while others are taken. None of them is lost."
    )
    mend = "Their subscriptions say which it is; have the app register with the environment it was signed for."
    return Item(one.public_id, one.provider, one.label, Matter.MISPLACED, detail, mend)


def _of(one: Integration, *, now: datetime) -> list[Item]:
    found = []
    if one.paused_because is not None:
        detail = f"{one.label} is paused: {one.paused_because}. Its messages wait."
        mend = "Test the connection, mend the credentials, and let it go on."
        found.append(Item(one.public_id, one.provider, one.label, Matter.PAUSED, detail, mend))
    expiry = expiry_of(one)
    if expiry is None:
        return found
    left = expiry - now
    mend = f"Upload a new one with PATCH /api/v1/integrations/{one.public_id}; devices stay as they are."
    if left <= timedelta(0):
        detail = f"The certificate of {one.label} expired on {expiry:%d %B %Y}: nothing reaches its devices."
        found.append(Item(one.public_id, one.provider, one.label, Matter.EXPIRED, detail, mend, days=0, within=0))
    elif left <= timedelta(days=STEPS[-1]):
        days = math.ceil(left / timedelta(days=1))
        within = next(step for step in STEPS if left <= timedelta(days=step))
        detail = (
            f"The certificate of {one.label} expires on {expiry:%d %B %Y}, in {days} {'day' if days == 1 else 'days'}."
        )
        found.append(Item(one.public_id, one.provider, one.label, Matter.EXPIRES, detail, mend, days, within))
    return found
