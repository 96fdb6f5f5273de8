"""How the instance is doing: counts over several tables, each by an index that is small while all is well.

Hundreds of thousands of shards may wait, and this is asked every few seconds: no look goes through all of them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select

from tidings.domain.vitals import Vitals
from tidings.storage.scope import Scope
from tidings.storage.shards import SqlShards
from tidings.storage.tables.apps import credentials, pauses
from tidings.storage.tables.instance import PAUSED, heartbeats, instance_values
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.turns import OPEN

MOST = 10_000
"""Shards counted of each kind: looking costs no more where more of them wait."""

# Written out, not bound: only so do they match the conditions of the partial indexes.
_LEASED: ColumnElement[bool] = literal_column("shards.status = 'leased'")
_DEAD: ColumnElement[bool] = literal_column("shards.status = 'dead'")
_DROPPED_CHUNK: ColumnElement[bool] = literal_column("shards.chunk_open IS NOT NULL AND shards.status = 'ready'")


def vitals(scope: Scope, *, now: datetime, alive_since: datetime) -> Vitals:
    """Count what is to be known of this moment."""
    run = scope.connection.execute

    def counted(*conditions: ColumnElement[bool]) -> int:
        some = select(literal_column("1")).select_from(shards).where(*conditions).limit(MOST).subquery()
        number: int = run(select(func.count()).select_from(some)).scalar_one()
        return number

    leased = counted(_LEASED)
    abandoned = (_LEASED, shards.c.due_at <= now, shards.c.chunk_open.is_not(None))
    held = select(func.count()).select_from(notifications).where(notifications.c.held_because.is_not(None))
    paused_keys = (
        select(credentials.c.provider, pauses.c.origin, func.count())
        .join(credentials, credentials.c.id == pauses.c.credential_id)
        .group_by(credentials.c.provider, pauses.c.origin)
    )
    return Vitals(
        workers=run(select(func.count()).where(heartbeats.c.seen_at >= alive_since)).scalar_one(),
        lag=SqlShards(scope).lag(now=now),
        ready=max(0, counted(OPEN) - leased),
        leased=leased,
        dead=counted(_DEAD),
        in_doubt=counted(*abandoned) + counted(_DROPPED_CHUNK),
        held=run(held).scalar_one(),
        paused=run(select(instance_values.c.name).where(instance_values.c.name == PAUSED)).first() is not None,
        paused_origins={(provider, origin): count for provider, origin, count in run(paused_keys)},
    )
