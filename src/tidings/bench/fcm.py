"""What a sender does for a phone: write one send to FCM, send it, read the answer; and firebase-admin beside it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tidings.bench.campaign import MESSAGE
from tidings.bench.peers import Peer, installed, run_peer, script
from tidings.bench.send import CHUNK, sent
from tidings.bench.sink import Sink
from tidings.bench.together import Program
from tidings.domain.app import Credential
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client
from tidings.pipeline.deliver import Chunk, Delivery, Parcel
from tidings.pipeline.render import render
from tidings.providers import Draft, provider

PACKAGE = "firebase-admin==7.7.0"
HOST = "fcm.googleapis.com"
PROJECT = "tidings-bench"


def measure_fcm(sink: Sink, *, messages: int) -> float:
    """Give the CPU microseconds of one message; raises RuntimeError when the sink did not take them all."""
    port = urlsplit(sink.origin).port
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, insecure=True, connect_to={HOST: f"localhost:{port}"}) as client:
        delivery = Delivery(client, provider=provider)
        sent(delivery, list(_chunks(CHUNK)))  # connections stand, modules are loaded
        chunks = list(_chunks(messages))
        begun = time.process_time()
        accepted = sent(delivery, chunks)
        used = time.process_time() - begun
    if accepted != messages:
        raise RuntimeError(f"the sink took {accepted} of {messages}")
    return used / messages * 1e6


def firebase_admin(sink: Sink, folder: Path, *, cache: Path, count: int) -> Peer:
    """Run Google's SDK with the same message to the same sink; raises PeerMissing."""
    job = folder / "phones.json"
    shown = {"title": MESSAGE.title, "body": MESSAGE.body, "link": MESSAGE.url}
    job.write_text(json.dumps({"origin": sink.origin, "project": PROJECT, **shown}))
    command = (sys.executable, str(script("fcm_peer.py")))
    trust = str(sink.ca_file)
    environment = {
        "PYTHONPATH": str(installed(PACKAGE, cache=cache)),
        "REQUESTS_CA_BUNDLE": trust,
        "SSL_CERT_FILE": trust,
    }
    return run_peer(Program(PACKAGE, command, cache, environment), [job], None, messages=count, sink=sink)


def _chunks(messages: int) -> Iterator[Chunk]:
    draft = provider("fcm").draft(render(MESSAGE, None))
    assert isinstance(draft, Draft)
    settings = {"project_id": PROJECT, "client_email": "bench@example.com"}
    key = Credential(1, 1, 1, "fcm", "0" * 40, b"ya29." + b"x" * 200, settings)
    parcels = [
        Parcel(
            subscription_id=number,
            draft=0,
            credential_id=1,
            origin=f"https://{HOST}",
            target=f"{number:022d}:APA91b{number:0134d}",
            keys=b"",
            delivery_id=f"{number:032x}",
            receipt_token="A" * 16,
        )
        for number in range(messages)
    ]
    for number, start in enumerate(range(0, messages, CHUNK)):
        yield Chunk(
            number=number,
            expires_at=time.time() + 3_600,
            drafts=(("fcm", draft),),
            credentials={1: key},
            parcels=tuple(parcels[start : start + CHUNK]),
        )
