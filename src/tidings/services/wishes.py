"""Wishes: who of a chunk wants to hear of an event, and who of them not at this hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tidings.domain.campaign import Notification
from tidings.domain.delivery import SkipReason
from tidings.domain.message import Urgency
from tidings.domain.preference import EventKind, PutOff, Skip, decision
from tidings.services.quiet import quiet_of_app
from tidings.storage import Transaction


@dataclass(frozen=True, slots=True)
class Heeded:
    """Who is not sent to now, by subscription id: skipped with a reason, or put off until a moment."""

    skipped: dict[int, SkipReason] = field(default_factory=dict)
    put_off: dict[int, datetime] = field(default_factory=dict)


def heeded(tx: Transaction, notification: Notification, ids: Collection[int], *, now: datetime) -> Heeded:
    """Ask what the people of some devices said of the event that a notification tells of."""
    key = notification.event_type
    if key is None or not ids:
        return Heeded()
    kind = tx.kinds.get(notification.app_id, key) or EventKind(key)
    if kind.mandatory:
        return Heeded()
    of_app = quiet_of_app(tx, notification.app_id)
    found, urgent = Heeded(), notification.message.urgency is Urgency.HIGH
    for one, standing in tx.preferences.standings(key, ids).items():
        wish, zone = standing.wish(of_app)
        what = decision(wish, kind, zone=_zone(zone), urgent=urgent, now=now, expires_at=notification.expires_at)
        if isinstance(what, Skip):
            found.skipped[one] = what.reason
        elif isinstance(what, PutOff):
            found.put_off[one] = what.until
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        # A row that came from elsewhere, or a zone that the database of zones has dropped since.
        return ZoneInfo("UTC")
