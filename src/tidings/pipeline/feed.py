"""Feed: a stored Notification comes in, and the people it names find it in the bell, also with push turned off."""

from __future__ import annotations

from tidings.domain.audience import FEED, Audience, Everyone, Through, Users
from tidings.domain.campaign import Notification
from tidings.storage import Transaction


def put_in_feed(tx: Transaction, notification: Notification) -> int:
    """Put a new notification into the feeds of those its audience names; give into how many.

    One to everybody is noted once, whoever reads it. Devices and tags name no people. To be called in the transaction
    that stores it.
    """
    if not reaches_feed(notification.audience):
        return 0
    audience = notification.audience
    members = audience.of if isinstance(audience, Through) else audience
    if isinstance(members, Everyone):
        tx.feed.broadcast(notification)
        return 0
    if not isinstance(members, Users) or not members.external_ids:
        return 0
    key = notification.event_type
    return tx.feed.add(notification, members.external_ids, kind=tx.kinds.get(notification.app_id, key) if key else None)


def reaches_feed(audience: Audience) -> bool:
    """Say whether an audience's message is meant for the bell besides: so it is unless its channels leave that out."""
    return not isinstance(audience, Through) or FEED in audience.channels
