"""Subscriptions by status are counted as they change: always what a count of the rows themselves comes to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from sqlalchemy import func, select

from support.stored import Given
from tidings.domain.app import App, Credential
from tidings.domain.relay import NewRelay, Relay
from tidings.domain.subscription import Address, NewSubscription, Subscription, SubscriptionStatus
from tidings.storage import Store, Transaction
from tidings.storage.tables.subscriptions import subscription_counts, subscriptions
from tidings.storage.transaction import SqlTransaction


class Undone(Exception):
    """Lets a transaction end without a trace."""


def recounted(tx: Transaction, app_id: int) -> dict[str, int]:
    """Count the rows, and see to it that the counters say the same of every status, also of those no list shows."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.subscriptions._scope.connection  # type: ignore[attr-defined]
    s, c = subscriptions.c, subscription_counts.c
    rows = select(s.status, func.count()).where(s.app_id == app_id).group_by(s.status)
    sums = select(c.status, func.sum(c.n)).where(c.app_id == app_id).group_by(c.status)
    counted = {status: int(n) for status, n in connection.execute(sums) if n}
    assert counted == dict(connection.execute(rows).all())
    assert tx.subscriptions.statuses(app_id) == {one: counted.get(one, 0) for one in SubscriptionStatus}
    return counted


@dataclass(frozen=True)
class Turn:
    """What one step works with."""

    tx: Transaction
    app: App
    credential: Credential
    given: Given
    pick: int
    fresh: tuple[NewSubscription, ...]
    numbers: tuple[int, ...]

    @property
    def one(self) -> Subscription:
        known = self.tx.subscriptions.page(self.app.id, after=0, limit=1_000)
        return known[self.pick % len(known)] if known else self.given._add(self.tx, self.fresh[1])


def bring_in(turn: Turn) -> None:
    rows = [(new, f"sub_{n}", b"s" * 32) for new, n in zip(turn.fresh, turn.numbers, strict=True)]
    assert turn.tx.subscriptions.add_many([*rows, rows[0]], now=turn.given.now) == (3, 1)


def relay(turn: Turn) -> Relay:
    address = Address(f"https://hooks.example.com/{turn.pick % 3}", b"")
    new = NewRelay(
        turn.app.id, "webhook", address, "https://hooks.example.com", turn.credential.id, "Channel", turn.pick > 5
    )
    return turn.tx.relays.ensure(new, public_id=f"sub_{turn.numbers[0]}", secret_hash=b"s" * 32, now=turn.given.now)


def erase(turn: Turn) -> None:
    named = turn.one.public_id
    begun = turn.tx.erasures.device(turn.app, named, public_id=f"era_{turn.numbers[0]}", now=turn.given.now)
    while begun is not None and turn.tx.erasures.step(begun.id, limit=500, now=turn.given.now):
        pass


def fail(turn: Turn) -> None:
    turn.tx.subscriptions.delete(turn.app.id, turn.one.public_id)
    turn.given._add(turn.tx, turn.fresh[0])
    raise Undone


STATUSES = list(SubscriptionStatus)
STEPS: dict[str, Callable[[Turn], object]] = {
    "add": lambda turn: turn.given._add(turn.tx, turn.fresh[0]),
    "import": bring_in,
    "status": lambda turn: turn.tx.subscriptions.set_status(turn.one.id, STATUSES[turn.pick % len(STATUSES)], ""),
    "refresh": lambda turn: turn.tx.subscriptions.refresh(
        turn.one.id, turn.fresh[0], secret_hash=None, now=turn.given.now
    ),
    "delete": lambda turn: turn.tx.subscriptions.delete(turn.app.id, turn.one.public_id),
    "erase": erase,
    "relay": relay,
    "end": lambda turn: turn.tx.relays.end(relay(turn).id),
    "expire": lambda turn: turn.tx.subscriptions.expire_made_with(turn.credential.id, reason="gone"),
    "add up": lambda turn: turn.tx.stats.add_up_subscriptions(limit=2 + turn.pick),
    "fail": fail,
}


async def take(step: str, pick: int, app: App, credential: Credential, given: Given) -> None:
    """Do one thing to one of the App's subscriptions, or to all of them."""
    fresh = tuple(given.registration(app, credential) for _ in range(3))
    numbers = tuple(next(given._numbers) for _ in fresh)
    with suppress(Undone):
        await given.store.write(lambda tx: STEPS[step](Turn(tx, app, credential, given, pick, fresh, numbers)))


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@drawn(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9)), min_size=20, max_size=50))
async def test_the_counters_say_what_a_count_comes_to(given: Given, steps: list[tuple[str, int]]) -> None:
    app = await given.app()
    credential = await given.credential(app)
    await given.devices(app, credential, 5)
    for step, pick in steps:
        await take(step, pick, app, credential, given)
        await given.store.read(lambda tx: recounted(tx, app.id))


async def test_counters_are_exact_while_many_write_at_once(store: Store, given: Given) -> None:
    app = await given.app()
    credential = await given.credential(app)
    ids = await given.devices(app, credential, 60)

    async def change(turn: int) -> None:
        for one in ids[turn::6]:
            await store.write(lambda tx: tx.subscriptions.set_status(one, SubscriptionStatus.EXPIRED, "gone"))  # noqa: B023
            await given.device(app, credential)

    async def add_up() -> None:
        for _ in range(20):
            await store.write(lambda tx: tx.stats.add_up_subscriptions(limit=7))

    await asyncio.gather(*(change(turn) for turn in range(6)), add_up(), add_up())
    expected = Counter({"active": 60, "expired": 60})
    assert await store.read(lambda tx: recounted(tx, app.id)) == expected
    while await store.write(lambda tx: tx.stats.add_up_subscriptions(limit=1_000)):
        pass
    assert await store.read(lambda tx: recounted(tx, app.id)) == expected

    def rows(tx: Transaction) -> int:
        connection = tx.subscriptions._scope.connection  # type: ignore[attr-defined]
        c = subscription_counts.c
        number: int = connection.execute(select(func.count()).where(c.app_id == app.id)).scalar_one()
        return number

    assert await store.read(rows) == 2


async def test_an_erased_app_is_counted_no_longer(store: Store, given: Given) -> None:
    app = await given.app()
    await given.devices(app, await given.credential(app), 7)
    begun = await store.write(lambda tx: tx.erasures.app(app, public_id="era_1", now=given.now))
    await store.write(lambda tx: tx.erasures.note_in_hand(begun.id, now=given.later(60)))
    while await store.write(lambda tx: tx.erasures.step(begun.id, limit=3, now=given.later(60))):
        pass

    def rows(tx: Transaction) -> list[object]:
        connection = tx.subscriptions._scope.connection  # type: ignore[attr-defined]
        return list(connection.execute(select(subscription_counts)).all())

    assert await store.read(rows) == []
