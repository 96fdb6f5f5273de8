"""Browsers and devices: rows of `subscriptions`; addresses are sealed and found by a keyed hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from tidings.domain.audience import Audience, Everyone
from tidings.domain.person import Person
from tidings.domain.subscription import Address, Known, NewSubscription, Recipient, Subscription, SubscriptionStatus
from tidings.domain.suspected import Suspected
from tidings.storage import people, retiring
from tidings.storage import recipients as reading
from tidings.storage.codec import address_from_bytes, bytes_from_address
from tidings.storage.devices import VISIBLE, exchange, hold, owned, subscription, target_hash
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.relay_status import is_device
from tidings.storage.scope import Scope
from tidings.storage.statuses import statuses
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.subscriptions import subscriptions

c = subscriptions.c
EVERYONE = Everyone()
BATCH = 500
"""Rows of an import or an export handled at a time."""


@cache
def _ceiling(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(func.coalesce(func.max(c.id), 0)).where(c.app_id == bindparam("app")))


class SqlSubscriptions:
    """Implements `storage.Subscriptions`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def find(self, app_id: int, target: str) -> tuple[Subscription, bytes] | None:
        """Find by address; the bytes are the hash of the subscription's secret."""
        row = self._scope.connection.execute(
            select(*VISIBLE, c.secret_hash).where(c.app_id == app_id, c.address_hash == self._hash(app_id, target))
        ).first()
        return (subscription(row), row.secret_hash) if row else None

    def hold(
        self, app_id: int, *, target: str | None = None, public_id: str | None = None
    ) -> tuple[Known | None, Known | None]:
        """Find the row with this address and the row with this id, and keep both from changing until the end."""
        return hold(self._scope, app_id, target=target, public_id=public_id)

    def exchange(self, one: int, other: int) -> None:
        """Give each of two rows the address of the other, with the push service and key that belong to it."""
        exchange(self._scope, one, other)

    def add(self, new: NewSubscription, *, public_id: str, secret_hash: bytes, now: datetime) -> Subscription:
        """Store a new registration; the address must not be known in the App."""
        values = self._values(new, public_id=public_id, secret_hash=secret_hash, now=now)
        row = self._scope.connection.execute(insert(subscriptions).values(values).returning(*VISIBLE)).one()
        return subscription(row)

    def refresh(
        self, subscription_id: int, new: NewSubscription, *, secret_hash: bytes | None, now: datetime, seen: bool = True
    ) -> Subscription:
        """Store a repeated registration: active again, seen now, with its new address, keys, owner and tags.

        Not `seen` is a device that did not register itself: then its last visit is as it was.
        A locale, time zone or device that the registration does not name stays as it is, and so does the secret.
        """
        values = self._sealed(new) | {
            "origin": new.origin,
            "credential_id": new.credential_id,
            **owned(new.user_external_id, now=now),
            "status": SubscriptionStatus.ACTIVE,
            "status_reason": None,
            "tags": new.tags,
        }
        if seen:
            values["last_seen_at"] = now
        optional = {name: getattr(new, name) for name in ("locale", "time_zone", "device", "app_version")}
        optional["secret_hash"] = secret_hash
        values |= {name: value for name, value in optional.items() if value is not None}
        row = self._scope.connection.execute(
            update(subscriptions).where(c.id == subscription_id).values(values).returning(*VISIBLE)
        ).one()
        return subscription(row)

    def add_many(self, rows: Iterable[tuple[NewSubscription, str, bytes]], *, now: datetime) -> tuple[int, int]:
        """Import (subscription, public id, secret hash); give how many were new and how many known (left alone)."""
        statement = self._scope.dialect.insert_missing(subscriptions)
        remaining = iter(rows)
        added = known = 0
        while batch := [
            self._values(new, public_id=public_id, secret_hash=secret_hash, now=now)
            for new, public_id, secret_hash in islice(remaining, BATCH)
        ]:
            stored = self._scope.connection.execute(
                statement, batch, execution_options={"preserve_rowcount": True}
            ).rowcount
            added += stored
            known += len(batch) - stored
        return added, known

    def get(self, app_id: int, public_id: str) -> Subscription | None:
        """Find by public id."""
        row = self._scope.connection.execute(
            select(*VISIBLE).where(c.app_id == app_id, c.public_id == public_id, is_device())
        ).first()
        return subscription(row) if row else None

    def by_id(self, subscription_id: int) -> Subscription | None:
        """Find by id."""
        row = self._scope.connection.execute(select(*VISIBLE).where(c.id == subscription_id, is_device())).first()
        return subscription(row) if row else None

    def set_user(self, subscription_id: int, user_external_id: str | None) -> None:
        """Give the device to a person, or to nobody."""
        self._set(subscription_id, user_external_id=user_external_id)

    def set_tags(self, subscription_id: int, tags: Mapping[str, str]) -> None:
        """Replace the tags."""
        self._set(subscription_id, tags=dict(tags))

    def set_status(self, subscription_id: int, status: SubscriptionStatus, reason: str) -> None:
        """Change the status and keep the reason."""
        self._set(subscription_id, status=status, status_reason=reason or None)

    def delete(self, app_id: int, public_id: str) -> bool:
        """Forget a device; what was delivered to it stays counted."""
        gone = delete(subscriptions).where(c.app_id == app_id, c.public_id == public_id)
        return self._scope.connection.execute(gone).rowcount == 1

    def address(self, subscription_id: int) -> Address | None:
        """Give the stored address, whatever the subscription's status."""
        row = self._scope.connection.execute(
            select(c.app_id, c.address, c.address_hash).where(c.id == subscription_id)
        ).first()
        if row is None:
            return None
        context = reading.address_context(row.app_id, row.address_hash)
        return address_from_bytes(self._scope.sealer.open(row.address, context=context))

    def expire_made_with(self, credential_id: int, *, reason: str) -> int:
        """Expire every active subscription that was made with this credential; give how many."""
        made = (c.credential_id == credential_id, c.status == SubscriptionStatus.ACTIVE)
        self._scope.dialect.hold_in_order(self._scope.connection, c.id, *made)
        expired = update(subscriptions).where(*made).values(status=SubscriptionStatus.EXPIRED, status_reason=reason)
        return self._scope.connection.execute(expired).rowcount

    def page(
        self,
        app_id: int,
        *,
        after: int,
        limit: int,
        status: SubscriptionStatus | None = None,
        user_external_id: str | None = None,
        integration_id: int | None = None,
        search: str = "",
    ) -> list[Subscription]:
        """List newest first; `after` is the id of the last one seen, 0 to begin.

        `search` is a part of the device's or the user's name, in either case, or the id of a subscription.
        """
        query = select(*VISIBLE).where(c.app_id == app_id, is_device()).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        if status is not None:
            query = query.where(c.status == status)
        if user_external_id is not None:
            query = query.where(c.user_external_id == user_external_id)
        if integration_id is not None:
            keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
            query = query.where(c.credential_id.in_(keys))
        if search:
            names = (c.device.icontains(search, autoescape=True), c.user_external_id.icontains(search, autoescape=True))
            query = query.where(or_(*names, c.public_id == search))
        return [subscription(row) for row in self._scope.connection.execute(query)]

    def statuses(self, app_id: int) -> dict[SubscriptionStatus, int]:
        """Count the App's subscriptions by status; every status is named."""
        return statuses(self._scope, app_id)

    def count(self, app_id: int, audience: Audience) -> int:
        """Count whom an audience holds now: active subscriptions that have a credential."""
        return reading.count(self._scope, app_id, audience)

    def ceiling(self, app_id: int) -> int:
        """Give the highest id in the App, 0 if there is none."""
        [(highest,)] = _ceiling(self._scope.dialect).rows(self._scope.connection, {"app": app_id})
        return int(highest)

    def reached_since(self, credential_id: int, origin: str, *, since: datetime) -> bool:
        """Say whether that origin took a message made with this key since then, for anybody who is still active."""
        query = (
            select(c.id)
            .where(c.credential_id == credential_id, c.origin == origin, c.last_active_at >= since)
            .where(c.status == SubscriptionStatus.ACTIVE)
            .limit(1)
        )
        return self._scope.connection.execute(query).first() is not None

    def first_subscribed_user(self, app_id: int) -> str | None:
        """Give the owner of the oldest active subscription that has one."""
        query = (
            select(c.user_external_id)
            .where(c.app_id == app_id, c.status == SubscriptionStatus.ACTIVE, c.user_external_id.is_not(None))
            .order_by(c.id)
            .limit(1)
        )
        owner: str | None = self._scope.connection.execute(query).scalar()
        return owner

    def newest_device(self, app_id: int) -> str | None:
        """Give the id of the newest active subscription; what a browser registered itself goes before imports."""
        query = (
            select(c.public_id)
            .where(c.app_id == app_id, c.status == SubscriptionStatus.ACTIVE)
            .order_by(c.device.is_(None), c.id.desc())
            .limit(1)
        )
        newest: str | None = self._scope.connection.execute(query).scalar()
        return newest

    def cut(self, app_id: int, audience: Audience, *, ceiling: int, size: int) -> list[tuple[int, int, int]]:
        """Cut the audience into (low id, high id, count) ranges of `size` recipients, without copying them."""
        return reading.cut(self._scope, app_id, audience, ceiling=ceiling, size=size)

    def recipients(self, app_id: int, audience: Audience, *, after: int, high: int, limit: int) -> list[Recipient]:
        """Read the next recipients with after < id <= high, by id; only active ones that have a credential."""
        return reading.read_range(self._scope, app_id, audience, after=after, high=high, limit=limit)

    def recipients_by_id(self, ids: Sequence[int], *, of: Audience = EVERYONE) -> list[Recipient]:
        """Read recipients by id; only active ones that have a credential and belong to the audience now."""
        return reading.read_listed(self._scope, ids, of)

    def misplaced(self, ids: Collection[int]) -> dict[int, Suspected]:
        """Give those of the subscriptions whose address looks as if it belonged elsewhere."""
        return retiring.misplaced(self._scope, ids)

    def count_misplaced(self, integration_id: int) -> int:
        """Count the active devices of an integration that look so."""
        return retiring.count_misplaced(self._scope, integration_id)

    def people(self, ids: Sequence[int]) -> dict[int, Person]:
        """Give who uses each of these subscriptions, in one statement."""
        return people.read(self._scope, ids)

    def forget_suspicions(self, *, before: datetime) -> int:
        """Forget what was last held against an address before then; give how many rows."""
        return retiring.forget(self._scope, before=before)

    def export(self, app_id: int) -> Iterator[tuple[Subscription, Recipient]]:
        """Walk the App's subscriptions by id, of every status; use it up inside the transaction."""
        after = 0
        query = select(subscriptions).where(c.app_id == app_id, is_device()).order_by(c.id).limit(BATCH)
        while rows := self._scope.connection.execute(query.where(c.id > after)).all():
            for row in rows:
                fields = [row._mapping[column] for column in reading.COLUMNS]
                yield subscription(row), reading.recipient(self._scope.sealer, fields)
            after = rows[-1].id

    def _set(self, subscription_id: int, **values: Any) -> None:
        self._scope.connection.execute(update(subscriptions).where(c.id == subscription_id).values(values))

    def _hash(self, app_id: int, target: str) -> bytes:
        return target_hash(self._scope, app_id, target)

    def _sealed(self, new: NewSubscription) -> dict[str, Any]:
        address_hash = self._hash(new.app_id, new.address.target)
        context = reading.address_context(new.app_id, address_hash)
        packed = bytes_from_address(new.address)
        return {"address_hash": address_hash, "address": self._scope.sealer.seal(packed, context=context)}

    def _values(self, new: NewSubscription, *, public_id: str, secret_hash: bytes, now: datetime) -> dict[str, Any]:
        return self._sealed(new) | {
            "public_id": public_id,
            "app_id": new.app_id,
            "provider": new.provider,
            "origin": new.origin,
            "credential_id": new.credential_id,
            "user_external_id": new.user_external_id,
            "status": SubscriptionStatus.ACTIVE,
            "locale": new.locale,
            "time_zone": new.time_zone,
            "tags": new.tags,
            "device": new.device,
            "app_version": new.app_version,
            "secret_hash": secret_hash,
            "created_at": now,
            "last_seen_at": now,
        }
