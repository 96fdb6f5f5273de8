"""Shards after the clock has gone back: none waits for a time that has been already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, func, literal, or_, type_coerce, update

from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import ShardStatus
from tidings.storage.columns import Moment, microseconds
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.turns import OPEN

c, n = shards.c, notifications.c
_since = func.coalesce(c.claimed_at, c.created_at)
_put_off = or_(c.n < 0, c.claimed_at.is_not(None))
"""A list to try again, or a part that somebody had and gave back; both wait since then."""


def went_back(scope: Scope, *, now: datetime, was: datetime, until: datetime) -> int:
    """Put right what was stored while the clock was ahead; give how many shards and notifications are due now.

    A lease that was taken now would end at `until`.
    """
    queued = (n.status == NotificationStatus.QUEUED, n.send_at > now, n.send_at <= was)
    planned = scope.connection.execute(update(notifications).where(*queued).values(send_at=now))
    # What was put off by the clock as it is now waits on: somebody may have put it right before.
    late = update(shards).where(c.due_at > now, c.due_at <= was, or_(_since > now, ~_put_off)).values(due_at=now)
    ready = scope.connection.execute(late.where(OPEN, c.status == ShardStatus.READY))
    scope.connection.execute(late.where(c.status == ShardStatus.HELD))
    _waits(scope, now=now)
    held = update(shards).where(c.status == ShardStatus.LEASED, or_(c.due_at > until, c.claimed_at > now))
    # When it was claimed is when it is due once it is given back.
    scope.connection.execute(
        held.values({c.due_at: _at_most(c.due_at, until), c.claimed_at: _at_most(c.claimed_at, now)})
    )
    return ready.rowcount + planned.rowcount


def _waits(scope: Scope, *, now: datetime) -> None:
    """Let what was put off while the clock was ahead wait as long as it was to wait.

    A range that nobody has had yet waits for a time of day, and that is still to come.
    """
    ahead = type_coerce(_since, BigInteger) - type_coerce(bindparam("at", microseconds(now)), BigInteger)
    sooner = {
        c.due_at: type_coerce(c.due_at, BigInteger) - ahead,
        c.created_at: _at_most(c.created_at, now),
        c.claimed_at: _at_most(c.claimed_at, now),
    }
    waiting = c.status.in_((ShardStatus.READY, ShardStatus.HELD))
    scope.connection.execute(update(shards).where(waiting, c.due_at > now, _since > now, _put_off).values(sooner))


def _at_most(column: ColumnElement[datetime], moment: datetime) -> ColumnElement[datetime]:
    return case((column > moment, literal(moment, Moment)), else_=column)
