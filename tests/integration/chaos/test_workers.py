"""Workers on PostgreSQL: killed at any moment, their database crashing under them, all of it paused in between."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from support.campaign import app_with_subscribers, seen, to_everyone
from support.chaos import PATIENCE, arrived, assert_told_once, finished_in_the_end, moments, until
from support.nats import NatsServer
from support.postgres import fresh_database
from tidings import wiring
from tidings.domain.audit import SYSTEM
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.sealed import KeyRing
from tidings.pipeline.flow import Acceptance, Idempotent
from tidings.settings import Settings
from tidings.simulator.run import Running
from tidings.wiring import Container

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]
SUBSCRIBERS = 3_000
WORKER = """
import os
import tidings.pipeline.settle, tidings.worker.dispatcher, tidings.worker.runner, tidings.worker.webhooks
tidings.worker.dispatcher.LOOK_EVERY = float(os.environ["LOOK_EVERY"])
tidings.worker.runner.LEASE = 5.0  # a minute, where nobody waits for the test
tidings.worker.webhooks.LEASE = 5.0
tidings.pipeline.settle.FIRST_DELAY = 0.3
tidings.pipeline.settle.LONGEST_DELAY = 2.0
from tidings.cli.main import run
run()
"""


@pytest.fixture
def settings(tmp_path: Path, postgres: str) -> Iterator[Settings]:
    key = tmp_path / "shared.key"
    key.write_text(KeyRing.generate().text())
    key.chmod(0o600)
    with fresh_database(postgres) as url:
        yield Settings(data=tmp_path / "data", database_url=url, key_file=key, allow_insecure_endpoints=True)


@pytest.fixture
async def container(settings: Settings) -> AsyncIterator[Container]:
    async with wiring.opened(settings) as opened:
        yield opened


@contextmanager
def worker(settings: Settings, *, looking: float = 1.0) -> Iterator[subprocess.Popen[str]]:
    """Run `tidings worker` in a process of its own, until it is ready, and until the block ends or it is killed.

    It looks into the database every `looking` seconds, and whenever a doorbell rings.
    """
    environment = {
        **os.environ,
        "TIDINGS_DATA": str(settings.data),
        "LOOK_EVERY": str(looking),
        "TIDINGS_BUS_URL": settings.bus_url or "",
        "TIDINGS_DATABASE_URL": str(settings.database_url),
        "TIDINGS_KEY_FILE": str(settings.key_file),
        "TIDINGS_SENDERS": "1",
        "TIDINGS_ALLOW_INSECURE_ENDPOINTS": "1",
    }
    command = [sys.executable, "-c", WORKER, "worker", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["worker"] == "running"
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


@asynccontextmanager
async def crashing(url: str) -> AsyncIterator[None]:
    """Kill a process of PostgreSQL: the server ends all others, recovers, and takes connections again."""
    connection = await asyncio.to_thread(psycopg.connect, url, autocommit=True)
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    os.kill(pid, signal.SIGKILL)
    with suppress(psycopg.Error):
        await asyncio.to_thread(connection.execute, "SELECT 1")
    connection.close()
    yield

    def answers() -> bool:
        with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=5):
            return True
        return False

    await until(lambda: asyncio.to_thread(answers))


async def test_killed_workers_a_crashing_database_and_a_pause_change_nothing(
    settings: Settings, container: Container, simulator: Running
) -> None:
    killed, crashed, paused = moments("kill a worker, crash PostgreSQL, pause", of=3, among=SUBSCRIBERS)
    app = await app_with_subscribers(container, simulator, SUBSCRIBERS)
    with worker(settings) as first, worker(settings):
        accepted = await container.flow.accept(to_everyone(app))
        await arrived(simulator, killed)
        first.kill()
        await arrived(simulator, crashed)
        async with crashing(str(settings.database_url)):
            pass
        await arrived(simulator, paused)
        await container.safety.pause(by=SYSTEM)
        await until(lambda: _at_rest(simulator))
        await container.safety.resume(by=SYSTEM)
        done = await finished_in_the_end(container, accepted.notification)
    await assert_told_once(container, done, simulator, SUBSCRIBERS)


@pytest.fixture
def nats(settings: Settings, tmp_path: Path) -> Iterator[tuple[NatsServer, Settings]]:
    server = NatsServer(tmp_path)
    server.start()
    yield server, settings.model_copy(update={"bus_url": server.url})
    server.kill()


async def test_a_doorbell_wakes_a_worker_elsewhere(nats: tuple[NatsServer, Settings], simulator: Running) -> None:
    _, settings = nats
    async with wiring.opened(settings) as container:
        app = await app_with_subscribers(container, simulator, 3)
        with worker(settings, looking=3_600.0):
            # It looked once, and would look again in an hour.
            await container.flow.accept(to_everyone(app))
            await arrived(simulator, 3)


async def test_nats_that_dies_with_all_it_had_costs_time_alone(
    nats: tuple[NatsServer, Settings], simulator: Running
) -> None:
    server, settings = nats
    (killed,) = moments("kill NATS", of=1, among=SUBSCRIBERS)
    async with wiring.opened(settings) as container:
        app = await app_with_subscribers(container, simulator, SUBSCRIBERS)
        with worker(settings), worker(settings):
            accepted = await container.flow.accept(to_everyone(app))
            await arrived(simulator, killed)
            server.kill()
            await container.safety.pause(by=SYSTEM)
            await until(lambda: _at_rest(simulator))
            await container.safety.resume(by=SYSTEM)
            server.start()
            done = await finished_in_the_end(container, accepted.notification)
        await assert_told_once(container, done, simulator, SUBSCRIBERS)


async def _at_rest(simulator: Running) -> bool:
    before = seen(simulator)["accepted"]
    await asyncio.sleep(1.0)
    return seen(simulator)["accepted"] == before


async def test_twenty_requests_with_one_key_to_two_servers_make_one_notification(
    settings: Settings, container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 3)
    async with wiring.opened(settings.model_copy(update={"data": settings.data / "second"})) as second:
        new = to_everyone(app)
        same, other = Idempotent("order-17", b"r" * 32), Idempotent("order-17", b"o" * 32)
        servers = [container.notifications, second.notifications]
        sending = [servers[number % 2].send(new, idempotent=same) for number in range(20)]
        answers = await asyncio.gather(*sending)
        assert len({answer.notification.id for answer in answers}) == 1
        assert sum(not answer.replayed for answer in answers) == 1
        with pytest.raises(CatalogueError) as refused:
            await second.notifications.send(replace(new, message=replace(new.message, title="Other")), idempotent=other)
    assert refused.value.code is ErrorCode.IDEMPOTENCY_KEY_REUSED
    assert isinstance(answers[0], Acceptance)
    assert len(await container.store.read(lambda tx: tx.notifications.page(app.id, after=0, limit=10))) == 1
