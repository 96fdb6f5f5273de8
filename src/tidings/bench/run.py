"""Runs the measurements that were asked for, in a folder that goes away, and gives what they found as plain values."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import mean

from tidings.bench.apns import ForApps, measure_apns
from tidings.bench.beside import MOST, measure_beside
from tidings.bench.campaign import Campaign, measure_campaign
from tidings.bench.encrypt import measure_encryption
from tidings.bench.events import EventCosts, measure_events
from tidings.bench.fcm import firebase_admin, measure_fcm
from tidings.bench.floor import Floor, measure_floor
from tidings.bench.ingest import Delay, Ingest, measure_delay, measure_ingest
from tidings.bench.peers import MESSAGES, Peer
from tidings.bench.send import measure_sending
from tidings.bench.sink import Sink, running_sink
from tidings.bench.soak import Sample, Soak, measure_soak
from tidings.bench.together import PeerMissing
from tidings.lib.agreement import agreement


class Part(StrEnum):
    """What can be measured."""

    ENCRYPT = "encrypt"
    SEND = "send"
    CAMPAIGN = "campaign"
    INGEST = "ingest"
    EVENTS = "events"
    COMPARE = "compare"
    APNS = "apns"
    FCM = "fcm"
    SOAK = "soak"


EVERYTHING = (Part.ENCRYPT, Part.SEND, Part.CAMPAIGN, Part.INGEST, Part.EVENTS, Part.COMPARE, Part.APNS, Part.FCM)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; `thorough` is 1 for a real run, less for one that shows only that it runs."""

    parts: Sequence[Part]
    subscribers: Sequence[int]
    senders: Sequence[int]
    soak_seconds: float = 600
    thorough: float = 1.0

    def times(self, number: int, *, least: int = 1) -> int:
        """Scale a number of rounds."""
        return max(least, int(number * self.thorough))


@dataclass(slots=True)
class Found:
    """What was measured, CPU in microseconds a message; what could not be is named in `missing` with the reason."""

    floors: list[Floor] = field(default_factory=list)
    encrypt: float | None = None
    send: float | None = None
    fcm: float | None = None
    campaigns: list[Campaign] = field(default_factory=list)
    ingest: Ingest | None = None
    delay: Delay | None = None
    events: EventCosts | None = None
    peers: list[Peer] = field(default_factory=list)
    apns: ForApps | None = None
    soak: Soak | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def floor(self) -> Floor | None:
        """The average of all times that it was measured: a machine that others use is not equally fast all the time."""
        if not self.floors:
            return None
        return Floor(
            generate=mean(floor.generate for floor in self.floors),
            agree=mean(floor.agree for floor in self.floors),
            request=mean(floor.request for floor in self.floors),
        )

    @property
    def moved(self) -> float | None:
        """The dearest floor in the cheapest of this run: how far figures that are minutes apart can be compared."""
        wholes = [floor.whole for floor in self.floors]
        return max(wholes) / min(wholes) if wholes else None

    def document(self) -> dict[str, object]:
        """Give it as plain values, with what it was measured on."""
        floor = self.floor and asdict(self.floor) | {"whole": self.floor.whole, "moved": self.moved}
        floors = [asdict(one) | {"whole": one.whole} for one in self.floors]
        campaigns = [one.document() for one in self.campaigns]
        found = {"floor": floor} | asdict(self) | {"floors": floors, "campaigns": campaigns}
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "arch": platform.machine()}
        return {"machine": {**machine, "agreement": agreement().way}, **found}


def measure(wish: Wish, *, note: Callable[[str], None]) -> Found:
    """Measure it all against one sink; raises SinkMissing where there is none. `note` is told what begins."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as name:
        folder = Path(name)
        with _sink(folder) as sink:
            _floor(found, wish, sink)
            for part in wish.parts:
                note(f"Measuring: {part}")
                _STEPS[part](found, wish, sink, folder, note)
                _floor(found, wish, sink)
            if found.floor is None:
                found.missing.append("the floor: h2load is not installed (apt: nghttp2-client)")
    return found


@contextmanager
def _sink(folder: Path) -> Iterator[Sink]:
    place = folder / "sink"
    place.mkdir()
    with running_sink(place) as sink:
        yield sink


def _floor(found: Found, wish: Wish, sink: Sink) -> None:
    floor = measure_floor(sink, rounds=wish.times(1_000, least=50), requests=wish.times(20_000, least=2_000))
    if floor is not None:
        found.floors.append(floor)


def _encrypt(found: Found, wish: Wish, _sink: Sink, _folder: Path, _note: Callable[[str], None]) -> None:
    found.encrypt = measure_encryption(rounds=wish.times(1_000, least=50))


def _send(found: Found, wish: Wish, sink: Sink, _folder: Path, _note: Callable[[str], None]) -> None:
    found.send = measure_sending(sink, messages=wish.times(20_000, least=400))


def _fcm(found: Found, wish: Wish, sink: Sink, folder: Path, _note: Callable[[str], None]) -> None:
    found.fcm = measure_fcm(sink, messages=wish.times(20_000, least=400))
    try:
        count = wish.times(2_000, least=50)
        peer = firebase_admin(sink, folder, cache=folder / "peers", count=count)
        found.peers.append(peer.beside(found.fcm))
    except PeerMissing as why:
        found.missing.append(f"firebase_admin: {why}")


def _campaign(found: Found, wish: Wish, sink: Sink, folder: Path, note: Callable[[str], None]) -> None:
    for senders in wish.senders:
        for subscribers in wish.subscribers:
            note(f"  {subscribers} subscribers, senders: {senders}")
            data = folder / f"campaign-{senders}-{subscribers}"
            found.campaigns.append(
                asyncio.run(measure_campaign(sink, folder=data, subscribers=subscribers, senders=senders))
            )


def _ingest(found: Found, wish: Wish, sink: Sink, folder: Path, _note: Callable[[str], None]) -> None:
    found.ingest = measure_ingest(folder=folder / "ingest", requests=wish.times(2_000, least=50))
    found.delay = measure_delay(sink, folder=folder / "delay", requests=wish.times(200, least=20))


def _events(found: Found, wish: Wish, _sink: Sink, folder: Path, _note: Callable[[str], None]) -> None:
    count = wish.times(2_000, least=100)
    found.events = measure_events(folder=folder / "events", events=count, triggers=wish.times(1_000, least=200))


def _compare(found: Found, wish: Wish, sink: Sink, folder: Path, note: Callable[[str], None]) -> None:
    peers, missing = measure_beside(
        sink,
        folder=folder,
        processes=wish.senders,
        messages=wish.times(MESSAGES, least=50),
        subscribers=min(*wish.subscribers, MOST),
        note=note,
    )
    found.peers += peers
    found.missing += missing


def _apns(found: Found, wish: Wish, sink: Sink, folder: Path, _note: Callable[[str], None]) -> None:
    found.apns, why = measure_apns(sink, folder=folder / "peers", messages=wish.times(10_000, least=400))
    if why is not None:
        found.missing.append(why)


def _soak(found: Found, wish: Wish, sink: Sink, folder: Path, note: Callable[[str], None]) -> None:
    def told(sample: Sample) -> None:
        held = ", ".join(f"{name} {one.memory >> 20} MB {one.files} files" for name, one in sample.held.items())
        note(f"  {sample.second:.0f} s: {held}")

    soak = measure_soak(sink, folder=folder / "soak", seconds=wish.soak_seconds, senders=max(wish.senders), told=told)
    found.soak = asyncio.run(soak)


_STEPS: dict[Part, Callable[[Found, Wish, Sink, Path, Callable[[str], None]], None]] = {
    Part.ENCRYPT: _encrypt,
    Part.SEND: _send,
    Part.FCM: _fcm,
    Part.CAMPAIGN: _campaign,
    Part.INGEST: _ingest,
    Part.EVENTS: _events,
    Part.COMPARE: _compare,
    Part.APNS: _apns,
    Part.SOAK: _soak,
}
