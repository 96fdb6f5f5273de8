"""Cancelling: shards that nobody carries are taken; who may have been told of one is in doubt, and counted so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from tidings.domain.delivery import DeliveryStatus, SettledDelivery, ShardStatus, SkipReason
from tidings.storage import burials
from tidings.storage.codec import audience_from_json, retries_from_bytes
from tidings.storage.recipients import read_range
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.settling import leave
from tidings.storage.tables.notifications import notifications, shards

c = shards.c
_OPEN_CHUNK = (c.id, c.app_id, c.low, c.high, c.retries, c.size, c.n_passed, c.cursor, c.chunk_high)


def take_shards(scope: Scope, notification_id: int, *, now: datetime) -> bool:
    """Take every shard that is not being sent; True when somebody of them is in doubt, and was counted.

    A lease that has run out is taken too: its holder's outcomes are refused from here on. But not from one who is
    storing them: he waits for this notification, and ends the shard himself.
    """
    its = c.notification_id == notification_id
    stale = select(c.id).where(its, c.status == ShardStatus.LEASED, c.due_at <= now).with_for_update(skip_locked=True)
    waiting = c.status.in_((ShardStatus.READY, ShardStatus.HELD))
    taken = update(shards).where(its, waiting | c.id.in_(stale)).values(status=ShardStatus.CANCELLED)
    doubtful = scope.connection.execute(taken.where(c.chunk_high.is_not(None)).returning(*_OPEN_CHUNK)).all()
    scope.connection.execute(taken)
    for row in doubtful:
        _leave_in_doubt(scope, notification_id, row, now)
    return bool(doubtful)


def _leave_in_doubt(scope: Scope, notification_id: int, row: AnyRow, now: datetime) -> None:
    """Skip whoever was in the open chunk of a shard: it may have left before its holder died."""
    try:
        tries = _tries(scope, notification_id, row)
    except (ValueError, KeyError, TypeError):
        # Nobody can read who that was: all that are left of the shard, as where it is given up.
        burials.count(scope, notification_id, max(0, row.size - row.n_passed), now=now)
        return
    why = DeliveryStatus.SKIPPED, SkipReason.IN_DOUBT
    if tries:
        leave(scope, notification_id, row.app_id, [SettledDelivery(one, *why, tries[one]) for one in tries], now=now)


def _tries(scope: Scope, notification_id: int, row: AnyRow) -> dict[int, int]:
    """Read who was in the open chunk, by id, with the tries that each had before."""
    if row.retries is not None:
        listed = retries_from_bytes(row.retries)[row.cursor : row.chunk_high]
        return {one.subscription_id: one.attempt for one in sorted(listed, key=lambda one: one.subscription_id)}
    of = select(notifications.c.audience).where(notifications.c.id == notification_id)
    audience = audience_from_json(scope.connection.execute(of).scalar_one())
    after, high = max(row.cursor, row.low - 1), min(row.chunk_high, row.high)
    found = read_range(scope, row.app_id, audience, after=after, high=high, limit=high - after)
    return {one.subscription_id: 0 for one in found}
