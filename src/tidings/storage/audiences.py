"""Audience -> SQL: the predicate over `subscriptions` for each kind, and the parameters of one audience.

Predicates depend on the kind alone, so that statements are built once and kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, assert_never

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, or_, select, true

from tidings.domain.audience import Audience, Devices, Everyone, Matching, Relayed, Tagged, Through, Users
from tidings.domain.filters import Filter, Root, naming
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.dialects import Dialect
from tidings.storage.filters import Conditions, asks_for, devices_with_people, named_by
from tidings.storage.relay_status import SENDABLE
from tidings.storage.tables.apps import credentials
from tidings.storage.tables.subscriptions import subscriptions

MEMBERS = "members"
"""The parameter that holds what the audience names: user ids, subscription ids or tags."""

CHANNELS = "channels"
"""The parameter that holds the providers that an audience is cut down to."""


class Kind(NamedTuple):
    """All that a statement depends on: what the audience names, and whether it is cut down to some providers."""

    members: type
    cut_down: bool = False
    conditions: tuple[Filter, datetime] | None = None
    """Those of Matching, with the moment they are looked at: their statements are their own, and kept for a while."""
    few: bool = False
    """Whether the conditions name a few, who are found by name."""

    @property
    def named(self) -> bool:
        """Whether those it names are few among many."""
        return self.few or self.members in NAMED


BY_ID = (Devices, Relayed)
NAMED = (Users, *BY_ID)
"""Kinds, beside conditions, that name a few among many. They are found by the index of their names: a message to one
person must not look at a million devices."""


def predicate(dialect: Dialect, kind: Kind) -> ColumnElement[bool]:
    """Say who of an App (`app_id`) belongs to an audience of that kind and can be sent to."""
    by_id = kind.members in BY_ID
    app_id = dialect.unindexed(subscriptions.c.app_id) if by_id else subscriptions.c.app_id
    return and_(
        app_id == bindparam("app_id"),
        _sendable(dialect, kind),
        subscriptions.c.credential_id.is_not(None),
        _members(dialect, kind),
        _reached(dialect, kind),
    )


def ended(dialect: Dialect, kind: Kind) -> ColumnElement[bool]:
    """Say who of an App would belong to an audience of that kind, had their devices not expired."""
    by_id = kind.members in BY_ID
    status = dialect.unindexed(subscriptions.c.status) if kind.named else subscriptions.c.status
    provider = dialect.any_of(subscriptions.c.provider, CHANNELS) if kind.cut_down else true()
    return and_(
        (dialect.unindexed(subscriptions.c.app_id) if by_id else subscriptions.c.app_id) == bindparam("app_id"),
        status == SubscriptionStatus.EXPIRED,
        _members(dialect, kind),
        provider,
    )


def place(dialect: Dialect, kind: Kind) -> ColumnElement[int]:
    """Give the id to compare with the ends of a range and to sort by."""
    return dialect.unindexed(subscriptions.c.id) if kind.named else subscriptions.c.id


def _reached(dialect: Dialect, kind: Kind) -> ColumnElement[bool]:
    """Cut an audience down to some providers: by the key, which the index of an App's devices holds."""
    if not kind.cut_down:
        return true()
    keys = select(credentials.c.id).where(dialect.any_of(credentials.c.provider, CHANNELS))
    key = subscriptions.c.credential_id
    # Where few are named they are found by name: the index of keys would lead through all devices of a provider.
    return (dialect.unindexed(key) if kind.named else key).in_(keys)


def sendable(kind: type, status: ColumnElement[str] = subscriptions.c.status) -> ColumnElement[bool]:
    """Say which rows can be sent to: devices that are active; relays only where they are what is named."""
    # Not `in_`, which has no text before its values are known.
    return or_(*(status == one for one in SENDABLE)) if kind is Relayed else status == SubscriptionStatus.ACTIVE


def _sendable(dialect: Dialect, kind: Kind) -> ColumnElement[bool]:
    status = subscriptions.c.status
    return sendable(kind.members, dialect.unindexed(status) if kind.named else status)


def source(kind: Kind) -> FromClause:
    """Give the rows that a predicate of that kind looks at: people only where it asks for them."""
    if kind.conditions and Root.USER in asks_for(kind.conditions[0]):
        return devices_with_people()
    return subscriptions


def _members(dialect: Dialect, whole: Kind) -> ColumnElement[bool]:
    kind = whole.members
    if whole.conditions is not None:
        tree, at = whole.conditions
        holds = Conditions(dialect, at).sql(tree)
        return and_(named_by(dialect, tree), holds) if whole.few else holds
    if kind is Users:
        return dialect.any_of(subscriptions.c.user_external_id, MEMBERS)
    if kind in BY_ID:
        return dialect.any_of(subscriptions.c.public_id, MEMBERS)
    if kind is Tagged:
        return dialect.has_tags(subscriptions.c.tags, MEMBERS)
    return true()


def still(dialect: Dialect, kind: Kind) -> ColumnElement[bool]:
    """Say which of some devices, found by their ids, belong to an audience of that kind now: people sign out."""
    if kind.members is Users:
        return dialect.any_of(dialect.unindexed(subscriptions.c.user_external_id), MEMBERS)
    return true() if kind.members in BY_ID else _members(dialect, kind._replace(few=False))


def kind_of(audience: Audience) -> Kind:
    """Give the kind of an audience, which is all that a statement depends on."""
    if isinstance(audience, Through):
        return kind_of(audience.of)._replace(cut_down=True)
    if isinstance(audience, Matching):
        named = naming(audience.filter)
        few = named is not None and (audience.few or named.field.path != ("topics",))
        return Kind(Matching, conditions=(audience.filter, audience.at), few=few)
    return Kind(type(audience))


def parameters(dialect: Dialect, app_id: int, audience: Audience) -> dict[str, Any]:
    """Give what the predicate of the audience's kind is to be executed with."""
    match audience:
        case Everyone() | Matching():
            return {"app_id": app_id}
        case Users(external_ids):
            return {"app_id": app_id, MEMBERS: dialect.many(external_ids)}
        case Devices(public_ids):
            return {"app_id": app_id, MEMBERS: dialect.many(public_ids)}
        case Relayed(public_id=public_id):
            return {"app_id": app_id, MEMBERS: dialect.many((public_id,))}
        case Tagged(tags):
            return {"app_id": app_id, MEMBERS: dialect.tags(dict(tags))}
        case Through(of, channels):
            return {**parameters(dialect, app_id, of), CHANNELS: dialect.many(channels)}
        case _:
            assert_never(audience)
