"""How soon a running campaign stands still: from the answer to a pause or a cancel until the last message arrives."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidings.bench.campaign import settings_of
from tidings.bench.crowd import fill, host_of
from tidings.bench.ingest import PATIENCE, ServerFailed, running_server
from tidings.bench.sink import Sink
from tidings.wiring import opened

QUIET = 3.0
"""Seconds without an arrival after which none is on its way any more."""


class Way(StrEnum):
    """What stops a campaign."""

    PAUSE = "pause one"
    PAUSE_ALL = "pause everything"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Standstill:
    """One stop: seconds from the request to its answer, from that to the last arrival, and how many came after it."""

    way: Way
    answered: float
    last: float
    after: int


@dataclass(frozen=True, slots=True)
class Stops:
    """What was measured. `exact` when everybody was reached once by the campaign that was resumed, and when what the
    cancelled one counts as sent and as skipped are those who were reached and all others."""

    subscribers: int
    senders: int
    rate: float
    stops: list[Standstill]
    exact: bool


class _Api:
    """The REST API of the measured server, on one connection."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.close = self._connection.close

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        self._connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise ServerFailed(f"{method} {path} was answered {answer.status}: {said.decode('utf-8', 'replace')[:200]}")
        return json.loads(said) if said else None


class _Log:
    """The sink's log of arrivals, read on from where it was left."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = 0
        self._rest = ""
        self.moments: list[float] = []
        self.reached: dict[str, int] = {}

    def read(self) -> int:
        """Read what came meanwhile; give how many there are."""
        if self._file.exists():
            with self._file.open() as file:
                file.seek(self._at)
                text = self._rest + file.read()
                self._at = file.tell()
            *lines, self._rest = text.split("\n")
            for line in lines:
                moment, _, path = line.partition(" ")
                self.moments.append(float(moment))
                self.reached[path] = self.reached.get(path, 0) + 1
        return len(self.moments)


def measure_stops(
    sink: Sink, *, folder: Path, subscribers: int, senders: int, note: Callable[[str], None] = lambda text: None
) -> Stops:
    """Send to so many: once paused twice and resumed until it is done, once cancelled."""
    asyncio.run(_filled(folder, subscribers, sink.origin))
    log = _Log(sink.arrivals)
    with running_server(folder, worker=True, senders=senders) as (server, _), closing(_Api(*server)) as api:
        note("Sending, and stopping it on the way")
        one = _send(api, "Hello")
        begun = time.perf_counter()
        part = subscribers // 5
        _arrive(log, part)
        rate = part / (time.perf_counter() - begun)
        stops = [_stop(Way.PAUSE, lambda: api("POST", f"{one}/pause"), log)]
        api("POST", f"{one}/resume")
        _arrive(log, log.read() + part)
        stops.append(_stop(Way.PAUSE_ALL, lambda: api("POST", "/system/pause", {}), log))
        api("POST", "/system/resume")
        done = _done(api, one)
        log.read()
        exact = set(log.reached.values()) == {1} and done["sent"] == done["audience"] == len(log.reached) == subscribers
        before = len(log.moments)
        other = _send(api, "Once more")  # the same words again would be held
        _arrive(log, before + part)
        stops.append(_stop(Way.CANCEL, lambda: api("POST", f"{other}/cancel"), log))
        counts = _done(api, other)
        came = log.read() - before
        exact = exact and counts["sent"] == came and counts["skipped"] == subscribers - came
    return Stops(subscribers, senders, rate, stops, exact)


def _send(api: _Api, title: str) -> str:
    sent = api("POST", "/notifications", {"to": {"all": True}, "title": title, "body": "World"})
    return f"/notifications/{sent['id']}"


def _stop(way: Way, ask: Callable[[], object], log: _Log) -> Standstill:
    asked = time.time()
    ask()
    answered = time.time()
    _settle(log)
    after = [moment for moment in log.moments if moment > answered]
    return Standstill(way, answered - asked, max((moment - answered for moment in after), default=0.0), len(after))


def _settle(log: _Log) -> None:
    """Wait until nothing arrives any more."""
    seen, since = log.read(), time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(0.05)
        if (now := log.read()) != seen:
            seen, since = now, time.monotonic()


def _arrive(log: _Log, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while log.read() < count:
        if time.monotonic() > deadline:
            raise ServerFailed(f"{count} messages should have arrived within {PATIENCE:.0f} seconds.")
        time.sleep(0.02)


def _done(api: _Api, path: str) -> dict[str, int]:
    deadline = time.monotonic() + 10 * PATIENCE
    while time.monotonic() < deadline:
        found = api("GET", path)
        counts: dict[str, int] = found["counts"]
        settled = sum(counts[name] for name in ("sent", "failed", "expired", "skipped"))
        if found["status"] in {"done", "cancelled"} and settled == counts["audience"]:
            return counts
        time.sleep(0.2)
    raise ServerFailed("The campaign did not come to its end.")


async def _filled(folder: Path, count: int, origin: str) -> None:
    async with opened(settings_of(folder)) as container:
        await fill(container, await host_of(container), count=count, origin=origin, place="timed")
