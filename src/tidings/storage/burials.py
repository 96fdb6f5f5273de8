"""Shards that were given up: their recipients are counted as in doubt, until somebody has them tried again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, literal_column, select, update

from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import DeadShard, ShardStatus, SkipReason
from tidings.storage.codec import message_from_json
from tidings.storage.counters import add_reasons
from tidings.storage.holding import wait_for
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tallies import tally_skipped

c = shards.c
n = notifications.c


def bury(scope: Scope, held: tuple[ColumnElement[bool], ...], *, because: str, now: datetime) -> bool:
    """Give up the shard that `held` names; False when it names none."""
    left = case((c.size > c.n_passed, c.size - c.n_passed), else_=0)
    row = scope.connection.execute(
        update(shards)
        .where(*held)
        .values(
            status=ShardStatus.DEAD,
            n_doubtful=left,
            n_passed=c.n_passed + left,
            fault=func.coalesce(c.fault, because),
            buried_at=now,
        )
        .returning(c.notification_id, c.n_doubtful)
    ).first()
    if row is None:
        return False
    count(scope, row.notification_id, row.n_doubtful, now=now)
    return True


_dead = (
    select(
        c.id,
        c.app_id,
        apps.c.public_id,
        n.public_id.label("notification"),
        n.message,
        n.status,
        n.expires_at,
        c.n_doubtful,
        c.fault,
        c.buried_at,
    )
    .join(notifications, n.id == c.notification_id)
    .join(apps, apps.c.id == c.app_id)
    .where(literal_column("shards.status = 'dead'"))
)


def dead(scope: Scope, *, app_ids: Collection[int] | None, after: int, limit: int) -> list[DeadShard]:
    """List dead shards, newest first; `after` is the id of the last one seen, 0 to begin."""
    query = _dead.order_by(c.id.desc()).limit(limit)
    if app_ids is not None:
        query = query.where(c.app_id.in_(app_ids))
    if after:
        query = query.where(c.id < after)
    return [_shard(row) for row in scope.connection.execute(query)]


def dead_shard(scope: Scope, shard_id: int) -> DeadShard | None:
    """Give one dead shard."""
    row = scope.connection.execute(_dead.where(c.id == shard_id)).first()
    return _shard(row) if row else None


def requeue(scope: Scope, shard_id: int, *, now: datetime) -> bool:
    """Make a dead shard ready again, and its notification one that is being sent; not where that was cancelled."""
    wait_for(scope, shard_id)  # else a cancel at the same time leaves the shard open for ever
    cancelled = select(n.id).where(n.id == c.notification_id, n.status == NotificationStatus.CANCELLED).exists()
    found = scope.connection.execute(
        select(c.notification_id, c.n_doubtful)
        .where(c.id == shard_id, c.status == ShardStatus.DEAD, ~cancelled)
        .with_for_update()
    ).first()
    if found is None:
        return False
    scope.connection.execute(
        update(shards)
        .where(c.id == shard_id)
        .values(
            status=ShardStatus.READY,
            due_at=now,
            attempt=0,
            n_passed=c.n_passed - c.n_doubtful,
            n_doubtful=0,
            fault=None,
            buried_at=None,
        )
    )
    count(scope, found.notification_id, -found.n_doubtful, now=now)
    scope.connection.execute(
        update(notifications)
        .where(n.id == found.notification_id, n.status == NotificationStatus.DONE)
        .values(status=NotificationStatus.SENDING, finished_at=None)
    )
    return True


def drop(scope: Scope, shard_id: int) -> bool:
    """Leave a dead shard's recipients in doubt for good."""
    dropped = update(shards).where(c.id == shard_id, c.status == ShardStatus.DEAD).values(status=ShardStatus.DROPPED)
    return scope.connection.execute(dropped).rowcount == 1


def count(scope: Scope, notification_id: int, doubtful: int, *, now: datetime) -> None:
    """Count recipients of whom nobody knows whether they were told; a negative number takes back what was counted."""
    scope.connection.execute(
        update(notifications).where(n.id == notification_id).values(n_skipped=n.n_skipped + doubtful)
    )
    add_reasons(scope, notification_id, {SkipReason.IN_DOUBT: doubtful})
    tally_skipped(scope, notification_id, {SkipReason.IN_DOUBT: doubtful}, now=now)


def _shard(row: AnyRow) -> DeadShard:
    return DeadShard(
        id=row.id,
        app_id=row.app_id,
        app=row.public_id,
        notification=row.notification,
        title=_title(row.message),
        status=NotificationStatus(row.status),
        in_doubt=row.n_doubtful,
        because=row.fault,
        buried_at=row.buried_at,
        expires_at=row.expires_at,
    )


def _title(message: dict[str, object]) -> str:
    try:
        return message_from_json(message).title
    except ValueError:
        return ""  # a message that cannot be read may be why the shard is dead
