"""How large a body may be, and how long it may take to come: who sends one byte a minute holds a place for nothing."""

from __future__ import annotations

import asyncio

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
        told = headers.get("content-length", "")
        if told and "transfer-encoding" in headers:
            # A proxy that believes the one where we believe the other lets strangers begin its next request.
            fault = CatalogueError(ErrorCode.INVALID_REQUEST, "The body has two lengths: Content-Length and chunks.")
            return await problem_of(self._docs_url, fault, headers={"Connection": "close"})(scope, receive, send)
        if told.isdigit() and int(told) > limit:
            fault = CatalogueError(ErrorCode.BODY_TOO_LARGE, f"The body has {told} bytes; {limit} is the most.")
            # What is left of the body would otherwise be read as the next request.
            refusal = problem_of(self._docs_url, fault, headers={"Connection": "close"})
            return await refusal(scope, receive, send)
        seen, whole = 0, False
        is_file, until = limit != MAX_BODY, asyncio.get_running_loop().time() + PATIENCE

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()  # nothing comes any more but the end of the connection
            try:
                async with asyncio.timeout(PATIENCE) if is_file else asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413)
            return message

        return await self._app(scope, counted, send)
