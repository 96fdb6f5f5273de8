"""Audience -> SQL: the predicate over `subscriptions` for each kind, and the parameters of one audience.

Predicates depend on the kind alone, so that statements are built once and kept.
"""

from __future__ import annotations

from typing import Any, assert_never

from sqlalchemy import ColumnElement, and_, bindparam, true

from tidings.domain.audience import Audience, Devices, Everyone, Tagged, Users
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.dialects import Dialect
from tidings.storage.schema import subscriptions

MEMBERS = "members"
"""The parameter that holds what the audience names: user ids, subscription ids or tags."""


def predicate(dialect: Dialect, kind: type) -> ColumnElement[bool]:
    """Say who of an App (`app_id`) belongs to an audience of that kind and can be sent to."""
    return and_(
        subscriptions.c.app_id == bindparam("app_id"),
        subscriptions.c.status == SubscriptionStatus.ACTIVE,
        subscriptions.c.credential_id.is_not(None),
        _members(dialect, kind),
    )


def _members(dialect: Dialect, kind: type) -> ColumnElement[bool]:
    if kind is Users:
        return dialect.any_of(subscriptions.c.user_external_id, MEMBERS)
    if kind is Devices:
        return dialect.any_of(subscriptions.c.public_id, MEMBERS)
    if kind is Tagged:
        return dialect.has_tags(subscriptions.c.tags, MEMBERS)
    return true()


def kind_of(audience: Audience) -> type:
    """Give the kind of an audience, which is all that a statement depends on."""
    return type(audience)


def parameters(dialect: Dialect, app_id: int, audience: Audience) -> dict[str, Any]:
    """Give what the predicate of the audience's kind is to be executed with."""
    match audience:
        case Everyone():
            return {"app_id": app_id}
        case Users(external_ids):
            return {"app_id": app_id, MEMBERS: dialect.many(external_ids)}
        case Devices(public_ids):
            return {"app_id": app_id, MEMBERS: dialect.many(public_ids)}
        case Tagged(tags):
            return {"app_id": app_id, MEMBERS: dialect.tags(dict(tags))}
        case _:
            assert_never(audience)
