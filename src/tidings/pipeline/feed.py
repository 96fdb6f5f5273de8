"""Feed: a stored Notification comes in, and those it is for find it in the bell, also with push turned off.

Named people get a row at once, everybody together one. Those whom conditions name get theirs some at a time, from when
it is to be sent: so a message to a million is accepted as quickly as one to three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tidings.domain.audience import FEED, Audience, Everyone, Matching, Members, Tagged, Through, Users
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.feed import Fill, FillStage
from tidings.domain.filters import AllOf, Compare, Field, Not, Op, Root
from tidings.domain.preference import EventKind
from tidings.storage import Transaction

FILLED = 500
"""People put into feeds in one transaction."""

_ID = Field(Root.USER, ("id",))


@dataclass(frozen=True, slots=True)
class FillStep:
    """The next people of a notification: rows of the stage, by id, and where to go on from; None at the end."""

    fill: Fill
    notification: Notification | None
    rows: Mapping[int, str]
    to: Fill | None


def put_in_feed(tx: Transaction, notification: Notification) -> int:
    """Put a new notification into the feeds of those its audience names; give into how many at once.

    Single devices and relays name no people. To be called in the transaction that stores it.
    """
    if not reaches_feed(notification.audience):
        return 0
    match _members(notification.audience):
        case Everyone():
            tx.feed.broadcast(notification)
        case Matching(Not(Compare(field, Op.EQUALS, str() as actor, ignore_case=False))) if field == _ID:
            tx.feed.broadcast(notification, but=actor)
        case Matching() | Tagged():
            tx.feed_fills.begin(notification)
        case Users(external_ids) if external_ids:
            return tx.feed.add(notification, external_ids, kind=_kind(tx, notification))
    return 0


def next_step(tx: Transaction, fill: Fill) -> FillStep:
    """Find the next people of a notification that is being put into feeds. Only reads."""
    notification = tx.notifications.by_id(fill.notification_id)
    if notification is None or notification.status is NotificationStatus.CANCELLED:
        return FillStep(fill, None, {}, None)
    whom = _matching(_members(notification.audience), notification.send_at)
    app_id = notification.app_id
    beyond = None
    if fill.stage is FillStage.DEVICES:
        rows = dict(tx.feed_fills.owners(app_id, whom, after=fill.cursor, limit=FILLED))
        beyond = Fill(fill.notification_id, FillStage.PEOPLE, 0)
    else:
        people = tx.segments.people(app_id, whom.filter, at=whom.at, after=fill.cursor, limit=FILLED)
        rows = {one.id: one.external_id for one in people}
    return FillStep(fill, notification, rows, replace(fill, cursor=max(rows)) if len(rows) == FILLED else beyond)


def take_step(tx: Transaction, step: FillStep, *, now: datetime) -> bool:
    """Put those people's rows there; False when somebody else did, or nobody is left.

    Each finds it from the moment on at which it is put there: what they have read before was not this.
    """
    if not tx.feed_fills.advance(step.fill, step.to):
        return False
    if step.notification is not None and step.rows:
        people = tx.feed_fills.still(step.fill.stage, step.rows)
        tx.feed.add(
            step.notification,
            people,
            kind=_kind(tx, step.notification),
            at=max(now, step.notification.send_at),
        )
    return step.to is not None


def reaches_feed(audience: Audience) -> bool:
    """Say whether an audience's message is meant for the bell besides: so it is unless its channels leave that out."""
    return not isinstance(audience, Through) or FEED in audience.channels


def _members(audience: Audience) -> Members:
    return audience.of if isinstance(audience, Through) else audience


def _matching(members: Members, at: datetime) -> Matching:
    if isinstance(members, Tagged):
        tags = (Compare(Field(Root.SUBSCRIPTION, ("tags", name)), Op.EQUALS, value) for name, value in members.tags)
        return Matching(AllOf(tuple(tags)), at)
    assert isinstance(members, Matching)
    return members


def _kind(tx: Transaction, notification: Notification) -> EventKind | None:
    key = notification.event_type
    return tx.kinds.get(notification.app_id, key) if key else None
