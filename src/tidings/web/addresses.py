"""Addresses with a NUL in them: no id, no file and no text of a database has one, so nothing behind need ask."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.web.errors import problem_of


class RefuseNul:
    """Middleware that answers 404 for a path, and 422 for a query, with an encoded NUL."""

    def __init__(self, app: ASGIApp, *, docs_url: str) -> None:
        self._app = app
        self._docs_url = docs_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everything else through."""
        if scope["type"] == "http":
            if "\x00" in scope["path"]:
                fault = CatalogueError(ErrorCode.NOT_FOUND, "The address has a NUL character; there is nothing at it.")
                return await problem_of(self._docs_url, fault)(scope, receive, send)
            if b"%00" in scope["query_string"]:
                fault = CatalogueError(ErrorCode.INVALID_REQUEST, "The query has a NUL character.")
                return await problem_of(self._docs_url, fault)(scope, receive, send)
        return await self._app(scope, receive, send)
