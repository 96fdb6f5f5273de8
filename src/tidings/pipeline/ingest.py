"""Ingest: a validated request comes in, a stored Notification goes out, once per idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tidings.domain.audience import Relayed, Through
from tidings.domain.campaign import NewNotification, Notification
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.safety import HoldReason
from tidings.pipeline.feed import put_in_feed
from tidings.storage import Transaction


@dataclass(frozen=True, slots=True)
class Idempotent:
    """What makes a repeated request recognisable: the caller's key and a hash of what was asked."""

    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A stored notification; `replayed` when an earlier request with the same key had stored it.

    `too_large_for` names push services that take no message so long, each with the bytes that are too many.
    """

    notification: Notification
    replayed: bool
    too_large_for: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """The audience at the moment of the request: how many, and the highest subscription id."""

    audience: int
    ceiling: int


Gate = Callable[[Transaction, Frozen], HoldReason | None]
"""Looks at a new notification in the transaction that stores it: lets it pass, has it held, or raises to refuse it."""


def for_its_devices(new: NewNotification) -> NewNotification:
    """Leave out whom such a message is not for. Raises INVALID_REQUEST where these were named."""
    platforms, audience = new.message.platforms, new.audience
    chosen = audience.channels if isinstance(audience, Through) else None
    if (words := platforms.fault(chosen)) is not None:
        fault = FieldFault("channels", words)
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"channels: {words}", faults=(fault,))
    left = platforms.channels(chosen)
    if left is None or isinstance(audience, Relayed | Through):
        return new
    return replace(new, audience=Through(audience, left))


def freeze(tx: Transaction, new: NewNotification) -> Frozen:
    """Count the audience and note the highest subscription id."""
    return Frozen(
        audience=tx.subscriptions.count(new.app_id, new.audience), ceiling=tx.subscriptions.ceiling(new.app_id)
    )


def ingest(
    tx: Transaction,
    new: NewNotification,
    *,
    frozen: Frozen,
    idempotent: Idempotent | None,
    public_id: str,
    now: datetime,
    gate: Gate | None = None,
) -> Acceptance:
    """Store the notification with its place in feeds, or find the one that the same key stored before.

    Only a new one comes to the gate.

    Raises IDEMPOTENCY_KEY_REUSED when the key belongs to a different request.
    """
    if idempotent is not None:
        known = tx.idempotency.find(new.app_id, idempotent.key)
        if known is not None:
            return _replay(tx, new.app_id, known, idempotent)
    stored = tx.notifications.add(
        new,
        public_id=public_id,
        audience=frozen.audience,
        ceiling=frozen.ceiling,
        now=now,
        held=gate(tx, frozen) if gate is not None else None,
    )
    put_in_feed(tx, stored)
    if idempotent is not None:
        tx.idempotency.put(
            new.app_id,
            idempotent.key,
            request_hash=idempotent.request_hash,
            answer=stored.public_id.encode(),
            now=now,
        )
    return Acceptance(stored, replayed=False)


def replayed(tx: Transaction, app_id: int, idempotent: Idempotent) -> Acceptance | None:
    """Find what the same request stored before; None where there is none, or the key belongs to another request."""
    known = tx.idempotency.find(app_id, idempotent.key)
    if known is None or known[0] != idempotent.request_hash:
        return None
    stored = tx.notifications.get(app_id, known[1].decode())
    return None if stored is None else Acceptance(stored, replayed=True)


def _replay(tx: Transaction, app_id: int, known: tuple[bytes, bytes], idempotent: Idempotent) -> Acceptance:
    request_hash, answer = known
    if request_hash != idempotent.request_hash:
        raise CatalogueError(
            ErrorCode.IDEMPOTENCY_KEY_REUSED,
            f"The key {idempotent.key!r} was used for a different notification in the last 24 hours.",
        )
    stored = tx.notifications.get(app_id, answer.decode())
    if stored is None:
        raise CatalogueError(
            ErrorCode.IDEMPOTENCY_KEY_REUSED, f"The notification that {idempotent.key!r} made was deleted since."
        )
    return Acceptance(stored, replayed=True)
