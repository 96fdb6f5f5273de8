"""What a push service takes in a minute is shared out over the senders of all workers that are alive."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tidings.domain.app import Credential, Heartbeat
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.message import Message
from tidings.domain.outcome import Accepted, Held, Throttled
from tidings.lib.clock import SystemClock
from tidings.lib.egress import HostPolicy
from tidings.lib.metrics import Metrics
from tidings.lib.sealed import KeyRing
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.pipeline.render import render
from tidings.providers import Draft
from tidings.providers.fcm.provider import Fcm
from tidings.simulator.answers import Request
from tidings.simulator.run import Running
from tidings.storage import Store
from tidings.storage.open import open_store
from tidings.worker import periodic
from tidings.worker.sender import SenderOptions
from tidings.worker.senders import SenderPool
from tidings.worker.signs import Meters

PROJECT = "my-app"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(database_url=None, folder=tmp_path / "data", ring=KeyRing.generate())
    yield opened
    await opened.close()


def chunk_of(simulator: Running, phones: int, *, a_minute: int) -> Chunk:
    """Make a chunk to phones, with a token to send with."""
    via, oauth = Fcm(), simulator.fcm.oauth
    fields = {"service_account": json.dumps(oauth.project(PROJECT).file()), "messages_per_minute": str(a_minute)}
    made = via.credential_from(fields)
    account = Credential(1, 1, 1, "fcm", made.fingerprint, made.secret, made.settings)
    asking = via.grant_request(account, now=time.time())
    token = json.loads(oauth.token(Request("POST", "/token", "", {}, asking.body)).body)["access_token"]
    draft = via.draft(render(Message(title="Tide"), None))
    assert isinstance(draft, Draft)
    parcels = []
    for number, phone in enumerate(simulator.fcm.make(PROJECT, phones, seed="shares"), start=1):
        address, origin = via.address_from({"token": phone}, policy=HostPolicy(frozenset(), ()))
        parcels.append(Parcel(number, 0, 1, origin, address.target, address.keys, f"{number:032x}", "A" * 16))
    granted = Credential(1, 1, 1, "fcm", made.fingerprint, token.encode(), made.settings)
    return Chunk(0, time.time() + 3600, (("fcm", draft),), {1: granted}, tuple(parcels))


async def test_a_sender_takes_a_share_of_what_a_project_may_send_as_soon_as_it_is_told(simulator: Running) -> None:
    places = {"fcm.googleapis.com": f"127.0.0.1:{urlsplit(simulator.push).port}"}
    options = SenderOptions(allow_loopback=True, insecure=True, connect_to=places)
    pool = SenderPool(size=1, options=options, meters=Meters(Metrics()))
    await pool.start()
    try:
        chunk = chunk_of(simulator, 30, a_minute=40)
        pool.share_with(4)
        outcomes = await pool.send(chunk, policy=InDoubtPolicy.RESEND)
        assert sum(isinstance(one, Accepted) for one in outcomes.values()) == 10
        held = [one for one in outcomes.values() if isinstance(one, Throttled)]
        assert [one.reason for one in held] == [Held.PACED] * 20
        pool.share_with(2)
        again = await pool.send(chunk, policy=InDoubtPolicy.RESEND)
        assert sum(isinstance(one, Accepted) for one in again.values()) == 10, "what went before counts"
    finally:
        await pool.close()
    assert simulator.subscribers.tally("fcm none").accepted == 20


def test_workers_whose_clocks_differ_count_each_other_and_forget_one_that_was_killed() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    behind = noon - timedelta(seconds=40)

    def rows(seconds: int, *, killed_at: int = 1_000) -> list[Heartbeat]:
        other = behind + timedelta(seconds=min(seconds, killed_at))
        own = noon + timedelta(seconds=seconds)
        return [Heartbeat("wrk_one", "a", 1, 2, noon, own), Heartbeat("wrk_other", "b", 1, 3, behind, other)]

    one, other = periodic.Alive("wrk_one"), periodic.Alive("wrk_other")
    for seconds in range(0, 60, 5):
        assert one.senders(rows(seconds), now=float(seconds)) == other.senders(rows(seconds), now=float(seconds)) == 5
    late = [one.senders(rows(seconds, killed_at=60), now=float(seconds)) for seconds in range(60, 90, 5)]
    assert late == [5, 5, 5, 5, 2, 2]


@asynccontextmanager
async def beating(store: Store, worker: str, senders: int, counted: list[int]) -> AsyncIterator[None]:
    told = periodic.beat(store, SystemClock(), worker_id=worker, senders=senders, counted=counted.append)
    task = asyncio.create_task(told)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until_last(counted: list[int], senders: int) -> None:
    async with asyncio.timeout(60):
        while counted[-1:] != [senders]:
            await asyncio.sleep(0.01)


async def test_workers_hear_of_each_other_and_of_one_that_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "BEAT_EVERY", 0.05)
    one: list[int] = []
    other: list[int] = []
    async with beating(store, "wrk_one", 2, one):
        await until_last(one, 2)
        async with beating(store, "wrk_other", 3, other):
            await until_last(other, 5)
            await until_last(one, 5)
        await until_last(one, 2)
