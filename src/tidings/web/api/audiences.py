"""Audiences as people see them: in the words of `to`, and the channels that they are reached through."""

from __future__ import annotations

from typing import Any

from tidings.domain.audience import (
    FEED,
    Audience,
    Devices,
    Everyone,
    Matching,
    Relayed,
    Relaying,
    Tagged,
    Through,
    Users,
)
from tidings.domain.filters import text_from_filter
from tidings.providers import CHANNELS


def to_out(audience: Audience) -> dict[str, Any]:
    """Give an audience in the words of `to`."""
    match audience:
        case Everyone():
            return {"all": True}
        case Users(external_ids):
            return {"users": list(external_ids)}
        case Devices(public_ids):
            return {"subscriptions": list(public_ids)}
        case Tagged(tags):
            return {"tags": dict(tags)}
        case Matching(tree, _, segment):
            return {"segment": segment} if segment else {"conditions": text_from_filter(tree)}
        case Relayed(kind, name, public_id):
            return {kind.value: public_id if kind is Relaying.APNS_CHANNEL else name}
        case Through(of, _):
            return to_out(of)


def channels_out(audience: Audience) -> list[str]:
    """Give the channels that an audience is reached through."""
    if isinstance(audience, Relayed):
        return ["apns" if audience.kind is Relaying.APNS_CHANNEL else "fcm"]
    return list(audience.channels if isinstance(audience, Through) else (*CHANNELS, FEED))
