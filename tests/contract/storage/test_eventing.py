"""From events to notifications, on both databases: whom, how often, when, and once, whoever takes them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.stored import Given
from tidings.bus.local import LocalBus
from tidings.domain.app import App
from tidings.domain.audience import Everyone, Matching, Users
from tidings.domain.campaign import Notification
from tidings.domain.event import Event, EventStatus, NewEvent, NewEventType
from tidings.domain.filters import filter_from
from tidings.domain.message import Message, Urgency
from tidings.domain.rules import Rule, rule_from_json
from tidings.domain.safety import HoldReason, TripLimits
from tidings.domain.trigger import Definition, Digest, Firing, Throttle, Trigger, Unless, Words
from tidings.lib.clock import FixedClock
from tidings.lib.ids import Ids
from tidings.pipeline import matched as matching
from tidings.services import tripwire
from tidings.services.tripwire import Tripwire
from tidings.storage import Store, Transaction
from tidings.worker import eventing
from tidings.worker.eventing import LEASE, Eventing

NAMED = Rule(rule_from_json({"users": "event"}).parts)
WORDS = Words(message=Message(title="{{ error.type }} failed", url="https://www.example.com/{{ error.type }}"))


class Here:
    """An App with event types, triggers and events, and workers that take them."""

    def __init__(self, store: Store, clock: FixedClock, app: App) -> None:
        self.store = store
        self.clock = clock
        self.app = app
        self.tripwire = Tripwire(TripLimits())
        self._ids = Ids(clock)

    def worker(self) -> Eventing:
        return Eventing(
            store=self.store,
            bus=LocalBus(),
            clock=self.clock,
            ids=self._ids,
            tripwire=self.tripwire,
            owner=self._ids.new("w"),
        )

    async def kind(self, key: str = "widget.failed", app: App | None = None) -> None:
        now, of = self.clock.now(), (app or self.app).id
        await self.store.write(lambda tx: tx.event_types.put(of, NewEventType(key, key), now=now))

    async def trigger(self, app: App | None = None, **changes: Any) -> Trigger:
        new = Definition("Alert", "widget.failed", NAMED, WORDS)
        now, of, public_id = self.clock.now(), (app or self.app).id, self._ids.new("trg")
        return await self.store.write(
            lambda tx: tx.triggers.add(of, replace(new, **changes), public_id=public_id, now=now)
        )

    async def users(self, **attributes: dict[str, Any]) -> None:
        def put(tx: Transaction) -> None:
            for name, known in attributes.items():
                tx.users.put(self.app.id, name, attributes=known, locale=None, time_zone=None, now=self.clock.now())

        await self.store.write(put)

    async def report(self, *types: str, app: App | None = None, of: str = "widget.failed", **changes: Any) -> list[str]:
        new = [
            replace(
                NewEvent((app or self.app).id, self._ids.new("evt"), of, None, b"", {"error": {"type": one}}, ("u-1",)),
                **changes,
            )
            for one in types
        ]
        now = self.clock.now()
        await self.store.write(lambda tx: tx.events.add(new, now=now))
        return [one.public_id for one in new]

    async def serve(self, worker: Eventing | None = None, app: App | None = None) -> None:
        worker = worker or self.worker()
        while await worker.turn((app or self.app).id):
            pass

    async def sent(self, app: App | None = None) -> list[Notification]:
        rows = await self.store.read(lambda tx: tx.notifications.page((app or self.app).id, after=0, limit=1_000))
        return rows[::-1]

    async def told(self) -> list[tuple[str, ...]]:
        """Give whom each notification names, in their order."""
        found = []
        for one in await self.sent():
            assert isinstance(one.audience, Users)
            found.append(one.audience.external_ids)
        return found

    async def firings(self, trigger: Trigger) -> list[Firing]:
        rows = await self.store.read(lambda tx: tx.firings.page(trigger.id, after=0, limit=2_000))
        return rows[::-1]

    async def came_of(self, trigger: Trigger) -> Counter[str]:
        return Counter(f"{one.outcome} {one.reason}".strip() for one in await self.firings(trigger))

    async def event(self, public_id: str) -> Event:
        found = await self.store.read(lambda tx: tx.events.get(self.app.id, public_id))
        assert found is not None
        return found


@pytest.fixture
async def here(store: Store, clock: FixedClock, given: Given) -> Here:
    made = Here(store, clock, await given.app())
    await made.kind()
    return made


class TestOnce:
    async def test_an_event_becomes_a_notification_that_says_what_made_it(self, here: Here) -> None:
        trigger = await here.trigger(urgency=Urgency.HIGH, ttl=600)
        (event,) = await here.report("timeout", users=("u-1", "u-2"), actor="u-2")
        await here.serve()
        (made,) = await here.sent()
        assert (made.source, made.event_type, made.trigger, made.event) == (
            "trigger", "widget.failed", trigger.public_id, event,
        )  # fmt: skip
        assert made.audience == Users(("u-1",))
        assert (made.message.urgency, made.message.ttl) == (Urgency.HIGH, 600)
        assert made.message.templated is not None
        assert made.message.templated.variables == {
            "error": {"type": "timeout"}, "actor": {"id": "u-2"}, "app": {"name": "My site"},
        }  # fmt: skip
        (came,) = await here.firings(trigger)
        lately = await here.store.read(lambda tx: tx.firings.activity(trigger.id, limit=10))
        assert (lately.fired + lately.suppressed + lately.waiting, lately.last_fired_at is not None) == (
            1,
            came.outcome == "fired",
        )
        assert (came.event, came.outcome, came.notifications) == (event, "fired", (made.public_id,))
        assert (await here.event(event)).status is EventStatus.DONE

    async def test_each_event_fires_once_in_its_order_however_many_workers_take_them(self, here: Here) -> None:
        trigger = await here.trigger()
        events = await here.report(*map(str, range(200)))
        await asyncio.gather(*(here.serve(worker) for worker in (here.worker(), here.worker(), here.worker())))
        await here.serve()
        assert [one.event for one in await here.sent()] == events
        assert await here.came_of(trigger) == {"fired": 200}

    async def test_a_worker_that_lost_its_turn_writes_nothing(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await here.trigger()
        await here.report("timeout")
        late, read = here.worker(), asyncio.Event()
        go_on = asyncio.Event()
        settle = late._settle

        async def slowly(work: Any, *, urgent: bool = False) -> Any:
            if getattr(work, "func", None) == settle:
                read.set()
                await go_on.wait()
            return await here.store.write(work, urgent=urgent)

        monkeypatch.setattr(late, "_store", Slow(here.store, slowly))
        losing = asyncio.create_task(late.turn(here.app.id))
        await read.wait()
        assert not await here.worker().turn(here.app.id)  # it is in the other's hands
        here.clock.at += timedelta(seconds=LEASE + 1)
        await here.serve()
        go_on.set()
        assert not await losing
        assert len(await here.sent()) == 1

    async def test_a_batch_that_dies_before_its_commit_leaves_nothing_and_is_done_again(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trigger = await here.trigger(throttle=Throttle((), 1, None))
        await here.report("a", "b")

        def dies(*_: Any, **__: Any) -> None:
            raise asyncio.CancelledError  # as a process that is killed: nobody handles it

        with monkeypatch.context() as patch:
            patch.setattr("tidings.pipeline.firing.Firing.done", dies)
            with pytest.raises(asyncio.CancelledError):
                await here.worker().turn(here.app.id)
        assert (await here.sent(), await here.firings(trigger)) == ([], [])
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 1, "suppressed throttled": 1}

    async def test_one_that_cannot_be_asked_is_given_up_and_stops_no_other(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trigger = await here.trigger()
        events = await here.report("good", "bad", "broken", "fine")
        reach = matching.reach

        def fragile(tx: Any, app_id: int, rule: Any, event: Event, *rest: Any) -> Any:
            if event.data["error"]["type"] == "bad":
                raise ZeroDivisionError
            return reach(tx, app_id, rule, event, *rest)

        send = eventing.fire

        def bursting(tx: Any, found: Any, due: Any, **given: Any) -> int:
            made = send(tx, found, due, **given)
            if any(one.event.data["error"]["type"] == "broken" for one in found):
                raise ZeroDivisionError
            return made

        monkeypatch.setattr(matching, "reach", fragile)
        monkeypatch.setattr(eventing, "fire", bursting)
        await here.serve()
        assert [(await here.event(one)).status for one in events] == ["done", "failed", "failed", "done"]
        assert (await here.event(events[1])).fault == "fault:ZeroDivisionError"
        assert await here.came_of(trigger) == {"fired": 2}
        assert len(await here.sent()) == 2

    async def test_an_event_asks_its_own_types_triggers_alone(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await here.kind("other.thing")
        for _ in range(3):
            await here.trigger(event_type="other.thing")
        mine = await here.trigger()
        asked: list[str] = []
        holds = matching.holds
        monkeypatch.setattr(
            matching, "holds", lambda one, record, now: asked.append(one.event_type) or holds(one, record, now)
        )
        await here.report("timeout")
        await here.serve()
        assert asked == ["widget.failed"]
        assert await here.came_of(mine) == {"fired": 1}

    async def test_a_changed_trigger_is_read_anew(self, here: Here) -> None:
        worker, trigger = here.worker(), await here.trigger()
        await here.report("timeout")
        await here.serve(worker)
        now = here.clock.now()
        off = replace(trigger.definition, enabled=False)
        await here.store.write(lambda tx: tx.triggers.change(trigger.id, off, now=now))
        await here.report("timeout")
        await here.serve(worker)
        assert len(await here.sent()) == 1
        again = await here.trigger()
        await here.report("timeout")
        await here.serve(worker)
        assert [one.trigger for one in await here.sent()] == [trigger.public_id, again.public_id]
        await here.store.write(lambda tx: tx.triggers.delete(again.id))
        await here.report("timeout")
        await here.serve(worker)
        assert len(await here.sent()) == 2

    async def test_apps_take_turns(self, here: Here, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
        other = await given.app()
        await here.kind(app=other)
        await here.trigger()
        await here.trigger(app=other)
        await here.report(*map(str, range(1_000)))
        await here.report("timeout", app=other)
        worker = here.worker()

        async def turn() -> int:
            (first, *_) = await here.store.read(lambda tx: tx.lanes.waiting(now=here.clock.now(), limit=5))
            here.clock.at += timedelta(seconds=1)
            await worker.turn(first)
            return first

        assert [await turn(), await turn()] == [here.app.id, other.id]
        assert len(await here.sent(other)) == 1
        assert 0 < len(await here.sent()) < 1_000


class Slow:
    """A store whose writes go through another function."""

    def __init__(self, store: Store, write: Any) -> None:
        self._store = store
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class TestWhom:
    async def test_conditions_decide(self, here: Here) -> None:
        trigger = await here.trigger(conditions=filter_from('event.error.type == "timeout" && user.role == "owner"'))
        await here.users(owner={"role": "owner"}, guest={"role": "guest"})
        for kind, user in (("timeout", "owner"), ("other", "owner"), ("timeout", "guest"), ("timeout", "unknown")):
            await here.report(kind, users=(user,))
        await here.serve()
        assert await here.told() == [("owner",)]
        assert await here.came_of(trigger) == {"fired": 1}

    async def test_conditions_may_ask_what_somebody_follows(self, here: Here) -> None:
        now, many = here.clock.now(), [f"topic:{n}" for n in range(1_100)]

        def follow(tx: Transaction) -> None:
            for topic in many:
                tx.follows.follow(here.app.id, topic, ["anna"], now=now)
            tx.follows.follow(here.app.id, "topic:zoo", ["anna", "ben"], now=now)

        await here.store.write(follow)
        await here.trigger(conditions=filter_from('user.topics.contains("topic:zoo") && !has(actor.topics)'))
        by_actor = rule_from_json({"users_where": 'user.id == event.error.type && actor.topics.contains("topic:zoo")'})
        await here.trigger(audience=by_actor)
        for user, actor in (("anna", "cleo"), ("cleo", None), ("ben", "anna")):
            await here.report("dora", users=(user,), actor=actor)
        await here.users(dora={})
        await here.serve()
        assert await here.told() == [("anna",), ("dora",)]

    async def test_people_are_found_by_what_they_are(self, here: Here) -> None:
        await here.users(
            anna={"role": "operator", "available": True, "bots": ["b-1"]},
            ben={"role": "operator", "available": False},
            cleo={"role": "owner"},
            dan={"role": "operator", "available": True},
        )
        rule = rule_from_json(
            {"union": [{"users_where": 'user.role == "operator" && user.available == true'}, {"users": "event"}]}
        )
        await here.trigger(audience=rule)
        await here.report("timeout", users=("guest",), actor="dan")
        await here.report("timeout", users=(), actor=None)
        await here.serve()
        assert [set(one) for one in await here.told()] == [{"guest", "anna"}, {"anna", "dan"}]

    async def test_values_of_the_event_are_put_into_the_conditions(self, here: Here) -> None:
        await here.users(anna={"team": "a"}, ben={"team": "b"})
        await here.trigger(audience=rule_from_json({"users_where": "user.team == event.error.type"}))
        await here.report("b")
        await here.serve()
        assert await here.told() == [("ben",)]

    async def test_followers_of_the_events_topic_get_it_but_not_whoever_did_it(self, here: Here) -> None:
        now = here.clock.now()
        await here.store.write(lambda tx: tx.follows.follow(here.app.id, "topic:t-1", ["anna", "ben"], now=now))
        await here.store.write(lambda tx: tx.follows.follow(here.app.id, "topic:t-2", ["cleo"], now=now))
        trigger = await here.trigger(audience=rule_from_json({"followers": "topic:{{error.type}}"}))
        with_actor = rule_from_json({"followers": "topic:{{error.type}}", "except_actor": False})
        await here.trigger(audience=with_actor)
        await here.report("t-1", actor="ben")
        await here.report("t-3")
        await here.serve()
        assert [set(one) for one in await here.told()] == [{"anna"}, {"anna", "ben"}]
        assert await here.came_of(trigger) == {"fired": 1, "suppressed nobody": 1}

    async def test_everyone_is_everyone_but_whoever_did_it(self, here: Here) -> None:
        await here.trigger(audience=rule_from_json({"everyone": True}))
        await here.report("a")
        await here.report("b", actor="u-9")
        await here.serve()
        one, other = [made.audience for made in await here.sent()]
        assert one == Everyone()
        assert isinstance(other, Matching)

    async def test_a_segment_is_who_is_in_it_by_then(self, here: Here) -> None:
        now = here.clock.now()
        await here.store.write(
            lambda tx: tx.segments.add(
                here.app.id, public_id="seg_1", name="Pro", conditions=filter_from('user.plan == "pro"'), now=now
            )
        )
        await here.trigger(audience=rule_from_json({"segment": "seg_1"}))
        await here.users(anna={"plan": "pro"}, ben={"plan": "free"})
        await here.report("a")
        await here.serve()
        await here.users(ben={"plan": "pro"})
        await here.report("b")
        await here.serve()
        assert [set(one) for one in await here.told()] == [{"anna"}, {"anna", "ben"}]

    async def test_very_many_are_found_when_it_is_sent(self, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tidings.pipeline.reach.MOST_NAMED", 2)
        await here.users(**{f"u{n}": {"plan": "pro"} for n in range(3)})
        await here.trigger(audience=rule_from_json({"users_where": 'user.plan == "pro"'}))
        await here.report("a", actor="u1")
        await here.serve()
        (made,) = await here.sent()
        assert isinstance(made.audience, Matching)
        people = await here.store.read(
            lambda tx: tx.segments.people(here.app.id, made.audience.filter, at=here.clock.now(), limit=9)
        )
        assert [one.external_id for one in people] == ["u0", "u2"]

    async def test_a_segment_is_the_same_people_however_many(
        self, here: Here, given: Given, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now, unless_pro = here.clock.now(), filter_from('!(user.plan == "pro")')
        await here.store.write(
            lambda tx: tx.segments.add(here.app.id, public_id="seg_1", name="Free", conditions=unless_pro, now=now)
        )
        await here.trigger(audience=rule_from_json({"segment": "seg_1"}))
        await here.users(anna={"plan": "free"}, ben={"plan": "free"}, cleo={"plan": "pro"})
        credential = await given.credential(here.app)
        for name in ("anna", "ben", "cleo", "stranger", None):
            await given.device(here.app, credential, user_external_id=name)
        for most in (1_000, 1):
            monkeypatch.setattr("tidings.pipeline.reach.MOST_NAMED", most)
            await here.report("a")
            await here.serve()
        few, many = await here.sent()
        assert (type(few.audience), type(many.audience)) == (Users, Matching)
        assert (few.counts.audience, many.counts.audience) == (2, 2)


class TestHowOften:
    async def test_a_storm_of_a_thousand_errors_gives_one_alert_a_type_each_ten_minutes(self, here: Here) -> None:
        trigger = await here.trigger(throttle=Throttle(("event.error.type",), 1, 600))
        for n in range(10):
            await here.report(*(f"type-{(n + k) % 2}" for k in range(100)))
        await asyncio.gather(here.serve(here.worker()), here.serve(here.worker()))
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 2, "suppressed throttled": 998}
        assert len(await here.sent()) == 2
        here.clock.at += timedelta(seconds=599)
        await here.report("type-0")
        await here.serve()
        assert len(await here.sent()) == 2
        here.clock.at += timedelta(seconds=1)
        await here.report("type-0", "type-0")
        await here.serve()
        assert len(await here.sent()) == 3

    async def test_two_workers_at_once_count_exactly(self, here: Here) -> None:
        trigger = await here.trigger(throttle=Throttle((), 3, 600))
        events = await here.report(*("x" for _ in range(40)))
        ids = [(await here.event(one)) for one in events]

        def taken(part: list[Event]) -> Any:
            def work(tx: Transaction) -> int:
                triggers = {"widget.failed": [trigger]}
                found = [matching.match_event(tx, here.app, one, triggers, here.clock.now()) for one in part]
                gate, now = (lambda _: lambda *_: None), here.clock.now()
                return eventing.fire(tx, found, [], gate=gate, new_id=Ids(here.clock).new, now=now)

            return work

        made = await asyncio.gather(*(here.store.write(taken(ids[n::4])) for n in range(4)))
        assert sum(made) == 3
        assert await here.came_of(trigger) == {"fired": 3, "suppressed throttled": 37}

    async def test_the_first_of_each_is_the_only_one_for_ever(self, here: Here) -> None:
        trigger = await here.trigger(throttle=Throttle(("event.error.type",), 1, None))
        await here.report("c-1", "c-2", "c-1")
        await here.serve()
        here.clock.at += timedelta(days=4_000)
        await here.store.write(lambda tx: tx.firings.purge(now=here.clock.now(), limit=100))
        await here.report("c-2", "c-3")
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 3, "suppressed throttled": 2}

    async def test_nobody_counts_for_nothing(self, here: Here) -> None:
        trigger = await here.trigger(throttle=Throttle((), 1, None))
        await here.report("a", users=())
        await here.report("b")
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 1, "suppressed nobody": 1}

    async def test_a_closed_window_is_forgotten(self, here: Here) -> None:
        await here.trigger(throttle=Throttle((), 1, 60))
        await here.report("a")
        await here.serve()
        assert await here.store.write(lambda tx: tx.firings.purge(now=here.clock.now(), limit=9)) == 0
        here.clock.at += timedelta(seconds=61)
        assert await here.store.write(lambda tx: tx.firings.purge(now=here.clock.now(), limit=9)) == 1


class TestTripwire:
    async def test_what_looks_like_an_accident_is_held(self, here: Here, given: Given) -> None:
        await given.devices(here.app, await given.credential(here.app), 3)
        here.tripwire = Tripwire(TripLimits(recipients=6, times=2))
        trigger = await here.trigger(audience=rule_from_json({"everyone": True}))
        await here.report("a", "b", "c")
        await here.serve()
        assert [one.held_because for one in await here.sent()] == [None, None, HoldReason.VOLUME]
        assert await here.came_of(trigger) == {"fired": 3}

    async def test_the_same_words_are_the_same_only_with_the_same_in_their_gaps(
        self, here: Here, given: Given, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tripwire, "REPEAT_LEAST", 2)
        await given.devices(here.app, await given.credential(here.app), 3)
        await here.trigger(audience=rule_from_json({"everyone": True}))
        await here.report("a", "b", "a")
        await here.serve()
        assert [one.held_because for one in await here.sent()] == [None, None, HoldReason.REPEAT]

    async def test_when_nobody_looks_at_what_is_held_no_more_is_added(
        self, here: Here, given: Given, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tripwire, "MOST_HELD", 1)
        await given.device(here.app, await given.credential(here.app), user_external_id="u-1")
        here.tripwire = Tripwire(TripLimits(recipients=1, times=1))
        at_once, later = await here.trigger(), await here.trigger(delay=60)
        await here.report("a", "b", "c")
        await here.serve()
        here.clock.at += timedelta(seconds=60)
        await here.serve()
        assert [one.held_because for one in await here.sent()] == [None, HoldReason.VOLUME]
        assert await here.came_of(at_once) == {"fired": 2, "suppressed too_many_held": 1}
        assert await here.came_of(later) == {"suppressed too_many_held": 3}


class TestLater:
    async def test_what_is_delayed_is_sent_when_its_time_has_come(self, here: Here) -> None:
        trigger = await here.trigger(delay=300, conditions=filter_from("user.away == true"))
        await here.users(**{"u-1": {"away": True}})
        await here.report("a")
        await here.serve()
        assert (await here.came_of(trigger), await here.sent()) == ({"waiting": 1}, [])
        here.clock.at += timedelta(seconds=299)
        assert await here.store.read(lambda tx: tx.lanes.waiting(now=here.clock.now(), limit=9)) == []
        here.clock.at += timedelta(seconds=1)
        assert await here.store.read(lambda tx: tx.lanes.waiting(now=here.clock.now(), limit=9)) == [here.app.id]
        await asyncio.gather(here.serve(here.worker()), here.serve(here.worker()))
        assert (await here.came_of(trigger), await here.told()) == ({"fired": 1}, [("u-1",)])
        (came,) = await here.firings(trigger)
        assert came.notifications == tuple(one.public_id for one in await here.sent())

    async def test_what_holds_no_more_is_not_sent(self, here: Here) -> None:
        trigger = await here.trigger(delay=300, conditions=filter_from("user.away == true"))
        await here.users(**{"u-1": {"away": True}})
        await here.report("a")
        await here.serve()
        await here.users(**{"u-1": {"away": False}})
        here.clock.at += timedelta(seconds=300)
        await here.serve()
        assert (await here.came_of(trigger), await here.sent()) == ({"suppressed conditions_hold_no_more": 1}, [])

    async def test_another_event_with_the_same_key_takes_it_back(self, here: Here) -> None:
        await here.kind("widget.mended")
        trigger = await here.trigger(delay=300, unless=Unless("widget.mended", ("event.error.type",)))
        await here.report("mended before", of="widget.mended")
        await here.report("mended before", "mended after", "broken")
        await here.report("mended after", of="widget.mended")
        await here.serve()
        assert await here.came_of(trigger) == {"waiting": 2, "suppressed unless": 1}
        here.clock.at += timedelta(seconds=300)
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 2, "suppressed unless": 1}

    async def test_a_deleted_trigger_sends_nothing_of_what_waits(self, here: Here) -> None:
        trigger = await here.trigger(delay=300)
        (event,) = await here.report("a")
        await here.serve()
        await here.store.write(lambda tx: tx.triggers.delete(trigger.id))
        here.clock.at += timedelta(seconds=300)
        await here.serve()
        assert await here.sent() == []
        row = (await here.event(event)).id
        (came,) = await here.store.read(lambda tx: tx.firings.of_event(row))
        assert (came.trigger, came.outcome, came.reason) == ("", "suppressed", "trigger_off")

    async def test_a_digest_is_one_message_for_its_window_and_key(self, here: Here) -> None:
        trigger = await here.trigger(digest=Digest(600, ("event.error.type",)))
        for _ in range(30):
            await here.report("a")
        await here.report("b")
        await here.serve()
        assert (await here.came_of(trigger), await here.sent()) == ({"collected": 31}, [])
        here.clock.at += timedelta(seconds=600)
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 31}
        digests = [made.message.templated.variables["digest"] for made in await here.sent() if made.message.templated]
        assert [(one["count"], len(one["events"])) for one in digests] == [(30, 20), (1, 1)]
        await here.report("a")
        await here.serve()
        here.clock.at += timedelta(seconds=600)
        await here.serve()
        assert len(await here.sent()) == 3

    async def test_what_happens_as_a_digest_is_due_is_told_once(self, here: Here) -> None:
        """The turn that sends a digest takes further events with the same key."""
        trigger = await here.trigger(digest=Digest(600))
        await here.report("1", "2")
        await here.serve()
        here.clock.at += timedelta(seconds=600)
        await here.report("3", "4")
        await here.serve()
        here.clock.at += timedelta(seconds=600)
        await here.serve()
        assert await here.came_of(trigger) == {"fired": 4}
        digests = [made.message.templated.variables["digest"] for made in await here.sent() if made.message.templated]
        told = [event["error"]["type"] for one in digests for event in one["events"]]
        assert (sorted(told), sum(one["count"] for one in digests)) == (["1", "2", "3", "4"], 4)

    async def test_a_digest_of_very_many_reaches_everybody_whom_its_events_name(self, here: Here) -> None:
        await here.trigger(digest=Digest(600))
        for n in range(130):
            await here.report(str(n), users=(f"u-{n % 120}",), actor="zoe")
        await here.serve()
        here.clock.at += timedelta(seconds=600)
        await here.serve()
        told = {}
        for made in await here.sent():
            assert made.message.templated is not None
            assert isinstance(made.audience, Users)
            assert made.message.templated.variables["actor"] == {"id": "zoe"}
            digest = made.message.templated.variables["digest"]
            told.update(dict.fromkeys(made.audience.external_ids, digest["count"]))
        assert told == {f"u-{n}": 2 if n < 10 else 1 for n in range(120)}

    async def test_each_person_is_told_of_their_own_part_of_a_digest(self, here: Here) -> None:
        await here.trigger(digest=Digest(600))
        for n, users in enumerate([("anna", "ben"), ("ben",), ("cleo",), ("ben", "cleo")]):
            await here.report(str(n), users=users, actor="cleo" if n == 3 else None)
        await here.serve()
        here.clock.at += timedelta(seconds=600)
        await here.serve()
        told = {}
        for made in await here.sent():
            assert made.message.templated is not None
            assert isinstance(made.audience, Users)
            digest = made.message.templated.variables["digest"]
            told[made.audience.external_ids] = [one["error"]["type"] for one in digest["events"]]
            assert digest["count"] == len(digest["events"])
        assert told == {("anna",): ["0"], ("ben",): ["0", "1", "3"], ("cleo",): ["2"]}
