"""A running campaign that is paused or cancelled: what was in the senders' sockets arrives, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.campaign import app_with_subscribers, finished, seen, to_everyone, working
from support.chaos import arrived, until
from support.postgres import fresh_database, running_postgres
from tidings import wiring
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.settings import Settings
from tidings.simulator.answers import Answer, Later
from tidings.simulator.run import Running, SimulatorConfig, serve
from tidings.wiring import Container
from tidings.worker.sender import SenderOptions

SENDERS = 2
IN_SOCKETS = SENDERS * SenderOptions().in_flight


class Gate:
    """A push service that can stand still: it takes requests, and has a message only once it goes on."""

    def __init__(self, simulator: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shut = False
        self.waiting = 0
        self._routed = simulator.service._routed
        monkeypatch.setattr(simulator.service, "_routed", self._come)

    def _come(self, asked: Any) -> Answer:
        if not self.shut:
            return self._routed(asked)
        self.waiting += 1
        return Later(0.02, lambda: self._try(asked))

    def _try(self, asked: Any) -> Answer:
        return Later(0.02, lambda: self._try(asked)) if self.shut else self._routed(asked)


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator", reading=0.0)) as running:
        yield running


@pytest.fixture
def database_url(database: str) -> Iterator[str | None]:
    if database == "sqlite":
        yield None
        return
    with running_postgres() as server, fresh_database(server) as url:
        yield url


@pytest.fixture
async def container(tmp_path: Path, database_url: str | None) -> AsyncIterator[Container]:
    settings = Settings(
        data=tmp_path / "data", database_url=database_url, senders=SENDERS, allow_insecure_endpoints=True
    )
    async with wiring.opened(settings) as opened:
        yield opened


async def now_of(container: Container, notification: Notification) -> Notification:
    found = await container.store.read(lambda tx: tx.notifications.by_id(notification.id))
    assert found is not None
    return found


async def nothing_in_hand(container: Container) -> bool:
    now = container.clock.now()
    return (await container.store.read(lambda tx: tx.instance.vitals(now=now, alive_since=now))).leased == 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("database", "way", "subscribers"),
    [
        ("sqlite", "pause", 5_000),
        ("sqlite", "cancel", 5_000),
        pytest.param("postgres", "pause", 2_500, marks=pytest.mark.postgres),
    ],
)
async def test_once_it_is_stopped_no_more_arrives_than_was_in_the_sockets(
    container: Container, simulator: Running, monkeypatch: pytest.MonkeyPatch, way: str, subscribers: int
) -> None:
    gate = Gate(simulator, monkeypatch)
    app = await app_with_subscribers(container, simulator, subscribers)
    async with working(container) as worker:
        accepted = (await container.flow.accept(to_everyone(app))).notification
        await arrived(simulator, 500)
        gate.shut = True
        await until(lambda: gate.waiting > 0)
        stop = container.notifications.pause if way == "pause" else container.notifications.cancel
        await stop(app.id, accepted.public_id)
        before = seen(simulator)["accepted"]
        await until(lambda: accepted.id in worker.pool._unwanted and not worker.pool._restarts)
        gate.shut = False
        await until(lambda: nothing_in_hand(container))
        stood, stopped_at = await now_of(container, accepted), seen(simulator)["accepted"]
        assert stopped_at - before <= IN_SOCKETS
        assert stood.counts.sent == stopped_at < subscribers
        if way == "cancel":
            assert stood.status is NotificationStatus.CANCELLED
            assert (stood.counts.settled, stood.counts.skipped) == (subscribers, subscribers - stopped_at)
            return
        await container.notifications.resume(app.id, accepted.public_id)
        done = await finished(container, accepted, seconds=300)
    assert done.counts.sent == subscribers
    assert (seen(simulator)["distinct"], seen(simulator)["doubled"]) == (subscribers, 0)
