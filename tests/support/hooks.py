"""A receiver of an App's webhooks on this machine: it checks every signature itself, and answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

SILENCE = 0
"""Instead of a status: the request is read, and nothing ever said."""


@dataclass(frozen=True)
class Call:
    """One request: its header fields by lower-case name, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)["data"]["events"]
        return found

    def signed_with(self, secret: str) -> bool:
        """Verify as Standard Webhooks' receivers do; any of the signatures will do."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b".".join((self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and hmac.compare_digest(said, expected) for version, _, said in given)


@dataclass
class Hooks:
    """What came; `answer(call, n)` gives the status for the n-th request, or a status with header lines."""

    answer: Callable[[Call, int], int | tuple[int, str]] = lambda _call, _n: 204
    said: bytes = b""
    port: int = 0
    seen: list[Call] = field(default_factory=list)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "hook") -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything that was told, in the order in which it came."""
        return [event for call in self.seen for event in call.events]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            line, *fields = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
            call = Call(line.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))
            self.seen.append(call)
            found = self.answer(call, len(self.seen))
            status, more = found if isinstance(found, tuple) else (found, "")
            if status == SILENCE:
                await self._ended.wait()
            else:
                head = f"HTTP/1.1 {status} \r\n{more}connection: close\r\ncontent-length: {len(self.said)}\r\n\r\n"
                writer.write(head.encode() + self.said)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Hooks]:
    """Serve a receiver on a free port."""
    hooks = Hooks()
    server = await asyncio.start_server(hooks.serve, "127.0.0.1", 0)
    hooks.port = server.sockets[0].getsockname()[1]
    try:
        yield hooks
    finally:
        hooks._ended.set()
        server.close()
