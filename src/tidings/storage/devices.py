"""Rows of `subscriptions` as people see them, and the two things a registration does to more than one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import case, literal, or_, select, update

from tidings.domain.subscription import Address, Known, Subscription, SubscriptionStatus
from tidings.lib.sealed import SealBroken
from tidings.storage import recipients as reading
from tidings.storage.codec import address_from_bytes
from tidings.storage.columns import Moment
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.subscriptions import subscriptions

c = subscriptions.c
VISIBLE = tuple(column for column in c if column.name not in {"address", "address_hash", "secret_hash"})
"""The columns of a Subscription: the address stays inside storage and delivery."""

_MOVED = ("address", "address_hash", "origin", "provider", "credential_id")
"""What belongs to an address and goes where it goes."""


def target_hash(scope: Scope, app_id: int, target: str) -> bytes:
    """Give what an address is found by."""
    return scope.sealer.blind_index(target.encode(), context=f"subscriptions|target|{app_id}")


def hold(scope: Scope, app_id: int, *, target: str | None, public_id: str | None) -> tuple[Known | None, Known | None]:
    """Find the row with this address and the row with this id; nobody changes them before the transaction ends."""
    wanted = target_hash(scope, app_id, target) if target is not None else None
    named = [c.public_id == public_id] if public_id is not None else []
    placed = [c.address_hash == wanted] if wanted is not None else []
    # In the order of ids: two registrations that want the same two rows then wait, and do not block each other.
    query = select(subscriptions).where(c.app_id == app_id, or_(*placed, *named)).order_by(c.id).with_for_update()
    rows = scope.connection.execute(query).all() if placed or named else []
    by_target = next((row for row in rows if row.address_hash == wanted), None)
    by_id = next((row for row in rows if row.public_id == public_id), None)
    return _known(scope, by_target), _known(scope, by_id)


def exchange(scope: Scope, one: int, other: int) -> None:
    """Give each of two rows the address of the other: an address has one row, so neither can have none meanwhile."""
    found = scope.connection.execute(select(c.id, *(c[name] for name in _MOVED)).where(c.id.in_((one, other))))
    of = {row.id: {name: getattr(row, name) for name in _MOVED} for row in found}
    _set(scope, one, address_hash=b"moving|%d" % one)
    _set(scope, other, **of[one])
    _set(scope, one, **of[other])


def owned(user: str | None, *, now: datetime) -> dict[str, Any]:
    """Give what makes a device a person's, or nobody's, and notes since when where it was another's before."""
    since = case((c.user_external_id.is_distinct_from(user), literal(now, Moment)), else_=c.owner_since)
    return {"user_external_id": user, "owner_since": since}


def subscription(row: AnyRow) -> Subscription:
    """Make a Subscription of a row of VISIBLE."""
    return Subscription(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        provider=row.provider,
        origin=row.origin,
        credential_id=row.credential_id,
        user_external_id=row.user_external_id,
        status=SubscriptionStatus(row.status),
        status_reason=row.status_reason,
        locale=row.locale,
        time_zone=row.time_zone,
        tags=row.tags,
        device=row.device,
        app_version=row.app_version,
        created_at=row.created_at,
        last_active_at=row.last_active_at,
        last_seen_at=row.last_seen_at,
        owner_since=row.owner_since,
    )


def _known(scope: Scope, row: AnyRow | None) -> Known | None:
    if row is None:
        return None
    try:
        packed = scope.sealer.open(row.address, context=reading.address_context(row.app_id, row.address_hash))
        address = address_from_bytes(packed)
    except SealBroken:
        # Its keys prove nothing any more, but its secret does: the device comes back with its next registration.
        address = Address("")
    return Known(subscription(row), row.secret_hash, address)


def _set(scope: Scope, subscription_id: int, **values: object) -> None:
    scope.connection.execute(update(subscriptions).where(c.id == subscription_id).values(values))
