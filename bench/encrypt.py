"""CPU of one Web Push request, beside the two curve operations nobody can leave out, and beside pywebpush."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher

from tidings.domain.app import Credential
from tidings.domain.message import Message
from tidings.domain.subscription import Address
from tidings.pipeline.render import render
from tidings.providers import Draft, Envelope, provider

CURVE = ec.SECP256R1()


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def microseconds(work: Callable[[int], object], rounds: int) -> float:
    """Give the CPU of one round."""
    work(0)
    begun = time.process_time_ns()
    for number in range(rounds):
        work(number)
    return (time.process_time_ns() - begun) / rounds / 1_000


def measure_encryption(*, rounds: int) -> dict[str, float]:
    """Give CPU microseconds a message: floor, ours, pywebpush."""
    devices = [ec.generate_private_key(CURVE) for _ in range(100)]
    points = [point(device) for device in devices]
    auth = os.urandom(16)
    publics = [device.public_key() for device in devices]
    webpush = provider("webpush")
    draft = webpush.draft(
        render(Message(title="Hello", body="World of notifications", url="https://example.com/x"), None)
    )
    assert isinstance(draft, Draft)
    vapid = ec.generate_private_key(CURVE)
    credential = Credential(
        id=1,
        integration_id=1,
        app_id=1,
        provider="webpush",
        fingerprint=base64.urlsafe_b64encode(point(vapid)).rstrip(b"=").decode(),
        secret=vapid.private_numbers().private_value.to_bytes(32, "big"),
        settings={"subject": "mailto:ops@example.com"},
    )
    addresses = [Address("https://fcm.googleapis.com/fcm/send/" + "x" * 150, one + auth) for one in points]
    envelope = Envelope("0" * 32, "A" * 16, 3600)
    payload = b"".join(draft.parts)
    peers = [
        WebPusher(
            {
                "endpoint": "https://fcm.googleapis.com/fcm/send/x",
                "keys": {
                    "p256dh": base64.urlsafe_b64encode(one).decode(),
                    "auth": base64.urlsafe_b64encode(auth).decode(),
                },
            }
        )
        for one in points
    ]

    def floor(number: int) -> object:
        return ec.generate_private_key(CURVE).exchange(ec.ECDH(), publics[number % 100])

    def ours(number: int) -> object:
        return webpush.request(draft, addresses[number % 100], envelope, credential=credential, now=1_000_000.0)

    def pywebpush(number: int) -> object:
        return peers[number % 100].encode(payload, content_encoding="aes128gcm")

    return {
        "floor": microseconds(floor, rounds),
        "whole request, ours": microseconds(ours, rounds),
        "encryption alone, pywebpush": microseconds(pywebpush, max(1, rounds // 10)),
    }
