"""A receiver of webhooks over TLS on this machine: it checks each signature itself, and answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import trustme

from support.calls import SILENCE, Call, call_from

HOST = "hooks.example.com"
KEY = b"a receiver's secret of 32 bytes!"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE = 300
"""Seconds that a timestamp may differ (Standard Webhooks, "Verifying webhook authenticity")."""


def genuine(call: Call) -> bool:
    """Check signature and timestamp as the standard's receivers do."""
    return call.signed_with(SECRET) and abs(time.time() - int(call.headers["webhook-timestamp"])) <= TOLERANCE


@dataclass
class Receiver:
    """What came, and what is answered: `answer(path, times)` gives a status for the n-th request to a path."""

    answer: Callable[[str, int], int] = lambda _path, _times: 204
    retry_after: int | None = None
    port: int = 0
    seen: list[Call] = field(default_factory=list)
    greeted: int = 0
    """Handshakes that were begun under our name, whatever became of them."""
    times: Counter[str] = field(default_factory=Counter)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mapped(self) -> str:
        """Give the entry of TIDINGS_PUSH_HOST_MAP that leads here."""
        return f"{HOST}=127.0.0.1:{self.port}"

    def url(self, device: object = "test") -> str:
        """Give a device's URL."""
        return f"https://{HOST}/devices/{device}"

    def greet(self, _socket: object, name: str | None, _context: ssl.SSLContext) -> None:
        """Count a client's first words."""
        self.greeted += name == HOST

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection of HTTP/1.1."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while await self._one(reader, writer):
                pass
        writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        call = await call_from(reader)
        self.seen.append(call)
        self.times[call.path] += 1
        status = self.answer(call.path, self.times[call.path]) if genuine(call) else 401
        if status == SILENCE:
            await self._ended.wait()
            return False
        more = f"retry-after: {self.retry_after}\r\n" if status == 429 and self.retry_after is not None else ""
        writer.write(f"HTTP/1.1 {status} \r\n{more}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        return True


@asynccontextmanager
async def receiving(authority: trustme.CA) -> AsyncIterator[Receiver]:
    """Serve a receiver with a certificate of that authority."""
    receiver = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    context.sni_callback = receiver.greet
    authority.issue_cert(HOST).configure_cert(context)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver._ended.set()
        server.close()
