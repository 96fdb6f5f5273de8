"""Conditions that name a few find them by an index, on both databases, and nobody else by it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from tests.contract.storage.test_filters import NOW

from support.stored import Given
from tidings.domain.app import App
from tidings.domain.audience import Audience, Matching, Through
from tidings.domain.campaign import NotificationStatus
from tidings.domain.filters import filter_from, topic_named
from tidings.storage import Transaction, recipients
from tidings.storage.audiences import kind_of, parameters

DEVICES = 4_000
BY_NAME = "ix_subscriptions_app_id_user_external_id"
MUCH = 2**62

NAMING = {
    'user.id == "u-7"': 1,
    'user.id in ["u-7", "u-8", "nobody"]': 2,
    'subscription.user_id == "u-7"': 1,
    'user.id == "u-7" && subscription.locale == "de-AT"': 1,
    'user.topics.contains("product:22")': 3,
    'user.topics.contains("product:22") && !(user.id == "u-20")': 2,
    'user.topics.contains("product:22") && user.id == "u-20"': 1,
    'user.topics.contains("nothing")': 0,
    'has(user.id) && (user.locale == null && user.topics.contains("product:22"))': 3,
}
"""Conditions, and how many devices they hold for."""


@pytest.fixture
async def crowd(given: Given) -> App:
    """Many devices, each of a person of its own; three people follow a topic."""
    app = await given.app()
    key = await given.credential(app)
    new = [given.registration(app, key, user_external_id=f"u-{n}") for n in range(DEVICES)]

    def fill(tx: Transaction) -> None:
        tx.subscriptions.add_many(((one, f"sub_crowd_{n}", b"") for n, one in enumerate(new)), now=NOW)
        tx.follows.follow(app.id, "product:22", ["u-20", "u-300", "u-3999"], now=NOW)
        tx.follows.follow(app.id, "news", [f"u-{n}" for n in range(1_000)], now=NOW)
        tx.apps._scope.connection.execute(text("ANALYZE"))  # type: ignore[attr-defined]

    await given.store.write(fill)
    return app


def audience_of(conditions: str) -> Matching:
    tree = filter_from(conditions)
    return Matching(tree, NOW, "seg_1", few=topic_named(tree) is not None)


def plans(tx: Transaction, app: App, audience: Audience) -> list[str]:
    """Give the plan of each statement that counts, cuts and reads an audience."""
    scope = tx.apps._scope  # type: ignore[attr-defined]
    dialect, kind = scope.dialect, kind_of(audience)
    ends = {"after": 0, "high": MUCH, "most": 200, "ceiling": MUCH, "skipped": 0}
    given = parameters(dialect, app.id, audience) | ends
    found = []
    for made in (recipients._count, recipients._range, recipients._one_further_on):
        words = made(dialect, kind).words  # type: ignore[attr-defined]
        values: Any = words.parameters(given)
        if dialect.name == "sqlite":
            driver = scope.connection.connection.driver_connection
            rows = driver.execute(f"EXPLAIN QUERY PLAN {words.text}", [values[name] for name in words.order])
            found.append("\n".join(row[3] for row in rows))
        else:
            rows = scope.connection.exec_driver_sql(f"EXPLAIN {words.text}", values)
            found.append("\n".join(row[0] for row in rows))
    return found


async def test_those_that_conditions_name_are_found_by_their_names(given: Given, crowd: App) -> None:
    for conditions, number in NAMING.items():
        audience = audience_of(conditions)
        for one in (audience, Through(audience, ("webpush",))):
            for plan in await given.store.read(lambda tx, one=one: plans(tx, crowd, one)):  # type: ignore[misc]
                assert BY_NAME in plan, f"{conditions}\n{plan}"
                assert "Seq Scan on subscriptions" not in plan, f"{conditions}\n{plan}"
                assert "SCAN subscriptions" not in plan, f"{conditions}\n{plan}"
            counted = await given.store.read(lambda tx, one=one: tx.subscriptions.count(crowd.id, one))  # type: ignore[misc]
            assert counted == number, conditions
            parts = await given.store.read(
                lambda tx, one=one: tx.subscriptions.cut(crowd.id, one, ceiling=MUCH, size=2)  # type: ignore[misc]
            )
            assert sum(part[2] for part in parts) == number, conditions
        estimate = await given.store.read(
            lambda tx, one=audience: tx.segments.estimate(crowd.id, one.filter, at=NOW)  # type: ignore[misc]
        )
        assert (estimate.count, estimate.exact) == (number, True)


async def test_followers_of_a_topic_that_is_large_are_asked_for_device_by_device(given: Given, crowd: App) -> None:
    audience = Matching(filter_from('user.topics.contains("news")'), NOW, "seg_1", few=False)
    parts = await given.store.read(lambda tx: tx.subscriptions.cut(crowd.id, audience, ceiling=MUCH, size=400))
    assert [part[2] for part in parts] == [400, 400, 200]
    _, walk, _ = await given.store.read(lambda tx: plans(tx, crowd, audience))
    assert "follows" in walk
    assert BY_NAME not in walk, walk


async def test_people_that_conditions_name_are_found_by_their_names_too(given: Given, crowd: App) -> None:
    now, names = NOW, [f"p-{n}" for n in range(3_000)]

    def fill(tx: Transaction) -> None:
        tx.follows.follow(crowd.id, "everybody", names, now=now)
        tx.apps._scope.connection.execute(text("ANALYZE"))  # type: ignore[attr-defined]

    await given.store.write(fill)
    for conditions, found in (
        ('user.topics.contains("product:22")', ["u-20", "u-300", "u-3999"]),
        ('user.topics.contains("product:22") && user.id != "u-20"', ["u-300", "u-3999"]),
        ('user.id in ["p-7", "u-300", "nobody"]', ["p-7", "u-300"]),
        ('user.topics.contains("everybody") && user.topics.contains("news")', []),
        ('user.topics.contains("product:22") && subscription.locale == "de-AT"', ["u-20", "u-300", "u-3999"]),
    ):
        tree = filter_from(conditions)
        people = await given.store.read(lambda tx, tree=tree: tx.segments.people(crowd.id, tree, at=NOW))  # type: ignore[misc]
        assert sorted(one.external_id for one in people) == found, conditions
    first = await given.store.read(
        lambda tx: tx.segments.people(crowd.id, filter_from('user.topics.contains("everybody")'), at=NOW, limit=2)
    )
    rest = await given.store.read(
        lambda tx: tx.segments.people(
            crowd.id, filter_from('user.topics.contains("everybody")'), at=NOW, after=first[-1].id, limit=3_000
        )
    )
    assert sorted(one.external_id for one in (*first, *rest)) == sorted(names), "page by page, each once"


async def test_a_topic_of_very_many_is_not_looked_up_by_name(given: Given, crowd: App, monkeypatch: Any) -> None:
    assert await given.store.read(lambda tx: tx.follows.few(crowd.id, "news"))
    monkeypatch.setattr("tidings.storage.follows.FEW", 999)
    assert not await given.store.read(lambda tx: tx.follows.few(crowd.id, "news"))
    tree = filter_from('user.topics.contains("news")')
    people = await given.store.read(lambda tx: tx.segments.people(crowd.id, tree, at=NOW, limit=2_000))
    assert len(people) == 1_000


async def test_what_is_stored_of_it_is_read_as_it_was(given: Given, crowd: App) -> None:
    audience = audience_of('user.topics.contains("product:22")')
    stored = await given.notification(crowd, audience)
    assert (await given.look(stored)).audience == audience
    assert stored.counts.audience == 3
    plain = Matching(audience.filter, NOW)
    assert (await given.look(await given.notification(crowd, plain))).audience == plain


async def test_what_is_not_finished_is_found_by_the_segment_it_goes_to(given: Given, crowd: App) -> None:
    to = audience_of('user.id == "u-7"')
    first = await given.notification(crowd, to)
    second = await given.notification(crowd, Through(to, ("webpush",)))
    await given.notification(crowd, Matching(to.filter, NOW, "seg_2"))
    await given.notification(crowd)

    def look(tx: Transaction) -> list[str]:
        return tx.notifications.unfinished_to(crowd.id, "seg_1", limit=10)

    assert await given.store.read(look) == [first.public_id, second.public_id]
    assert await given.set_status(first, NotificationStatus.CANCELLED)
    assert await given.store.read(look) == [second.public_id]
