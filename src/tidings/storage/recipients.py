"""Reading recipients: the hot half of `subscriptions`, with statements built once and rows kept as tuples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select

from tidings.domain.audience import Audience
from tidings.domain.subscription import Recipient, SubscriptionStatus
from tidings.lib.log import Logger
from tidings.lib.sealed import SealBroken, Sealer
from tidings.storage.audiences import Kind, kind_of, parameters, place, predicate, still
from tidings.storage.codec import address_from_bytes
from tidings.storage.dialects import Dialect
from tidings.storage.schema import subscriptions
from tidings.storage.scope import AnySelect, Scope

c = subscriptions.c
log = Logger(__name__)


class Event(StrEnum):
    """What storage logs of recipients."""

    ADDRESS_UNREADABLE = "address_unreadable"


COLUMNS = (c.id, c.app_id, c.provider, c.credential_id, c.address, c.address_hash, c.locale, c.origin)


def address_context(app_id: int, address_hash: bytes) -> str:
    """Give what a sealed address is bound to: copied to another row or App it does not open."""
    return f"subscriptions|address|{app_id}|{address_hash.hex()}"


def recipient(sealer: Sealer, row: Sequence[Any]) -> Recipient:
    """Make a recipient of a row of COLUMNS."""
    subscription_id, app_id, provider, credential_id, sealed, address_hash, locale, origin = row
    address = address_from_bytes(sealer.open(sealed, context=address_context(app_id, address_hash)))
    return Recipient(subscription_id, provider, credential_id or 0, address, locale, origin, address_hash)


@cache
def _range(dialect: Dialect, kind: Kind) -> AnySelect:
    at = place(dialect, kind)
    return (
        select(*COLUMNS)
        .where(predicate(dialect, kind), at > bindparam("after"), at <= bindparam("high"))
        .order_by(at)
        .limit(bindparam("most"))
    )


@cache
def _listed(dialect: Dialect, kind: Kind) -> AnySelect:
    wanted = dialect.any_of(c.id, "ids")
    return (
        select(*COLUMNS)
        .where(wanted, c.status == SubscriptionStatus.ACTIVE, c.credential_id.is_not(None), still(dialect, kind))
        .order_by(c.id)
    )


@cache
def _count(dialect: Dialect, kind: Kind) -> AnySelect:
    return select(func.count()).select_from(subscriptions).where(predicate(dialect, kind))


@cache
def _cut(dialect: Dialect, kind: Kind) -> AnySelect:
    at = place(dialect, kind)
    number = func.row_number().over(order_by=at)
    members = (
        select(c.id, ((number - 1) // bindparam("size")).label("part"))
        .where(predicate(dialect, kind), at <= bindparam("ceiling"))
        .subquery()
    )
    return (
        select(func.min(members.c.id), func.max(members.c.id), func.count())
        .group_by(members.c.part)
        .order_by(members.c.part)
    )


def read_range(scope: Scope, app_id: int, audience: Audience, *, after: int, high: int, limit: int) -> list[Recipient]:
    """Read the next members of an audience with after < id <= high, by id."""
    values = parameters(scope.dialect, app_id, audience) | {"after": after, "high": high, "most": limit}
    statement = _range(scope.dialect, kind_of(audience))
    while rows := scope.connection.execute(statement, values).all():
        readable = _readable(scope.sealer, rows)
        if readable or len(rows) < limit:
            return readable
        values |= {"after": rows[-1].id}  # nobody of a whole batch can be read: the end is not here
    return []


def read_listed(scope: Scope, ids: Sequence[int], audience: Audience) -> list[Recipient]:
    """Read those of the listed subscriptions that can be sent to and are of the audience now, by id."""
    values = parameters(scope.dialect, 0, audience) | {"ids": scope.dialect.many(ids)}
    rows = scope.connection.execute(_listed(scope.dialect, kind_of(audience)), values)
    return _readable(scope.sealer, rows)


def _readable(sealer: Sealer, rows: Iterable[Sequence[Any]]) -> list[Recipient]:
    """Leave out rows whose address does not open: damaged or moved ones must not hold up everybody else's message."""
    found = []
    for row in rows:
        try:
            found.append(recipient(sealer, row))
        except SealBroken:
            log.error(Event.ADDRESS_UNREADABLE, subscription=row[0])
    return found


def count(scope: Scope, app_id: int, audience: Audience) -> int:
    """Count whom an audience holds now."""
    values = parameters(scope.dialect, app_id, audience)
    found: int = scope.connection.execute(_count(scope.dialect, kind_of(audience)), values).scalar_one()
    return found


def cut(scope: Scope, app_id: int, audience: Audience, *, ceiling: int, size: int) -> list[tuple[int, int, int]]:
    """Cut an audience into (low id, high id, count): one pass over an index, one row a part comes back."""
    values = parameters(scope.dialect, app_id, audience) | {"ceiling": ceiling, "size": size}
    rows = scope.connection.execute(_cut(scope.dialect, kind_of(audience)), values)
    return [(low, high, members) for low, high, members in rows]
