"""Senders that were away when something was said, or that never say anything again."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from tests.integration.worker.test_doubt import OPTIONS, slow_chunk
from tests.integration.worker.test_senders import chunk_of, total

from support.vapid import new_keys
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import Accepted
from tidings.lib.metrics import Metrics
from tidings.pipeline.deliver import RECALLED
from tidings.simulator.run import Running
from tidings.worker import senders
from tidings.worker.senders import SenderPool
from tidings.worker.signs import Meters


@pytest.fixture
async def pool() -> AsyncIterator[SenderPool]:
    made = SenderPool(size=1, options=OPTIONS, meters=Meters(Metrics()))
    await made.start()
    yield made
    await made.close()


async def test_what_is_paused_while_its_sender_is_being_replaced_does_not_leave(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_again, may_start = pool._start_again, asyncio.Event()

    async def held_back() -> None:
        await may_start.wait()
        await start_again()

    monkeypatch.setattr(pool, "_start_again", held_back)
    os.kill(pool.pids[0], signal.SIGKILL)
    async with asyncio.timeout(20):
        while pool.pids:
            await asyncio.sleep(0.01)
    sending = asyncio.create_task(pool.send(slow_chunk(simulator, 20, seconds=0.0), policy=InDoubtPolicy.RESEND))
    await asyncio.sleep(0)
    pool.recall(frozenset({7}))
    may_start.set()
    outcomes = await asyncio.wait_for(sending, 60)
    assert len(outcomes) == 20
    assert set(outcomes.values()) == {RECALLED}
    assert total(simulator)["accepted"] == 0


@pytest.mark.parametrize("policy", InDoubtPolicy)
async def test_a_sender_that_is_stuck_is_replaced_and_keeps_nothing_for_ever(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch, policy: InDoubtPolicy
) -> None:
    assert 4 * OPTIONS.total_timeout <= senders.WATCH_EVERY * senders.MOST_SILENT, "slow answers are no reason"
    await pool.close()
    monkeypatch.setattr(senders, "WATCH_EVERY", 0.1)
    pool = SenderPool(size=1, options=OPTIONS, meters=Meters(Metrics()))
    await pool.start()
    try:
        stuck = pool.pids[0]
        os.kill(stuck, signal.SIGSTOP)
        sending = asyncio.create_task(pool.send(chunk_of(simulator, 20, keys=new_keys()), policy=policy))
        outcomes = await asyncio.wait_for(sending, 60)
        assert stuck not in pool.pids
        if policy is InDoubtPolicy.RESEND:
            assert set(outcomes) == set(range(1, 21))
            assert {type(one) for one in outcomes.values()} == {Accepted}
        else:
            assert outcomes == {}, "they may have been told, for all that anybody knows"
    finally:
        await pool.close()


async def test_a_sender_that_wakes_after_its_worker_died_sends_nothing_more(
    simulator: Running, pool: SenderPool
) -> None:
    # Let it start first: it stands still in the middle of its work.
    await pool.send(chunk_of(simulator, 1, keys=new_keys()), policy=InDoubtPolicy.RESEND)
    (sender,) = pool._senders
    os.kill(sender.process.pid, signal.SIGSTOP)
    sending = asyncio.create_task(pool.send(chunk_of(simulator, 200, keys=new_keys()), policy=InDoubtPolicy.SKIP))
    while not sender.jobs:
        await asyncio.sleep(0)
    asyncio.get_running_loop().remove_reader(sender.pipe.fileno())
    sender._incoming.shutdown(socket.SHUT_RDWR)  # as the system does for a worker that is killed
    os.kill(sender.process.pid, signal.SIGCONT)
    await asyncio.to_thread(sender.process.wait, 30)
    assert total(simulator)["accepted"] == 1, "somebody else may have them by now"
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_a_sender_that_died_as_the_pool_is_closed_is_ended_too(pool: SenderPool) -> None:
    (sender,) = pool._senders
    sender.process.kill()
    pool._lost(sender)
    await pool.close()
    assert sender.process.returncode is not None
    assert sender.pipe.closed


async def test_what_a_dead_sender_had_in_hand_may_have_left_although_it_is_not_wanted_any_more(
    simulator: Running, pool: SenderPool
) -> None:
    sending = asyncio.create_task(pool.send(slow_chunk(simulator, 200, seconds=0.5), policy=InDoubtPolicy.RESEND))
    while total(simulator)["accepted"] == 0:
        assert not sending.done()
        await asyncio.sleep(0.01)
    os.kill(pool.pids[0], signal.SIGSTOP)
    pool.recall(frozenset({7}))
    os.kill(pool.pids[0], signal.SIGKILL)
    outcomes = await asyncio.wait_for(sending, 60)
    assert {type(one) for one in outcomes.values()} <= {Accepted}, "nobody knows that any of the others did not leave"
    assert len(outcomes) < 200


async def test_what_a_second_sender_gives_back_may_have_left_with_the_first_that_died(
    simulator: Running, pool: SenderPool
) -> None:
    sending = asyncio.create_task(pool.send(slow_chunk(simulator, 400, seconds=0.5), policy=InDoubtPolicy.RESEND))
    while total(simulator)["accepted"] == 0:
        assert not sending.done()
        await asyncio.sleep(0.01)
    (first,) = pool._senders
    os.kill(first.process.pid, signal.SIGKILL)
    while not any(sender.jobs for sender in pool._senders if sender is not first):
        assert not sending.done()
        await asyncio.sleep(0)
    pool.recall(frozenset({7}))
    outcomes = await asyncio.wait_for(sending, 60)
    assert {type(one) for one in outcomes.values()} <= {Accepted}, "nobody knows that the others did not leave"
    assert len(outcomes) < 400


async def test_what_nobody_waits_for_any_more_does_not_leave(simulator: Running, pool: SenderPool) -> None:
    sending = asyncio.create_task(pool.send(slow_chunk(simulator, 400, seconds=0.5), policy=InDoubtPolicy.RESEND))
    while total(simulator)["accepted"] == 0:
        assert not sending.done()
        await asyncio.sleep(0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    # Behind it, on the same process: when this one is done, the other has been heard.
    assert len(await pool.send(chunk_of(simulator, 1, keys=new_keys()), policy=InDoubtPolicy.RESEND)) == 1
    async with asyncio.timeout(30):
        while pool._senders[0].jobs:
            await asyncio.sleep(0.01)
    assert total(simulator)["distinct"] <= 3 * OPTIONS.in_flight, "what was in the sockets, and not all 401"


async def test_what_is_given_up_half_written_is_written_to_its_end(simulator: Running, pool: SenderPool) -> None:
    (sender,) = pool._senders
    os.kill(sender.process.pid, signal.SIGSTOP)
    writing = asyncio.create_task(sender.write(chunk_of(simulator, 1_500, keys=new_keys())))
    async with asyncio.timeout(60):
        while not sender._writing.locked() or select.select([], [sender.pipe], [], 0)[1]:
            await asyncio.sleep(0.01)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert sender._writing.locked(), "else what comes next could be written into its middle"
    os.kill(sender.process.pid, signal.SIGCONT)
    assert len(await pool.send(chunk_of(simulator, 20, keys=new_keys()), policy=InDoubtPolicy.RESEND)) == 20
    assert pool._senders == [sender], "it has not died of what it read"


async def test_what_no_thread_can_be_had_to_write_is_written_whole_to_another_sender(
    simulator: Running, pool: SenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refusals = threading.Thread.start, iter(range(1))

    def refused_at_first(thread: threading.Thread) -> None:
        if thread.name.startswith("tidings-pipe") and next(refusals, None) is not None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused_at_first)
    # Twice as much as a pipe holds: what does not fit is written by a thread.
    outcomes = await asyncio.wait_for(
        pool.send(chunk_of(simulator, 1_500, keys=new_keys()), policy=InDoubtPolicy.SKIP), 60
    )
    assert next(refusals, None) is None, "a thread was refused"
    assert len(outcomes) == 1_500
    assert len(await pool.send(chunk_of(simulator, 20, keys=new_keys()), policy=InDoubtPolicy.SKIP)) == 20
