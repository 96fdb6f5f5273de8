"""Absences: a notification and a person to whom none of it was sent go in, the reason comes out.

What is known of devices and people is known as of now; where that may differ from then, the reason says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.absence import Absence, AbsenceReason
from tidings.domain.audience import Audience, Devices, Matching, Members, Relayed, Tagged, Through, Users
from tidings.domain.campaign import FINAL_STATUSES, Notification, NotificationStatus
from tidings.domain.delivery import SkipReason
from tidings.domain.filters import Field, Root, explain, fields_of, subscription_record
from tidings.domain.subscription import Subscription, SubscriptionStatus
from tidings.pipeline.matched import person_record
from tidings.services.wishes import heeded
from tidings.storage import Transaction

MOST_BECAUSE = 3
_TOPICS = Field(Root.USER, ("topics",))

_ALONE = (SkipReason.IN_DOUBT, SkipReason.UNSUBSCRIBED, SkipReason.CANCELLED)
"""Whom these count may have no delivery of their own: they were in a part that was given up, or left, or were left."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person by the App's own id, with their devices, newest first."""

    external_id: str
    devices: Sequence[Subscription]


def members_of(audience: Audience) -> Members:
    """Give whom an audience names, whatever channels it is cut down to."""
    return audience.of if isinstance(audience, Through) else audience


def concerns(audience: Audience, who: Somebody) -> bool:
    """Tell whether a notification could have been for somebody: not one that names other people or devices."""
    of = members_of(audience)
    if isinstance(of, Users):
        return who.external_id in of.external_ids
    if isinstance(of, Devices):
        return any(one.public_id in of.public_ids for one in who.devices)
    return True


def absence(tx: Transaction, of: Notification, who: Somebody, now: datetime) -> Absence:
    """Say why nothing of a notification was sent to somebody's devices."""
    members = members_of(of.audience)
    if isinstance(members, Relayed):
        return Absence(AbsenceReason.PUSH_SERVICE)
    if not concerns(of.audience, who):
        return Absence(AbsenceReason.NOT_NAMED)
    if not who.devices:
        return Absence(AbsenceReason.NO_DEVICE)
    theirs = [one for one in who.devices if one.id <= of.ceiling and _since(one) <= of.created_at]
    if not theirs:
        return Absence(AbsenceReason.SUBSCRIBED_LATER, at=min(_since(one) for one in who.devices))
    active = [one for one in theirs if one.status is SubscriptionStatus.ACTIVE]
    if not active:
        ends = tuple(dict.fromkeys(one.status_reason or one.status.value for one in theirs))
        return Absence(AbsenceReason.DEVICE_ENDED, ends[:MOST_BECAUSE])
    keyed = [one for one in active if one.credential_id is not None]
    if not keyed:
        return Absence(AbsenceReason.NO_KEY)
    return _outside(tx, of, members, who, keyed, now) or _stopped(tx, of, keyed, now)


def _since(device: Subscription) -> datetime:
    """Give since when a device has been whose it is."""
    return device.owner_since or device.created_at


def _outside(
    tx: Transaction, of: Notification, members: Members, who: Somebody, devices: Sequence[Subscription], now: datetime
) -> Absence | None:
    """Say why somebody is not in the audience as it is now; None for somebody who is."""
    found = tx.subscriptions.recipients_by_id([one.id for one in devices], of=members)
    if found and isinstance(of.audience, Through) and all(one.provider not in of.audience.channels for one in found):
        return Absence(AbsenceReason.CHANNEL, of.audience.channels)
    if found:
        return None
    if isinstance(members, Tagged):
        return Absence(AbsenceReason.TAGS, tuple(f"{name} = {value}" for name, value in members.tags)[:MOST_BECAUSE])
    if isinstance(members, Matching):
        tree = members.filter
        person = person_record(tx, of.app_id, who.external_id, follows=_TOPICS in fields_of(tree))
        record = {"user": person, "subscription": subscription_record(devices[0])}
        return Absence(AbsenceReason.CONDITIONS, explain(tree, record, now).reasons[:MOST_BECAUSE])
    return Absence(AbsenceReason.NOT_NAMED)


def _stopped(tx: Transaction, of: Notification, devices: Sequence[Subscription], now: datetime) -> Absence:
    """Say why somebody who is in the audience has got nothing, or nothing yet."""
    if of.held_because is not None:
        return Absence(AbsenceReason.HELD, (of.held_because.value,))
    if of.status is NotificationStatus.PAUSED:
        return Absence(AbsenceReason.PAUSED)
    if of.status in FINAL_STATUSES:
        return Absence(_ended(tx, of))
    if of.send_at > now:
        return Absence(AbsenceReason.SCHEDULED, at=of.send_at)
    ids = [one.id for one in devices]
    urgency = of.message.urgency
    wishes = heeded(tx, of.app_id, of.event_type, ids, urgency=urgency, expires_at=of.expires_at, now=now)
    if wishes.put_off:
        return Absence(AbsenceReason.QUIET_HOURS, at=min(wishes.put_off.values()))
    return Absence(AbsenceReason.UNDER_WAY)


def _ended(tx: Transaction, of: Notification) -> AbsenceReason:
    """Say why nothing is known of somebody now that a notification has ended."""
    alone = sum(of.reasons.get(reason, 0) for reason in _ALONE)
    if of.counts.settled > alone and not tx.deliveries.page(of.id, after=0, limit=1):
        return AbsenceReason.FORGOTTEN
    doubted = of.reasons.get(SkipReason.IN_DOUBT, 0)
    if doubted and doubted > tx.deliveries.count_missed(of.id, SkipReason.IN_DOUBT):
        return AbsenceReason.IN_DOUBT
    return AbsenceReason.CANCELLED if of.status is NotificationStatus.CANCELLED else AbsenceReason.JOINED_LATER
