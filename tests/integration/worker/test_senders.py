"""Sender processes: what goes in comes out, whatever becomes of the processes."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.vapid import Keys, new_keys
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.message import Message
from tidings.domain.outcome import Accepted, Gone, Unavailable
from tidings.lib.egress import HostPolicy
from tidings.lib.metrics import Metrics
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.pipeline.render import render
from tidings.providers import Draft, provider
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.worker.child import SenderProcess
from tidings.worker.sender import SenderOptions
from tidings.worker.senders import MOST_ATTEMPTS, SenderPool
from tidings.worker.signs import Meters
from tidings.worker.wire import Told, report_from

DEVELOPMENT = HostPolicy(hosts=frozenset({"localhost"}), suffixes=(), allow_insecure=True)


@pytest.fixture
async def pool() -> AsyncIterator[SenderPool]:
    made = SenderPool(size=2, options=SenderOptions(allow_loopback=True, insecure=True), meters=Meters(Metrics()))
    await made.start()
    yield made
    await made.close()


def chunk_of(simulator: Running, count: int, *, keys: Keys, shares: tuple[tuple[Fault, float], ...] = ()) -> Chunk:
    webpush = provider("webpush")
    draft = webpush.draft(render(Message(title="Tide", url="https://example.com/"), None))
    assert isinstance(draft, Draft)
    made: list[dict[str, Any]] = simulator.subscribers.make(
        count, vapid_key=base64.urlsafe_b64decode(keys.public + "="), shares=shares, seed="pool"
    )
    parcels = []
    for number, subscription in enumerate(made, start=1):
        address, origin = webpush.address_from(subscription, policy=DEVELOPMENT)
        parcels.append(Parcel(number, 0, 1, origin, address.target, address.keys, f"{number:032x}", "A" * 16))
    return Chunk(
        number=0,
        expires_at=time.time() + 3600,
        drafts=(("webpush", draft),),
        credentials={1: keys.credential()},
        parcels=tuple(parcels),
    )


def total(simulator: Running) -> dict[str, int]:
    summary: dict[str, Any] = simulator.subscribers.summary()
    return dict(summary["total"])


async def test_every_parcel_comes_back_with_its_outcome(simulator: Running, pool: SenderPool) -> None:
    shares = ((Fault(FaultKind.GONE), 0.1),)
    chunk = chunk_of(simulator, 100, keys=new_keys(), shares=shares)
    outcomes = await pool.send(chunk, policy=InDoubtPolicy.RESEND)
    assert set(outcomes) == set(range(1, 101))
    assert sum(isinstance(one, Accepted) for one in outcomes.values()) == 90
    assert sum(isinstance(one, Gone) for one in outcomes.values()) == 10
    assert total(simulator)["distinct"] == 90


async def test_an_empty_chunk_needs_no_sender(pool: SenderPool, simulator: Running) -> None:
    chunk = chunk_of(simulator, 1, keys=new_keys())
    empty = Chunk(0, chunk.expires_at, chunk.drafts, chunk.credentials, ())
    assert await pool.send(empty, policy=InDoubtPolicy.RESEND) == {}


async def test_a_stop_that_reaches_the_whole_group_ends_no_sender(simulator: Running, pool: SenderPool) -> None:
    before = pool.pids
    for expected in (50, 60):  # while the interpreters are still starting, and when they run
        for pid in before:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGINT)
        outcomes = await pool.send(chunk_of(simulator, expected, keys=new_keys()), policy=InDoubtPolicy.RESEND)
        assert len(outcomes) == expected
        assert {type(one) for one in outcomes.values()} == {Accepted}
        assert pool.pids == before


@pytest.mark.parametrize("lie", ["a pickle", "outcomes of others"])
async def test_a_sender_that_says_what_none_says_is_replaced_and_another_sends_its_chunk(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    first = pool.pids
    lied: list[int] = []
    received = SenderProcess.received

    def lying(sender: SenderProcess) -> list[Told]:
        told = received(sender)
        if lied:
            return told
        lied.append(sender.process.pid)
        if lie == "a pickle":
            return report_from(pickle.dumps(told))
        [number] = sender.jobs
        return [(number, {1000 + stray: Gone("expired") for stray in range(50)})]

    monkeypatch.setattr(SenderProcess, "received", lying)
    outcomes = await pool.send(chunk_of(simulator, 50, keys=new_keys()), policy=InDoubtPolicy.RESEND)
    assert set(outcomes) == set(range(1, 51))
    assert {type(one) for one in outcomes.values()} == {Accepted}
    assert set(lied) <= set(first) - set(pool.pids)


async def killed_in_the_middle(simulator: Running, pool: SenderPool, policy: InDoubtPolicy) -> dict[int, Any]:
    chunk = chunk_of(simulator, 400, keys=new_keys())
    sending = asyncio.create_task(pool.send(chunk, policy=policy))
    while total(simulator)["accepted"] < 40:
        assert not sending.done(), "the chunk was sent before a sender could be killed"
        await asyncio.sleep(0)
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    return await asyncio.wait_for(sending, 60)


async def test_killing_every_sender_in_the_middle_of_a_chunk_loses_nobody(simulator: Running, pool: SenderPool) -> None:
    before = set(pool.pids)
    outcomes = await killed_in_the_middle(simulator, pool, InDoubtPolicy.RESEND)
    assert set(outcomes) == set(range(1, 401))
    assert {type(one) for one in outcomes.values()} == {Accepted}
    counts = total(simulator)
    assert counts["distinct"] == 400
    assert counts["doubled"] < 110, "only what was in flight may be sent again"
    assert not before & set(pool.pids)


async def test_a_pipe_is_closed_only_once_nobody_writes_to_it(simulator: Running, pool: SenderPool) -> None:
    sender = pool._senders.pop()
    asyncio.get_running_loop().remove_reader(sender.pipe.fileno())
    os.kill(sender.process.pid, signal.SIGSTOP)
    writing = asyncio.create_task(sender.write(chunk_of(simulator, 1_000, keys=new_keys())))  # more than it holds
    async with asyncio.timeout(60):
        while select.select([], [sender.pipe], [], 0)[1]:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(sender.end)
        with pytest.raises(BrokenPipeError):
            await writing


async def test_under_the_skip_policy_nobody_is_told_twice(simulator: Running, pool: SenderPool) -> None:
    outcomes = await killed_in_the_middle(simulator, pool, InDoubtPolicy.SKIP)
    counts = total(simulator)
    assert counts["doubled"] == 0
    assert len(outcomes) <= counts["distinct"] < 400


async def test_a_chunk_that_kills_its_sender_every_time_is_put_off(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = chunk_of(simulator, 1, keys=new_keys())
    poison = Chunk(0, chunk.expires_at, (("webpush", None),), chunk.credentials, chunk.parcels)  # type: ignore[arg-type]
    outcomes = await asyncio.wait_for(pool.send(poison, policy=InDoubtPolicy.RESEND), 120)
    assert outcomes == {1: Unavailable(None, "sender_died")}
    assert MOST_ATTEMPTS == 3
    assert len(await pool.send(chunk, policy=InDoubtPolicy.RESEND)) == 1, "the pool works on"


async def test_a_sender_that_cannot_be_started_is_started_later_and_its_chunk_is_not_lost(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen
    refusals = iter([OSError(12, "Cannot allocate memory")] * 3)

    def refused_at_first(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        if (refusal := next(refusals, None)) is not None:
            raise refusal
        return popen(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", refused_at_first)
    assert len(await killed_in_the_middle(simulator, pool, InDoubtPolicy.RESEND)) == 400
    async with asyncio.timeout(20):
        while len(pool.pids) < 2:
            await asyncio.sleep(0.05)


async def test_a_sender_that_dies_while_no_thread_can_be_started_is_replaced_and_its_chunk_is_not_lost(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refusals = threading.Thread.start, iter(range(3))

    def refused_at_first(thread: threading.Thread) -> None:
        if thread.name.startswith("scarce") and next(refusals, None) is not None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused_at_first)
    loop = asyncio.get_running_loop()
    before = loop._default_executor  # type: ignore[attr-defined]
    with ThreadPoolExecutor(4, thread_name_prefix="scarce") as scarce:
        loop.set_default_executor(scarce)
        try:
            assert len(await killed_in_the_middle(simulator, pool, InDoubtPolicy.RESEND)) == 400
            assert next(refusals, None) != 0, "a thread was refused"
        finally:
            loop._default_executor = before  # type: ignore[attr-defined]
    async with asyncio.timeout(20):
        while len(pool.pids) < 2:
            await asyncio.sleep(0.05)


async def test_senders_that_die_at_once_are_not_started_as_fast_as_they_die(monkeypatch: pytest.MonkeyPatch) -> None:
    popen = subprocess.Popen
    started = []

    def stillborn(_: object, **options: Any) -> subprocess.Popen[bytes]:
        started.append(time.monotonic())
        return popen([sys.executable, "-c", "pass"], **options)

    monkeypatch.setattr(subprocess, "Popen", stillborn)
    pool = SenderPool(size=1, options=SenderOptions(), meters=Meters(Metrics()))
    await pool.start()
    async with asyncio.timeout(30):
        while len(started) < 4:
            await asyncio.sleep(0.05)
    await pool.close()
    pauses = [later - earlier for earlier, later in pairwise(started)]
    assert pauses[0] >= 0.2
    assert pauses[1] >= 0.4
    assert pauses[2] >= 0.8


async def test_a_sender_knows_neither_the_key_ring_nor_the_database(
    simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDINGS_KEY", "k1:secret")
    monkeypatch.setenv("TIDINGS_DATABASE_URL", "postgresql://me:secret@localhost/tidings")
    pool = SenderPool(size=1, options=SenderOptions(allow_loopback=True, insecure=True), meters=Meters(Metrics()))
    await pool.start()
    try:
        outcomes = await pool.send(chunk_of(simulator, 1, keys=new_keys()), policy=InDoubtPolicy.RESEND)
        assert outcomes.keys() == {1}
        environment = Path(f"/proc/{pool.pids[0]}/environ").read_bytes()
        arguments = Path(f"/proc/{pool.pids[0]}/cmdline").read_bytes()
    finally:
        await pool.close()
    assert b"PATH=" in environment
    assert b"secret" not in environment + arguments


async def test_a_sender_that_stops_in_the_middle_of_a_message_does_not_stop_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    popen = subprocess.Popen
    half = "import os, struct, sys, time; os.write(int(sys.argv[1]), struct.pack('!I', 500) + b'x' * 9); time.sleep(60)"

    def frozen(_: object, *, pass_fds: list[int], **options: Any) -> subprocess.Popen[bytes]:
        return popen([sys.executable, "-c", half, str(pass_fds[0])], pass_fds=pass_fds, **options)

    monkeypatch.setattr(subprocess, "Popen", frozen)
    pool = SenderPool(size=1, options=SenderOptions(), meters=Meters(Metrics()))
    await pool.start()
    try:
        (sender,) = pool._senders
        async with asyncio.timeout(20):
            while not sender._inbox:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            await asyncio.sleep(0.1)
    finally:
        os.kill(pool.pids[0], signal.SIGKILL)
        await pool.close()
