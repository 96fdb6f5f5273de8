"""The SDK, its parts and the service worker: no secret is in them, and every page may read them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.caching import is_fresh, takes_gzip
from tidings.web.errors import BUSY_SECONDS, problem

FOLDER = Path(__file__).parent.parent / "static" / "sdk"
PAGES = ("sdk.js", "sdk.mjs")
WORKERS = ("service-worker.js", "service-worker.mjs")
PARTS = ("banner.js", "check.js", "panels.js")
"""What sdk.js imports when it first needs it. They know nothing of an App and lie as they were built."""
NAMES = PAGES + WORKERS + PARTS

VERSION_LENGTH = 10
"""Characters of the SHA-256 of all parts, in their order, that sdk.js puts into their addresses (sdk/build.mjs)."""

_EVERYBODY = {
    # A module is imported from another site with CORS alone, and an answer that named one origin would be wrong for the
    # next in every cache on the way. Loading a script lets nobody in: what it asks of us is held to the App's origins.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_WORKER_HEADERS = {
    "Service-Worker-Allowed": "/",
    # A worker is held to the policy that its script came with, and this one sends receipts and new addresses home.
    "Content-Security-Policy": "default-src 'none'; connect-src *; frame-ancestors 'none'",
}
_ASK_AGAIN = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"


def script(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Make the route of one script; every answer can be read by every page, errors too."""

    async def serve(request: Request) -> Response:
        if request.method == "OPTIONS":
            answer = Response(status_code=204)
        else:
            answer = await _answer(request, name)
        answer.headers.update(_EVERYBODY)
        return answer

    return serve


async def _answer(request: Request, name: str) -> Response:
    try:
        app = await container_of(request).apps.resolve(request.path_params.get("app"))
        content = _content(name)
        line = b"" if name in PARTS else await _line_before(request, app, name)
    except CatalogueError as fault:
        return problem(request, fault)
    except StoreUnavailable:
        return problem(request, CatalogueError(ErrorCode.SERVICE_BUSY), headers={"Retry-After": str(BUSY_SECONDS)})
    is_version = name in PARTS and request.query_params.get("v") == _version()
    return _sent(request, line + content, name=name, caching=_FOR_EVER if is_version else _ASK_AGAIN)


def _sent(request: Request, body: bytes, *, name: str, caching: str) -> Response:
    # Two encodings are two representations, each with an ETag of its own (RFC 9110 §8.8.3.3).
    packed = takes_gzip(request)
    etag = f'"{_hash(body)[:32]}{"-gzip" if packed else ""}"'
    headers = {"Cache-Control": caching, "ETag": etag, "Vary": "Accept-Encoding"}
    if name in WORKERS:
        headers |= _WORKER_HEADERS
    if is_fresh(request, etag):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(_packed(body) if packed else body, media_type="text/javascript", headers=headers)


@lru_cache(maxsize=128)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _version() -> str:
    return _hash(b"".join(map(_content, PARTS)))[:VERSION_LENGTH]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def _line_before(request: Request, app: App, name: str) -> bytes:
    if name not in PAGES:
        return config_line(_server(request), app.public_id)
    try:
        # The key that devices should have: a visit after a rotation moves them without asking for it.
        key = (await container_of(request).credentials.offered(app.id)).fingerprint
    except CatalogueError as fault:
        return config_line(_server(request), app.public_id, off=fault.code is ErrorCode.WEB_PUSH_OFF)
    return config_line(_server(request), app.public_id, key=key)


def config_line(server: str, app: str, *, key: str | None = None, off: bool = False) -> bytes:
    """Write what a script has to know before it runs, safe inside JavaScript and inside HTML."""
    known = {"server": server, "app": app} | ({"key": key} if key else {}) | ({"off": True} if off else {})
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
