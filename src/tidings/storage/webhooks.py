"""Where an App's own servers are told what happens: rows of `webhooks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from tidings.domain.webhook import DisabledBecause, NewWebhook, Webhook, kinds_of, mask_of
from tidings.lib.sealed import Sealer
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.webhooks import webhook_attempts, webhook_messages, webhooks

c = webhooks.c


class Sealed(msgspec.Struct):
    """What of a webhook nobody reads in the database."""

    url: str
    secrets: list[bytes]


class SqlWebhooks:
    """Implements `storage.Webhooks`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def hold(self, app_id: int) -> None:
        """Let nobody else change the App's webhooks until the transaction ends."""
        hold(self._scope, app_id)

    def add(self, app_id: int, new: NewWebhook, *, public_id: str, secret: bytes, now: datetime) -> Webhook:
        """Store a webhook."""
        self.hold(app_id)
        values = {
            **_values(new),
            "public_id": public_id,
            "app_id": app_id,
            "sealed": seal(self._scope.sealer, public_id, new.url, [secret]),
            "rests_until": now,
            "leased_until": now,
            "created_at": now,
            "updated_at": now,
        }
        row = self._scope.connection.execute(insert(webhooks).values(values).returning(webhooks)).one()
        note_kinds(self._scope, app_id)
        return webhook(self._scope, row)

    def get(self, app_id: int, public_id: str) -> Webhook | None:
        """Find by public id."""
        query = select(webhooks).where(c.app_id == app_id, c.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return webhook(self._scope, row) if row else None

    def all(self, app_id: int) -> list[Webhook]:
        """List the App's webhooks, newest first."""
        query = select(webhooks).where(c.app_id == app_id).order_by(c.id.desc())
        return [webhook(self._scope, row) for row in self._scope.connection.execute(query)]

    def disabled(self, app_id: int) -> list[Webhook]:
        """List those that were turned off because they failed."""
        query = select(webhooks).where(c.app_id == app_id, c.disabled_because.is_not(None)).order_by(c.id)
        return [webhook(self._scope, row) for row in self._scope.connection.execute(query)]

    def change(self, webhook_id: int, new: NewWebhook, *, now: datetime) -> Webhook:
        """Put this in its place; one that was off begins anew, as if it had never failed."""
        before = self._one(webhook_id)
        values = _values(new) | {
            "sealed": seal(self._scope.sealer, before.public_id, new.url, before.secrets),
            "updated_at": now,
        }
        if new.enabled or before.enabled or new.url != before.url:
            values |= {"disabled_because": None}
        if (new.enabled and not before.enabled) or new.url != before.url:
            values |= {"failures": 0, "failing_since": None, "rests_until": now}
        if new.url != before.url:
            # What the old one still answers is nothing to the new one.
            values |= {"token": c.token + 1, "leased_until": now}
        row = self._set(webhook_id, values)
        note_kinds(self._scope, before.app_id)
        return webhook(self._scope, row)

    def rotate(self, webhook_id: int, secret: bytes, *, earlier_until: datetime, now: datetime) -> Webhook:
        """Sign with a new secret from now on, and with the one before besides until then."""
        before = self._one(webhook_id)
        sealed = seal(self._scope.sealer, before.public_id, before.url, [secret, before.secrets[0]])
        row = self._set(webhook_id, {"sealed": sealed, "earlier_until": earlier_until, "updated_at": now})
        return webhook(self._scope, row)

    def delete(self, webhook_id: int) -> None:
        """Forget it with its log and with what it was still to be told."""
        app_id = self._one(webhook_id).app_id
        mine = select(webhook_messages.c.id).where(webhook_messages.c.webhook_id == webhook_id)
        self._scope.connection.execute(delete(webhook_attempts).where(webhook_attempts.c.message_id.in_(mine)))
        self._scope.connection.execute(delete(webhook_messages).where(webhook_messages.c.webhook_id == webhook_id))
        self._scope.connection.execute(delete(webhooks).where(c.id == webhook_id))
        note_kinds(self._scope, app_id)

    def _one(self, webhook_id: int) -> Webhook:
        app_id = self._scope.connection.execute(select(c.app_id).where(c.id == webhook_id)).scalar_one()
        self.hold(app_id)
        row = self._scope.connection.execute(select(webhooks).where(c.id == webhook_id).with_for_update()).one()
        return webhook(self._scope, row)

    def _set(self, webhook_id: int, values: dict[str, Any]) -> AnyRow:
        changed = update(webhooks).where(c.id == webhook_id).values(values).returning(webhooks)
        return self._scope.connection.execute(changed).one()


def hold(scope: Scope, app_id: int) -> None:
    """Let nobody else change what the App's webhooks want, or each would forget the other's.

    To be asked before a webhook's row is locked, so that no two wait for each other.
    """
    # Not FOR UPDATE: whoever stores something that names the App need not wait.
    held = select(apps.c.id).where(apps.c.id == app_id).with_for_update(key_share=True)
    scope.connection.execute(held)


def note_kinds(scope: Scope, app_id: int) -> None:
    """Keep with the App what any of its webhooks wants to be told: it is looked up there whenever something happens."""
    wanted = 0
    for (mask,) in scope.connection.execute(select(c.kinds).where(c.app_id == app_id, c.enabled == 1)):
        wanted |= mask
    scope.connection.execute(update(apps).where(apps.c.id == app_id).values(webhook_kinds=wanted))


def seal(sealer: Sealer, public_id: str, url: str, secrets: Sequence[bytes]) -> bytes:
    """Seal what is secret of a webhook; the earlier secret comes after the one that holds."""
    return sealer.seal(msgspec.msgpack.encode(Sealed(url, list(secrets))), context=_context(public_id))


def webhook(scope: Scope, row: AnyRow) -> Webhook:
    """Read a row."""
    opened = msgspec.msgpack.decode(scope.sealer.open(row.sealed, context=_context(row.public_id)), type=Sealed)
    return Webhook(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        url=opened.url,
        kinds=kinds_of(row.kinds),
        description=row.description,
        enabled=bool(row.enabled),
        disabled_because=DisabledBecause(row.disabled_because) if row.disabled_because else None,
        secrets=tuple(opened.secrets),
        earlier_until=row.earlier_until,
        failures=row.failures,
        failing_since=row.failing_since,
        succeeded_at=row.succeeded_at,
        rests_until=row.rests_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _values(new: NewWebhook) -> dict[str, Any]:
    return {"kinds": mask_of(new.kinds), "description": new.description, "enabled": int(new.enabled)}


def _context(public_id: str) -> str:
    return f"webhooks|{public_id}"
