"""Rows of erasures as what they stand for, and which parts of notifications may hold a message to whom is erased."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from tidings.domain.erasure import Erasure, ErasureStatus, InHand, Subject
from tidings.storage.codec import retries_from_bytes
from tidings.storage.scope import AnyRow, AnySelect, Scope
from tidings.storage.tables.notifications import shards

NOT_NOTED = [[0, 0, 0]]
"""Stands in `in_hand` until somebody has noted which chunks may hold a message to whom is erased: no shard has id 0."""


def may_hold(shard: AnyRow, ids: Sequence[int]) -> bool:
    """Say whether the chunk that is being sent may be to one of these devices; without any, to anybody."""
    if shard.chunk_open is None:
        return False
    if not ids:
        return True
    if shard.retries is not None:
        part = retries_from_bytes(shard.retries)[shard.cursor : shard.chunk_high]
        return not {one.subscription_id for one in part}.isdisjoint(ids)
    return any(shard.cursor < one <= (shard.chunk_high or shard.high) for one in ids)


def waited_for(scope: Scope, *conditions: ColumnElement[bool]) -> list[AnyRow]:
    """Give shards as they are once whoever has them in a transaction has ended it.

    One at a time: whoever settles has a shard and waits for its notification, and whoever gives one back the reverse.
    """
    query = select(shards).where(*conditions)
    found = {row.id: row for row in _looked_at(scope, query.with_for_update(read=True, skip_locked=True))}
    for one in scope.connection.execute(select(shards.c.id).where(*conditions)).scalars().all():
        if one not in found:
            alone = select(shards).where(shards.c.id == one).with_for_update(read=True)
            found |= {row.id: row for row in _looked_at(scope, alone)}
    return list(found.values())


def _looked_at(scope: Scope, query: AnySelect) -> Sequence[AnyRow]:
    savepoint = scope.connection.begin_nested()
    rows = scope.connection.execute(query).all()
    savepoint.rollback()  # which lets go of them
    return rows


def erasure_from(row: AnyRow) -> Erasure:
    """Make an erasure of a row."""
    return Erasure(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        app=row.app_public_id,
        subject=Subject(row.subject),
        status=ErasureStatus(row.status),
        counts=dict(row.counts),
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        in_hand=() if row.in_hand == NOT_NOTED else tuple(InHand(*one) for one in row.in_hand),
        looked_at=row.looked_at,
        look_to=row.look_to,
    )
