"""Wishes: who of some devices wants to hear of an event, and who of them not at this hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

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


def heeded(
    tx: Transaction,
    app_id: int,
    event_type: str | None,
    ids: Collection[int],
    *,
    urgency: Urgency,
    expires_at: datetime,
    now: datetime,
) -> Heeded:
    """Ask what the people of some devices said of the event that a notification tells of."""
    if event_type is None or not ids:
        return Heeded()
    kind = tx.kinds.get(app_id, event_type) or EventKind(event_type)
    if kind.mandatory:
        return Heeded()
    of_app = quiet_of_app(tx, app_id)
    found, urgent = Heeded(), urgency is Urgency.HIGH
    for one, standing in tx.preferences.standings(event_type, ids).items():
        wish, zone = standing.wish(of_app)
        what = decision(wish, kind, zone=zone_from(zone), urgent=urgent, now=now, expires_at=expires_at)
        if isinstance(what, Skip):
            found.skipped[one] = what.reason
        elif isinstance(what, PutOff):
            found.put_off[one] = what.until
    return found


def zone_from(name: str) -> ZoneInfo:
    """Give the zone of a name, UTC for one that is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        # A row that came from elsewhere, or a zone that the database of zones has dropped since.
        return ZoneInfo("UTC")
