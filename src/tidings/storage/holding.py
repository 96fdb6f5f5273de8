"""Shards of paused notifications: held, so that no look for what is to be sent goes through them, until a resume."""

from __future__ import annotations

from functools import cache

from sqlalchemy import bindparam, case, select, update

from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import ShardStatus
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notifications, shards

c, n = shards.c, notifications.c
UNFINISHED = (ShardStatus.READY, ShardStatus.HELD, ShardStatus.LEASED)
"""While one of its shards stands so, a notification has not ended."""

_its = select(n.id).where(n.id == c.notification_id)
GIVEN_BACK = case(
    # One with an open chunk is left to `take_shards`, which counts who is in it as in doubt.
    (_its.where(n.status == NotificationStatus.CANCELLED).exists() & c.chunk_open.is_(None), ShardStatus.CANCELLED),
    (_its.where(n.status == NotificationStatus.PAUSED).exists() & c.chunk_open.is_(None), ShardStatus.HELD),
    else_=ShardStatus.READY,
)
"""How a shard stands that is given back, once `wait_for` has returned."""


@cache
def _owner(dialect: Dialect) -> Prepared:
    its = select(c.notification_id).where(c.id == bindparam("shard")).scalar_subquery()
    return dialect.prepare(select(n.policy).where(n.id == its).with_for_update())


@cache
def _hold(dialect: Dialect) -> Prepared:
    # Not a chunk that may have been sent: there are few ever, and they are counted as in doubt until somebody has them.
    waiting = (c.status == ShardStatus.READY, c.chunk_open.is_(None))
    held = update(shards).where(c.notification_id == bindparam("id"), *waiting)
    return dialect.prepare(held.values(status=ShardStatus.HELD))


@cache
def _free(dialect: Dialect) -> Prepared:
    held = update(shards).where(c.notification_id == bindparam("id"), c.status == ShardStatus.HELD)
    return dialect.prepare(held.values(status=ShardStatus.READY))


def wait_for(scope: Scope, shard_id: int) -> str | None:
    """Wait for whoever changes the shard's notification, and let nobody else: else a resume could miss the shard.

    Whoever changes a shard that waits, or both, begins here: the notification first, as pausing and cancelling must,
    so that no two wait for each other. Gives what is to be done about a chunk in doubt, as it is stored: whoever puts a
    shard aside that cannot be read must get by this; None where there is no shard.
    """
    found = _owner(scope.dialect).rows(scope.connection, {"shard": shard_id})
    return str(found[0][0]) if found else None


def first_status(notification: str) -> ShardStatus:
    """Give how a new shard stands, by the status of its notification."""
    return ShardStatus.HELD if notification == NotificationStatus.PAUSED else ShardStatus.READY


def follow(scope: Scope, notification_id: int, to: NotificationStatus) -> None:
    """Hold or free the shards of a notification that has just been paused or resumed.

    Those that are being sent are held once they are given back.
    """
    change = _hold if to is NotificationStatus.PAUSED else _free
    change(scope.dialect).count(scope.connection, {"id": notification_id})
