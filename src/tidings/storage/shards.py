"""Parts of notifications: rows of `shards`, claimed under a lease with a fencing token."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update

from tidings.domain.campaign import FINAL_STATUSES, InDoubtPolicy, NotificationStatus
from tidings.domain.delivery import DeadShard, HeldBack, Lease, NewShard, Priority, Settlement, Shard, ShardStatus
from tidings.storage import burials, clock, holding, turns
from tidings.storage.codec import bytes_from_retries, retries_from_bytes
from tidings.storage.columns import Moment, moment
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.settling import settle
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.turns import CLAIMABLE, OPEN

c = shards.c
n = notifications.c
_MINE = (c.id == bindparam("shard_id"), c.lease_token == bindparam("token"), c.status == ShardStatus.LEASED)


@cache
def _claim(dialect: Dialect) -> Prepared:
    # A lease that has run out while its holder is storing: he has it, and waits for what a claim holds.
    free = select(c.id).where(c.id == bindparam("shard_id"), *CLAIMABLE).with_for_update(skip_locked=True, of=shards)
    claimed = update(shards).where(c.id == free.scalar_subquery())
    values = {
        "status": ShardStatus.LEASED,
        "lease_owner": bindparam("owner"),
        "lease_token": c.lease_token + 1,
        "attempt": c.attempt + 1,
        "claimed_at": bindparam("now"),
        "due_at": bindparam("until"),
    }
    return dialect.prepare(claimed.values(values).returning(shards))


@cache
def _started(dialect: Dialect) -> Prepared:
    now = bindparam("now", type_=Moment)
    queued = update(notifications).where(n.id == bindparam("id"), n.status == NotificationStatus.QUEUED)
    values = {"status": NotificationStatus.SENDING, "started_at": func.coalesce(n.started_at, now)}
    return dialect.prepare(queued.values(values))


@cache
def _forget(dialect: Dialect) -> Prepared:
    return dialect.prepare(delete(shards).where(*_MINE, c.n < 0))


@cache
def _finish(dialect: Dialect) -> Prepared:
    done = update(shards).where(*_MINE).values(status=ShardStatus.DONE, chunk_open=None, chunk_high=None)
    return dialect.prepare(done)


@cache
def _open_chunk(dialect: Dialect) -> Prepared:
    opened = update(shards).where(*_MINE).values(chunk_open=bindparam("chunk"), chunk_high=bindparam("chunk_end"))
    return dialect.prepare(opened)


@cache
def _add_one(dialect: Dialect) -> Prepared:
    names = (*("notification_id", "app_id", "n", "low", "high", "retries", "size"), "priority", "status")
    columns: dict[Any, Any] = {c[name]: bindparam(name) for name in (*names, "due_at", "created_at")}
    return dialect.prepare(dialect.insert_missing(shards).values(columns).returning(c.id))


@cache
def _owners(dialect: Dialect) -> Prepared:
    # Locked: whoever resumes meanwhile would not see the new shard, and it would be held for good.
    owners = select(n.id, n.app_id, n.send_at, n.status).where(dialect.any_of(n.id, "ids"))
    return dialect.prepare(owners.with_for_update())


@cache
def _planned(dialect: Dialect) -> Prepared:
    unplanned = update(notifications).where(dialect.any_of(n.id, "ids"), n.planned_at.is_(None))
    return dialect.prepare(unplanned.values(planned_at=bindparam("now", type_=Moment)))


class SqlShards:
    """Implements `storage.Shards`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store shards and give the ids of the new ones; one that exists, by (notification, n), is left alone."""
        ids = self._scope.dialect.many(sorted({shard.notification_id for shard in shards}))
        found = _owners(self._scope.dialect).rows(self._scope.connection, {"ids": ids})
        owners = {
            notification_id: (app_id, moment(send_at), holding.first_status(status))
            for notification_id, app_id, send_at, status in found
        }
        rows = [
            {
                "notification_id": shard.notification_id,
                "app_id": owners[shard.notification_id][0],
                "n": shard.n,
                "low": shard.low,
                "high": shard.high,
                "retries": bytes_from_retries(shard.retries),
                "size": shard.size or len(shard.retries),
                "priority": shard.priority,
                "status": owners[shard.notification_id][2],
                "due_at": max(shard.not_before or now, owners[shard.notification_id][1]),
                "created_at": now,
            }
            for shard in shards
        ]
        if not rows:
            return []
        _planned(self._scope.dialect).count(self._scope.connection, {"ids": ids, "now": now})
        if len(rows) == 1:  # as of every message to a few people
            return [stored for (stored,) in _add_one(self._scope.dialect).rows(self._scope.connection, rows[0])]
        statement = self._scope.dialect.insert_missing(_table).returning(c.id)
        return sorted(self._scope.connection.execute(statement, rows).scalars())

    def add_plan(self, notification_id: int, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store the shards a notification was cut into, unless it has some or has ended while it was cut.

        Two workers that cut it while somebody unsubscribes get different borders: parts of both would overlap.
        """
        wanted = select(n.id).where(n.id == notification_id, n.status.not_in(FINAL_STATUSES)).with_for_update()
        if self._scope.connection.execute(wanted).first() is None:
            return []
        planned = select(c.id).where(c.notification_id == notification_id).limit(1)
        if self._scope.connection.execute(planned).first() is not None:
            return []
        return self.add(shards, now=now)

    def ready(
        self, *, now: datetime, limit: int, least: Priority = Priority.LOW, held_back: Sequence[HeldBack] = ()
    ) -> list[int]:
        """Give ids of shards that may be claimed now, of that priority at least, without what is held back.

        Apps take turns, and so do the priorities of an App, the urgent ones more often; within, the oldest comes first.
        """
        return turns.ready(self._scope, now=now, limit=limit, least=least, held_back=held_back)

    def claim(self, shard_id: int, *, owner: str, now: datetime, lease: float) -> Shard | None:
        """Claim atomically for `lease` seconds; None when somebody else has it or its notification is not sent now."""
        until = now + timedelta(seconds=lease)
        dialect, connection = self._scope.dialect, self._scope.connection
        values = {"shard_id": shard_id, "owner": owner, "now": now, "until": until}
        policy = holding.wait_for(self._scope, shard_id)
        claimed = _claim(dialect).records(connection, values) if policy else ()
        if policy is None or not claimed:
            return None
        _started(dialect).count(connection, {"id": claimed[0].notification_id, "now": now})
        return _shard(claimed[0], InDoubtPolicy(policy))

    def renew(self, shard_id: int, lease_token: int, *, now: datetime, lease: float) -> bool:
        """Hold on for `lease` seconds from now; False when the lease was lost."""
        return self._mine(shard_id, lease_token, due_at=now + timedelta(seconds=lease))

    def open_chunk(self, shard_id: int, lease_token: int, chunk: int, *, high: int) -> bool:
        """Note that this chunk (numbered from 1), up to cursor `high`, is about to be sent; False for a lost lease."""
        values = {"shard_id": shard_id, "token": lease_token, "chunk": chunk, "chunk_end": high}
        return _open_chunk(self._scope.dialect).count(self._scope.connection, values) == 1

    def settle(self, settlement: Settlement, *, now: datetime) -> bool:
        """Store everything one chunk changed; False, and nothing stored, when the lease was lost."""
        return settle(self._scope, settlement, now=now)

    def wait_for_owner(self, shard_id: int) -> None:
        """Wait for whoever changes the shard's notification, and let nobody else until this transaction ends."""
        holding.wait_for(self._scope, shard_id)

    def finish(self, shard_id: int, lease_token: int) -> bool:
        """Mark the shard as done, or forget it if it was a list to try again; False when the lease was lost.

        Ranges stay: a notification that has any was planned. Lists come anew with every try.
        """
        mine = {"shard_id": shard_id, "token": lease_token}
        if _forget(self._scope.dialect).count(self._scope.connection, mine) == 1:
            return True
        return _finish(self._scope.dialect).count(self._scope.connection, mine) == 1

    def release(self, shard_id: int, lease_token: int, *, not_before: datetime | None = None) -> bool:
        """Give the shard back, to be claimed again at once or from `not_before`; False when the lease was lost.

        Its attempts begin anew: they count those who died over it, and whoever gives it back is alive.
        """
        holding.wait_for(self._scope, shard_id)
        return self._mine(
            shard_id, lease_token, status=holding.GIVEN_BACK, due_at=not_before or c.claimed_at, attempt=0
        )

    def stumble(self, shard_id: int, *, owner: str, fault: str, now: datetime, lease: float, most: int) -> int | None:
        """Take a shard that cannot even be read for `lease` seconds, so that it is not looked at all the time."""
        values = {"shard_id": shard_id, "owner": owner, "now": now, "until": now + timedelta(seconds=lease)}
        known = holding.wait_for(self._scope, shard_id)
        claimed = _claim(self._scope.dialect).records(self._scope.connection, values) if known else ()
        if not claimed or not self.note_fault(shard_id, claimed[0].lease_token, fault) or claimed[0].attempt < most:
            return None
        self.bury(shard_id, claimed[0].lease_token, because=fault, now=now)
        notification_id: int = claimed[0].notification_id
        return notification_id

    def note_fault(self, shard_id: int, lease_token: int, fault: str) -> bool:
        """Keep what went wrong, for whoever asks why the shard was given up; False when the lease was lost."""
        return self._mine(shard_id, lease_token, fault=fault)

    def bury(self, shard_id: int, lease_token: int, *, because: str, now: datetime) -> bool:
        """Give the shard up: whoever it did not reach is skipped as in doubt; False when the lease was lost."""
        held = _leased(shard_id, lease_token)
        return burials.bury(self._scope, held, because=because, now=now)

    def dead(self, *, app_ids: Collection[int] | None, after: int, limit: int) -> list[DeadShard]:
        """List shards that were given up, newest first, of some Apps or of all."""
        return burials.dead(self._scope, app_ids=app_ids, after=after, limit=limit)

    def dead_shard(self, shard_id: int) -> DeadShard | None:
        """Give one shard that was given up."""
        return burials.dead_shard(self._scope, shard_id)

    def requeue(self, shard_id: int, *, now: datetime) -> bool:
        """Try a dead shard again: its recipients are no longer counted as in doubt; False when it is not dead."""
        return burials.requeue(self._scope, shard_id, now=now)

    def drop(self, shard_id: int) -> bool:
        """Leave a dead shard as it is for good; False when it is not dead."""
        return burials.drop(self._scope, shard_id)

    def free_leases(self, *, now: datetime) -> int:
        """Let every lease end now; only for a process that knows that nobody else carries shards."""
        held = update(_table).where(c.status == ShardStatus.LEASED, c.due_at > now).values(due_at=now, lease_owner=None)
        return self._scope.connection.execute(held).rowcount

    def leases(self) -> list[Lease]:
        """Give all leases, those that have run out among them."""
        return turns.leases(self._scope)

    def latest(self) -> datetime | None:
        """Give when the newest notification was made: what is later than now shows a clock that has gone back."""
        query = select(n.created_at).order_by(n.id.desc()).limit(1)
        made: datetime | None = self._scope.connection.execute(query).scalar()
        return made

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> int:
        """Let what was due before the clock went back from `was` be due now; leases and waits are as long as they were.

        Doing it twice changes nothing: every worker may.
        """
        return clock.went_back(self._scope, now=now, was=was, until=now + timedelta(seconds=lease))

    def open_count(self, notification_id: int) -> int:
        """Count the notification's shards that are ready, held or being sent."""
        unfinished = or_(OPEN, c.status == ShardStatus.HELD)
        query = select(func.count()).select_from(_table).where(c.notification_id == notification_id, unfinished)
        count: int = self._scope.connection.execute(query).scalar_one()
        return count

    def lag(self, *, now: datetime) -> float:
        """Give the seconds since the oldest due shard should have been claimed; 0 when none waits."""
        oldest = turns.oldest(self._scope, now=now)
        return 0.0 if oldest is None else (now - oldest).total_seconds()

    def _mine(self, shard_id: int, lease_token: int, **values: Any) -> bool:
        held = _leased(shard_id, lease_token)
        return self._scope.connection.execute(update(_table).where(*held).values(values)).rowcount == 1


_table = shards


def _leased(shard_id: int, lease_token: int) -> tuple[ColumnElement[bool], ...]:
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
        chunk_high=row.chunk_high,
        priority=Priority(row.priority),
        policy=policy,
    )
