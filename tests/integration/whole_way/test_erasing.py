"""People who are erased while a campaign is on its way to them: nothing comes after the answer, and no row is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.campaign import app_with_subscribers, finished, to_everyone, working
from support.chaos import arrived
from tidings import wiring
from tidings.domain.audit import SYSTEM
from tidings.domain.erasure import ErasureStatus
from tidings.settings import Settings
from tidings.simulator.run import Running, SimulatorConfig, serve
from tidings.storage import Transaction
from tidings.wiring import Container

DEVICES = 4
"""Of each person, spread over the whole audience."""


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator", reading=0.0)) as running:
        yield running


@pytest.fixture
async def container(tmp_path: Path, database_url: str | None) -> AsyncIterator[Container]:
    settings = Settings(data=tmp_path / "data", database_url=database_url, senders=2, allow_insecure_endpoints=True)
    async with wiring.opened(settings) as opened:
        yield opened


@pytest.mark.timeout(400)
async def test_nothing_comes_after_the_answer_and_nothing_is_left(container: Container, simulator: Running) -> None:
    crowd = 2_000
    people = crowd // DEVICES
    app = await app_with_subscribers(container, simulator, crowd)

    def give(tx: Transaction) -> dict[str, list[tuple[int, str]]]:
        """Give every person their devices; tells the id and the simulator's name of each."""
        theirs: dict[str, list[tuple[int, str]]] = {}
        for number, one in enumerate(tx.subscriptions.page(app.id, after=0, limit=crowd)):
            user = f"person-{number % people}"
            tx.subscriptions.set_user(one.id, user)
            address = tx.subscriptions.address(one.id)
            assert address is not None
            theirs.setdefault(user, []).append((one.id, address.target.rpartition("/")[2]))
        return theirs

    theirs = await container.store.write(give)

    def seen_by(user: str) -> int:
        return sum(len(simulator.service.recipient(token).seen) for _, token in theirs[user])  # type: ignore[union-attr]

    after_answer: dict[str, int] = {}

    async def erase(user: str) -> None:
        receipt = await container.erasure.user(app, user, by=SYSTEM)
        assert receipt.status is ErasureStatus.DONE
        assert receipt.counts["subscriptions"] == DEVICES
        after_answer[user] = seen_by(user)

    async with working(container):
        accepted = (await container.flow.accept(to_everyone(app))).notification
        for number in range(0, 40, 4):
            await arrived(simulator, 100 + number * 25)
            await asyncio.gather(*(erase(f"person-{number + one}") for one in range(4)))
        done = await finished(container, accepted, seconds=300)
    assert {user: seen_by(user) for user in after_answer} == after_answer
    assert 0 < sum(after_answer.values()) < len(after_answer) * DEVICES, "some had got it before, some never did"
    assert done.counts.settled == done.counts.audience == crowd
    erased = {device for user in after_answer for device, _ in theirs[user]}

    def left(tx: Transaction) -> set[int]:
        after, found = 0, set()
        while rows := tx.deliveries.page(done.id, after=after, limit=1_000):
            found |= {row.subscription_id for row in rows} & erased
            after = rows[-1].subscription_id
        return found | {one for one in erased if tx.subscriptions.by_id(one) is not None}

    assert await container.store.read(left) == set()
    assert await container.store.read(lambda tx: tx.erasures.running(limit=9)) == []
