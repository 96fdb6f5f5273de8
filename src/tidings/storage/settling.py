"""Settling a chunk: a Settlement comes in; its shard, deliveries, subscriptions and counters change together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update

from tidings.domain.delivery import DeliveryStatus, Retry, SettledDelivery, Settlement, ShardStatus
from tidings.domain.webhook import NUMBERS, Told, WebhookEvent
from tidings.storage.codec import bytes_from_retries
from tidings.storage.columns import microseconds
from tidings.storage.counters import add_reasons
from tidings.storage.dialects import Dialect, NewDeliveries, Prepared
from tidings.storage.holding import first_status
from tidings.storage.outbox import OF_DELIVERIES, tell, wanted_in, wanted_of
from tidings.storage.retiring import expire, overdue
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tallies import (
    OWNER,
    Means,
    Owner,
    hold_devices,
    means_of,
    note_reached,
    tally_deliveries,
    tally_reached,
)

_COLUMN = {status: f"n_{status.name.lower()}" for status in DeliveryStatus}
_PLUS = {status: f"plus_{column}" for status, column in _COLUMN.items()}
_status_and_reason = itemgetter(1, 2)
"""Of a SettledDelivery: looked up for each recipient, so without a function of Python's own."""

_MINE: tuple[ColumnElement[bool], ...] = (
    shards.c.id == bindparam("shard_id"),
    shards.c.lease_token == bindparam("token"),
    shards.c.status == ShardStatus.LEASED,
)
_close_chunk = (
    update(shards)
    .where(*_MINE, shards.c.chunk_done < bindparam("chunk"))
    .values(
        cursor=bindparam("new_cursor"),
        chunk_done=bindparam("chunk"),
        chunk_open=None,
        chunk_high=None,
        attempt=0,
        fault=None,
        n_passed=shards.c.n_passed + bindparam("passed"),
    )
    .returning(shards.c.notification_id, shards.c.app_id, shards.c.priority, wanted_of(shards.c.app_id))
)
_settled_before = select(shards.c.id).where(*_MINE)
_count = (
    update(notifications)
    .where(notifications.c.id == bindparam("notification"))
    .values({column: notifications.c[column] + bindparam(f"plus_{column}") for column in _COLUMN.values()})
    .returning(*OWNER)
)
_of: ColumnElement[int] = bindparam("notification")
_place = select(
    select(func.coalesce(func.min(shards.c.n), 0)).where(shards.c.notification_id == _of).scalar_subquery(),
    select(notifications.c.status).where(notifications.c.id == _of).scalar_subquery(),
)
"""Of a new list to try again: the lowest number before it, and how its notification stands."""


class _Statements(NamedTuple):
    """What settling executes for every chunk."""

    close_chunk: Prepared
    add: Prepared


@cache
def _prepared(dialect: Dialect) -> _Statements:
    return _Statements(close_chunk=dialect.prepare(_close_chunk), add=dialect.prepare(_count))


class _Parent(NamedTuple):
    """Whose the shard is, and what webhooks want to be told."""

    notification_id: int
    app_id: int
    priority: int
    wanted: int


def settle(scope: Scope, settlement: Settlement, *, now: datetime) -> bool:
    """Store everything one chunk changed; False, and nothing stored, when the lease was lost.

    A chunk that this lease has settled before (its answer was lost on the way) is True and changes nothing.
    """
    mine = {"shard_id": settlement.shard_id, "token": settlement.lease_token}
    closed = _prepared(scope.dialect).close_chunk.rows(
        scope.connection,
        mine
        | {
            "chunk": settlement.chunk,
            "new_cursor": settlement.cursor,
            "passed": len(settlement.deliveries)
            + len(settlement.doubtful)
            + sum(len(group) for _, group in settlement.retries),
        },
    )
    if not closed:
        return scope.connection.execute(_settled_before, mine).first() is not None
    parent = _Parent(*closed[0])
    _hold_devices(scope, settlement)
    retired = [*settlement.retired, *overdue(scope, settlement.suspicions, now=now)]
    expired = expire(scope, retired, wanted=parent.wanted)
    counted = _store_and_count(scope, parent.notification_id, settlement.deliveries, now)
    _add_retries(scope, parent, settlement, now)
    if parent.wanted:
        _tell(scope, parent, counted, expired, now)
    return True


def leave(
    scope: Scope, notification_id: int, app_id: int, deliveries: Sequence[SettledDelivery], *, now: datetime
) -> None:
    """Store the final states of recipients that nobody carries on, whatever they are skipped for.

    Whoever calls has seen that no device is anybody else's, for it has the notification: nobody is waited for here.
    """
    parent = _Parent(notification_id, app_id, 0, wanted_in(scope, app_id))
    counted = _store_and_count(scope, notification_id, deliveries, now)
    if parent.wanted:
        _tell(scope, parent, counted, (), now)


def _store_and_count(
    scope: Scope, notification_id: int, deliveries: Sequence[SettledDelivery], now: datetime
) -> Sequence[SettledDelivery]:
    """Store final states, and count those that are new; give these."""
    counted, means = _store_deliveries(scope, notification_id, deliveries, now)
    owner = _count_deliveries(scope, notification_id, counted)
    if owner is not None and means is not None:
        tally_deliveries(scope, owner, counted, means, now=now)
    elif owner is not None:
        tally_reached(scope, owner, [one.subscription_id for one in counted], now=now)
    return counted


def _hold_devices(scope: Scope, settlement: Settlement) -> None:
    """Hold all devices of a chunk at once, unless nothing is done but to note that they were reached."""
    others = [one.subscription_id for one in settlement.retired]
    others += [one.subscription_id for one in settlement.suspicions]
    if others or any(one.status is not DeliveryStatus.SENT for one in settlement.deliveries):
        hold_devices(scope, [*others, *(one.subscription_id for one in settlement.deliveries)])


_TOLD = {status: NUMBERS[WebhookEvent(f"delivery.{status.name.lower()}")] for status in DeliveryStatus}


def _tell(
    scope: Scope, parent: _Parent, counted: Sequence[SettledDelivery], expired: Sequence[Told], now: datetime
) -> None:
    tell(scope, parent.app_id, parent.wanted, expired, now=now)
    if parent.wanted & OF_DELIVERIES:
        told = (Told(_TOLD[one.status], one.subscription_id, one.reason, one.attempt) for one in counted)
        tell(scope, parent.app_id, parent.wanted, told, now=now, notification_id=parent.notification_id)


def _store_deliveries(
    scope: Scope, notification_id: int, deliveries: Sequence[SettledDelivery], now: datetime
) -> tuple[Sequence[SettledDelivery], Means | None]:
    """Store the final states; give those that count: new ones, and those of devices that were erased meanwhile.

    Of an erased device no row is left, but what was sent to it was sent. The means are None where nobody needs to be
    looked at alone: all were reached, are there, and are told of for the first time.
    """
    if not deliveries:
        return deliveries, {}
    columns = _columns(deliveries)
    if set(columns.statuses) == {DeliveryStatus.SENT}:
        all_there = note_reached(scope, columns.subscriptions, now=now) == len(deliveries)
    else:
        all_there = False
    means = None if all_there else means_of(scope, deliveries, now=now)
    if means is not None:
        there = [one for one in deliveries if one.subscription_id in means]
        if not there:
            return deliveries, means
        columns = _columns(there)
    new = scope.dialect.insert_deliveries(scope.connection, notification_id, microseconds(now), columns)
    if means is None and new is None:
        return deliveries, None
    means = means if means is not None else means_of(scope, deliveries, now=now)
    stored = means.keys() if new is None else new
    return [one for one in deliveries if one.subscription_id in stored or one.subscription_id not in means], means


def _columns(deliveries: Sequence[SettledDelivery]) -> NewDeliveries:
    ids, statuses, reasons, attempts, references = zip(*deliveries, strict=True)
    return NewDeliveries(ids, list(map(int, statuses)), attempts, reasons, references)


def _count_deliveries(scope: Scope, notification_id: int, counted: Sequence[SettledDelivery]) -> Owner | None:
    # Always, even to add nothing: it locks the notification, so that chunks settled at once number their retry
    # shards one after the other.
    alike = Counter(map(_status_and_reason, counted))
    values = dict.fromkeys(_PLUS.values(), 0) | {"notification": notification_id}
    reasons: Counter[str] = Counter()
    for (status, reason), number in alike.items():
        values[_PLUS[status]] += number
        if status is not DeliveryStatus.SENT:
            reasons[reason] += number
    found = _prepared(scope.dialect).add.rows(scope.connection, values)
    add_reasons(scope, notification_id, reasons)
    return Owner(*found[0]) if found else None


def _add_retries(scope: Scope, parent: _Parent, settlement: Settlement, now: datetime) -> None:
    groups = list(_groups(settlement))
    if settlement.doubtful:
        groups.append((now, settlement.doubtful, True))
    if not groups:
        return
    # Read once the notification is locked: whoever pauses or resumes it comes before or after.
    lowest, status = scope.connection.execute(_place, {"notification": parent.notification_id}).one()
    n = min(lowest, 0)
    rows = [
        {
            "notification_id": parent.notification_id,
            "app_id": parent.app_id,
            "priority": parent.priority,
            "n": n - place,
            "low": 0,
            "high": 0,
            "retries": bytes_from_retries(group),
            "size": len(group),
            "status": ShardStatus.READY if doubtful else first_status(status),
            "due_at": moment,
            "chunk_open": 1 if doubtful else None,
            "chunk_high": len(group) if doubtful else None,
            "created_at": now,
        }
        for place, (moment, group, doubtful) in enumerate(groups, start=1)
    ]
    scope.connection.execute(insert(shards), rows)


def _groups(settlement: Settlement) -> Iterator[tuple[datetime, Sequence[Retry], bool]]:
    """Give the lists to try again, those apart who may have been told already."""
    for moment, group in settlement.retries:
        unsure = [one for one in group if one.subscription_id in settlement.unsure]
        others = [one for one in group if one.subscription_id not in settlement.unsure] if unsure else group
        yield from ((moment, some, some is unsure) for some in (others, unsure) if some)
