"""Retiring addresses: those that a push service called dead, and those that it has refused too often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import and_, bindparam, delete, select, update

from tidings.domain.delivery import Retired, Suspicion
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.schema import subscriptions, suspicions
from tidings.storage.scope import AnyRow, Scope

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


def expire(scope: Scope, retired: Iterable[Retired]) -> None:
    """Expire subscriptions that still have the address that was tried, and have not been here since it was dead."""
    rows = [
        {
            "subscription": one.subscription_id,
            "tried": one.address_hash,
            "because": one.reason,
            "until": one.at or _ALWAYS,
        }
        for one in sorted(retired, key=lambda one: one.subscription_id)
    ]
    if rows:
        scope.connection.execute(_expire, rows)


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
        if not borne and times >= patience.times and now - since >= patience.over:
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
