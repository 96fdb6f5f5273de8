"""One request of ours, encrypted and addressed, without sending it."""

from __future__ import annotations

from tidings.bench.campaign import MESSAGE
from tidings.bench.crowd import addresses
from tidings.bench.floor import microseconds
from tidings.domain.app import Credential
from tidings.lib.crypto import base64url_from, generate_key, point_from, scalar_from
from tidings.pipeline.deliver import BURST
from tidings.pipeline.render import render
from tidings.providers import BuildsTogether, Draft, Envelope, provider

PEERS = 1_000


def credential() -> Credential:
    """Make a VAPID credential that no database knows."""
    key = generate_key()
    return Credential(
        id=1,
        integration_id=1,
        app_id=1,
        provider="webpush",
        fingerprint=base64url_from(point_from(key)),
        secret=scalar_from(key),
        settings={"subject": "mailto:ops@example.com"},
    )


def draft() -> Draft:
    """Render and compose the message of the bench."""
    made = provider("webpush").draft(render(MESSAGE, None))
    assert isinstance(made, Draft)
    return made


def measure_encryption(*, rounds: int) -> float:
    """Give the CPU microseconds of one whole request: fill, encrypt, address; a turn of a sender at a time."""
    webpush, signed, shared = provider("webpush"), credential(), draft()
    assert isinstance(webpush, BuildsTogether)
    crowd = list(addresses(PEERS, base="https://fcm.googleapis.com/fcm/send/"))
    everybody = [(to, Envelope(f"{number:032x}", "A" * 16, 3_600)) for number, to in enumerate(crowd)]
    turns = [everybody[at : at + BURST] for at in range(0, PEERS - BURST + 1, BURST)]

    def turn(number: int) -> object:
        return webpush.requests(shared, turns[number % len(turns)], credential=signed, now=1_000_000.0)

    return microseconds(turn, rounds=max(1, rounds // BURST)) / BURST
