"""How the instance is doing: counts over several tables, each by an index that is small while all is well."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, case, func, literal_column, select

from tidings.domain.delivery import ShardStatus
from tidings.domain.vitals import Vitals
from tidings.storage.schema import PAUSED, credentials, heartbeats, instance_values, notifications, pauses, shards
from tidings.storage.scope import Scope
from tidings.storage.shards import SqlShards
from tidings.storage.turns import OPEN

_DEAD: ColumnElement[bool] = literal_column("shards.status = 'dead'")
"""Written out, not bound: only so does it match the condition of the partial index."""


def vitals(scope: Scope, *, now: datetime, alive_since: datetime) -> Vitals:
    """Count what is to be known of this moment."""
    run = scope.connection.execute
    s = shards.c
    abandoned = (s.status == ShardStatus.READY) | (s.due_at <= now)
    doubtful = case(((s.chunk_open.is_not(None)) & abandoned, 1), else_=0)
    by_status = {
        row.status: row
        for row in run(
            select(s.status, func.count().label("n"), func.sum(doubtful).label("doubtful"))
            .where(OPEN)
            .group_by(s.status)
        )
    }
    held = select(func.count()).select_from(notifications).where(notifications.c.held_because.is_not(None))
    paused_keys = (
        select(credentials.c.provider, pauses.c.origin, func.count())
        .join(credentials, credentials.c.id == pauses.c.credential_id)
        .group_by(credentials.c.provider, pauses.c.origin)
    )
    return Vitals(
        workers=run(select(func.count()).where(heartbeats.c.seen_at >= alive_since)).scalar_one(),
        lag=SqlShards(scope).lag(now=now),
        ready=by_status[ShardStatus.READY].n if ShardStatus.READY in by_status else 0,
        leased=by_status[ShardStatus.LEASED].n if ShardStatus.LEASED in by_status else 0,
        dead=run(select(func.count()).select_from(shards).where(_DEAD)).scalar_one(),
        in_doubt=sum(int(row.doubtful) for row in by_status.values()),
        held=run(held).scalar_one(),
        paused=run(select(instance_values.c.name).where(instance_values.c.name == PAUSED)).first() is not None,
        paused_origins={(provider, origin): count for provider, origin, count in run(paused_keys)},
    )
