"""Conditions mean in both databases what they mean in memory: all look at random people, devices and conditions."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from support.conditions import NOW, TEXTS, attributes, filters, moments, tags, texts
from support.stored import Given
from tidings.domain.audience import Matching, Through
from tidings.domain.filters import AllOf, Filter, Not, Root, filter_from, matches, subscription_record, user_record
from tidings.domain.filters.values import FOLDED_FROM, fold, moment_of, version_key
from tidings.storage import Store, Transaction
from tidings.storage.filters import asks_for

MANY = int(os.environ.get("TIDINGS_MANY_CONDITIONS", "12"))
"""Worlds to try on each database."""

_numbers = count(1)
_words = st.none() | st.sampled_from(["de", "de-AT", "DE", "ä", "1.10.0", "2.0.0-beta", "2026-11-26", *TEXTS[:6]])

people = st.fixed_dictionaries(
    {
        "attributes": attributes,
        "locale": _words,
        "time_zone": _words,
        "created": moments,
        "topics": st.lists(texts.filter(bool), max_size=2, unique=True),
    }
)
devices = st.fixed_dictionaries(
    {
        "tags": tags,
        "locale": _words,
        "time_zone": _words,
        "device": _words,
        "app_version": _words,
        "created": moments,
        "owner": st.sampled_from([None, "p-0", "p-1", "p-2", "p-3", "nobody known"]),
    }
)


async def _world(
    given: Given, persons: list[Any], things: list[Any]
) -> tuple[int, list[tuple[int, dict[str, Any]]], dict[str, Any]]:
    app = await given.app(f"App {next(_numbers)}")
    key = await given.credential(app, f"key-{next(_numbers)}")
    new = [
        given.registration(
            app,
            key,
            user_external_id=one["owner"],
            **{name: one[name] for name in ("tags", "locale", "time_zone", "device", "app_version")},
        )
        for one in things
    ]

    def work(tx: Transaction) -> tuple[list[tuple[int, dict[str, Any]]], dict[str, Any]]:
        known = {}
        for n, one in enumerate(persons):
            said = {name: one[name] for name in ("attributes", "locale", "time_zone")}
            user, _ = tx.users.put(app.id, f"p-{n}", **said, now=one["created"])
            for topic in one["topics"]:
                tx.follows.follow(app.id, topic, [user.external_id], now=NOW)
            known[user.external_id] = user_record(replace(user, attributes=one["attributes"]), topics=one["topics"])
        records = []
        for registration, one in zip(new, things, strict=True):
            stored = tx.subscriptions.add(
                registration, public_id=f"sub_{next(_numbers)}", secret_hash=b"", now=one["created"]
            )
            owner = stored.user_external_id
            records.append(
                (
                    stored.id,
                    {
                        "subscription": subscription_record(stored),
                        "user": known.get(owner or "") or user_record(None, owner),
                    },
                )
            )
        return records, known

    records, known = await given.store.write(work)
    return app.id, records, known


def _found(tx: Transaction, app_id: int, tree: Filter) -> set[int]:
    audience = Matching(tree, NOW)
    found = tx.subscriptions.recipients(app_id, audience, after=0, high=2**62, limit=1_000)
    ids = [one.subscription_id for one in found]
    assert tx.subscriptions.count(app_id, audience) == len(ids)
    assert tx.segments.estimate(app_id, tree, at=NOW).count == len(ids)
    for few in (audience, replace(audience, few=True)):
        listed = tx.subscriptions.recipients_by_id(ids, of=few)
        assert [one.subscription_id for one in listed] == ids
        ranged = tx.subscriptions.recipients(app_id, few, after=0, high=2**62, limit=1_000)
        assert [one.subscription_id for one in ranged] == ids
    return set(ids)


@settings(
    max_examples=MANY,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # what is found is small, and each look costs a world
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@drawn(
    persons=st.lists(people, min_size=2, max_size=4),
    things=st.lists(devices, min_size=3, max_size=6),
    trees=st.lists(filters(topics=True, unfit=True), min_size=25, max_size=25),
)
async def test_memory_and_database_find_the_same(
    given: Given, persons: list[Any], things: list[Any], trees: list[Filter]
) -> None:
    app_id, records, known = await _world(given, persons, things)

    def look(tx: Transaction) -> None:
        for tree in trees:
            expected = {one for one, record in records if matches(tree, record, NOW)}
            assert _found(tx, app_id, tree) == expected, tree
            everybody = {one for one, _ in records}
            opposite = tx.subscriptions.recipients(app_id, Matching(Not(tree), NOW), after=0, high=2**62, limit=1_000)
            assert {one.subscription_id for one in opposite} == everybody - expected, tree
            if Root.SUBSCRIPTION not in asks_for(tree):
                found = tx.segments.people(app_id, tree, at=NOW)
                wanted = [name for name, record in known.items() if matches(tree, {"user": record}, NOW)]
                assert [one.external_id for one in found] == wanted, tree

    await given.store.read(look)


async def test_odd_texts_are_read_alike(store: Store) -> None:
    """Times, versions and small letters, by the functions of the databases."""
    odd = [
        *TEXTS,
        *FOLDED_FROM,
        "ß",
        "ǅ",
        "ﬀ",
        "Ⓐ",
        "Ω",
        "Å",
        "Ա",
        "1.2.3-",
        "1-a.00b",
        "1-00.1",
        "v1.2.3.4.5",
        "1.2-x+y.z",
    ]
    odd += [f"2026-{month:02}-{day:02}" for month in range(14) for day in (0, 1, 28, 29, 30, 31, 32)]
    odd += [
        f"{year}-02-29T00:00:00.{'9' * digits}-00:01" for year in (1900, 2000, 2023, 2024) for digits in (1, 6, 9, 10)
    ]

    def look(tx: Transaction) -> list[tuple[Any, Any, Any]]:
        from sqlalchemy import text

        connection = tx.segments._scope.connection  # type: ignore[attr-defined]
        query = text("SELECT tidings_fold(:one), tidings_moment(:one), tidings_version(:one)")
        return [tuple(connection.execute(query, {"one": one}).one()) for one in odd]

    for one, (folded, moment, version) in zip(odd, await store.read(look), strict=True):
        key = version_key(one)
        assert (folded, moment, version) == (fold(one), moment_of(one), None if key is None else key.encode()), one


async def test_only_who_can_be_reached_is_found_and_only_through_the_channels_asked_for(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    await given.device(app, None, tags={"color": "red"})
    red = await given.device(app, key, tags={"color": "red"})
    await given.device(app, key, tags={"color": "blue"})
    audience = Matching(filter_from('subscription.tags.color == "red"'), NOW)
    for whole, expected in (
        (audience, [red.id]),
        (Through(audience, ("webpush",)), [red.id]),
        (Through(audience, ("apns",)), []),
    ):
        found = await given.store.read(
            lambda tx, whole=whole: tx.subscriptions.recipients(app.id, whole, after=0, high=2**62, limit=9)
        )
        assert [one.subscription_id for one in found] == expected


async def test_an_audience_of_conditions_is_cut_and_kept(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    for n in range(7):
        await given.device(app, key, user_external_id=f"u-{n}")
        await given.store.write(
            lambda tx, n=n: tx.users.put(
                app.id,
                f"u-{n}",
                attributes={"role": "owner" if n % 2 else "guest"},
                locale=None,
                time_zone=None,
                now=NOW,
            )
        )
    audience = Matching(filter_from('user.role == "guest"'), NOW, "seg_1")
    parts = await given.store.read(lambda tx: tx.subscriptions.cut(app.id, audience, ceiling=2**62, size=3))
    assert [part[2] for part in parts] == [3, 1]
    notification = await given.notification(app, Through(audience, ("webpush",)))
    assert notification.audience == Through(audience, ("webpush",))
    assert notification.counts.audience == 4


async def test_very_many_devices_are_reckoned_from_samples(given: Given, monkeypatch: Any) -> None:
    app = await given.app()
    key = await given.credential(app)
    new = [given.registration(app, key, tags={"n": str(n % 4)}) for n in range(400)]
    await given.store.write(
        lambda tx: tx.subscriptions.add_many(((one, f"sub_many_{n}", b"") for n, one in enumerate(new)), now=NOW)
    )
    monkeypatch.setattr("tidings.storage.segments.COUNTED", 100)
    tree = filter_from('subscription.tags.n == "1"')
    estimate = await given.store.read(lambda tx: tx.segments.estimate(app.id, tree, at=NOW))
    assert not estimate.exact
    assert 60 <= estimate.count <= 140
    everybody = await given.store.read(lambda tx: tx.segments.estimate(app.id, AllOf(()), at=NOW))
    assert everybody.count == 400


async def test_segments_have_one_name_each(given: Given) -> None:
    app, other = await given.app(), await given.app()
    tree = filter_from('user.plan == "pro"')

    def add(tx: Transaction, app_id: int, public_id: str, name: str, now: datetime = NOW) -> Any:
        return tx.segments.add(app_id, public_id=public_id, name=name, conditions=tree, now=now)

    first = await given.store.write(lambda tx: add(tx, app.id, "seg_1", "Payers"))
    assert await given.store.write(lambda tx: add(tx, app.id, "seg_2", "Payers")) is None
    assert await given.store.write(lambda tx: add(tx, other.id, "seg_3", "Payers"))
    second = await given.store.write(lambda tx: add(tx, app.id, "seg_4", "Others"))
    taken = await given.store.write(lambda tx: tx.segments.update(second.id, name="Payers", conditions=None, now=NOW))
    assert taken is None
    changed = await given.store.write(
        lambda tx: tx.segments.update(second.id, name="Rest", conditions=Not(tree), now=given.later(5))
    )
    assert (changed.name, changed.filter, changed.updated_at) == ("Rest", Not(tree), given.later(5))
    listed = await given.store.read(lambda tx: tx.segments.page(app.id, after=0, limit=5))
    assert listed == [changed, first]
    assert await given.store.read(lambda tx: tx.segments.get(other.id, "seg_1")) is None
    assert await given.store.write(lambda tx: tx.segments.delete(app.id, "seg_1"))
    assert not await given.store.write(lambda tx: tx.segments.delete(app.id, "seg_1"))


async def test_people_follow_topics_and_leave_them(given: Given) -> None:
    app = await given.app()
    followed = await given.store.write(lambda tx: tx.follows.follow(app.id, "t:1", ["b", "a", "a"], now=NOW))
    assert followed == 2
    assert await given.store.write(lambda tx: tx.follows.follow(app.id, "t:1", ["a", "c"], now=NOW)) == 1
    await given.store.write(lambda tx: tx.follows.follow(app.id, "t:2", ["a"], now=NOW))

    def look(tx: Transaction) -> Any:
        page = tx.follows.followers(app.id, "t:1", after="a", limit=1)
        return (
            [one.user for one in page],
            [one.topic for one in tx.follows.topics(app.id, "a")],
            tx.users.get(app.id, "b"),
        )

    users, topics, known = await given.store.read(look)
    assert (users, topics) == (["b"], ["t:1", "t:2"])
    assert known.attributes == {}
    assert await given.store.write(lambda tx: tx.follows.unfollow(app.id, "t:1", ["b", "x"])) == 1
    assert await given.store.read(lambda tx: tx.follows.count(app.id, "t:1")) == 2
    await given.store.write(lambda tx: tx.users.delete(app.id, "a"))
    assert not await given.store.read(lambda tx: tx.follows.follows(app.id, "t:1", "a"))
