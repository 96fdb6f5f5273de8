"""How large a body may be, and how long it may take to come: who sends one byte a minute holds a place for nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.web.callers import API
from tidings.web.errors import problem_of

MAX_BODY = 1024 * 1024
"""Bytes; the public API takes far less."""

MAX_FILE = 1024 * 1024 * 1024
"""Bytes of an imported file: some two million subscriptions."""

PATIENCE = 30.0
"""Seconds in which a body has to be here; of a file, its next piece."""

MAX_IMAGE = 8 * 1024 * 1024
"""Bytes of a picture: a photo of a telephone."""

FILES = {f"{API}/subscriptions/import": MAX_FILE, f"{API}/images": MAX_IMAGE}
"""Addresses that take a file, and the bytes of it."""


LINGER = 2.0
"""Seconds in which what is left of a refused body is thrown away: who is cut off while sending may not see why."""


class LimitBody:
    """Middleware. The framework has its own limit, which answers in plain text whatever the application says."""

    def __init__(self, app: ASGIApp, *, docs_url: str) -> None:
        self._app = app
        self._docs_url = docs_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body of a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = FILES.get(scope["path"], MAX_BODY)
        headers = Headers(scope=scope)
        told, chunked = headers.get("content-length", ""), "transfer-encoding" in headers
        if told and chunked:
            # A proxy that believes the one where we believe the other lets strangers begin its next request.
            fault = CatalogueError(ErrorCode.INVALID_REQUEST, "The body has two lengths: Content-Length and chunks.")
            return await problem_of(self._docs_url, fault, headers={"Connection": "close"})(scope, receive, send)
        body = _Body(receive, send, limit=limit)
        if chunked or told.strip("0"):
            send = body.answer_unread if "expect" in headers else body.answer
        if told.isdigit() and int(told) > limit:
            fault = CatalogueError(ErrorCode.BODY_TOO_LARGE, f"The body has {told} bytes; {limit} is the most.")
            return await problem_of(self._docs_url, fault)(scope, receive, send)
        return await self._app(scope, body.next, send)


class _Body:
    """The body of one request, and the answer: one that goes out before the body is here is the connection's last.

    What is left of the body would otherwise hold the connection for as long as somebody likes to send it.
    """

    def __init__(self, receive: Receive, send: Send, *, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._is_file = limit != MAX_BODY
        self._until = asyncio.get_running_loop().time() + PATIENCE
        self._seen = 0
        self._whole = False
        self._last = False

    async def next(self) -> Message:
        """Give its next piece. Raises HTTPException where it takes too long or is too large."""
        if self._whole:
            return await self._receive()  # nothing comes any more but the end of the connection
        try:
            async with asyncio.timeout(PATIENCE) if self._is_file else asyncio.timeout_at(self._until):
                message = await self._read()
        except TimeoutError:
            raise HTTPException(408) from None
        if self._seen > self._limit:
            raise HTTPException(413)
        return message

    async def answer(self, message: Message) -> None:
        """Send a piece of the answer."""
        if message["type"] == "http.response.start" and not self._whole:
            await self._throw_away(0)
        await self.answer_unread(message)

    async def answer_unread(self, message: Message) -> None:
        """Send a piece of the answer to somebody who waits to be asked for the body."""
        if message["type"] == "http.response.start" and not self._whole:
            self._last = True
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        elif self._last and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._throw_away(LINGER)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _read(self) -> Message:
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        self._seen += len(message.get("body", b""))
        return message

    async def _throw_away(self, seconds: float) -> None:
        """Read what comes in so many seconds, of 0 what is here already."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                most = self._seen + MAX_IMAGE
                while not self._whole and self._seen < most:
                    await self._read()
