"""Dry runs: what a trigger would do with an event, who would be told what in which language, and why others not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tidings.domain.app import App, User
from tidings.domain.delivery import SkipReason
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import Event, EventStatus
from tidings.domain.filters import Field, Root, explain, fields_of
from tidings.domain.message import Message, Rendered
from tidings.domain.person import Person
from tidings.domain.rules import UsersWhere
from tidings.domain.subscription import Subscription, SubscriptionStatus
from tidings.domain.trigger import Definition, Trigger, one_more
from tidings.lib.clock import Clock
from tidings.pipeline.matched import person_record, record_of
from tidings.pipeline.personal import Unrenderable, Words
from tidings.pipeline.reach import Reach, reach
from tidings.pipeline.triggers import TOPICS, message_from, throttle_key, through, variables_of, why
from tidings.services.events import Events
from tidings.services.events import Reported as Given
from tidings.services.triggers import found_in
from tidings.services.web_push import reached_among
from tidings.services.wishes import heeded
from tidings.storage import Store, Transaction

MOST_SHOWN = 50
"""People shown; the audience says how many there are."""

MOST_OTHERS = 20
"""People shown who would not be told."""

LOOKED_THROUGH = 200
"""Users of the App looked at for others."""


class WhyNot(StrEnum):
    """Why somebody is told nothing."""

    ACTOR = "actor"
    CONDITIONS = "conditions"
    NO_DEVICE = "no_device"
    WEB_PUSH_OFF = "web_push_off"
    PREFERENCE_OFF = "preference_off"
    QUIET_HOURS = "quiet_hours"
    UNRENDERABLE = "template_failed"


@dataclass(frozen=True, slots=True)
class Told:
    """What one person would be told, on how many devices, in which language; in quiet hours, from when on."""

    user: str
    devices: int
    language: str | None
    rendered: Rendered
    put_off_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotTold:
    """Somebody who would be told nothing, why, and what decided it."""

    user: str
    why: WhyNot
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would come of it. `because` says which comparisons of the conditions decided."""

    event: str | None
    conditions_hold: bool
    because: tuple[str, ...]
    throttled: bool
    reaches: bool
    devices: int
    people: tuple[Told, ...] = ()
    others: tuple[NotTold, ...] = ()
    fault: str | None = None
    enabled: bool = True
    delay: int = 0
    digest: bool = False

    @property
    def fires(self) -> bool:
        """Say whether anything would be sent; those without a device have it in their feed."""
        held_back = self.throttled or self.fault is not None or not self.enabled
        return self.conditions_hold and self.reaches and not held_back


class DryRuns:
    """Tries triggers without sending, storing or counting anything."""

    def __init__(self, *, store: Store, clock: Clock, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._events = events

    async def of_event(self, app: App, trigger: str, event: str) -> DryRun:
        """Try a trigger with an event that happened. Raises NOT_FOUND, and INVALID_REQUEST for one of another type."""
        found = await self._events.get(app.id, event)
        return await self._store.read(lambda tx: self._run(tx, app, found_in(tx, app.id, trigger), found, event))

    async def of_data(
        self, app: App, trigger: str, *, data: Mapping[str, Any] | None, users: Sequence[str], actor: str | None
    ) -> DryRun:
        """Try a trigger with data; None is the first example of its event type. Raises NOT_FOUND, EVENT_INVALID."""
        found = await self._store.read(lambda tx: found_in(tx, app.id, trigger))
        kind = await self._store.read(lambda tx: tx.event_types.get(app.id, found.definition.event_type))
        if data is None:
            data = kind.examples[0] if kind is not None and kind.examples else {}
        await self._events.check(app.id, Given(found.definition.event_type, None, data, tuple(users), actor))
        made = _event(app.id, found.definition.event_type, data, users, actor, self._clock.now())
        return await self._store.read(lambda tx: self._run(tx, app, found, made, None))

    def _run(self, tx: Transaction, app: App, trigger: Trigger, event: Event, shown: str | None) -> DryRun:
        one, now = trigger.definition, self._clock.now()
        if event.type != one.event_type:
            raise CatalogueError(
                ErrorCode.INVALID_REQUEST, f"event: {event.public_id} is a {event.type}; this takes {one.event_type}."
            )
        record = record_of(tx, event, [one])
        explained = why(one, record, now)
        whom = reach(tx, app.id, one.audience, event, record, now)
        audience = whom.audience(now)
        template = tx.templates.get(app.id, one.words.template) if one.words.template else None
        variables = variables_of([event], record, app, count=1 if one.digest else None)
        message = message_from(one, template, variables, otherwise=app.language)
        if message is not None and audience is not None:
            audience = through(one, message, audience)
        people, others, fault = _shown(tx, app, one, whom, message, now)
        others = [*_left_out(tx, app, one, event, whom, record, now), *others]
        return DryRun(
            event=shown,
            conditions_hold=explained.holds,
            because=explained.reasons,
            throttled=_throttled(tx, trigger, record, now),
            reaches=audience is not None,
            devices=0 if audience is None else tx.subscriptions.count(app.id, audience),
            people=tuple(people),
            others=tuple(others[: MOST_OTHERS + len(event.users)]),
            fault=fault,
            enabled=one.enabled,
            delay=one.delay,
            digest=one.digest is not None,
        )


def _shown(
    tx: Transaction, app: App, one: Definition, whom: Reach, message: Message | None, now: datetime
) -> tuple[list[Told], list[NotTold], str | None]:
    if message is None:
        return [], [], "Its template was deleted. Choose another one, or write words of its own."
    try:
        words = Words(message)
    except Unrenderable as fault:
        return [], [], f"{fault.field}: {fault.words}"
    told: list[Told] = []
    not_told: list[NotTold] = []
    for name, user in _people(tx, app.id, whom, now):
        found = _told(tx, app.id, one, name, user, message, words, now)
        if isinstance(found, Told):
            told.append(found)
        else:
            not_told.append(found)
    return told, not_told, None


def _told(
    tx: Transaction,
    app_id: int,
    one: Definition,
    name: str,
    user: User | None,
    message: Message,
    words: Words,
    now: datetime,
) -> Told | NotTold:
    devices = tx.subscriptions.page(app_id, after=0, limit=20, status=SubscriptionStatus.ACTIVE, user_external_id=name)
    person, locale = _person(name, user, devices)
    language = words.language_for(locale, person)
    try:
        rendered = words.render(language, person)
    except Unrenderable as fault:
        return NotTold(name, WhyNot.UNRENDERABLE, f"{fault.field}: {fault.words}")
    channels = message.platforms.channels(one.channels)
    reached = {device.id for device in devices if channels is None or device.provider in channels}
    if not reached:
        return NotTold(name, WhyNot.NO_DEVICE, _no_device(channels))
    reached &= reached_among(tx, app_id, devices)
    if not reached:
        return NotTold(name, WhyNot.WEB_PUSH_OFF, "Web push of the App was turned off, and browsers are all they have.")
    at = now + timedelta(seconds=one.digest.window if one.digest else one.delay)
    expires_at = at + timedelta(seconds=message.ttl)
    wishes = heeded(tx, app_id, one.event_type, reached, urgency=message.urgency, expires_at=expires_at, now=at)
    left = reached - wishes.skipped.keys()
    if not left:
        return _unwanted(name, set(wishes.skipped.values()))
    own = message.templated.language if message.templated else None
    until = None if left - wishes.put_off.keys() else min(wishes.put_off[device] for device in left)
    return Told(name, len(left), language or own, rendered, until)


def _no_device(channels: tuple[str, ...] | None) -> str:
    if channels is None:
        return "No browser and no device of theirs has push enabled."
    return f"No browser and no device of theirs has push enabled that is reached through {', '.join(channels)}."


def _unwanted(name: str, reasons: set[SkipReason]) -> NotTold:
    if SkipReason.PREFERENCE_OFF in reasons:
        words = "Push is off for this event type: they turned it off, or it is off by default and they left it so."
        return NotTold(name, WhyNot.PREFERENCE_OFF, words)
    return NotTold(name, WhyNot.QUIET_HOURS, "Their quiet hours last longer than its time to live.")


def _people(tx: Transaction, app_id: int, whom: Reach, now: datetime) -> Iterator[tuple[str, User | None]]:
    if whom.names:
        for name in whom.names[:MOST_SHOWN]:
            yield name, tx.users.get(app_id, name)
    elif whom.conditions is not None:
        for user in tx.segments.people(app_id, whom.conditions, at=now, limit=MOST_SHOWN):
            yield user.external_id, user
    elif whom.everybody:
        for user in tx.users.page(app_id, after=0, limit=MOST_SHOWN):
            yield user.external_id, user


def _left_out(
    tx: Transaction,
    app: App,
    one: Definition,
    event: Event,
    whom: Reach,
    record: Mapping[str, Any],
    now: datetime,
) -> Iterator[NotTold]:
    """Say why those are not told who could have been meant: whoever did it, and people whom the rule does not fit."""
    if event.actor is not None and one.audience.except_actor and event.actor not in whom.names:
        yield NotTold(event.actor, WhyNot.ACTOR, "They did it themselves.")
    rules = [part.filter for part in one.audience.parts if isinstance(part, UsersWhere)]
    if not rules or whom.conditions is not None:
        return
    follows = any(Field(Root.USER, (TOPICS,)) in fields_of(rule) for rule in rules)
    shown = 0
    for user in tx.users.page(app.id, after=0, limit=LOOKED_THROUGH):
        if user.external_id in whom.names or user.external_id == event.actor or shown == MOST_OTHERS:
            continue
        about = {**record, "user": person_record(tx, app.id, user.external_id, follows=follows)}
        reasons = [reason for rule in rules for reason in explain(rule, about, now).reasons]
        shown += 1
        yield NotTold(user.external_id, WhyNot.CONDITIONS, "; ".join(reasons[:3]))


def _throttled(tx: Transaction, trigger: Trigger, record: Mapping[str, Any], now: datetime) -> bool:
    throttle = trigger.definition.throttle
    if throttle is None:
        return False
    window = tx.firings.window(trigger.id, throttle_key(trigger.definition, record))
    return one_more(window, throttle, now).n > throttle.count


def _person(name: str, user: User | None, devices: Sequence[Subscription]) -> tuple[Person, str | None]:
    """Give somebody as the words of their newest device see them, and that device's language."""
    locale = devices[0].locale if devices else None
    zone = devices[0].time_zone if devices else None
    if user is None:
        return Person(name, {}, None, zone), locale
    return Person(name, user.attributes, user.locale, zone or user.time_zone), locale


def _event(
    app_id: int, type_: str, data: Mapping[str, Any], users: Sequence[str], actor: str | None, now: datetime
) -> Event:
    return Event(
        id=0,
        public_id="",
        app_id=app_id,
        type=type_,
        key=None,
        data=dict(data),
        users=tuple(dict.fromkeys(users)),
        actor=actor,
        occurred_at=now,
        status=EventStatus.QUEUED,
        fault=None,
        replay_of=None,
        created_at=now,
        done_at=None,
    )
