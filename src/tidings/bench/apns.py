"""What a sender process does for iPhones, and aioapns beside it: the same messages to the same sink."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tidings.bench.campaign import MESSAGE
from tidings.bench.peers import Peer, installed, run_peer, script
from tidings.bench.send import CHUNK, sent
from tidings.bench.sink import Sink
from tidings.bench.together import PeerMissing, Program
from tidings.domain.app import Credential
from tidings.lib.crypto import generate_key
from tidings.lib.egress import AddressGuard, HostPolicy
from tidings.lib.http import Client
from tidings.pipeline.deliver import Chunk, Delivery, Parcel
from tidings.pipeline.render import render
from tidings.providers import Draft, TakesCredentials, provider

PACKAGE = "aioapns==4.0"

_HOST = "api.sandbox.push.apple.com"
_KEY_ID, _TEAM_ID, _TOPIC = "2X9R4HXF34", "ABCDE12345", "com.example.app"
_NAME = "apns"


@dataclass(frozen=True, slots=True)
class ForApps:
    """CPU microseconds of one message of ours, and the peer's."""

    ours: float
    rate: float
    peer: Peer | None


def measure_apns(sink: Sink, *, folder: Path, messages: int) -> tuple[ForApps, str | None]:
    """Measure both; where the peer cannot be had, the reason is given beside."""
    key = generate_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    cpu, rate = _ours(sink, key, messages=messages)
    try:
        return ForApps(cpu, rate, _aioapns(sink, key, folder=folder, messages=messages).beside(cpu)), None
    except PeerMissing as why:
        return ForApps(cpu, rate, None), f"{PACKAGE}: {why}"


def _ours(sink: Sink, key: str, *, messages: int) -> tuple[float, float]:
    place = {_HOST: sink.origin.replace("https://localhost", "127.0.0.1")}
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to=place, insecure=True, ca_file=str(sink.ca_file)) as client:
        delivery = Delivery(client, provider=provider)
        sent(delivery, list(_chunks(key, CHUNK)))
        chunks = list(_chunks(key, messages))
        cpu, wall = time.process_time(), time.perf_counter()
        accepted = sent(delivery, chunks)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if accepted != messages:
        raise RuntimeError(f"the sink took {accepted} of {messages}")
    return cpu / messages * 1e6, messages / wall


def _chunks(key: str, messages: int) -> Iterator[Chunk]:
    via = provider(_NAME)
    assert isinstance(via, TakesCredentials)
    made = via.credential_from({"key": key, "key_id": _KEY_ID, "team_id": _TEAM_ID, "bundle_id": _TOPIC})
    signed = Credential(1, 1, 1, _NAME, made.fingerprint, made.secret, made.settings)
    draft = via.draft(render(MESSAGE, None))
    assert isinstance(draft, Draft)
    for number, start in enumerate(range(0, messages, CHUNK)):
        parcels = []
        for one in range(start, min(start + CHUNK, messages)):
            place = {"token": f"{one:064x}", "environment": "sandbox"}
            to, origin = provider(_NAME).address_from(place, policy=HostPolicy(frozenset(), ()))
            parcels.append(Parcel(one, 0, signed.id, origin, to.target, to.keys, f"{one:032x}", "A" * 16))
        yield Chunk(number, time.time() + 3_600, ((_NAME, draft),), {signed.id: signed}, tuple(parcels))


def _aioapns(sink: Sink, key: str, *, folder: Path, messages: int) -> Peer:
    packages = installed(PACKAGE, cache=folder)
    job = folder / "apns.json"
    port = int(sink.origin.rpartition(":")[2])
    said = {"title": MESSAGE.title, "body": MESSAGE.body}
    settings = {"key": key, "key_id": _KEY_ID, "team_id": _TEAM_ID, "topic": _TOPIC, "port": port, "alert": said}
    job.write_text(json.dumps(settings | {"ca_file": str(sink.ca_file)}))
    program = Program(PACKAGE, (sys.executable, str(script("peer_apns.py"))), folder, {"PYTHONPATH": str(packages)})
    return run_peer(program, [job], None, messages=messages, sink=sink)
