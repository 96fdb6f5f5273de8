"""Reach: a trigger's rule and an event go in, an audience comes out: people by name where they are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.audience import Audience, Everyone, Matching, Users
from tidings.domain.event import Event
from tidings.domain.filters import AllOf, AnyOf, Compare, Field, Filter, Not, Op, Record, Root, bind, fields_of
from tidings.domain.rules import EventUsers, Everybody, Followers, InSegment, Part, Rule, UsersWhere, topic_of
from tidings.storage import Transaction

MOST_NAMED = 1_000
"""People that a notification names one by one, with a place in the feed of each; more are found when it is sent."""

_ID = Field(Root.USER, ("id",))
_NAMED = Compare(_ID, Op.EXISTS)
_KNOWN = Compare(Field(Root.USER, ("created_at",)), Op.EXISTS)
"""Holds for people that the App knows, and for no device of anybody else."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a rule names: people one by one, or, where those are very many or devices, by conditions."""

    names: tuple[str, ...] = ()
    conditions: Filter | None = None
    everybody: bool = False

    def audience(self, now: datetime) -> Audience | None:
        """Give whom it is sent to; None for nobody."""
        if self.everybody:
            return Everyone()
        if self.conditions is not None:
            return Matching(self.conditions, now)
        return Users(self.names) if self.names else None


def reach(tx: Transaction, app_id: int, rule: Rule, event: Event, record: Record, now: datetime) -> Reach:
    """Find out whom a rule names for this event."""
    actor = event.actor if rule.except_actor else None
    if any(isinstance(part, Everybody) for part in rule.parts):
        return Reach(everybody=True) if actor is None else Reach(conditions=Not(_is(actor)))
    named = [one for part in rule.parts if isinstance(part, EventUsers) for one in event.users]
    sought = [found for part in rule.parts if (found := _conditions(tx, app_id, part, record, now)) is not None]
    if sought:
        wanted = AnyOf(tuple(sought)) if len(sought) > 1 else sought[0]
        if any(field.root is Root.SUBSCRIPTION for field in fields_of(wanted)):
            return Reach(conditions=_without(_with(wanted, named), actor))
        people = tx.segments.people(app_id, wanted, at=now, limit=MOST_NAMED + 1)
        if len(people) > MOST_NAMED:
            # The same people, however many: not the devices of nobody, for which conditions may hold as well.
            return Reach(conditions=_without(_with(AllOf((_KNOWN, wanted)), named), actor))
        named += [one.external_id for one in people]
    return Reach(names=tuple(one for one in dict.fromkeys(named) if one != actor))


def _conditions(tx: Transaction, app_id: int, part: Part, record: Record, now: datetime) -> Filter | None:
    """Give the conditions of a part; None where they hold for nobody."""
    match part:
        case UsersWhere(conditions):
            given = {root.value: record.get(root) or {} for root in (Root.EVENT, Root.ACTOR)}
            return AllOf((_NAMED, bind(conditions, given, now)))
        case Followers(topic):
            followed = topic_of(topic, {**record.get("event", {}), "actor": record.get("actor")})
            return None if followed is None else Compare(Field(Root.USER, ("topics",)), Op.CONTAINS, followed)
        case InSegment(public_id):
            segment = tx.segments.get(app_id, public_id)
            return None if segment is None else segment.filter
        case EventUsers() | Everybody():
            return None


def _with(conditions: Filter, named: Sequence[str]) -> Filter:
    return AnyOf((conditions, Compare(_ID, Op.IN, tuple(named)))) if named else conditions


def _without(conditions: Filter, actor: str | None) -> Filter:
    return conditions if actor is None else AllOf((conditions, Not(_is(actor))))


def _is(external_id: str) -> Filter:
    return Compare(_ID, Op.EQUALS, external_id)
