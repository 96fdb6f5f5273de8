"""Counting as things happen: rows of `tallies`, written in the transaction in which they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Update, bindparam, case, func, insert, literal, select, update

from tidings.domain.delivery import DeliveryStatus, SettledDelivery
from tidings.domain.receipt import Receipt
from tidings.domain.stats import FEW, day_of, minute_of
from tidings.storage.columns import Moment
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import AnySelect, Scope
from tidings.storage.tables.notifications import notifications
from tidings.storage.tables.stats import tallies
from tidings.storage.tables.subscriptions import subscriptions

n = notifications.c
s = subscriptions.c
OWNER = (n.id, n.app_id, n.source, n.n_audience)
"""What a tally needs to know of its notification."""

_MEANS = (s.id, s.provider, s.origin, s.device)
_NOBODY = ("", "", "")
_own = case((n.n_audience > FEW, n.id), else_=0)
_owner = select(*OWNER).where(n.id == bindparam("notification"))

Means = dict[int, tuple[str, str, str]]
"""(provider, origin, device) of subscriptions, by their ids."""


class Owner(NamedTuple):
    """The columns of OWNER."""

    id: int
    app_id: int
    source: str
    n_audience: int


class _Statements(NamedTuple):
    """What is executed for every chunk of a notification."""

    reached: Prepared
    how: Prepared
    add: Prepared


@cache
def _prepared(dialect: Dialect) -> _Statements:
    device = func.coalesce(s.device, "")
    how = select(s.provider, s.origin, device, func.count()).where(dialect.any_of(s.id, "ids"))
    return _Statements(
        reached=dialect.prepare(_reached(dialect)),
        how=dialect.prepare(how.group_by(s.provider, s.origin, device)),
        add=dialect.prepare(
            insert(tallies).values({one.name: bindparam(one.name) for one in tallies.c if one.name != "id"})
        ),
    )


@cache
def _reached(dialect: Dialect) -> Update:
    reached = update(subscriptions).where(dialect.any_in_order(s.id, "ids"))
    return reached.values(last_active_at=bindparam("at", type_=Moment))


@cache
def _held(dialect: Dialect) -> AnySelect:
    return select(*_MEANS).where(dialect.any_of(s.id, "ids")).with_for_update(read=True, key_share=True)


def hold_devices(scope: Scope, ids: Iterable[int]) -> None:
    """Hold devices of which some are changed in one way and some in another, by their ids, as all others do it."""
    named, values = scope.dialect.any_of(s.id, "ids"), scope.dialect.many(sorted(set(ids)))
    scope.dialect.hold_in_order(scope.connection, s.id, named, ids=values)


def busy_devices(scope: Scope, ids: Iterable[int]) -> set[int]:
    """Keep devices from being erased, without waiting for any; give those that somebody else has for himself."""
    wanted = {"ids": scope.dialect.many(sorted(set(ids)))}
    there = select(s.id).where(scope.dialect.any_of(s.id, "ids"))
    mine = there.with_for_update(read=True, key_share=True, skip_locked=True)
    held = set(scope.connection.execute(mine, wanted).scalars())
    return set(scope.connection.execute(there, wanted).scalars()) - held


def note_reached(scope: Scope, ids: Sequence[int], *, now: datetime) -> int:
    """Note when devices were reached; give how many of them are there, and cannot be erased before the end."""
    values = {"ids": scope.dialect.many(ids), "at": now}
    return _prepared(scope.dialect).reached.count(scope.connection, values)


def tally_reached(scope: Scope, owner: Owner, ids: Sequence[int], *, now: datetime) -> None:
    """Count messages to devices that are all there and were all reached."""
    values = {"ids": scope.dialect.many(ids)}
    sent = DeliveryStatus.SENT.name.lower()
    found = _prepared(scope.dialect).how.rows(scope.connection, values)
    _add(scope, owner, {(*how, sent, ""): count for *how, count in found}, now=now)


def means_of(scope: Scope, deliveries: Sequence[SettledDelivery], *, now: datetime) -> Means:
    """Note when devices were reached, and say by what means; who is missing was erased meanwhile.

    Nobody who is named can be erased before the transaction ends, so no row is left of a device that is not there.
    """
    reached = [one.subscription_id for one in deliveries if one.status is DeliveryStatus.SENT]
    others = [one.subscription_id for one in deliveries if one.status is not DeliveryStatus.SENT]
    found: Means = {}
    if reached:
        values = {"ids": scope.dialect.many(reached), "at": now}
        found |= _means(scope.connection.execute(_reached(scope.dialect).returning(*_MEANS), values))
    if others:
        found |= _means(scope.connection.execute(_held(scope.dialect), {"ids": scope.dialect.many(sorted(others))}))
    return found


def tally_deliveries(
    scope: Scope, owner: Owner, counted: Iterable[SettledDelivery], means: Means, *, now: datetime
) -> None:
    """Count final states by what they came to and by what means."""
    groups = Counter(
        (
            *means.get(one.subscription_id, _NOBODY),
            one.status.name.lower(),
            "" if one.status is DeliveryStatus.SENT else one.reason,
        )
        for one in counted
    )
    _add(scope, owner, groups, now=now)


def tally_skipped(scope: Scope, notification_id: int, counted: Mapping[str, int], *, now: datetime) -> None:
    """Count those who were skipped without a delivery of their own; a negative number takes back what was counted."""
    owner = scope.connection.execute(_owner, {"notification": notification_id}).first()
    if owner is not None:
        skipped = DeliveryStatus.SKIPPED.name.lower()
        _add(
            scope,
            Owner(*owner),
            {(*_NOBODY, skipped, str(reason)): count for reason, count in counted.items()},
            now=now,
        )


def tally_receipt(scope: Scope, receipt: Receipt) -> None:
    """Count what a person did, by the means they were reached by."""
    values = (
        select(
            n.app_id,
            literal(day_of(receipt.at)).label("day"),
            _own.label("own"),
            n.source,
            s.provider,
            s.origin,
            func.coalesce(s.device, "").label("device"),
            literal(receipt.event.value).label("outcome"),
            literal("").label("reason"),
            literal(1).label("one"),
            literal(minute_of(receipt.at)).label("minute"),
        )
        .select_from(notifications.join(subscriptions, s.id == receipt.subscription_id))
        .where(n.id == receipt.notification_id)
    )
    columns = [column.name for column in tallies.c if column.name != "id"]
    scope.connection.execute(insert(tallies).from_select(columns, values))


def _means(rows: Iterable[Sequence[Any]]) -> Means:
    return {row[0]: (row[1], row[2], row[3] or "") for row in rows}


def _add(scope: Scope, owner: Owner, groups: Mapping[tuple[str, str, str, str, str], int], *, now: datetime) -> None:
    common = {
        "app_id": owner.app_id,
        "day": day_of(now),
        "notification_id": owner.id if owner.n_audience > FEW else 0,
        "minute": None,
        "source": owner.source,
    }
    names = ("provider", "origin", "device", "outcome", "reason")
    for group, count in groups.items():
        if count:
            row = {**common, **dict(zip(names, group, strict=True)), "n": count}
            _prepared(scope.dialect).add.count(scope.connection, row)
