"""Event types and events: each event once, found by whom it names, gone when its time has come."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from support.stored import Given
from tidings.domain.app import App
from tidings.domain.event import Defaults, Event, EventStatus, Naming, NewEvent, NewEventType, Sought, Stored
from tidings.storage import Store, Transaction
from tidings.storage.tables.events import events
from tidings.storage.transaction import SqlTransaction

TYPE = NewEventType(
    key="bot.failed",
    name="A bot failed",
    description="It answers no more.",
    category="Bots",
    variables={"properties": {"bot": {"type": "string"}}},
    examples=({"bot": "Ada"},),
    defaults=Defaults(push=True, feed=False),
    mandatory=True,
    language="en",
    locales={"de": Naming(name="Ein Bot ist ausgefallen", category=""), "pt-BR": Naming(description="Não fala mais.")},
)


def event(app: App, number: int, **changes: object) -> NewEvent:
    new = NewEvent(app.id, f"evt_{number}", "bot.failed", None, b"content", data={"n": [number, {"deep": None}]})
    return replace(new, **changes)  # type: ignore[arg-type]


async def stored(store: Store, given: Given, *new: NewEvent, seconds: float = 0) -> list[Stored]:
    return await store.write(lambda tx: tx.events.add(new, now=given.later(seconds)))


async def look(store: Store, app: App, number: int) -> Event | None:
    return await store.read(lambda tx: tx.events.get(app.id, f"evt_{number}"))


async def settled(store: Store) -> None:
    def settle(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        tx.events._scope.connection.execute(update(events).values(status=EventStatus.DONE))  # type: ignore[attr-defined]

    await store.write(settle)


class TestEventTypes:
    async def test_a_type_is_kept_whole_and_changed_under_its_key(self, store: Store, given: Given) -> None:
        app = await given.app()
        made, new = await store.write(lambda tx: tx.event_types.put(app.id, TYPE, now=given.now))
        assert new
        assert (made.key, made.name, made.description, made.category) == (
            "bot.failed", "A bot failed", "It answers no more.", "Bots",
        )  # fmt: skip
        assert (made.variables, made.examples, made.defaults) == (TYPE.variables, ({"bot": "Ada"},), TYPE.defaults)
        assert made.mandatory
        assert (made.language, made.locales) == ("en", TYPE.locales)
        (kind,) = await store.read(lambda tx: tx.kinds.all(app.id))
        assert (kind.language, kind.locales) == ("en", TYPE.locales)
        said = kind.said_in("de")
        assert (said.name, said.description, said.category) == ("Ein Bot ist ausgefallen", "It answers no more.", "")
        later = given.later(60)
        changed, new = await store.write(
            lambda tx: tx.event_types.put(
                app.id, replace(TYPE, name="Another", mandatory=False, language="fr", locales={}), now=later
            )
        )
        assert not new
        assert (changed.id, changed.name, changed.mandatory) == (made.id, "Another", False)
        assert (changed.language, changed.locales) == ("fr", {})
        assert (changed.created_at, changed.updated_at) == (given.now, later)
        assert changed.edition > made.edition

    async def test_each_app_has_its_own(self, store: Store, given: Given) -> None:
        one, other = await given.app(), await given.app()
        await store.write(lambda tx: tx.event_types.put(one.id, TYPE, now=given.now))
        await store.write(lambda tx: tx.event_types.put(one.id, replace(TYPE, key="bot.well"), now=given.now))
        assert await store.read(lambda tx: tx.event_types.get(other.id, "bot.failed")) is None
        found = await store.read(lambda tx: tx.event_types.some(one.id, ["bot.well", "bot.failed", "bot.gone"]))
        assert set(found) == {"bot.well", "bot.failed"}
        assert await store.read(lambda tx: tx.event_types.count(one.id)) == 2
        page = await store.read(lambda tx: tx.event_types.page(one.id, after=0, limit=1))
        assert [row.key for row in page] == ["bot.failed"]
        rest = await store.read(lambda tx: tx.event_types.page(one.id, after=page[0].id, limit=9))
        assert [row.key for row in rest] == ["bot.well"]
        assert not await store.write(lambda tx: tx.event_types.delete(other.id, "bot.failed"))
        assert await store.write(lambda tx: tx.event_types.delete(one.id, "bot.failed"))
        assert await store.read(lambda tx: tx.event_types.get(one.id, "bot.failed")) is None


class TestEvents:
    async def test_an_event_is_kept_whole(self, store: Store, given: Given) -> None:
        app = await given.app()
        happened = given.later(-3600)
        await stored(
            store,
            given,
            event(app, 1, key="k", users=("u-1", "u-2"), actor="u-3", occurred_at=happened, replay_of="evt_0"),
        )
        found = await look(store, app, 1)
        assert found is not None
        assert (found.type, found.key, found.data) == ("bot.failed", "k", {"n": [1, {"deep": None}]})
        assert (found.users, found.actor, found.replay_of) == (("u-1", "u-2"), "u-3", "evt_0")
        assert (found.occurred_at, found.created_at, found.status) == (happened, given.now, EventStatus.QUEUED)

    async def test_the_same_key_is_the_same_event_also_within_one_request(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        assert await stored(store, given, event(app, 1, key="k"), event(app, 2, key="k"), event(app, 3)) == [
            Stored("evt_1"), Stored("evt_1", known=True), Stored("evt_3"),
        ]  # fmt: skip
        assert await stored(store, given, event(app, 4, key="k", content=b"else"), event(app, 5)) == [
            Stored("evt_1", known=True, differs=True), Stored("evt_5"),
        ]  # fmt: skip
        assert await stored(store, given, event(other, 6, key="k")) == [Stored("evt_6")]
        assert await look(store, app, 4) is None
        assert await look(store, other, 1) is None

    async def test_the_same_keys_in_any_order_by_many_at_once_are_the_same_events(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        keys = [f"k-{n}" for n in range(20)]

        def report(caller: int) -> list[NewEvent]:
            # Whoever reports again after a time-out may have gathered them in another order.
            order = random.Random(caller).sample(keys, len(keys))
            return [event(app, 1_000 * caller + n, key=key) for n, key in enumerate(order)]

        reports = [report(caller) for caller in range(1, 4)]
        answers = await asyncio.gather(*(stored(store, given, *one) for one in reports))
        of_key: dict[str | None, set[str]] = {}
        new = 0
        for reported, answered in zip(reports, answers, strict=True):
            for one, what in zip(reported, answered, strict=True):
                of_key.setdefault(one.key, set()).add(what.public_id)
                new += not what.known
        assert new == len(keys)
        assert {len(ids) for ids in of_key.values()} == {1}
        rows = await store.read(lambda tx: tx.events.page(app.id, Sought(), after=0, limit=1_000))
        assert sorted(str(row.key) for row in rows) == sorted(keys)

    async def test_they_are_listed_newest_first_by_type_person_and_status(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        await stored(store, given, event(app, 1, users=("u-1",)), event(app, 2, type="bot.well", actor="u-1"))
        await stored(store, given, event(app, 3, users=("u-1", "u-1", "u-2"), actor="u-2"))
        await stored(store, given, event(other, 4, users=("u-1",)))

        async def listed(after: int = 0, limit: int = 9, **sought: object) -> list[str]:
            wanted = Sought(**sought)  # type: ignore[arg-type]
            rows = await store.read(lambda tx: tx.events.page(app.id, wanted, after=after, limit=limit))
            return [row.public_id for row in rows]

        assert await listed() == ["evt_3", "evt_2", "evt_1"]
        assert await listed(limit=1) == ["evt_3"]
        third = await look(store, app, 3)
        assert third is not None
        assert await listed(after=third.id) == ["evt_2", "evt_1"]
        assert await listed(type="bot.failed") == ["evt_3", "evt_1"]
        assert await listed(user="u-1") == ["evt_3", "evt_2", "evt_1"]
        assert await listed(user="u-2", type="bot.failed") == ["evt_3"]
        assert await listed(status=EventStatus.DONE) == []
        assert await listed(status=EventStatus.QUEUED, user="u-2") == ["evt_3"]

    async def test_what_has_had_its_time_goes_with_its_names_and_what_waits_stays(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        await stored(store, given, event(app, 1, users=("u-1",)), event(app, 2, users=("u-1",)))
        assert await store.write(lambda tx: tx.events.purge(before=given.later(9), limit=10)) == 0
        await settled(store)
        await stored(store, given, event(app, 3, users=("u-1",)), seconds=10)
        assert await store.write(lambda tx: tx.events.purge(before=given.later(9), limit=1)) == 1
        assert await store.write(lambda tx: tx.events.purge(before=given.later(9), limit=9)) == 1
        rows = await store.read(lambda tx: tx.events.of_user(app.id, "u-1", after=0, limit=9))
        assert [row.public_id for row in rows] == ["evt_3"]


@pytest.mark.parametrize("limit", [1, 500])
async def test_an_erased_person_is_in_no_event(store: Store, given: Given, limit: int) -> None:
    app, other = await given.app(), await given.app()
    await stored(store, given, event(app, 1, users=("u-1",)), event(app, 2, users=("u-1", "u-2")))
    await stored(store, given, event(app, 3, users=("u-2",), actor="u-1"), event(app, 4, users=("u-2",)))
    await stored(store, given, event(other, 5, users=("u-1",)), event(app, 6, users=("u-1",)), seconds=60)
    erasure = await store.write(lambda tx: tx.erasures.user(app, "u-1", public_id="era_1", now=given.later(30)))
    while await store.write(lambda tx: tx.erasures.step(erasure.id, limit=limit, now=given.later(31))):
        pass
    assert [await look(store, app, n) is not None for n in (1, 2, 3, 4, 6)] == [False, True, False, True, True]
    left = await look(store, app, 2)
    assert left is not None
    assert left.users == ("u-2",)
    rows = await store.read(lambda tx: tx.events.of_user(app.id, "u-1", after=0, limit=9))
    assert [row.public_id for row in rows] == ["evt_6"]
    assert await look(store, other, 5) is not None
    done = await store.read(lambda tx: tx.erasures.get("era_1"))
    assert done is not None
    assert done.counts["events"] == 3


async def test_the_time_of_an_event_survives_both_databases(store: Store, given: Given) -> None:
    app = await given.app()
    happened = given.now + timedelta(microseconds=1)
    await stored(store, given, event(app, 1, occurred_at=happened))
    found = await look(store, app, 1)
    assert found is not None
    assert found.occurred_at == happened
