"""Whose turn it is: which shards are to be claimed next, found without a look at what waits behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, literal_column, or_, select, true, union_all

from tidings.domain.campaign import SENDABLE
from tidings.domain.delivery import HeldBack, Lease, Priority
from tidings.storage.columns import Moment
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.instance import PAUSED, instance_values
from tidings.storage.tables.notifications import notifications, shards

c = shards.c
OPEN: ColumnElement[bool] = literal_column("shards.status IN ('ready', 'leased')")
"""Written out, not bound: only so does it match the condition of the partial index."""

_LEASED: ColumnElement[bool] = literal_column("shards.status = 'leased'")

_sendable = or_(*(notifications.c.status == one for one in SENDABLE))
_wanted = select(notifications.c.id).where(notifications.c.id == c.notification_id, _sendable).exists()
_standstill = select(instance_values.c.name).where(instance_values.c.name == PAUSED).exists()
CLAIMABLE = (OPEN, c.due_at <= bindparam("now"), _wanted, ~_standstill)
"""What a claim asks of a shard; `now` is bound."""

# One App after the other by a look into the index for each: what waits is many times as much as those who wait.
_first = select(func.min(c.app_id).label("app_id")).where(OPEN).cte("waiting_apps", recursive=True)
_next = select(func.min(c.app_id)).where(OPEN, c.app_id > _first.c.app_id).scalar_subquery()
_apps = _first.union_all(select(_next).where(_first.c.app_id.is_not(None)))
_priorities = union_all(
    *(select(literal_column(str(int(one))).label("priority")) for one in sorted(Priority))
).subquery("priorities")

_lane = (c.app_id, c.priority)


def _heads_of(*also: ColumnElement[bool]) -> Select[tuple[int, int, datetime | None]]:
    """Ask once whether all sending is paused: asked of shards alone, each of those that wait would be looked at."""
    of_lane = (c.app_id == _apps.c.app_id, c.priority == _priorities.c.priority)
    oldest = select(c.due_at).where(*CLAIMABLE, *of_lane, *also).order_by(c.due_at).limit(1).scalar_subquery()
    return (
        select(_apps.c.app_id, _priorities.c.priority, oldest.label("due_at"))
        .select_from(_apps.join(_priorities, true()))
        .where(_apps.c.app_id.is_not(None), _priorities.c.priority <= bindparam("least"), ~_standstill)
    )


_heads = _heads_of()
_held = select(*_lane, func.count()).where(_LEASED, c.due_at > bindparam("now")).group_by(*_lane)
_queue = (
    select(c.id, c.due_at)
    .where(*CLAIMABLE, c.app_id == bindparam("app"), c.priority == bindparam("priority"))
    .order_by(c.due_at, c.id)
    .limit(bindparam("most"))
)


class _Place(NamedTuple):
    """Where in the line of all shards one stands: the lowest comes first."""

    turn: int
    due_at: datetime
    id: int


def ready(scope: Scope, *, now: datetime, limit: int, least: Priority, held_back: Sequence[HeldBack] = ()) -> list[int]:
    """Give ids of shards that may be claimed now, of that priority at least, without what is held back.

    Apps take turns, and so do the priorities of an App, the urgent ones more often; within, the oldest comes first.
    What an App has under way counts: its next shard waits until the others had as many, in proportion to their urgency.
    """
    run = scope.connection.execute
    free = [_free(one) for one in held_back]
    heads = _waiting(scope, now=now, least=least, free=free)
    if not heads or limit < 1:
        return []
    held = {(app, priority): count for app, priority, count in run(_held, {"now": now})}
    first = {
        (head.app_id, head.priority): ((1 + held.get((head.app_id, head.priority), 0)) * head.priority, head.due_at)
        for head in heads
    }
    last = sorted(first.values())[:limit][-1]  # whoever comes after this many others need not be looked at
    places: list[_Place] = []
    for (app, priority), begin in first.items():
        if begin > last:
            continue
        queue = run(_queue.where(*free), {"now": now, "app": app, "priority": priority, "most": limit})
        before = held.get((app, priority), 0)
        places += [_Place((before + n) * priority, row.due_at, row.id) for n, row in enumerate(queue, start=1)]
    return [place.id for place in sorted(places)[:limit]]


def leases(scope: Scope) -> list[Lease]:
    """Give who has which shards in hand: as many as are in all windows."""
    query = select(c.id, c.lease_owner, c.lease_token, c.due_at).where(_LEASED)
    return [Lease(*row) for row in scope.connection.execute(query)]


def oldest(scope: Scope, *, now: datetime) -> datetime | None:
    """Give since when the one waits that waits longest of those that may be claimed now."""
    return min((head.due_at for head in _waiting(scope, now=now, least=Priority.LOW)), default=None)


def _free(held: HeldBack) -> ColumnElement[bool]:
    """Let pass whatever was stored later, and whatever is no list to try again that nobody has had."""
    late = literal(held.due_by, Moment)
    return or_(c.n >= 0, c.claimed_at.is_not(None), c.created_at > literal(held.stored_by, Moment), c.due_at <= late)


def _waiting(scope: Scope, *, now: datetime, least: Priority, free: Sequence[ColumnElement[bool]] = ()) -> list[AnyRow]:
    """Give each App and priority of which something may be claimed now, and when the first of it was due."""
    heads = scope.connection.execute(_heads_of(*free) if free else _heads, {"now": now, "least": least})
    return [head for head in heads if head.due_at is not None]
