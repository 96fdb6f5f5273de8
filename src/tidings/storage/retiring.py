"""Retiring addresses: those that a push service called dead, or refused too often; and doubting others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import and_, bindparam, delete, func, or_, select, update

from tidings.domain.delivery import Retired, Suspicion
from tidings.domain.outcome import Doubt
from tidings.domain.subscription import SubscriptionStatus
from tidings.domain.suspected import MISPLACED, Suspected
from tidings.domain.webhook import NUMBERS, Told, WebhookEvent
from tidings.storage.outbox import EXPIRED
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.subscriptions import subscriptions, suspicions

s = subscriptions.c
f = suspicions.c

_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)

_expire = (
    update(subscriptions)
    .where(
        s.id == bindparam("subscription"),
        # A device that has registered anew since has another address: the answer was for the old one.
        s.address_hash == bindparam("tried"),
        s.last_seen_at <= bindparam("until"),
        s.status == SubscriptionStatus.ACTIVE,
    )
    .values(status=SubscriptionStatus.EXPIRED, status_reason=bindparam("because"))
)


def expire(scope: Scope, retired: Sequence[Retired], *, wanted: int) -> list[Told]:
    """Expire subscriptions that still have the address that was tried, and have not been here since it was dead.

    Gives what webhooks are to be told of it, where they want to be.
    """
    ordered = sorted(retired, key=lambda one: one.subscription_id)
    rows = [
        {
            "subscription": one.subscription_id,
            "tried": one.address_hash,
            "because": one.reason,
            "until": one.at or _ALWAYS,
        }
        for one in ordered
    ]
    if not rows:
        return []
    if not wanted & EXPIRED:
        scope.connection.execute(_expire, rows)
        return []
    kind, told = NUMBERS[WebhookEvent.SUBSCRIPTION_EXPIRED], []
    for one, row in zip(ordered, rows, strict=True):
        if scope.connection.execute(_expire, row).rowcount:
            told.append(Told(kind, one.subscription_id, one.reason))
    return told


def overdue(scope: Scope, suspected: Sequence[Suspicion], *, now: datetime) -> list[Retired]:
    """Remember what speaks against addresses; give those for which that is more than is borne.

    What was remembered is void once the address has taken a message, or is another one.
    """
    if not suspected:
        return []
    known = _known(scope, {one.subscription_id for one in suspected})
    kept, retired = [], []
    for one in suspected:
        row = known.get((one.subscription_id, one.reason)) or known.get((one.subscription_id, None))
        if row is None:
            continue  # deleted meanwhile
        times, since = _continued(row, one, now=now)
        patience = one.patience
        borne = patience.unreached_only and row.last_active_at is not None
        if patience.retires and not borne and times >= patience.times and now - since >= patience.over:
            retired.append(Retired(one.subscription_id, one.reason, one.address_hash))
        kept.append(
            {
                "subscription_id": one.subscription_id,
                "reason": one.reason,
                "address_hash": one.address_hash,
                "n": times,
                "since": since,
                "last_at": now,
            }
        )
    if kept:
        changing = ("address_hash", "n", "since", "last_at")
        scope.connection.execute(
            scope.dialect.upsert(suspicions, key=("subscription_id", "reason"), update=changing), kept
        )
    return retired


_misplaced = (
    select(f.subscription_id, f.reason, f.n, f.since, f.last_at, s.last_seen_at)
    .join(subscriptions, and_(s.id == f.subscription_id, s.address_hash == f.address_hash))
    .where(f.reason.in_(sorted(MISPLACED)), or_(s.last_active_at.is_(None), s.last_active_at < f.since))
)
"""What was held against an address counts no more once it has taken a message, or is another one."""


def misplaced(scope: Scope, ids: Collection[int]) -> dict[int, Suspected]:
    """Give those of the subscriptions whose address looks as if it belonged elsewhere, each with its latest reason."""
    if not ids:
        return {}
    wanted = _misplaced.where(scope.dialect.any_of(f.subscription_id, "ids")).order_by(f.last_at)
    rows = scope.connection.execute(wanted, {"ids": scope.dialect.many(sorted(ids))})
    return {row[0]: Suspected(row[0], Doubt(row[1]), *row[2:]) for row in rows}


def count_misplaced(scope: Scope, integration_id: int) -> int:
    """Count the active devices of an integration whose address looks as if it belonged elsewhere."""
    keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
    there = _misplaced.where(s.credential_id.in_(keys), s.status == SubscriptionStatus.ACTIVE).subquery()
    found: int = scope.connection.execute(select(func.count(there.c.subscription_id.distinct()))).scalar_one()
    return found


def forget(scope: Scope, *, before: datetime) -> int:
    """Forget what was last held against an address before then; give how many rows."""
    return scope.connection.execute(delete(suspicions).where(f.last_at < before)).rowcount


def _known(scope: Scope, ids: set[int]) -> dict[tuple[int, str | None], AnyRow]:
    """Give each subscription with each reason held against it, or with None where nothing is."""
    query = (
        select(s.id, s.last_active_at, f.reason, f.address_hash, f.n, f.since)
        .outerjoin(suspicions, and_(f.subscription_id == s.id))
        .where(scope.dialect.any_of(s.id, "ids"))
        .with_for_update(read=True, key_share=True, of=subscriptions)  # nothing is remembered of an erased device
    )
    found: dict[tuple[int, str | None], AnyRow] = {}
    for row in scope.connection.execute(query, {"ids": scope.dialect.many(sorted(ids))}):
        found[row.id, row.reason] = row
        found.setdefault((row.id, None), row)
    return found


def _continued(row: AnyRow, one: Suspicion, *, now: datetime) -> tuple[int, datetime]:
    same = row.reason == one.reason and row.address_hash == one.address_hash
    if not same or (row.last_active_at is not None and row.last_active_at >= row.since):
        return 1, now
    return row.n + 1, row.since
