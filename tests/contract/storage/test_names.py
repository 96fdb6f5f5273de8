"""People are found by the beginnings of words of their id or name, by all of them, on both databases alike."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from support.stored import Given
from tidings.domain.app import App
from tidings.domain.names import LONGEST
from tidings.storage import Store, Transaction, names
from tidings.storage.tables.apps import user_words
from tidings.storage.transaction import SqlTransaction

PEOPLE = {
    "u-1": {"name": "Anna Öhm"},
    "u-2": {"name": 7},
    "anna@example.com": {},
    "u-3": {"plan": "anna"},
    "u-42": {"name": "Jo-Ann Reed_Berger"},
    "%": {"name": "小明"},
    "u-5": {"name": "Kim", "email": "K.Lee@Example.org"},
    "u-6": {"email": ["k.lee@example.org"]},
}


async def people(store: Store, given: Given) -> App:
    app, other = await given.app(), await given.app()

    def work(tx: Transaction) -> None:
        for external_id, attributes in PEOPLE.items():
            for owner in (app, other):
                tx.users.put(owner.id, external_id, attributes=attributes, locale=None, time_zone=None, now=given.now)

    await store.write(work)
    return app


async def found(store: Store, app: App, search: str, *, limit: int = 9) -> list[str]:
    """Search as a reader does that turns pages."""
    everyone: list[str] = []
    after = 0
    while rows := await store.read(lambda tx, a=after: tx.users.page(app.id, after=a, limit=limit, search=search)):
        assert {row.app_id for row in rows} == {app.id}
        everyone += [row.external_id for row in rows]
        after = rows[-1].id
    return everyone


@pytest.mark.parametrize("rare", [names.RARE, 0], ids=["few have it", "many have it"])
@pytest.mark.parametrize("limit", [9, 1])
async def test_each_word_begins_one_of_the_id_or_the_name(
    store: Store, given: Given, rare: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "RARE", rare)
    app = await people(store, given)
    for search, expected in (
        ("ANNA", ["anna@example.com", "u-1"]),
        ("öhm", ["u-1"]),
        ("Ö", ["u-1"]),
        ("u-", ["u-6", "u-5", "u-42", "u-3", "u-2", "u-1"]),
        ("k.lee@example.org", ["u-5"]),
        ("kim lee", ["u-5"]),
        ("org", ["u-5"]),
        ("u-4", ["u-42"]),
        ("ann", ["u-42", "anna@example.com", "u-1"]),
        ("berger jo", ["u-42"]),
        ("an öhm", ["u-1"]),
        ("anna anna", ["anna@example.com", "u-1"]),
        ("anna berger", []),
        ("example.com", ["anna@example.com"]),
        ("nna", []),
        ("7", []),
        ("明", ["%"]),
        ("小明", ["%"]),
        ("%", []),
        ("nobody", []),
    ):
        assert await found(store, app, search, limit=limit) == expected, search


async def test_who_changes_their_name_is_found_by_the_new_one_only(store: Store, given: Given) -> None:
    app = await people(store, given)
    for attributes, locale in (({"name": "Anna Weiß"}, None), (None, "de")):
        await store.write(
            lambda tx, a=attributes, le=locale: tx.users.put(  # type: ignore[misc]
                app.id, "u-1", attributes=a, locale=le, time_zone=None, now=given.now
            )
        )
        assert await found(store, app, "anna weiß") == ["u-1"]
        assert await found(store, app, "öhm") == []
        assert "u-1" in await found(store, app, "u-1")


async def test_who_follows_a_topic_is_known_and_found(store: Store, given: Given) -> None:
    app = await people(store, given)
    await store.write(lambda tx: tx.follows.follow(app.id, "ferry", ["sailor-9", "u-1"], now=given.now))
    await store.write(lambda tx: tx.follows.follow(app.id, "news", ["sailor-9"], now=given.now))
    assert await found(store, app, "sail") == ["sailor-9"]
    assert await found(store, app, "öhm") == ["u-1"]


async def test_nothing_is_found_of_who_is_gone(store: Store, given: Given) -> None:
    app = await people(store, given)
    assert await store.write(lambda tx: tx.users.delete(app.id, "u-1"))
    assert await found(store, app, "öhm") == []

    def words(tx: Transaction) -> set[str]:
        assert isinstance(tx, SqlTransaction)
        connection = tx.users._scope.connection  # type: ignore[attr-defined]
        return set(connection.execute(select(user_words.c.word).where(user_words.c.app_id == app.id)).scalars())

    assert "öhm" not in await store.read(words)


async def test_of_a_long_word_the_beginning_counts(store: Store, given: Given) -> None:
    app, long = await given.app(), "x" * (LONGEST + 9)
    await store.write(
        lambda tx: tx.users.put(app.id, long, attributes=None, locale=None, time_zone=None, now=given.now)
    )
    assert await found(store, app, long) == [long]


async def test_ids_are_looked_up_exactly_and_in_one_app_alone(store: Store, given: Given) -> None:
    app = await people(store, given)
    asked = ["u-1", "u-2", "anna@example.com", "ANNA@example.com", "u", "%", "nobody"]
    found = await store.read(lambda tx: tx.users.lookup(app.id, asked))
    assert {one.external_id: (one.name, one.devices) for one in found.values()} == {
        "u-1": ("Anna Öhm", 0),
        "u-2": (None, 0),
        "anna@example.com": (None, 0),
        "%": ("小明", 0),
    }
    alone = await given.app()
    assert await store.read(lambda tx: tx.users.lookup(alone.id, asked)) == {}
