"""What a request to send costs the server, and how long it takes from the POST to the push service's socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tidings import wiring
from tidings.bench.campaign import settings_of
from tidings.bench.crowd import fill, host_of, token_of
from tidings.bench.processes import children_of, cpu_seconds
from tidings.bench.sink import Sink

PATIENCE = 60.0
"""Seconds for the server to come up, and for the last message to arrive."""

GAP = 0.1
"""Seconds between two requests when delays are measured: a load that keeps nothing busy."""

WARM = 20
"""Requests before the measured ones: modules are loaded, connections stand, tokens are signed."""


class ServerFailed(Exception):
    """The server did not start, or a request was not accepted."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """CPU microseconds of the server for one accepted request, and accepted requests a second by one client."""

    requests: int
    cpu: float
    rate: float


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from before the POST until the push service has the whole request; its clock shows milliseconds."""

    requests: int
    p50: float
    p99: float
    most: float


class Caller:
    """One connection to the API."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send_to(self, number: int) -> None:
        """Send to one subscriber."""
        body = {"to": {"users": [f"user-{number}"]}, "title": f"Order {number}", "url": "https://example.com/x"}
        self._connection.request("POST", "/api/v1/notifications", json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 202:
            raise ServerFailed(f"The server answered {answer.status}: {said.decode('utf-8', 'replace')[:200]}")


def measure_ingest(*, folder: Path, requests: int) -> Ingest:
    """Post notifications to a server that delivers nothing, one after the other."""
    asyncio.run(_filled(folder, WARM, "https://localhost:9", "push"))
    with _server(folder, worker=False) as (caller, pid):
        for number in range(WARM):
            caller.send_to(number)
        cpu, begun = cpu_seconds([pid]), time.perf_counter()
        for number in range(requests):
            caller.send_to(number % WARM)
        seconds = time.perf_counter() - begun
        return Ingest(requests, cpu=(cpu_seconds([pid]) - cpu) / requests * 1e6, rate=requests / seconds)


def measure_delay(sink: Sink, *, folder: Path, requests: int) -> Delay:
    """Post to one subscriber at a time, and read off the sink's log when each message was there."""
    count = requests + WARM
    asyncio.run(_filled(folder, count, sink.origin, "timed"))
    asked: dict[str, float] = {}
    with _server(folder, worker=True) as (caller, pid):
        _wait_for(lambda: len(children_of(pid)) >= 1, "The senders did not start.")
        for number in range(count):
            time.sleep(GAP)
            asked[f"/timed/{token_of(number)}"] = time.time()
            caller.send_to(number)
        _wait_for(lambda: len(_arrivals(sink)) >= count, "Not every message arrived.")
    arrived = _arrivals(sink)
    delays = sorted((arrived[path] - moment) * 1_000 for path, moment in list(asked.items())[WARM:])
    return Delay(requests, p50=median(delays), p99=delays[int(len(delays) * 0.99)], most=delays[-1])


def _arrivals(sink: Sink) -> dict[str, float]:
    lines = sink.arrivals.read_text().splitlines() if sink.arrivals.exists() else []
    return {path: float(moment) for moment, _, path in (line.partition(" ") for line in lines)}


async def _filled(folder: Path, count: int, origin: str, place: str) -> None:
    async with wiring.opened(settings_of(folder)) as container:
        await fill(container, await host_of(container), count=count, origin=origin, place=place)


@contextmanager
def _server(folder: Path, *, worker: bool) -> Iterator[tuple[Caller, int]]:
    with running_server(folder, worker=worker) as (place, pid):
        yield Caller(*place), pid


@contextmanager
def running_server(folder: Path, *, worker: bool, senders: int | None = None) -> Iterator[tuple[tuple[str, str], int]]:
    """Run `tidings up` on that folder while the block runs; give (its URL, its operator's token) and its process id."""
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [
                *(sys.executable, "-c", "from tidings.cli.main import run; run()", "up", "--port", "0"),
                *("--data", str(folder), "--worker" if worker else "--no-worker"),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "TIDINGS_ALLOW_INSECURE_ENDPOINTS": "1",
                "TIDINGS_TRIPWIRE_RECIPIENTS": "0",
                **({} if senders is None else {"TIDINGS_SENDERS": str(senders)}),
            },
        )
    try:
        run = folder / "run.json"
        _wait_for(run.exists, f"The server did not start; {log} says why.", process=process)
        found = json.loads(run.read_text())
        yield (found["url"], found["token"]), process.pid
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(met: Callable[[], bool], otherwise: str, *, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not met():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise ServerFailed(otherwise)
        time.sleep(0.05)
