"""A soak: campaign after campaign against a sink that fails now and then, while memory and open files are watched."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tidings.bench.campaign import LOOK_EVERY, MESSAGE, delivering, settings_of
from tidings.bench.crowd import Host, fill
from tidings.bench.processes import Footprint, footprint
from tidings.bench.sink import Sink
from tidings.domain.audience import Everyone
from tidings.domain.campaign import FINAL_STATUSES, Counts, NewNotification
from tidings.wiring import Container
from tidings.worker.run import Worker

CROWD = 20_000
"""Subscribers at the start; those that the sink calls gone leave."""


AT_ONCE = 4
"""Campaigns at the same time: the end of one is a few retries that wait, and keeps no sender busy."""

SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What every process held at a moment: seconds since the start, messages settled until then."""

    second: float
    settled: int
    held: dict[str, Footprint]


@dataclass(frozen=True, slots=True)
class Soak:
    """The samples, and the counters of all campaigns together, which add up."""

    seconds: float
    campaigns: int
    counts: Counts
    samples: list[Sample]

    @property
    def adds_up(self) -> bool:
        """Say whether every recipient reached one final state."""
        return self.counts.settled == self.counts.audience


async def measure_soak(
    sink: Sink, *, folder: Path, seconds: float, senders: int, told: Callable[[Sample], None]
) -> Soak:
    """Send for that long, then finish what is under way; `told` gets a sample every twentieth of the time."""
    async with delivering(settings_of(folder, senders=senders)) as (container, worker, host):
        await fill(container, host, count=CROWD, origin=sink.origin, place="faulty")
        begun = time.monotonic()
        totals, campaigns, samples = Counts(), 0, list[Sample]()
        sending: set[asyncio.Task[Counts]] = set()
        while (elapsed := time.monotonic() - begun) < seconds or sending:
            if elapsed < seconds and len(sending) < AT_ONCE:
                campaigns += 1
                sending.add(asyncio.create_task(_sent(container, host)))
            done, sending = await asyncio.wait(sending, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                totals = _sum(totals, one.result())
            if elapsed >= seconds / SAMPLES * (len(samples) + 1):
                samples.append(Sample(elapsed, totals.settled, held_by(worker)))
                told(samples[-1])
        return Soak(time.monotonic() - begun, campaigns, totals, samples)


def held_by(worker: Worker) -> dict[str, Footprint]:
    """Give what the main process and every sender hold now."""
    found = {"main": footprint(os.getpid())}
    for number, pid in enumerate(worker.pool.pids, start=1):
        found[f"sender {number}"] = footprint(pid)
    return found


async def _sent(container: Container, host: Host) -> Counts:
    accepted = await container.flow.accept(
        NewNotification(app_id=host.app.id, message=replace(MESSAGE, ttl=600), audience=Everyone())
    )
    while True:
        await asyncio.sleep(LOOK_EVERY)
        found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
        if found is not None and found.status in FINAL_STATUSES:
            return found.counts


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        audience=one.audience + other.audience,
        sent=one.sent + other.sent,
        failed=one.failed + other.failed,
        expired=one.expired + other.expired,
        skipped=one.skipped + other.skipped,
    )
