"""Parts of notifications: rows of `shards`, claimed under a lease with a fencing token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, literal_column, select, update

from tidings.domain.campaign import InDoubtPolicy, NotificationStatus
from tidings.domain.delivery import NewShard, Settlement, Shard, ShardStatus
from tidings.storage.codec import bytes_from_retries, retries_from_bytes
from tidings.storage.columns import Moment
from tidings.storage.instance import PAUSED
from tidings.storage.schema import instance_values, notifications, shards
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.settling import settle

c = shards.c
OPEN: ColumnElement[bool] = literal_column("shards.status IN ('ready', 'leased')")
"""Written out, not bound: only so does it match the condition of the partial index."""

SENDABLE = (NotificationStatus.QUEUED, NotificationStatus.SENDING)

_wanted = (
    select(notifications.c.id)
    .where(notifications.c.id == c.notification_id, notifications.c.status.in_(SENDABLE))
    .exists()
)
_standstill = select(instance_values.c.name).where(instance_values.c.name == PAUSED).exists()
_claimable = (OPEN, c.due_at <= bindparam("now"), _wanted, ~_standstill)

_turns = (
    select(
        c.id,
        c.due_at,
        func.row_number().over(partition_by=c.app_id, order_by=(c.due_at, c.id)).label("turn"),
    )
    .where(*_claimable)
    .subquery()
)
_ready = select(_turns.c.id).order_by(_turns.c.turn, _turns.c.due_at, _turns.c.id).limit(bindparam("most"))
_claim = (
    update(shards)
    .where(c.id == bindparam("shard_id"), *_claimable)
    .values(
        status=ShardStatus.LEASED,
        lease_owner=bindparam("owner"),
        lease_token=c.lease_token + 1,
        attempt=c.attempt + 1,
        claimed_at=bindparam("now"),
        due_at=bindparam("until"),
    )
    .returning(shards)
)
_started = (
    update(notifications)
    .where(notifications.c.id == bindparam("notification"), notifications.c.status == NotificationStatus.QUEUED)
    .values(
        status=NotificationStatus.SENDING,
        started_at=func.coalesce(notifications.c.started_at, bindparam("now", type_=Moment)),
    )
)
_cancelled = (
    select(notifications.c.id)
    .where(notifications.c.id == c.notification_id, notifications.c.status == NotificationStatus.CANCELLED)
    .exists()
)


class SqlShards:
    """Implements `storage.Shards`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store shards and give the ids of the new ones; one that exists, by (notification, n), is left alone."""
        n = notifications.c
        ids = sorted({shard.notification_id for shard in shards})
        query = select(n.id, n.app_id, n.send_at).where(self._scope.dialect.any_of(n.id, "ids"))
        owners = {row.id: row for row in self._scope.connection.execute(query, {"ids": self._scope.dialect.many(ids)})}
        rows = [
            {
                "notification_id": shard.notification_id,
                "app_id": owners[shard.notification_id].app_id,
                "n": shard.n,
                "low": shard.low,
                "high": shard.high,
                "retries": bytes_from_retries(shard.retries),
                "size": shard.size or len(shard.retries),
                "status": ShardStatus.READY,
                "due_at": max(shard.not_before or now, owners[shard.notification_id].send_at),
                "created_at": now,
            }
            for shard in shards
        ]
        if not rows:
            return []
        statement = self._scope.dialect.insert_missing(_table).returning(c.id)
        return sorted(self._scope.connection.execute(statement, rows).scalars())

    def add_plan(self, notification_id: int, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store the shards a notification was cut into, unless it has some.

        Two workers that cut it while somebody unsubscribes get different borders: parts of both would overlap.
        """
        n = notifications.c
        self._scope.connection.execute(select(n.id).where(n.id == notification_id).with_for_update())
        planned = select(c.id).where(c.notification_id == notification_id).limit(1)
        if self._scope.connection.execute(planned).first() is not None:
            return []
        return self.add(shards, now=now)

    def ready(self, *, now: datetime, limit: int) -> list[int]:
        """Give ids of shards that may be claimed now: one of each App in turn, the oldest first."""
        return list(self._scope.connection.execute(_ready, {"now": now, "most": limit}).scalars())

    def claim(self, shard_id: int, *, owner: str, now: datetime, lease: float) -> Shard | None:
        """Claim atomically for `lease` seconds; None when somebody else has it or its notification is not sent now."""
        until = now + timedelta(seconds=lease)
        row = self._scope.connection.execute(
            _claim, {"shard_id": shard_id, "owner": owner, "now": now, "until": until}
        ).first()
        if row is None:
            return None
        self._scope.connection.execute(_started, {"notification": row.notification_id, "now": now})
        policy = self._scope.connection.execute(
            select(notifications.c.policy).where(notifications.c.id == row.notification_id)
        ).scalar_one()
        return _shard(row, InDoubtPolicy(policy))

    def renew(self, shard_id: int, lease_token: int, *, now: datetime, lease: float) -> bool:
        """Hold on for `lease` seconds from now; False when the lease was lost."""
        return self._mine(shard_id, lease_token, due_at=now + timedelta(seconds=lease))

    def open_chunk(self, shard_id: int, lease_token: int, chunk: int) -> bool:
        """Note that this chunk (numbered from 1) is about to be sent; False when the lease was lost."""
        return self._mine(shard_id, lease_token, chunk_open=chunk)

    def settle(self, settlement: Settlement, *, now: datetime) -> bool:
        """Store everything one chunk changed; False, and nothing stored, when the lease was lost."""
        return settle(self._scope, settlement, now=now)

    def finish(self, shard_id: int, lease_token: int) -> bool:
        """Mark the shard as done, or forget it if it was a list to try again; False when the lease was lost.

        Ranges stay: a notification that has any was planned. Lists come anew with every try.
        """
        listed = delete(_table).where(*_held(shard_id, lease_token), c.n < 0)
        if self._scope.connection.execute(listed).rowcount == 1:
            return True
        return self._mine(shard_id, lease_token, status=ShardStatus.DONE, chunk_open=None)

    def release(self, shard_id: int, lease_token: int, *, not_before: datetime | None = None) -> bool:
        """Give the shard back, to be claimed again at once or from `not_before`; False when the lease was lost.

        Its attempts begin anew: they count those who died over it, and whoever gives it back is alive.
        """
        status = case((_cancelled, ShardStatus.CANCELLED), else_=ShardStatus.READY)
        return self._mine(shard_id, lease_token, status=status, due_at=not_before or c.claimed_at, attempt=0)

    def bury(self, shard_id: int, lease_token: int) -> bool:
        """Give the shard up for good: whoever it did not reach stays in doubt; False when the lease was lost."""
        return self._mine(shard_id, lease_token, status=ShardStatus.DEAD)

    def free_leases(self, *, now: datetime) -> int:
        """Let every lease end now; only for a process that knows that nobody else carries shards."""
        held = update(_table).where(c.status == ShardStatus.LEASED, c.due_at > now).values(due_at=now)
        return self._scope.connection.execute(held).rowcount

    def open_count(self, notification_id: int) -> int:
        """Count the notification's shards that are ready or being sent."""
        query = select(func.count()).select_from(_table).where(c.notification_id == notification_id, OPEN)
        count: int = self._scope.connection.execute(query).scalar_one()
        return count

    def lag(self, *, now: datetime) -> float:
        """Give the seconds since the oldest due shard should have been claimed; 0 when none waits."""
        oldest = self._scope.connection.execute(select(func.min(c.due_at)).where(*_claimable), {"now": now}).scalar()
        return 0.0 if oldest is None else (now - oldest).total_seconds()

    def _mine(self, shard_id: int, lease_token: int, **values: Any) -> bool:
        held = _held(shard_id, lease_token)
        return self._scope.connection.execute(update(_table).where(*held).values(values)).rowcount == 1


_table = shards


def _held(shard_id: int, lease_token: int) -> tuple[ColumnElement[bool], ...]:
    return c.id == shard_id, c.lease_token == lease_token, c.status == ShardStatus.LEASED


def _shard(row: AnyRow, policy: InDoubtPolicy) -> Shard:
    return Shard(
        id=row.id,
        notification_id=row.notification_id,
        app_id=row.app_id,
        n=row.n,
        low=row.low,
        high=row.high,
        retries=retries_from_bytes(row.retries),
        lease_token=row.lease_token,
        attempt=row.attempt,
        cursor=row.cursor,
        chunk_done=row.chunk_done,
        chunk_open=row.chunk_open,
        policy=policy,
    )
