"""A running simulator, and an application server that pushes to it with libraries of other people."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import http_ece
import jwt
import pycurl
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tidings.simulator.run import Running

Subscription = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What came back: status 0 and libcurl's error code when nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: int
    new_connections: int
    http_version: int


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class AppServer:
    """Signs with PyJWT, encrypts with http_ece, sends with libcurl."""

    def __init__(self, ca: Path) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.key = text_of(self.public)
        self._ca = ca

    def token(self, endpoint: str, **claims: Any) -> str:
        origin = "/".join(endpoint.split("/")[:3])
        said = {"aud": origin, "exp": int(time.time()) + 3600, "sub": "mailto:ops@example.com", **claims}
        signed = jwt.encode(said, claims.pop("_private", self.private), algorithm="ES256")
        return f"vapid t={signed}, k={self.key}"

    def sealed(self, to: Subscription, plaintext: bytes, *, rs: int = 4096) -> bytes:
        made: bytes = http_ece.encrypt(
            plaintext,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=bytes_of(to["keys"]["p256dh"]),
            auth_secret=bytes_of(to["keys"]["auth"]),
            rs=rs,
            version="aes128gcm",
        )
        return made

    def headers(self, to: Subscription, **changed: str | None) -> dict[str, str]:
        """Give good headers; `changed` by name with underscores, None leaves one out."""
        good = {
            "TTL": "60",
            "Urgency": "normal",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self.token(to["endpoint"]),
        }
        for name, value in changed.items():
            known = next((key for key in good if key.lower() == name.replace("_", "-").lower()), name.replace("_", "-"))
            if value is None:
                good.pop(known, None)
            else:
                good[known] = value
        return good

    async def push(
        self,
        to: Subscription,
        plaintext: bytes = b"{}",
        *,
        body: bytes | None = None,
        http2: bool = True,
        **changed: str | None,
    ) -> Answered:
        """Push once, on a connection of its own."""
        sent = self.sealed(to, plaintext) if body is None else body
        [answer] = await self.send([(to["endpoint"], self.headers(to, **changed), sent)], http2=http2)
        return answer

    async def send(
        self,
        posts: Sequence[tuple[str, Mapping[str, str], bytes]],
        *,
        http2: bool = True,
        method: str = "POST",
        limit: float = 20,
    ) -> list[Answered]:
        """Send all at once; over HTTP/2 they share one connection."""
        return await asyncio.to_thread(self._send, posts, http2, method, limit)

    def _send(
        self, posts: Sequence[tuple[str, Mapping[str, str], bytes]], http2: bool, method: str, limit: float
    ) -> list[Answered]:
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        handles = [self._handle(post, http2=http2, method=method, limit=limit) for post in posts]
        for handle, _, _ in handles:
            multi.add_handle(handle)
        errors: dict[pycurl.Curl, int] = {}
        while len(errors) < len(handles):
            multi.perform()
            _, done, failed = multi.info_read(len(handles))
            errors |= dict.fromkeys(done, 0) | {handle: code for handle, code, _ in failed}
            if len(errors) < len(handles):
                multi.select(0.1)
        answers = [_answered(handle, head, body, errors[handle]) for handle, head, body in handles]
        for handle, _, _ in handles:
            multi.remove_handle(handle)
            handle.close()
        multi.close()
        return answers

    def _handle(
        self, post: tuple[str, Mapping[str, str], bytes], *, http2: bool, method: str, limit: float
    ) -> tuple[pycurl.Curl, list[bytes], io.BytesIO]:
        url, headers, body = post
        handle, head, answer = pycurl.Curl(), list[bytes](), io.BytesIO()
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.CAINFO, str(self._ca))
        version = pycurl.CURL_HTTP_VERSION_2TLS if http2 else pycurl.CURL_HTTP_VERSION_1_1
        handle.setopt(pycurl.HTTP_VERSION, version)
        handle.setopt(pycurl.PIPEWAIT, 1)
        handle.setopt(pycurl.NOPROXY, "*")
        handle.setopt(pycurl.TIMEOUT_MS, int(limit * 1000))
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(
            pycurl.HTTPHEADER, [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
        )
        handle.setopt(pycurl.HEADERFUNCTION, head.append)
        handle.setopt(pycurl.WRITEDATA, answer)
        return handle, head, answer


def _answered(handle: pycurl.Curl, head: list[bytes], body: io.BytesIO, error: int) -> Answered:
    lines = [line.decode("latin-1").strip().partition(": ") for line in head]
    return Answered(
        status=0 if error else handle.getinfo(pycurl.RESPONSE_CODE),
        headers={name.lower(): value for name, separator, value in lines if separator},
        body=body.getvalue(),
        error=error,
        new_connections=handle.getinfo(pycurl.NUM_CONNECTS),
        http_version=handle.getinfo(pycurl.INFO_HTTP_VERSION),
    )


@pytest.fixture
def app_server(simulator: Running) -> AppServer:
    return AppServer(simulator.ca)


@pytest.fixture
def app_server_for() -> Callable[[Running], AppServer]:
    return lambda running: AppServer(running.ca)


@pytest.fixture
def subscription(simulator: Running, app_server: AppServer) -> Subscription:
    [made] = simulator.subscribers.make(1, vapid_key=app_server.public, seed="one")
    return made
