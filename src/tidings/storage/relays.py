"""Relays: rows of `subscriptions` with a status of their own, which keeps them out of every audience and list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from tidings.domain.relay import NewRelay, Relay
from tidings.storage.codec import address_from_bytes, bytes_from_address
from tidings.storage.recipients import address_context
from tidings.storage.relay_status import CHANNEL, ENDED, RELAY, SENDABLE
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.subscriptions import subscriptions

c = subscriptions.c


class SqlRelays:
    """Implements `storage.Relays`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def ensure(self, new: NewRelay, *, public_id: str, secret_hash: bytes, now: datetime) -> Relay:
        """Store a relay, or note that the one that is there is used; it is one for its key and what it is."""
        kind = new.address.keys.decode("ascii")
        # Not as a device is found: a topic may have the name of a token, and two projects topics of the same name.
        name = f"{new.credential_id} {kind} {new.address.target}"
        address_hash = self._scope.sealer.blind_index(name.encode(), context=f"subscriptions|relay|{new.app_id}")
        status = CHANNEL if new.channel else RELAY
        context = address_context(new.app_id, address_hash)
        values = {
            "public_id": public_id,
            "app_id": new.app_id,
            "provider": new.provider,
            "origin": new.origin,
            "credential_id": new.credential_id,
            "status": status,
            "tags": {},
            "device": new.label,
            "address": self._scope.sealer.seal(bytes_from_address(new.address), context=context),
            "address_hash": address_hash,
            "secret_hash": secret_hash,
            "created_at": now,
            "last_seen_at": now,
        }
        self._scope.connection.execute(self._scope.dialect.insert_missing(subscriptions), values)
        used = (
            update(subscriptions)
            .where(c.app_id == new.app_id, c.address_hash == address_hash)
            .values(last_seen_at=now, status=status)
            .returning(subscriptions)
        )
        return self._relay(self._scope.connection.execute(used).one())

    def get(self, app_id: int, public_id: str) -> Relay | None:
        """Find one by its public id."""
        query = select(subscriptions).where(c.app_id == app_id, c.public_id == public_id, c.status.in_(SENDABLE))
        row = self._scope.connection.execute(query).first()
        return self._relay(row) if row else None

    def channels(self, integration_id: int, *, after: int, limit: int) -> list[Relay]:
        """List the channels of an integration, newest first; `after` is the id of the last one seen, 0 to begin."""
        keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
        query = select(subscriptions).where(c.credential_id.in_(keys), c.status == CHANNEL)
        if after:
            query = query.where(c.id < after)
        rows = self._scope.connection.execute(query.order_by(c.id.desc()).limit(limit))
        return [self._relay(row) for row in rows]

    def end(self, relay_id: int) -> None:
        """Let nothing go there any more; what was sent stays counted, and the row goes in time."""
        self._scope.connection.execute(
            update(subscriptions).where(c.id == relay_id, c.status.in_(SENDABLE)).values(status=ENDED)
        )

    def _relay(self, row: AnyRow) -> Relay:
        context = address_context(row.app_id, row.address_hash)
        return Relay(
            id=row.id,
            public_id=row.public_id,
            provider=row.provider,
            origin=row.origin,
            credential_id=row.credential_id,
            label=row.device or "",
            address=address_from_bytes(self._scope.sealer.open(row.address, context=context)),
            created_at=row.created_at,
            last_active_at=row.last_active_at,
        )
