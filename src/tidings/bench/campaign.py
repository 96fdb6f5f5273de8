"""A whole campaign: read, render, encrypt, send over TLS and HTTP/2, save each outcome; in our own processes' CPU."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tidings import wiring
from tidings.bench.crowd import Host, fill, host_of
from tidings.bench.processes import cpu_seconds, footprint
from tidings.bench.sink import Sink
from tidings.domain.audience import Everyone
from tidings.domain.campaign import FINAL_STATUSES, Counts, NewNotification
from tidings.domain.message import Message
from tidings.lib.collector import spare
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker.run import Worker

MESSAGE = Message(title="Hello", body="World of notifications", url="https://example.com/x")

LOOK_EVERY = 0.25
"""Seconds between looks at whether it is done, and at the memory; each costs the main process a little."""


@dataclass(slots=True)
class Memory:
    """Resident memory of one process over a campaign, in bytes: first, highest and last, and its open files."""

    first: int
    most: int
    last: int
    files: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. CPU in microseconds a message; `requests` is what the sink counted, None if it was not asked."""

    subscribers: int
    senders: int
    seconds: float
    main: float
    sending: float
    sink: float
    requests: int
    counts: Counts
    memory: dict[str, Memory] = field(default_factory=dict)

    @property
    def whole(self) -> float:
        """CPU microseconds a message of all our processes."""
        return self.main + self.sending

    @property
    def rate(self) -> float:
        """Messages a second by the clock on the wall, the sink on the same cores."""
        return self.subscribers / self.seconds

    @property
    def exact(self) -> bool:
        """Say whether everybody was reached once: by our counters, and by what the sink counted."""
        return self.counts.audience == self.counts.sent == self.requests == self.subscribers

    def document(self) -> dict[str, object]:
        """Give it as plain values."""
        return asdict(self) | {"whole": self.whole, "rate": self.rate, "exact": self.exact}


def settings_of(folder: Path, *, senders: int = 1) -> Settings:
    """Give the settings of an instance in that folder that may send to loopback."""
    given: dict[str, Any] = {"data": folder, "allow_insecure_endpoints": True, "senders": senders}
    return Settings(**given)


@asynccontextmanager
async def delivering(settings: Settings) -> AsyncIterator[tuple[Container, Worker, Host]]:
    """Open an instance with a worker whose senders have loaded."""
    async with wiring.opened(settings) as container:
        host = await host_of(container)
        worker = Worker(container)
        await worker.start()
        spare()  # as `tidings up` and `tidings worker` do
        try:
            yield container, worker, host
        finally:
            await worker.stop()


async def measure_campaign(sink: Sink, *, folder: Path, subscribers: int, senders: int) -> Campaign:
    """Fill an instance in that folder with subscribers and send to them all."""
    async with delivering(settings_of(folder, senders=senders)) as (container, worker, host):
        # Somebody first, so that modules are loaded, connections stand and tokens are signed.
        await fill(container, host, count=1, origin=sink.origin)
        await send(container, host)
        await fill(container, host, count=subscribers - 1, origin=sink.origin, start=1)
        taken, cpu = sink.requests(), (cpu_seconds(worker.pool.pids), sink.cpu(), time.process_time())
        begun = time.perf_counter()
        counts, memory = await send_watched(container, host, worker)
        seconds = time.perf_counter() - begun
        each = 1e6 / subscribers
        return Campaign(
            subscribers=subscribers,
            senders=senders,
            seconds=seconds,
            main=(time.process_time() - cpu[2]) * each,
            sending=(cpu_seconds(worker.pool.pids) - cpu[0]) * each,
            sink=(sink.cpu() - cpu[1]) * each,
            requests=sink.requests() - taken - 1,
            counts=counts,
            memory=memory,
        )


async def send(container: Container, host: Host) -> Counts:
    """Send to everybody and give the counters of the end."""
    return (await send_watched(container, host, None))[0]


async def send_watched(container: Container, host: Host, worker: Worker | None) -> tuple[Counts, dict[str, Memory]]:
    """Send to everybody; give the counters of the end and the memory of each process meanwhile."""
    accepted = await container.flow.accept(NewNotification(app_id=host.app.id, message=MESSAGE, audience=Everyone()))
    memory: dict[str, Memory] = {}
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if worker is not None:
            _look(memory, worker)
        if await container.store.read(lambda tx: tx.notifications.wanted(accepted.notification.id)):
            continue
        found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
        if found is not None and found.status in FINAL_STATUSES:
            return found.counts, memory


def _look(memory: dict[str, Memory], worker: Worker) -> None:
    names = {"main": os.getpid()} | {f"sender {n}": pid for n, pid in enumerate(worker.pool.pids, start=1)}
    for name, pid in names.items():
        now = footprint(pid)
        seen = memory.setdefault(name, Memory(now.memory, now.memory, now.memory, now.files))
        seen.most, seen.last, seen.files = max(seen.most, now.memory), now.memory, max(seen.files, now.files)
