"""What is in doubt, what is taken back, and what does not wait: runners and pools where it matters who got what."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.worker.test_runner import container
from tests.integration.worker.test_senders import chunk_of, total

from support.runners import PUSH, Pool, app_of, now_of, ready, runner_of
from support.vapid import new_keys
from tidings.domain.audience import Everyone
from tidings.domain.campaign import InDoubtPolicy, NewNotification
from tidings.domain.delivery import DeliveryStatus
from tidings.domain.message import Message
from tidings.domain.outcome import Accepted, Outcome, Refused
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.lib.metrics import Metrics
from tidings.pipeline.deliver import RECALLED, Chunk
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.wiring import Container
from tidings.worker import load
from tidings.worker.runner import LEASE
from tidings.worker.sender import SenderOptions
from tidings.worker.senders import SenderPool
from tidings.worker.signs import Meters

__all__ = ["container"]

OPTIONS = SenderOptions(allow_loopback=True, insecure=True)


def gone(_: int) -> None:
    raise ConnectionError("the worker is gone")


async def test_who_joins_the_audience_after_a_crash_moves_nobody_into_or_out_of_the_chunk_in_doubt(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CHUNK_SIZE", 3)
    app = await app_of(container, [PUSH] * 6)
    joiner = 2

    async def status(to: SubscriptionStatus) -> None:
        await container.store.write(lambda tx: tx.subscriptions.set_status(joiner, to, ""))

    await status(SubscriptionStatus.UNSUBSCRIBED)
    new = NewNotification(app.id, Message(title="Code 4711"), Everyone(), policy=InDoubtPolicy.SKIP)
    notification = (await container.flow.accept(new)).notification
    clock = FixedClock(container.clock.now())
    (shard,) = await ready(container)
    dying = Pool(meanwhile=gone)
    with pytest.raises(ConnectionError):
        await runner_of(replace(container, clock=clock), dying).run(shard)
    assert dying.chunks == [[1, 3, 4]]
    await status(SubscriptionStatus.ACTIVE)
    clock.at += timedelta(seconds=LEASE + 1)
    heir = Pool()
    await runner_of(replace(container, clock=clock), heir).run(shard)
    assert heir.chunks == [[5, 6]], "four may have been told, and is not told again"
    rows = await container.store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9))
    assert Counter((row.status, row.reason) for row in rows) == {
        (DeliveryStatus.SKIPPED, "in_doubt"): 4,
        (DeliveryStatus.SENT, "sent"): 2,
    }
    assert (await now_of(container, notification)).counts.settled == 6


@pytest.mark.parametrize("wish", ["cancel", "pause"])
async def test_whom_a_dead_sender_may_have_told_as_it_was_taken_back_is_not_said_to_be_untold(
    container: Container, wish: str
) -> None:
    app = await app_of(container, [PUSH] * 6)
    new = NewNotification(app.id, Message(title="Tide"), Everyone())
    notification = (await container.flow.accept(new)).notification

    class Dying(Pool):
        async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
            await getattr(container.flow, wish)(app.id, notification.public_id)
            outcomes = await super().send(chunk, policy=policy, urgent=urgent)
            return {one: outcome for one, outcome in outcomes.items() if one <= 2} | {3: RECALLED}

    (shard,) = await ready(container)
    await runner_of(container, Dying()).run(shard)
    if wish == "pause":
        vitals = await container.store.read(
            lambda tx: tx.instance.vitals(now=container.clock.now(), alive_since=container.clock.now())
        )
        assert vitals.in_doubt == 1
        await container.flow.resume(app.id, notification.public_id)
        heir = Pool()
        for one in await ready(container, within=5):
            await runner_of(
                replace(container, clock=FixedClock(container.clock.now() + timedelta(seconds=5))), heir
            ).run(one)
        assert sorted(one for chunk in heir.chunks for one in chunk) == [3, 4, 5, 6]
        assert (await now_of(container, notification)).counts.sent == 6
        return
    found = await now_of(container, notification)
    assert (found.counts.sent, found.reasons) == (2, {"in_doubt": 3, "cancelled": 1})
    rows = await container.store.read(lambda tx: tx.deliveries.page(notification.id, after=2, limit=9))
    assert [(row.subscription_id, row.reason) for row in rows] == [(one, "in_doubt") for one in (4, 5, 6)]


@pytest.mark.parametrize("listed", [False, True], ids=["a range", "a list to try again"])
async def test_what_is_taken_back_from_the_heir_of_a_dead_worker_may_have_left_before(
    container: Container, listed: bool
) -> None:
    app = await app_of(container, [PUSH] * 6)
    new = NewNotification(app.id, Message(title="Tide"), Everyone())
    notification = (await container.flow.accept(new)).notification
    clock = FixedClock(container.clock.now())
    if listed:
        (shard,) = await ready(container)
        await runner_of(container, Pool(lambda _: RECALLED)).run(shard)
        clock.at += timedelta(seconds=5)
    (shard,) = await ready(container, within=5)
    with pytest.raises(ConnectionError):
        await runner_of(replace(container, clock=clock), Pool(meanwhile=gone)).run(shard)
    clock.at += timedelta(seconds=LEASE + 1)

    async def pause(_: int) -> None:
        await container.flow.pause(app.id, notification.public_id)

    heir = Pool(lambda parcel: Accepted() if parcel.subscription_id == 1 else RECALLED, meanwhile=pause)
    assert await runner_of(replace(container, clock=clock), heir).run(shard)
    await container.flow.cancel(app.id, notification.public_id)
    found = await now_of(container, notification)
    assert (found.counts.sent, found.reasons) == (1, {"in_doubt": 5})


async def test_an_address_that_never_took_a_message_is_retired_where_its_service_takes_others(
    container: Container,
) -> None:
    odd = "https://wns2-par02p.notify.windows.com"
    app = await app_of(container, [PUSH, PUSH, odd])

    def answer(parcel: Any) -> Outcome:
        return Accepted() if parcel.subscription_id == 1 else Refused("bad_request")

    for _ in range(6):
        await container.flow.accept(NewNotification(app.id, Message(title="Tide"), Everyone()))
        for shard in await ready(container):
            await runner_of(container, Pool(answer)).run(shard)
    found = [await container.store.read(lambda tx, one=one: tx.subscriptions.by_id(one)) for one in (1, 2, 3)]  # type: ignore[misc]
    assert [one.status for one in found if one] == [
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.EXPIRED,
        SubscriptionStatus.ACTIVE,  # nobody gets through there: it may be ourselves
    ]


@pytest.fixture
async def pool() -> Any:
    made = SenderPool(size=1, options=OPTIONS, meters=Meters(Metrics()))
    await made.start()
    yield made
    await made.close()


def slow_chunk(simulator: Running, count: int, *, seconds: float) -> Chunk:
    slow = ((Fault(FaultKind.SLOW, tries=99, seconds=seconds), 1.0),)
    return replace(chunk_of(simulator, count, keys=new_keys(), shares=slow), notification_id=7)


async def test_what_has_not_left_when_a_notification_is_paused_comes_back_unsent(
    simulator: Running, pool: SenderPool
) -> None:
    sending = asyncio.create_task(pool.send(slow_chunk(simulator, 200, seconds=3.0), policy=InDoubtPolicy.RESEND))
    while total(simulator)["accepted"] == 0:
        assert not sending.done()
        await asyncio.sleep(0.01)
    pool.recall(frozenset({7}))
    outcomes = await asyncio.wait_for(sending, 60)
    held = [one for one, outcome in outcomes.items() if outcome == RECALLED]
    assert set(outcomes) == set(range(1, 201))
    assert len(held) >= 50
    assert total(simulator)["distinct"] == 200 - len(held)
    waiting = await pool.send(slow_chunk(simulator, 5, seconds=1.0), policy=InDoubtPolicy.RESEND)
    assert set(waiting.values()) == {RECALLED}
    pool.recall(frozenset())
    again = await pool.send(slow_chunk(simulator, 5, seconds=0.01), policy=InDoubtPolicy.RESEND)
    assert {type(one) for one in again.values()} == {Accepted}


async def test_a_sender_that_takes_nothing_in_keeps_no_other_from_hearing_a_recall(simulator: Running) -> None:
    pool = SenderPool(size=2, options=OPTIONS, meters=Meters(Metrics()))
    await pool.start()
    stuck = pool.pids[0]
    os.kill(stuck, signal.SIGSTOP)
    try:
        more_than_a_pipe_holds = slow_chunk(simulator, 1_500, seconds=0.01)
        first = asyncio.create_task(pool.send(more_than_a_pipe_holds, policy=InDoubtPolicy.RESEND))
        async with asyncio.timeout(60):
            while not pool._senders[0]._writing.locked():
                await asyncio.sleep(0.01)
        sending = asyncio.create_task(pool.send(slow_chunk(simulator, 200, seconds=3.0), policy=InDoubtPolicy.RESEND))
        while total(simulator)["accepted"] == 0:
            assert not sending.done()
            await asyncio.sleep(0.01)
        pool.recall(frozenset({7}))
        outcomes = await asyncio.wait_for(sending, 60)
        assert sum(outcome == RECALLED for outcome in outcomes.values()) >= 50
        assert not first.done()
        os.kill(stuck, signal.SIGCONT)
        assert len(await asyncio.wait_for(first, 60)) == 1_500
    finally:
        os.kill(stuck, signal.SIGCONT)
        await pool.close()


async def test_an_urgent_chunk_does_not_wait_until_a_sender_has_done_another(
    simulator: Running, pool: SenderPool
) -> None:
    busy = [
        asyncio.create_task(pool.send(slow_chunk(simulator, 1, seconds=18.0), policy=InDoubtPolicy.RESEND))
        for _ in range(2)
    ]
    await asyncio.sleep(0)
    urgent = await pool.send(chunk_of(simulator, 1, keys=new_keys()), policy=InDoubtPolicy.RESEND, urgent=True)
    assert {type(one) for one in urgent.values()} == {Accepted}
    assert not any(one.done() for one in busy)
    for one in busy:
        one.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


SAID = """
import sys
from multiprocessing.connection import Connection
from tidings.domain.outcome import Accepted
from tidings.pipeline.deliver import Settled
from tidings.worker.sender import Inbox, Outbox
pipe = Connection(int(sys.argv[1]))
pipe.recv_bytes()
inbox = Inbox(pipe)
outbox = Outbox(pipe.fileno(), done=inbox.done, now=iter(range(9)).__next__)
chunk = outbox.expected(inbox.take(True))
outbox.put([Settled(chunk.number, 1, Accepted())])
"""
"""A sender that says of the first parcel that it left, and dies."""


async def test_what_a_sender_said_before_it_died_is_not_in_doubt(
    simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda command, **more: popen([sys.executable, "-c", SAID, command[-1]], **more),
    )
    dying = SenderPool(size=1, options=OPTIONS, meters=Meters(Metrics()))
    await dying.start()
    try:
        # Its pipe is not looked at by the loop: that it died is noticed by who writes to it.
        (sender,) = dying._senders
        asyncio.get_running_loop().remove_reader(sender.pipe.fileno())
        sending = asyncio.create_task(dying.send(chunk_of(simulator, 2, keys=new_keys()), policy=InDoubtPolicy.SKIP))
        while sender.process.poll() is None:
            assert not sending.done()
            await asyncio.sleep(0.01)
        monkeypatch.undo()
        await dying.send(chunk_of(simulator, 2, keys=new_keys()), policy=InDoubtPolicy.RESEND)
        assert set(await asyncio.wait_for(sending, 60)) == {1}
    finally:
        await dying.close()
