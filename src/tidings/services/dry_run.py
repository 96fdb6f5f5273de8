"""Dry runs: what a trigger would do with an event, who would be told what in which language, and why others not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import Event, EventStatus
from tidings.domain.safety import HoldReason
from tidings.domain.trigger import Definition, Trigger, one_more
from tidings.lib.clock import Clock
from tidings.pipeline.matched import record_of
from tidings.pipeline.personal import Unrenderable, Words
from tidings.pipeline.reach import Reach, reach
from tidings.pipeline.triggers import message_from, throttle_key, through, variables_of, why
from tidings.services.dry_people import Looked, NotTold, Outgoing, Told, looked
from tidings.services.events import Events
from tidings.services.events import Reported as Given
from tidings.services.misfits import left_out
from tidings.services.sorting import Matter
from tidings.services.triggers import found_in
from tidings.services.tripwire import Tripwire
from tidings.storage import Store, Transaction

Shown = TypeVar("Shown", Told, NotTold)

MOST_SHOWN = 50
"""People shown of those who would be told, and of those who are meant and would not."""

NO_TEMPLATE = "Its template was deleted. Choose another one, or write words of its own."


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would come of it. `because` says which comparisons of the conditions decided.

    `devices` would be told, or, not `devices_exact`, could be; `unnamed` of them belong to nobody that is known.
    `more` says that not everybody is listed, `paused` that nothing is sent by anybody now, `held` that the tripwire
    would hold it until somebody says that it is meant.
    """

    event: str | None
    conditions_hold: bool
    because: tuple[str, ...]
    throttled: bool
    reaches: bool
    devices: int = 0
    devices_exact: bool = True
    unnamed: int = 0
    people: tuple[Told, ...] = ()
    others: tuple[NotTold, ...] = ()
    more: bool = False
    paused: bool = False
    held: HoldReason | None = None
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

    def __init__(self, *, store: Store, clock: Clock, events: Events, tripwire: Tripwire) -> None:
        self._tripwire = tripwire
        self._store = store
        self._clock = clock
        self._events = events

    async def of_event(self, app: App, trigger: str, event: str, *, about: Sequence[str] = ()) -> DryRun:
        """Try a trigger with an event that happened. Raises NOT_FOUND, and INVALID_REQUEST for one of another type.

        `about` are people who are listed in any case.
        """
        found = await self._events.get(app.id, event)
        return await self._store.read(lambda tx: self._run(tx, app, found_in(tx, app.id, trigger), found, event, about))

    async def of_data(
        self,
        app: App,
        trigger: str,
        *,
        data: Mapping[str, Any] | None,
        users: Sequence[str],
        actor: str | None,
        about: Sequence[str] = (),
    ) -> DryRun:
        """Try a trigger with data; None is the first example of its event type. Raises NOT_FOUND, EVENT_INVALID."""
        found = await self._store.read(lambda tx: found_in(tx, app.id, trigger))
        kind = await self._store.read(lambda tx: tx.event_types.get(app.id, found.definition.event_type))
        if data is None:
            data = kind.examples[0] if kind is not None and kind.examples else {}
        await self._events.check(app.id, Given(found.definition.event_type, None, data, tuple(users), actor))
        made = _event(app.id, found.definition.event_type, data, users, actor, self._clock.now())
        return await self._store.read(lambda tx: self._run(tx, app, found, made, None, about))

    def _run(
        self, tx: Transaction, app: App, trigger: Trigger, event: Event, shown: str | None, about: Sequence[str]
    ) -> DryRun:
        one, now = trigger.definition, self._clock.now()
        if event.type != one.event_type:
            raise CatalogueError(
                ErrorCode.INVALID_REQUEST, f"event: {event.public_id} is a {event.type}; this takes {one.event_type}."
            )
        record = record_of(tx, event, [one])
        explained = why(one, record, now)
        whom = reach(tx, app.id, one.audience, event, record, now)
        audience = whom.audience(now)
        outgoing, fault = _outgoing(tx, app, one, event, record, whom, now)
        found = looked(tx, outgoing, about=about) if outgoing is not None else Looked()
        misfits = list(left_out(tx, app.id, one.audience, event, whom, record, now, fits=found.fits, about=about))
        people = _first(found.told, about)
        others = _first(found.others, about)
        return DryRun(
            event=shown,
            conditions_hold=explained.holds,
            because=explained.reasons,
            throttled=_throttled(tx, trigger, record, now),
            reaches=audience is not None,
            devices=found.devices,
            devices_exact=found.exact,
            unnamed=found.unnamed,
            people=tuple(people),
            others=(*misfits, *others),
            more=found.more or len(people) < len(found.told) or len(others) < len(found.others),
            paused=tx.instance.paused() is not None,
            held=self._held(tx, outgoing, now),
            fault=fault,
            enabled=one.enabled,
            delay=one.delay,
            digest=one.digest is not None,
        )

    def _held(self, tx: Transaction, outgoing: Outgoing | None, now: datetime) -> HoldReason | None:
        if outgoing is None:
            return None
        audience, app_id = outgoing.audience, outgoing.app_id
        count = tx.subscriptions.count(app_id, audience)
        return self._tripwire.would_hold(tx, app_id, outgoing.message, audience, count, now=now)


def _outgoing(
    tx: Transaction, app: App, one: Definition, event: Event, record: Mapping[str, Any], whom: Reach, now: datetime
) -> tuple[Outgoing | None, str | None]:
    """Give what would be sent; without it, why its words cannot be written, or None where it is for nobody."""
    template = tx.templates.get(app.id, one.words.template) if one.words.template else None
    variables = variables_of([event], record, app, count=1 if one.digest else None)
    message = message_from(one, template, variables, otherwise=app.language)
    if message is None:
        return None, NO_TEMPLATE
    try:
        words = Words(message)
    except Unrenderable as fault:
        return None, f"{fault.field}: {fault.words}"
    audience = whom.audience(now)
    if audience is None:
        return None, None
    at = now + timedelta(seconds=one.digest.window if one.digest else one.delay)
    return Outgoing(
        app_id=app.id,
        event_type=one.event_type,
        whom=whom,
        audience=through(one, message, audience),
        message=message,
        words=words,
        own_language=message.templated.language if message.templated else None,
        matter=Matter(app.id, one.event_type, message.urgency, at + timedelta(seconds=message.ttl)),
        at=at,
    ), None


def _first(found: Sequence[Shown], about: Sequence[str]) -> list[Shown]:
    """Give the first people, and those that are asked about, who come before all others."""
    names: list[str] = list(dict.fromkeys(one.user for one in found))
    shown = {*names[:MOST_SHOWN], *about}
    return [one for one in found if one.user in shown]


def _throttled(tx: Transaction, trigger: Trigger, record: Mapping[str, Any], now: datetime) -> bool:
    throttle = trigger.definition.throttle
    if throttle is None:
        return False
    window = tx.firings.window(trigger.id, throttle_key(trigger.definition, record))
    return one_more(window, throttle, now).n > throttle.count


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
