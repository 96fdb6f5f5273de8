"""Misfits: people whom a trigger's rule does not mean go in, and for each what decided it comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tidings.domain.event import Event
from tidings.domain.filters import FALSE, Field, Filter, Root, explain, fields_of, of_people, subscription_record
from tidings.domain.rules import EventUsers, Everybody, Followers, InSegment, Part, Rule, UsersWhere, topic_of
from tidings.domain.subscription import SubscriptionStatus
from tidings.pipeline.matched import person_record
from tidings.pipeline.reach import Reach
from tidings.pipeline.triggers import TOPICS
from tidings.services.dry_people import NotTold, fitting
from tidings.services.fates import WhyNot
from tidings.storage import Transaction

MOST_OTHERS = 20
"""People shown whom the rule does not mean, besides those that are asked about."""

LOOKED_THROUGH = 200
"""Users of the App looked at for them."""

MOST_REASONS = 3
MOST_DEVICES = 20
"""Devices of a person that conditions on devices are asked of."""


def left_out(
    tx: Transaction,
    app_id: int,
    rule: Rule,
    event: Event,
    whom: Reach,
    record: Mapping[str, Any],
    now: datetime,
    *,
    fits: frozenset[str],
    about: Sequence[str],
) -> Iterator[NotTold]:
    """Say why those are not told who are not meant: whoever did it, who is asked about, and some others of the App.

    Whom the event names is its own affair: where nothing else is asked, nobody else is listed.
    """
    actor = event.actor if rule.except_actor else None
    if actor is not None and actor not in whom.names:
        yield NotTold(actor, WhyNot.ACTOR, "They did it themselves.")
    if whom.everybody or any(isinstance(part, Everybody) for part in rule.parts):
        return
    for name in about:
        if name not in fits and name != actor:
            yield _why(tx, app_id, rule, event, record, name, now)
    if all(isinstance(part, EventUsers) for part in rule.parts):
        return
    users = [user.external_id for user in tx.users.page(app_id, after=0, limit=LOOKED_THROUGH)]
    meant = {*fits, *whom.names, *about, actor, *fitting(tx, app_id, whom, users, now)}
    for name in [name for name in users if name not in meant][:MOST_OTHERS]:
        yield _why(tx, app_id, rule, event, record, name, now)


def _why(
    tx: Transaction, app_id: int, rule: Rule, event: Event, record: Mapping[str, Any], name: str, now: datetime
) -> NotTold:
    conditional = any(isinstance(part, UsersWhere | InSegment) for part in rule.parts)
    found = [reason for part in rule.parts for reason in _reasons(tx, app_id, part, event, record, name, now)]
    words = "; ".join(dict.fromkeys(found[: max(MOST_REASONS, len(rule.parts))]))
    return NotTold(name, WhyNot.CONDITIONS if conditional else WhyNot.NOT_MEANT, words)


def _reasons(
    tx: Transaction, app_id: int, part: Part, event: Event, record: Mapping[str, Any], name: str, now: datetime
) -> Iterable[str]:
    match part:
        case EventUsers():
            return ("The event does not name them",)
        case UsersWhere(conditions):
            if tx.users.get(app_id, name) is None:
                return ("The App knows nothing of them that conditions could be asked of",)
            return _unmet(tx, app_id, conditions, record, name, now)
        case Followers(topic):
            filled = topic_of(topic, {**event.data, "actor": record.get("actor")})
            if filled is None:
                return (f"The event has no value for the topic {topic}",)
            return (f"They do not follow {filled}",)
        case InSegment(public_id):
            segment = tx.segments.get(app_id, public_id)
            if segment is None:
                return (f"The segment {public_id} was deleted",)
            return (f"Segment {segment.name}: {why}" for why in _unmet(tx, app_id, segment.filter, {}, name, now))
        case Everybody():
            return ()


def _unmet(
    tx: Transaction, app_id: int, conditions: Filter, record: Mapping[str, Any], name: str, now: datetime
) -> tuple[str, ...]:
    """Say which comparisons do not hold for somebody, or for the newest of their devices."""
    asked = fields_of(conditions)
    about = {**record, "user": person_record(tx, app_id, name, follows=Field(Root.USER, (TOPICS,)) in asked)}
    if not any(field.root is Root.SUBSCRIPTION for field in asked):
        return explain(conditions, about, now).reasons[:MOST_REASONS]
    devices = tx.subscriptions.page(
        app_id, after=0, limit=MOST_DEVICES, status=SubscriptionStatus.ACTIVE, user_external_id=name
    )
    if not devices:
        beside = of_people(conditions)
        why = () if beside == FALSE else explain(beside, about, now).reasons[: MOST_REASONS - 1]
        return (*why, "It asks for a device, and they have none that is active")
    for device in devices:
        found = explain(conditions, {**about, "subscription": subscription_record(device)}, now)
        if not found.holds:
            return found.reasons[:MOST_REASONS]
    return ()
