"""A receiver of an App's webhooks on this machine: it checks every signature itself, and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from support.calls import SILENCE, Call, call_from


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
            call = await call_from(reader)
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
