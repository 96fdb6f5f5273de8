"""An instance in this process: the real store, flow and services behind the real application."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

OPERATOR = "operator-token"
HOST = "fcm.googleapis.com"


@dataclass
class Names:
    """What names resolve to; a test changes it."""

    addresses: dict[str, list[str]] = field(default_factory=dict)

    async def __call__(self, host: str) -> Sequence[str]:
        return self.addresses.get(host, ["142.250.180.10"])


def client_of(app: FastAPI, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com", headers=headers)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def push_subscription(path: str = "", host: str = HOST) -> dict[str, Any]:
    """A subscription as a browser makes it, with a real key pair."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "endpoint": f"https://{host}/fcm/send/{path or os.urandom(12).hex()}",
        "expirationTime": None,
        "keys": {"p256dh": base64url(raw), "auth": base64url(os.urandom(16))},
    }


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is an error in the one shape, and give its body."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert body["status"] == status
    assert body["type"] == f"https://push.example.com/docs/errors#{code}"
    assert body["title"]
    assert body["detail"]
    assert body["mend"]
    assert isinstance(body["errors"], list)
    return body
