"""Reading recipients: the hot half of `subscriptions`, with statements built once and rows kept as tuples."""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import bindparam, func, select

from tidings.domain.audience import Audience
from tidings.domain.subscription import Recipient
from tidings.lib.log import Logger
from tidings.lib.sealed import SealBroken, Sealer
from tidings.storage.audiences import Kind, kind_of, parameters, place, predicate, sendable, source, still
from tidings.storage.codec import parts_of_addresses
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import Scope
from tidings.storage.tables.subscriptions import subscriptions

c = subscriptions.c
log = Logger(__name__)

_kept = lru_cache(maxsize=512)
"""Keeps the statements of every plain kind, and those of the conditions looked at last."""


class Event(StrEnum):
    """What storage logs of recipients."""

    ADDRESS_UNREADABLE = "address_unreadable"


_recipient = partial(tuple.__new__, Recipient)
"""Makes one of a tuple of its fields, without a function of Python's own in between."""

COLUMNS = (c.id, c.app_id, c.provider, c.credential_id, c.address, c.address_hash, c.locale, c.origin)


def address_context(app_id: int, address_hash: bytes) -> str:
    """Give what a sealed address is bound to: copied to another row or App it does not open."""
    return f"subscriptions|address|{app_id}|{address_hash.hex()}"


def recipient(sealer: Sealer, row: Sequence[Any]) -> Recipient:
    """Make a recipient of a row of COLUMNS."""
    subscription_id, app_id, provider, credential_id, sealed, address_hash, locale, origin = row
    ((target, keys),) = parts_of_addresses([sealer.open(sealed, context=address_context(app_id, address_hash))])
    return Recipient(subscription_id, provider, credential_id or 0, target, keys, locale, origin, address_hash)


@_kept
def _range(dialect: Dialect, kind: Kind) -> Prepared:
    at = place(dialect, kind)
    return dialect.prepare(
        select(*COLUMNS)
        .select_from(source(kind))
        .where(predicate(dialect, kind), at > bindparam("after"), at <= bindparam("high"))
        .order_by(at)
        .limit(bindparam("most"))
    )


@_kept
def _listed(dialect: Dialect, kind: Kind) -> Prepared:
    wanted = dialect.any_of(c.id, "ids")
    return dialect.prepare(
        select(*COLUMNS)
        .select_from(source(kind))
        .where(wanted, sendable(kind.members), c.credential_id.is_not(None), still(dialect, kind))
        .order_by(c.id)
    )


@_kept
def _count(dialect: Dialect, kind: Kind) -> Prepared:
    return dialect.prepare(select(func.count()).select_from(source(kind)).where(predicate(dialect, kind)))


@_kept
def _one_further_on(dialect: Dialect, kind: Kind) -> Prepared:
    at = place(dialect, kind)
    members = (
        select(at)
        .select_from(source(kind))
        .where(predicate(dialect, kind), at > bindparam("after"), at <= bindparam("ceiling"))
    )
    return dialect.prepare(members.order_by(at).limit(1).offset(bindparam("skipped")))


@_kept
def _rest(dialect: Dialect, kind: Kind) -> Prepared:
    at = place(dialect, kind)
    return dialect.prepare(
        select(func.max(at), func.count())
        .select_from(source(kind))
        .where(predicate(dialect, kind), at > bindparam("after"), at <= bindparam("ceiling"))
    )


def read_range(scope: Scope, app_id: int, audience: Audience, *, after: int, high: int, limit: int) -> list[Recipient]:
    """Read the next members of an audience with after < id <= high, by id."""
    values = parameters(scope.dialect, app_id, audience) | {"after": after, "high": high, "most": limit}
    statement = _range(scope.dialect, kind_of(audience))
    while rows := statement.rows(scope.connection, values):
        readable = _readable(scope.sealer, rows)
        if readable or len(rows) < limit:
            return readable
        values |= {"after": rows[-1][0]}  # nobody of a whole batch can be read: the end is not here
    return []


def read_listed(scope: Scope, ids: Sequence[int], audience: Audience) -> list[Recipient]:
    """Read those of the listed subscriptions that can be sent to and are of the audience now, by id."""
    values = parameters(scope.dialect, 0, audience) | {"ids": scope.dialect.many(ids)}
    return _readable(scope.sealer, _listed(scope.dialect, kind_of(audience)).rows(scope.connection, values))


def _readable(sealer: Sealer, rows: Sequence[Sequence[Any]]) -> list[Recipient]:
    """Make recipients of rows of COLUMNS, column by column, as there are so many of them.

    Rows whose address does not open are left out: damaged or moved ones must not hold up everybody else's message.
    """
    if not rows:
        return []
    ids, apps, providers, credentials, sealed, hashes, locales, origins = zip(*rows, strict=True)
    before = {app_id: address_context(app_id, b"").encode() for app_id in set(apps)}
    contexts = [before[app_id] + hexlify(one) for app_id, one in zip(apps, hashes, strict=True)]
    opened = [packed for packed in sealer.open_many(sealed, contexts=contexts) if packed is not None]
    if len(opened) < len(rows):
        return _readable(sealer, [row for row in rows if _opens(sealer, row)])
    targets, keys = zip(*parts_of_addresses(opened), strict=True)
    return list(map(_recipient, zip(ids, providers, credentials, targets, keys, locales, origins, hashes, strict=True)))


def _opens(sealer: Sealer, row: Sequence[Any]) -> bool:
    try:
        recipient(sealer, row)
    except SealBroken:
        log.error(Event.ADDRESS_UNREADABLE, subscription=row[0])
        return False
    return True


def count(scope: Scope, app_id: int, audience: Audience) -> int:
    """Count whom an audience holds now."""
    values = parameters(scope.dialect, app_id, audience)
    ((found,),) = _count(scope.dialect, kind_of(audience)).rows(scope.connection, values)
    return int(found)


def cut(scope: Scope, app_id: int, audience: Audience, *, ceiling: int, size: int) -> list[tuple[int, int, int]]:
    """Cut an audience into (low id, high id, count): a walk over an index from one part's end to the next."""
    kind = kind_of(audience)
    statement = _one_further_on(scope.dialect, kind)
    values = parameters(scope.dialect, app_id, audience) | {"ceiling": ceiling, "after": 0}

    def further_on(skipped: int) -> int | None:
        found = statement.rows(scope.connection, {**values, "skipped": skipped})
        return found[0][0] if found else None

    parts: list[tuple[int, int, int]] = []
    while (low := further_on(0)) is not None:
        high, count = further_on(size - 1), size
        if high is None:
            ((high, count),) = _rest(scope.dialect, kind).rows(scope.connection, values)
        parts.append((low, high, count))
        values["after"] = high
    return parts
