"""Settling a chunk: a Settlement comes in; its shard, deliveries, subscriptions and counters change together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update

from tidings.domain.delivery import DeliveryStatus, SettledDelivery, Settlement, ShardStatus
from tidings.storage.codec import bytes_from_retries
from tidings.storage.columns import microseconds
from tidings.storage.counters import add_reasons
from tidings.storage.retiring import expire, overdue
from tidings.storage.schema import notifications, shards
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tallies import OWNER, Means, means_of, tally_deliveries

_COLUMN = {status: f"n_{status.name.lower()}" for status in DeliveryStatus}

_MINE: tuple[ColumnElement[bool], ...] = (
    shards.c.id == bindparam("shard_id"),
    shards.c.lease_token == bindparam("token"),
    shards.c.status == ShardStatus.LEASED,
)
_close_chunk = (
    update(shards)
    .where(*_MINE, shards.c.chunk_done < bindparam("chunk"))
    .values(
        cursor=bindparam("new_cursor"),
        chunk_done=bindparam("chunk"),
        chunk_open=None,
        chunk_high=None,
        attempt=0,
        fault=None,
        n_passed=shards.c.n_passed + bindparam("passed"),
    )
    .returning(shards.c.notification_id, shards.c.app_id, shards.c.priority)
)
_settled_before = select(shards.c.id).where(*_MINE)
_count = (
    update(notifications)
    .where(notifications.c.id == bindparam("notification"))
    .values({column: notifications.c[column] + bindparam(f"plus_{column}") for column in _COLUMN.values()})
    .returning(*OWNER)
)
_lowest = select(func.coalesce(func.min(shards.c.n), 0)).where(shards.c.notification_id == bindparam("notification"))


def settle(scope: Scope, settlement: Settlement, *, now: datetime) -> bool:
    """Store everything one chunk changed; False, and nothing stored, when the lease was lost.

    A chunk that this lease has settled before (its answer was lost on the way) is True and changes nothing.
    """
    mine = {"shard_id": settlement.shard_id, "token": settlement.lease_token}
    retried = sum(len(group) for _, group in settlement.retries)
    shard = scope.connection.execute(
        _close_chunk,
        mine
        | {
            "chunk": settlement.chunk,
            "new_cursor": settlement.cursor,
            "passed": len(settlement.deliveries) + retried,
        },
    ).first()
    if shard is None:
        return scope.connection.execute(_settled_before, mine).first() is not None
    expire(scope, [*settlement.retired, *overdue(scope, settlement.suspicions, now=now)])
    means = means_of(scope, settlement.deliveries, now=now)
    counted = _store_deliveries(scope, shard.notification_id, settlement.deliveries, means, now)
    owner = _count_deliveries(scope, shard.notification_id, counted)
    if owner is not None:
        tally_deliveries(scope, owner, counted, means, now=now)
    _add_retries(scope, shard, settlement, now)
    return True


def _store_deliveries(
    scope: Scope, notification_id: int, deliveries: Sequence[SettledDelivery], means: Means, now: datetime
) -> list[SettledDelivery]:
    """Store the final states; give those that count: new ones, and those of devices that were erased meanwhile.

    Of an erased device no row is left, but what was sent to it was sent.
    """
    there = [one for one in deliveries if one.subscription_id in means]
    if not there:
        return list(deliveries)
    rows = [(one.subscription_id, int(one.status), one.attempt, one.reason, one.provider_ref) for one in there]
    new = scope.dialect.insert_deliveries(scope.connection, notification_id, microseconds(now), rows)
    return [one for one in deliveries if one.subscription_id in new or one.subscription_id not in means]


def _count_deliveries(scope: Scope, notification_id: int, counted: Sequence[SettledDelivery]) -> AnyRow | None:
    # Always, even to add nothing: it locks the notification, so that chunks settled at once number their retry
    # shards one after the other.
    by_status = Counter(one.status for one in counted)
    values: dict[str, Any] = {f"plus_{column}": by_status[status] for status, column in _COLUMN.items()}
    owner = scope.connection.execute(_count, {"notification": notification_id, **values}).first()
    reasons = Counter(one.reason for one in counted if one.status is not DeliveryStatus.SENT)
    add_reasons(scope, notification_id, reasons)
    return owner


def _add_retries(scope: Scope, shard: AnyRow, settlement: Settlement, now: datetime) -> None:
    if not settlement.retries:
        return
    lowest: int = scope.connection.execute(_lowest, {"notification": shard.notification_id}).scalar_one()
    n = min(lowest, 0)
    rows = [
        {
            "notification_id": shard.notification_id,
            "app_id": shard.app_id,
            "priority": shard.priority,
            "n": n - place,
            "low": 0,
            "high": 0,
            "retries": bytes_from_retries(group),
            "size": len(group),
            "status": ShardStatus.READY,
            "due_at": moment,
            "created_at": now,
        }
        for place, (moment, group) in enumerate(settlement.retries, start=1)
        if group
    ]
    if rows:
        scope.connection.execute(insert(shards), rows)
