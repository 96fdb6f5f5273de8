"""Everything at once, drawn by lot: workers that die, pauses, cancels, refusals, second tries, time that passes."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from support.runners import PUSH, Pool, app_of, now_of, runner_of, standing_still
from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.audit import SYSTEM
from tidings.domain.campaign import FINAL_STATUSES, InDoubtPolicy, NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import DeliveryStatus, SkipReason
from tidings.domain.errors import CatalogueError
from tidings.domain.message import Message
from tidings.domain.outcome import (
    Accepted,
    Gone,
    Held,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.lib.clock import FixedClock
from tidings.pipeline import plan
from tidings.pipeline.deliver import RECALLED, Chunk, Parcel
from tidings.storage import OutcomeUnknown, StoreUnavailable, Transaction
from tidings.wiring import Container
from tidings.worker import load, runner
from tidings.worker.runner import LEASE

PEOPLE = 60
SEEDS = range(int(os.environ.get("SEEDS", "30")))


class Died(Exception):
    """A worker that is killed: nothing after this is done."""


class World:
    """One notification and whatever may happen to it; `told` is who was sent it, as often as that was."""

    def __init__(self, container: Container, app: App, chance: Random) -> None:
        self.container = container
        self.app = app
        self.chance = chance
        self.quiet = False
        self.asleep = 0
        self.told: Counter[int] = Counter()
        self.clock: FixedClock = container.clock  # type: ignore[assignment]
        self.notification: Notification

    async def send(self, policy: InDoubtPolicy) -> None:
        new = NewNotification(self.app.id, Message(title="Tide", ttl=86_400), Everyone(), policy=policy)
        self.notification = (await self.container.flow.accept(new)).notification

    def answer(self, parcel: Parcel) -> Outcome:
        lot = 0.0 if self.quiet else self.chance.random()
        if lot < 0.6:
            self.told[parcel.subscription_id] += 1
            return Accepted()
        if lot > 0.97 and self.told[parcel.subscription_id] == 0:
            return Gone("expired")
        several = (
            Throttled(30.0, ThrottleScope.DEVICE),
            Unavailable(None, "service_error"),
            Unmapped(299, "unmapped_answer"),
            Refused("payload_too_large"),
            RECALLED,
            Throttled(30.0, ThrottleScope.PROJECT, Held.RESTS),
            Unavailable(30.0, Held.SILENT),
        )
        return self.chance.choice(several)

    async def happen(self) -> None:
        """Let somebody do something, or nothing."""
        flow, safety = self.container.flow, self.container.safety
        this = (self.app.id, self.notification.public_id)
        doings: dict[Callable[[], Awaitable[object]], float] = {
            partial(flow.pause, *this): 10,
            partial(flow.resume, *this): 15,
            partial(flow.cancel, *this): 4,
            partial(safety.pause, by=SYSTEM): 3.5,
            partial(safety.resume, by=SYSTEM): 10,
            flow.tidy: 5,
            self.requeue: 10,
            partial(self.integration, goes_on=False): 12,
            partial(self.integration, goes_on=True): 5,
            partial(asyncio.sleep, 0): 35,
        }
        (does,) = self.chance.choices(list(doings), list(doings.values()))
        with suppress(CatalogueError):  # it has ended, or is not paused
            await does()
        self.clock.at += timedelta(seconds=self.chance.choice([0, 0, 1, 20, 70]))

    async def integration(self, *, goes_on: bool) -> None:
        """Let a push service refuse the App's key, or somebody put that right."""

        def change(tx: Transaction) -> None:
            key = tx.credentials.current(self.app.id, "webpush")
            integration = tx.credentials.integration(self.app.id, "webpush")
            assert key is not None
            assert integration is not None
            if goes_on:
                tx.credentials.resume(integration.id)
            else:
                tx.credentials.pause(key.id, PUSH, reason="jwt_refused", now=self.clock.at)

        await self.container.store.write(change)

    async def stand_still(self) -> None:
        """Let a worker sleep for longer than its lease: others carry what it has in hand, and it wakes afterwards."""
        self.clock.at += timedelta(seconds=LEASE + 1)
        if self.asleep < 2:
            self.asleep += 1
            await step(self)
            self.asleep -= 1

    async def requeue(self) -> None:
        store, now = self.container.store, self.clock.at
        for dead in await store.read(lambda tx: tx.shards.dead(app_ids=None, after=0, limit=9)):
            await store.write(lambda tx, dead=dead: tx.shards.requeue(dead.id, now=now))  # type: ignore[misc]


class Unsteady:
    """A worker's store: between any two transactions something may happen, and the word that one was stored be lost."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.container.store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, work: Callable[[Transaction], Any]) -> Any:
        await self._happen()
        return await self._store.read(work)

    async def write(self, work: Callable[[Transaction], Any], *, urgent: bool = False) -> Any:
        await self._happen()
        done = await self._store.write(work, urgent=urgent)
        lot = 1.0 if self._world.quiet else self._world.chance.random()
        if lot < 0.03:
            raise OutcomeUnknown("the connection broke")
        if lot < 0.05:
            raise Died
        await self._happen()
        return done

    async def _happen(self) -> None:
        if not self._world.quiet and self._world.chance.random() < 0.2:
            await self._world.happen()


class Erring(Pool):
    """Senders of a worker that may die before, in the middle of and after a chunk."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def recall(self, unwanted: frozenset[int]) -> None:
        """Take nothing back: what leaves, leaves."""

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        world = self.world
        dies = not world.quiet and world.chance.random() < 0.3
        left = world.chance.randint(0, len(chunk.parcels)) if dies else len(chunk.parcels)
        outcomes = {one.subscription_id: world.answer(one) for one in chunk.parcels[:left]}
        if not world.quiet:
            await world.happen()
            if world.chance.random() < 0.2:
                await world.stand_still()
        if dies and policy is InDoubtPolicy.SKIP and world.chance.random() < 0.5:
            return outcomes  # a sender died, and its worker did not
        if dies:
            raise Died
        return outcomes


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def container(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Container]:
    async with standing_still(request, tmp_path) as opened:
        yield opened


async def step(world: World) -> bool:
    """Let one shard that is ready be carried; False when none is."""
    container, now = world.container, world.clock.at
    await container.flow.plan()
    ready = await container.store.read(lambda tx: tx.shards.ready(now=now, limit=9))
    if not ready:
        return False
    try:
        store: Any = Unsteady(world)
        await runner_of(replace(container, store=store), Erring(world)).run(world.chance.choice(ready))
    except (Died, StoreUnavailable):
        # Its lease runs out; that it noted its own fault is more than a killed one does.
        world.clock.at += timedelta(seconds=world.chance.choice([1, 61, 61]))
    return True


async def settle(world: World) -> Notification:
    """Let all go well from now on, until the notification has ended."""
    world.quiet = True
    await world.container.safety.resume(by=SYSTEM)
    await world.integration(goes_on=True)
    for _ in range(1_000):
        found = await now_of(world.container, world.notification)
        if found.status is NotificationStatus.PAUSED:
            await world.container.flow.resume(world.app.id, found.public_id)
        await world.requeue()
        await world.container.flow.tidy()
        if not await step(world):
            found = await now_of(world.container, world.notification)
            open_ones = await world.container.store.read(partial(_open_shards, of=found))
            if found.status in FINAL_STATUSES and not open_ones:
                return found
            world.clock.at += timedelta(seconds=61)
    raise AssertionError("it never ends")


def _open_shards(tx: Transaction, *, of: Notification) -> int:
    return tx.shards.open_count(of.id)


@pytest.mark.parametrize("policy", InDoubtPolicy)
async def test_everybody_has_one_end_and_the_counters_say_so(
    container: Container, monkeypatch: pytest.MonkeyPatch, policy: InDoubtPolicy
) -> None:
    monkeypatch.setattr(load, "CHUNK_SIZE", 7)
    monkeypatch.setattr(plan, "SHARD_SIZE", 20)
    monkeypatch.setattr(runner, "LONGEST_PAUSE", 0.0)
    app = await app_of(container, [PUSH] * PEOPLE)
    ends: Counter[NotificationStatus] = Counter()
    for seed in SEEDS:
        there = await container.store.read(lambda tx: tx.subscriptions.count(app.id, Everyone()))
        world = World(container, app, Random(seed))
        await world.send(policy)
        for _ in range(25):
            if not await step(world):
                await world.happen()
        done = await settle(world)
        ends[done.status] += 1
        rows = await container.store.read(lambda tx, one=done: tx.deliveries.statuses(one.id))  # type: ignore[misc]
        assert done.counts.audience == done.counts.settled == there, (seed, done.counts)
        assert sum(done.reasons.values()) == done.counts.settled - done.counts.sent, (seed, done.reasons)
        assert rows.get(DeliveryStatus.SENT, 0) == done.counts.sent, (seed, rows, done.counts)
        assert rows.get(DeliveryStatus.FAILED, 0) == done.counts.failed, (seed, rows, done.counts)
        assert done.counts.sent <= len(world.told), (seed, "nobody counts as sent who was not told")
        if policy is InDoubtPolicy.SKIP:
            assert max(world.told.values(), default=0) <= 1, (seed, "a code was sent twice")
            untold = there - sum(1 for times in world.told.values() if times)
            assert done.reasons.get(SkipReason.CANCELLED, 0) <= untold, (seed, "who was told is not said to be untold")
    assert set(ends) == set(FINAL_STATUSES), ends
