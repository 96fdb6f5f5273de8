"""Cancelling: shards that nobody carries are taken; who may have been told of one is in doubt, and counted so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from tidings.domain.delivery import DeliveryStatus, SettledDelivery, ShardStatus, SkipReason
from tidings.storage import UNREADABLE, burials
from tidings.storage.codec import audience_from_json, retries_from_bytes
from tidings.storage.recipients import read_range
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.settling import leave
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tallies import busy_devices

c = shards.c
_OPEN_CHUNK = (c.id, c.app_id, c.low, c.high, c.retries, c.size, c.n_passed, c.cursor, c.chunk_high)

_Tries = dict[int, int]
"""The tries that each subscription had before, by its id."""


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
    # Whatever is free only by now is left to the next look: nobody would be counted of its open chunk.
    scope.connection.execute(taken.where(c.chunk_high.is_(None)))
    return bool(doubtful) and _leave_in_doubt(scope, notification_id, doubtful, now)


def _leave_in_doubt(scope: Scope, notification_id: int, rows: Sequence[AnyRow], now: datetime) -> bool:
    """Skip whoever was in the open chunks of shards: it may have left before their holders died.

    No device is waited for. Whoever settles has devices and waits for the notification, which is held here: waiting
    for them would be waiting for each other, be it by way of a third who has one device and waits for another.
    """
    known: dict[int, _Tries] = {}
    unknown = 0
    for row in rows:
        listed = _tries(scope, notification_id, row)
        if listed is None:
            # Nobody can read who that was: all that are left of the shard, as where it is given up.
            unknown += max(0, row.size - row.n_passed)
        else:
            known[row.id] = listed
    busy = busy_devices(scope, [one for each in known.values() for one in each])
    later = [shard_id for shard_id, each in known.items() if not busy.isdisjoint(each)]
    if later:
        _leave_behind(scope, later, now)
    tries = {one: before for shard_id in sorted(known.keys() - later) for one, before in known[shard_id].items()}
    if tries:
        why = DeliveryStatus.SKIPPED, SkipReason.IN_DOUBT
        deliveries = [SettledDelivery(one, *why, tries[one]) for one in sorted(tries)]
        leave(scope, notification_id, rows[0].app_id, deliveries, now=now)
    if unknown:
        burials.count(scope, notification_id, unknown, now=now)
    return bool(tries or unknown)


def _leave_behind(scope: Scope, ids: Sequence[int], now: datetime) -> None:
    """Leave shards as those stand whose holder died, for `left_behind` to find them at the next look."""
    behind = {"status": ShardStatus.LEASED, "lease_owner": None, "lease_token": c.lease_token + 1, "due_at": now}
    scope.connection.execute(update(shards).where(c.id.in_(ids)).values(behind))


def _tries(scope: Scope, notification_id: int, row: AnyRow) -> _Tries | None:
    """Read who was in the open chunk, with the tries that each had before; None where that cannot be read."""
    try:
        if row.retries is not None:
            listed = retries_from_bytes(row.retries)[row.cursor : row.chunk_high]
            return {one.subscription_id: one.attempt for one in listed}
        of = select(notifications.c.audience).where(notifications.c.id == notification_id)
        audience = audience_from_json(scope.connection.execute(of).scalar_one())
        after, high = max(row.cursor, row.low - 1), min(row.chunk_high, row.high)
        found = read_range(scope, row.app_id, audience, after=after, high=high, limit=high - after)
        return {one.subscription_id: 0 for one in found}
    except UNREADABLE:
        return None
