"""How the instance is doing: counts over several tables, each by an index that is small while all is well.

Hundreds of thousands of shards may wait, and this is asked every few seconds: no look goes through all of them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select

from tidings.domain.vitals import Vitals, WebhookVitals
from tidings.storage.columns import Moment
from tidings.storage.scope import Scope
from tidings.storage.shards import SqlShards
from tidings.storage.tables.apps import credentials, pauses
from tidings.storage.tables.instance import PAUSED, heartbeats, instance_values
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tables.webhooks import webhook_messages, webhook_outbox, webhooks
from tidings.storage.turns import OPEN
from tidings.storage.webhook_gathering import WAITING

w = webhooks.c
m = webhook_messages.c

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
        webhooks=_of_webhooks(scope, now=now),
    )


def _of_webhooks(scope: Scope, *, now: datetime) -> WebhookVitals:
    """Count what webhooks are to be told. Those that were not asked yet again after a failure are not late."""
    run = scope.connection.execute
    waiting = select(literal_column("1")).select_from(webhook_messages).where(WAITING).limit(MOST).subquery()
    untold = select(literal_column("1")).select_from(webhook_outbox).limit(MOST).subquery()
    may_be_told = (w.enabled == 1, w.failures == 0)
    oldest = (
        select(m.due_at)
        .where(m.webhook_id == w.id, WAITING, m.test == 0)
        .order_by(m.due_at)
        .limit(1)
        .correlate(webhooks)
        .scalar_subquery()
    )
    late = select(func.min(oldest, type_=Moment)).select_from(webhooks).where(*may_be_told)
    since: datetime | None = run(late).scalar()
    failing = select(func.count()).select_from(webhooks).where(w.enabled == 1, w.failures > 0)
    turned_off = select(func.count()).select_from(webhooks).where(w.disabled_because.is_not(None))
    return WebhookVitals(
        waiting=run(select(func.count()).select_from(waiting)).scalar_one(),
        untold=run(select(func.count()).select_from(untold)).scalar_one(),
        lag=0.0 if since is None else max(0.0, (now - since).total_seconds()),
        failing=run(failing).scalar_one(),
        turned_off=run(turned_off).scalar_one(),
    )
