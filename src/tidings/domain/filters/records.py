"""What conditions see of a person and of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an audience is made of conditions, and these see what audiences are made of
    from tidings.domain.app import User
    from tidings.domain.subscription import Subscription


def user_record(user: User | None, external_id: str | None = None, *, topics: Sequence[str] = ()) -> Mapping[str, Any]:
    """Give the root `user` or `actor`: attributes, and before them id, locale, time_zone, created_at and topics.

    Of somebody the App named without saying more (None), the id is all there is, and what they follow.
    """
    followed = list(topics) or None
    if user is None:
        return {} if external_id is None else {"id": external_id, "topics": followed}
    return {
        **user.attributes,
        "id": user.external_id,
        "locale": user.locale,
        "time_zone": user.time_zone,
        "created_at": user.created_at,
        "topics": followed,
    }


def subscription_record(one: Subscription) -> Mapping[str, Any]:
    """Give the root `subscription`."""
    return {
        "id": one.public_id,
        "user_id": one.user_external_id,
        "provider": one.provider,
        "status": one.status.value,
        "locale": one.locale,
        "time_zone": one.time_zone,
        "device": one.device,
        "app_version": one.app_version,
        "created_at": one.created_at,
        "last_seen_at": one.last_seen_at,
        "last_active_at": one.last_active_at,
        "tags": one.tags,
    }
