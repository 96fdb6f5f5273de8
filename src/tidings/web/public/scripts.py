"""The SDK and the service worker, each with one line before it that says which server and App it belongs to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.web.auth import container_of
from tidings.web.caching import is_fresh
from tidings.web.public.door import Handler

FOLDER = Path(__file__).parent.parent / "static" / "sdk"
PAGE = "sdk.js"
NAMES = (PAGE, "service-worker.js")


def script(name: str) -> Handler:
    """Make the route of one script."""

    async def serve(request: Request, app: App) -> Response:
        key = await _current_key(request, app) if name == PAGE else None
        body = config_line(_server(request), app.public_id, key=key) + _content(name)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {
            # Browsers ask again each time, so an update reaches every site on its next visit.
            "Cache-Control": "no-cache",
            "ETag": etag,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if name == "service-worker.js":
            headers["Service-Worker-Allowed"] = "/"
        if is_fresh(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="text/javascript", headers=headers)

    return serve


async def _current_key(request: Request, app: App) -> str | None:
    """Give the key that devices should have, so that a visit after a rotation moves them without asking for it."""
    try:
        return (await container_of(request).credentials.current(app.id)).fingerprint
    except CatalogueError:
        return None


def config_line(server: str, app: str, *, key: str | None = None) -> bytes:
    """Write what a script has to know before it runs, safe inside JavaScript and inside HTML."""
    known = {"server": server, "app": app} | ({"key": key} if key else {})
    config = json.dumps(known, separators=(",", ":"))
    for character in "<>&":
        config = config.replace(character, f"\\u{ord(character):04x}")
    return f"self.__tidings={config};\n".encode()


def _server(request: Request) -> str:
    public = container_of(request).settings.public_url
    return public.rstrip("/") if public else f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"


def _content(name: str) -> bytes:
    try:
        return (FOLDER / name).read_bytes()
    except FileNotFoundError as missing:
        raise CatalogueError(ErrorCode.SDK_NOT_BUILT, f"{name} is not there; run `make sdk`.") from missing
