"""What many do at the same moment, on both databases: no limit is passed, and nobody undoes what another did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.between import Between
from support.stored import Given
from tidings.domain.app import App
from tidings.domain.audience import Users
from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import NewEventType
from tidings.domain.filters import filter_from, forgotten
from tidings.domain.message import Message
from tidings.domain.rules import rule_from_json
from tidings.domain.safety import HoldReason, TripLimits
from tidings.domain.template import NewTemplate
from tidings.domain.trigger import Definition, Window, Words
from tidings.domain.webhook import NewWebhook, WebhookEvent
from tidings.lib.clock import FixedClock
from tidings.lib.egress import AddressGuard
from tidings.lib.fetch import Fetcher
from tidings.lib.ids import Ids
from tidings.pipeline.flow import Frozen
from tidings.services import event_types, follows, segments, templates, triggers, webhooks
from tidings.services.trigger_checks import check_definition
from tidings.services.tripwire import Terms, Tripwire
from tidings.services.webhook_delivery import WebhookDelivery
from tidings.storage import Store, Transaction
from tidings.storage.volumes import SqlVolumes

ROOM = 3
MANY = 12
"""Who come at once: more than a store has connections."""

ANNA = 'user.id == "anna"'
WORDS = Words(message=Message(title="Tide"))

Make = Callable[[int], Coroutine[Any, Any, Any]]


class Services:
    """The services that keep within limits, over the store under test."""

    def __init__(self, store: Store, clock: FixedClock, app: App) -> None:
        ids, self.app = Ids(clock), app
        self.segments = segments.Segments(store=store, clock=clock, ids=ids)
        self.triggers = triggers.Triggers(store=store, clock=clock, ids=ids)
        self.templates = templates.Templates(store=store, clock=clock, ids=ids)
        self.event_types = event_types.EventTypes(store=store, clock=clock)
        self.follows = follows.Follows(store=store, clock=clock)
        fetcher = Fetcher(guard=AddressGuard())
        delivery = WebhookDelivery(store=store, clock=clock, fetcher=fetcher, chance=lambda: 0.5)
        self.webhooks = webhooks.Webhooks(store=store, clock=clock, ids=ids, fetcher=fetcher, delivery=delivery)

    def makers(self) -> dict[str, Make]:
        """Give what makes one more of each kind."""
        app, everyone = self.app, filter_from('user.id != ""')
        return {
            "segments": lambda n: self.segments.create(app.id, f"Segment {n}", everyone),
            "triggers": lambda n: self.triggers.create(app.id, trigger(f"Trigger {n}", {"users": "event"})),
            "templates": lambda n: self.templates.create(app, NewTemplate(f"Words {n}", Message(title="Tide"))),
            "event_types": lambda n: self.event_types.put(app.id, NewEventType(f"type.n{n}", f"Type {n}")),
            "follows": lambda n: self.follows.follow(app.id, "anna", f"topic {n}"),
            "webhooks": lambda n: self.webhooks.create(
                app.id, NewWebhook(f"https://hooks.example.com/{n}", (WebhookEvent.DELIVERY_SENT,))
            ),
        }


def trigger(name: str, audience: dict[str, Any]) -> Definition:
    return Definition(name=name, event_type="tide.high", audience=rule_from_json(audience), words=WORDS)


@pytest.fixture
async def services(store: Store, clock: FixedClock, given: Given) -> Services:
    return Services(store, clock, await given.app())


@pytest.mark.parametrize(
    ("kind", "module", "limit"),
    [
        ("webhooks", webhooks, "MOST"),
        ("segments", segments, "MOST"),
        ("triggers", triggers, "MOST"),
        ("templates", templates, "MOST"),
        ("event_types", event_types, "MOST"),
        ("follows", follows, "MOST_TOPICS"),
    ],
)
async def test_many_at_once_do_not_pass_a_limit(
    services: Services, monkeypatch: pytest.MonkeyPatch, kind: str, module: Any, limit: str
) -> None:
    if kind == "triggers":
        await services.event_types.put(services.app.id, NewEventType("tide.high", "High tide"))
    make = services.makers()[kind]
    monkeypatch.setattr(module, limit, ROOM)
    done = await asyncio.gather(*(make(n) for n in range(MANY)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, BaseException)]
    assert len(refused) == MANY - ROOM, done
    too_many = ErrorCode.TOPICS_TOO_MANY if kind == "follows" else ErrorCode(f"{kind}_too_many")
    assert {one.code if isinstance(one, CatalogueError) else one for one in refused} == {too_many}


async def test_forgetting_does_not_undo_a_change_of_a_segment(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, between = services.app, Between(store)
    made = await services.segments.create(app.id, "Crew", filter_from(f'{ANNA} || user.id == "ben"'))
    monkeypatch.setattr("tidings.storage.forgetting.forgotten", between.after(forgotten))
    changed = filter_from('user.locale == "de"')
    done = await between.both(
        store.write(lambda tx: tx.users.delete(app.id, "anna")),
        services.segments.change(app.id, made.public_id, name=None, conditions=changed),
    )
    assert not [one for one in done if isinstance(one, BaseException)], done
    assert (await services.segments.get(app.id, made.public_id)).filter == changed


async def test_forgetting_does_not_undo_a_change_of_a_trigger(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, between = services.app, Between(store)
    await services.event_types.put(app.id, NewEventType("tide.high", "High tide"))
    made = await services.triggers.create(app.id, trigger("Old", {"users_where": f'{ANNA} || user.id == "ben"'}))
    monkeypatch.setattr(Definition, "without", between.after(Definition.without))
    done = await between.both(
        store.write(lambda tx: tx.users.delete(app.id, "anna")),
        services.triggers.change(app.id, made.public_id, trigger("New", {"everyone": True})),
    )
    assert not [one for one in done if isinstance(one, BaseException)], done
    assert (await services.triggers.get(app.id, made.public_id)).definition.name == "New"


async def test_a_window_that_is_purged_while_it_is_asked_for_is_opened_anew(
    services: Services, store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, between = services.app, Between(store)
    await services.event_types.put(app.id, NewEventType("tide.high", "High tide"))
    made = await services.triggers.create(app.id, trigger("Tide", {"everyone": True}))
    (one,) = await store.read(lambda tx: tx.triggers.page(app.id, after=0, limit=1))
    assert one.public_id == made.public_id

    def open_until(tx: Transaction) -> None:
        window = tx.firings.hold(app.id, one.id, "quay", now=given.now)
        tx.firings.count(one.id, "quay", replace(window, n=7), closes_at=given.later(60))

    await store.write(open_until)

    def hold(tx: Transaction) -> Window:
        connection = tx.firings._scope.connection  # type: ignore[attr-defined]
        with monkeypatch.context() as patched:
            patched.setattr(connection, "execute", between.after(connection.execute))
            return tx.firings.hold(app.id, one.id, "quay", now=given.later(61))

    purge = store.write(lambda tx: tx.firings.purge(now=given.later(61), limit=9))
    held, purged = await between.both(store.write(hold), purge)
    # Either it was held first, or there was none any more.
    assert held in (Window(given.now, 7), Window(given.later(61), 0)), held
    assert purged == 1


async def test_no_trigger_is_left_with_a_segment_that_is_gone(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, between = services.app, Between(store)
    await services.event_types.put(app.id, NewEventType("tide.high", "High tide"))
    crew = await services.segments.create(app.id, "Crew", filter_from(ANNA))
    monkeypatch.setattr("tidings.services.triggers.check_definition", between.after(check_definition))
    made, deleted = await between.both(
        services.triggers.create(app.id, trigger("For the crew", {"segment": crew.public_id})),
        services.segments.delete(app.id, crew.public_id),
    )
    assert not isinstance(made, BaseException), made
    assert isinstance(deleted, CatalogueError)
    assert deleted.code is ErrorCode.SEGMENT_IN_USE


async def asked(store: Store, app: App, wire: Tripwire, audience: int, clock: FixedClock) -> HoldReason | None:
    """Let a request to so many pass the tripwire."""
    new = NewNotification(app.id, Message(title="Tide"), Users(("anna",)))
    gate = wire.gate(new, Terms(), now=clock.now())
    return await store.write(lambda tx: gate(tx, Frozen(audience, audience)))


@pytest.mark.parametrize("before", [0, 60], ids=["large ones", "near the limit"])
async def test_requests_that_count_at_the_same_moment_do_not_pass_the_tripwire_together(
    store: Store, clock: FixedClock, given: Given, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    app, wire = await given.app(), Tripwire(TripLimits(recipients=100, repeat=timedelta()))
    await store.write(lambda tx: tx.volumes.add(app.id, before, lot=7, now=clock.now()))
    size = (100 - before) * 6 // 10
    between = Between(store)
    monkeypatch.setattr(SqlVolumes, "since", between.after(SqlVolumes.since))
    done = await between.both(asked(store, app, wire, size, clock), asked(store, app, wire, size, clock))
    assert sorted(done, key=str) == [None, HoldReason.VOLUME]


async def test_however_many_ask_at_once_so_much_passes_the_tripwire_and_no_more(
    store: Store, clock: FixedClock, given: Given
) -> None:
    app, wire = await given.app(), Tripwire(TripLimits(recipients=100, repeat=timedelta()))
    done = await asyncio.gather(*(asked(store, app, wire, 10, clock) for _ in range(2 * MANY)))
    assert done.count(None) == 10


async def test_small_requests_far_from_the_limit_wait_for_nobody(
    store: Store, clock: FixedClock, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, wire = await given.app(), Tripwire(TripLimits())
    monkeypatch.setattr(SqlVolumes, "hold", lambda *_: pytest.fail("it is held"))
    done = await asyncio.gather(*(asked(store, app, wire, 1, clock) for _ in range(MANY)))
    assert done == [None] * MANY
