"""Matched: the next events of an App go in; for each trigger that holds, what is to be sent to whom comes out.

Only reads: whether it may fire once more, and that it fires once, is settled in `firing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.domain.app import App
from tidings.domain.audience import Audience
from tidings.domain.campaign import NewNotification
from tidings.domain.event import Event
from tidings.domain.filters import Field, Root, user_record
from tidings.domain.rules import EventUsers
from tidings.domain.trigger import Definition, FiringReason, Pending, PendingKind, Trigger
from tidings.pipeline.ingest import Frozen, freeze
from tidings.pipeline.reach import Reach, reach
from tidings.pipeline.triggers import TOPICS, asks_for, holds, message_from, through, variables_of
from tidings.storage import Transaction

Triggers = Mapping[str, Sequence[Trigger]]
"""By the type of event: the triggers of it, and those whose waiting messages it takes back."""

MOST_COLLECTED = 100
"""Events of a digest whose people are looked for, the newest."""

MOST_NAMING = 1_000
"""Events of a digest that name their people themselves, so that nobody is looked for: the newest."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """A notification that is ready to be stored, with its audience as it was counted."""

    new: NewNotification
    frozen: Frozen


@dataclass(frozen=True, slots=True)
class Match:
    """A trigger whose conditions hold. What is to be sent at once is in `ready`; empty with the reason why."""

    trigger: Trigger
    record: Mapping[str, Any]
    ready: tuple[Sendable, ...] = ()
    reason: FiringReason = FiringReason.NONE


@dataclass(frozen=True, slots=True)
class Matched:
    """An event with the triggers that hold, those that it takes messages back from, or why it could not be asked."""

    event: Event
    matches: tuple[Match, ...] = ()
    takes_back: tuple[tuple[Trigger, Mapping[str, Any]], ...] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What waited and is due: what is to be sent, or why nothing is."""

    pending: Pending
    ready: tuple[Sendable, ...]
    reason: FiringReason


def match_event(tx: Transaction, app: App, event: Event, triggers: Triggers, now: datetime) -> Matched:
    """Ask the triggers of an event's type."""
    concerned = triggers.get(event.type, ())
    mine = [one for one in concerned if one.definition.event_type == event.type]
    record = record_of(tx, event, [one.definition for one in mine])
    takes_back = tuple(
        (one, record)
        for one in concerned
        if one.definition.unless is not None and one.definition.unless.event_type == event.type
    )
    met = [one for one in mine if holds(one.definition, record, now)]
    return Matched(event, tuple(_match(tx, app, event, one, record, now) for one in met), takes_back)


def match_due(tx: Transaction, app: App, pending: Pending, now: datetime) -> Due:
    """Look again at what waited: whether it holds still, and whom it is for by now."""
    trigger = tx.triggers.by_id(pending.trigger_id)
    named = trigger is not None and all(isinstance(part, EventUsers) for part in trigger.definition.audience.parts)
    events = tx.firings.events_of(pending.id, limit=MOST_NAMING if named else MOST_COLLECTED)
    if trigger is None or not trigger.definition.enabled or not events:
        return Due(pending, (), FiringReason.TRIGGER_OFF)

    def record(n: int) -> Mapping[str, Any]:
        return record_of(tx, events[n], [trigger.definition])

    if pending.kind is PendingKind.DELAY and not holds(trigger.definition, record(-1), now):
        return Due(pending, (), FiringReason.CONDITIONS)
    reached = [
        reach(tx, app.id, trigger.definition.audience, event, {} if named else record(n), now)
        for n, event in enumerate(events)
    ]
    ready: list[Sendable] = []
    reason = FiringReason.NOBODY
    for whom, part in _shares(events, reached).items():
        told = [events[n] for n in part]
        digest = None if pending.kind is PendingKind.DELAY else _count(pending, events, told)
        one = sendable(tx, app, trigger, told, record(part[-1]), whom.audience(now), count=digest)
        if isinstance(one, Sendable):
            ready.append(one)
        else:
            reason = one
    return Due(pending, tuple(ready), FiringReason.NONE if ready else reason)


def sendable(
    tx: Transaction,
    app: App,
    trigger: Trigger,
    events: Sequence[Event],
    record: Mapping[str, Any],
    audience: Audience | None,
    *,
    count: int | None = None,
) -> Sendable | FiringReason:
    """Make what is to be sent of what happened; or say why nothing is."""
    one = trigger.definition
    if audience is None:
        return FiringReason.NOBODY
    template = tx.templates.get(app.id, one.words.template) if one.words.template else None
    variables = variables_of(events, record, app, count=count)
    message = message_from(one, template, variables, otherwise=app.language)
    if message is None:
        return FiringReason.TEMPLATE_MISSING
    new = NewNotification(
        app.id,
        message,
        through(one, message, audience),
        source="trigger",
        event_type=one.event_type,
        trigger=trigger.public_id,
        event=events[-1].public_id,
    )
    return Sendable(new, freeze(tx, new))


def record_of(tx: Transaction, event: Event, definitions: Sequence[Definition]) -> dict[str, Any]:
    """Give an event as conditions see it: its data, who did it, and whom it concerns if that is one person."""
    asked = asks_for(definitions)
    record: dict[str, Any] = {"event": event.data, "actor": {}, "user": {}}
    if event.actor is not None:
        follows = Field(Root.ACTOR, (TOPICS,)) in asked
        record["actor"] = person_record(tx, event.app_id, event.actor, follows=follows)
    if len(event.users) == 1 and any(field.root is Root.USER for field in asked):
        follows = Field(Root.USER, (TOPICS,)) in asked
        record["user"] = person_record(tx, event.app_id, event.users[0], follows=follows)
    return record


def person_record(tx: Transaction, app_id: int, external_id: str, *, follows: bool) -> Mapping[str, Any]:
    """Give a person as conditions see them; what they follow is read only with `follows`."""
    topics: list[str] = []
    while follows and (page := tx.follows.topics(app_id, external_id, after=topics[-1] if topics else "")):
        topics += [one.topic for one in page]
    return user_record(tx.users.get(app_id, external_id), external_id, topics=topics)


def _match(
    tx: Transaction, app: App, event: Event, trigger: Trigger, record: Mapping[str, Any], now: datetime
) -> Match:
    one = trigger.definition
    if one.delay or one.digest:
        return Match(trigger, record)
    audience = reach(tx, app.id, one.audience, event, record, now).audience(now)
    ready = sendable(tx, app, trigger, [event], record, audience)
    return Match(trigger, record, (ready,)) if isinstance(ready, Sendable) else Match(trigger, record, reason=ready)


def _shares(events: Sequence[Event], reached: Sequence[Reach]) -> dict[Reach, list[int]]:
    """Part events by whom they are for: people whom the same ones concern get one message of these."""
    of_person: dict[str, list[int]] = {}
    shares: dict[Reach, list[int]] = {}
    for n, one in enumerate(reached):
        for name in one.names:
            of_person.setdefault(name, []).append(n)
        if one.everybody or one.conditions is not None:
            shares.setdefault(one, []).append(n)
    people: dict[tuple[int, ...], list[str]] = {}
    for name, part in of_person.items():
        people.setdefault(tuple(part), []).append(name)
    return shares | {Reach(tuple(names)): list(part) for part, names in people.items()}


def _count(pending: Pending, events: Sequence[Event], told: Sequence[Event]) -> int:
    """Say how many there were: of what all are told also those that are not looked at any more."""
    return pending.n if len(told) == len(events) else len(told)
