"""What every answer of ours tells the browser about itself: no foreign script, no frame, no guessing of types."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: https:",  # previews show the icons and images of notifications
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For what is no page: shown as one all the same, it can do nothing."""

HTML_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
EVERYWHERE = {
    "Content-Security-Policy": NO_CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PRIVATE = ("/api/", "/push/", "/v1/")
"""What is given here is about people: no cache on the way and no Back button of the next user shall have it."""

PUBLIC = ("/push/", "/v1/")
"""Called by the pages of other sites; CORS says which of them may read the answer."""

TRANSPORT = "max-age=31536000"
"""A year of https alone, for this host: what is below it may be another's."""


def secured(response: Response) -> Response:
    """Add the headers of a page."""
    for name, value in HTML_HEADERS.items():
        response.headers[name] = value
    return response


class SecureAnswers:
    """Middleware that gives every answer what it has not said itself."""

    def __init__(self, app: ASGIApp, *, base_url: str) -> None:
        self._app = app
        everywhere = defaults_of(base_url)
        self._pages = _as_sent(everywhere)
        self._private = _as_sent({**everywhere, "Cache-Control": "no-store"})
        shared = {"Cross-Origin-Resource-Policy": "cross-origin"}
        self._public = _as_sent({**everywhere, "Cache-Control": "no-store", **shared})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path: str = scope["path"]
        wanted = self._public if path.startswith(PUBLIC) else self._private if path.startswith(PRIVATE) else self._pages

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                there = {name for name, _ in headers}
                message["headers"] = [*headers, *(pair for pair in wanted if pair[0] not in there)]
            await send(message)

        return await self._app(scope, receive, sent)


def defaults_of(base_url: str) -> Mapping[str, str]:
    """Give the headers of every answer of an instance at this address."""
    secure = {"Strict-Transport-Security": TRANSPORT} if base_url.startswith("https://") else {}
    return EVERYWHERE | secure


def _as_sent(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
