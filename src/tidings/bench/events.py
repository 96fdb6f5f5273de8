"""What an event costs: taking it in, and asking its triggers, beside many triggers of other types."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidings import wiring
from tidings.bench.campaign import settings_of
from tidings.domain.app import App
from tidings.domain.event import NewEventType
from tidings.domain.filters import filter_from
from tidings.domain.message import Message
from tidings.domain.rules import rule_from_json
from tidings.domain.trigger import Definition, Words
from tidings.services.events import Reported
from tidings.wiring import Container
from tidings.worker.eventing import Eventing

OF_A_TYPE = 10
"""Triggers of one event type; the others belong to other types."""

AT_ONCE = 100
"""Events of one request where they are taken in together."""


@dataclass(frozen=True, slots=True)
class Pace:
    """CPU microseconds of this process for one event, and events a second."""

    what: str
    triggers: int
    events: int
    cpu: float
    rate: float


@dataclass(frozen=True, slots=True)
class EventCosts:
    """What was measured, in the order of the way of an event."""

    paces: tuple[Pace, ...]


def measure_events(*, folder: Path, events: int, triggers: int) -> EventCosts:
    """Take events in alone and together, and ask their triggers: of an App with ten of them, and with many more."""
    return EventCosts(tuple(asyncio.run(_measured(folder, events=events, triggers=triggers))))


async def _measured(folder: Path, *, events: int, triggers: int) -> list[Pace]:
    paces: list[Pace] = []
    for count in (OF_A_TYPE, triggers):
        async with wiring.opened(settings_of(folder / str(count))) as container:
            app = await _furnished(container, triggers=count)
            alone = [[one] for one in _events(max(1, events // 10))]
            together = list(_events(events))
            requests = [together[n : n + AT_ONCE] for n in range(0, events, AT_ONCE)]
            paces.append(await _taken_in(container, app, alone, "taken in, one a request", count))
            paces.append(await _taken_in(container, app, requests, f"taken in, {AT_ONCE} a request", count))
            paces.append(await _asked(container, app, len(alone) + events, count))
    return paces


async def _furnished(container: Container, *, triggers: int) -> App:
    app = await container.apps.ensure_first()
    for n in range(triggers // OF_A_TYPE):
        await container.automation.event_types.put(app.id, NewEventType(f"type.n{n}", f"Type {n}"))
    for n in range(triggers):
        await container.automation.triggers.create(
            app.id,
            Definition(
                name=f"Trigger {n}",
                event_type=f"type.n{n // OF_A_TYPE}",
                audience=rule_from_json({"users": "event"}),
                words=Words(message=Message(title="{{ order.id }}")),
                # One of them holds for each event, as it mostly is.
                conditions=filter_from(f"event.order.kind == {n % OF_A_TYPE} && event.order.total > 10"),
            ),
        )
    return app


def _events(count: int) -> Sequence[Reported]:
    return [
        Reported("type.n0", None, {"order": {"id": f"o-{n}", "kind": n % OF_A_TYPE, "total": 20}}, (f"u-{n}",))
        for n in range(count)
    ]


async def _taken_in(
    container: Container, app: App, requests: Sequence[Sequence[Reported]], what: str, triggers: int
) -> Pace:
    cpu, begun = time.process_time(), time.perf_counter()
    for one in requests:
        await container.automation.events.report(app.id, one)
    return _pace(what, triggers, sum(map(len, requests)), cpu, begun)


async def _asked(container: Container, app: App, events: int, triggers: int) -> Pace:
    worker = Eventing(
        store=container.store,
        bus=container.bus,
        clock=container.clock,
        ids=container.ids,
        tripwire=container.automation.tripwire,
        owner="bench",
    )
    cpu, begun = time.process_time(), time.perf_counter()
    while await worker.turn(app.id):
        pass
    return _pace("triggers asked, one notification each", triggers, events, cpu, begun)


def _pace(what: str, triggers: int, events: int, cpu: float, begun: float) -> Pace:
    seconds, spent = time.perf_counter() - begun, time.process_time() - cpu
    return Pace(what, triggers, events, cpu=spent / events * 1e6, rate=events / seconds)
