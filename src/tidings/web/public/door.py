"""The door of the public API: which App, which origins, how much body; the same for every route behind it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.content import is_local
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.log import cut
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.callers import is_own_origin
from tidings.web.errors import BUSY_SECONDS, problem
from tidings.web.limits import EXPOSED
from tidings.web.public.person import TOKEN, USER

MAX_BODY = 8 * 1024
"""Bytes of a body: a subscription has about 600."""

PREFLIGHT_SECONDS = 7_200
"""How long a browser may remember a preflight; Chromium keeps none for longer."""

HEADERS = ", ".join(("Content-Type", USER, TOKEN, "Last-Event-ID"))
"""What a page may send with a request."""

TOO_MANY = 429
_LATER = {"Retry-After": "3600"}

T = TypeVar("T")
Handler = Callable[[Request, App], Awaitable[Response]]

_FIELD = re.compile(r"^(?P<words>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_ABOUT = re.compile(r"Object (?P<kind>contains unknown|missing required) field `(?P<name>.*)`\.", re.DOTALL)


def behind_door(handlers: Mapping[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a path's handlers by method: find the App, let in only its origins, give every answer its CORS headers.

    Errors are answered here because a browser hides an answer without these headers from the page, which could then
    not tell a wrong key from a lost network.
    """

    methods = ", ".join(handlers)

    async def route(request: Request) -> Response:
        origin, preflight = request.headers.get("origin"), request.method == "OPTIONS"
        # Until the App is known there are no origins to go by, and what is said is nothing that a page may not know.
        readable = True
        try:
            app = await container_of(request).apps.resolve(request.path_params.get("app"))
            readable = origin is None or is_allowed(origin, app, request)
            if not (readable or preflight):
                raise CatalogueError(
                    ErrorCode.ORIGIN_NOT_ALLOWED, f"{(origin or '')[:200]} is not among the origins of {app.name}."
                )
            answer = Response() if preflight else await handlers[_method(request)](request, app)
        except CatalogueError as fault:
            answer = problem(request, fault, headers=_LATER if fault.entry.status == TOO_MANY else None)
        except StoreUnavailable:
            busy = CatalogueError(ErrorCode.SERVICE_BUSY)
            answer = problem(request, busy, headers={"Retry-After": str(BUSY_SECONDS)})
        if preflight:
            # Whatever is wrong is said to the request itself: a page cannot read the answer to a preflight.
            answer = Response(status_code=204 if readable else 403)
        _add_cors(answer, origin if readable else None, methods=methods if preflight else None)
        return answer

    return route


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else request.method


def is_allowed(origin: str, app: App, request: Request) -> bool:
    """Tell whether pages of an origin may use the App; without any set, only those of localhost."""
    return origin in app.origins or _is_ours(origin, request) or (not app.origins and _is_localhost(origin))


def is_dashboard(app: App, request: Request) -> bool:
    """Tell whether a page of our own asks: a site that shares its origin with us is among the App's origins."""
    origin = request.headers.get("origin")
    return origin is not None and origin not in app.origins and _is_ours(origin, request)


def _is_ours(origin: str, request: Request) -> bool:
    base_url = container_of(request).settings.base_url
    return is_own_origin(origin, request.headers, scheme=request.scope["scheme"], base_url=base_url)


async def body_of(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Read and decode a JSON body of up to 8 KiB.

    Raises BODY_TOO_LARGE, CONTENT_TYPE_UNSUPPORTED, INVALID_JSON and INVALID_REQUEST with the field's path.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise CatalogueError(ErrorCode.CONTENT_TYPE_UNSUPPORTED)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise CatalogueError(ErrorCode.BODY_TOO_LARGE, f"The body is longer than {MAX_BODY} bytes.")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as fault:
        raise _invalid(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise CatalogueError(ErrorCode.INVALID_JSON) from fault


def _invalid(words: str) -> CatalogueError:
    match = _FIELD.match(words)
    path = cut((match["path"] or "").lstrip(".")) if match else ""
    # It names a field that it does not know, which is whatever a stranger wrote.
    said = f"{cut(match['words'] if match else words)}."
    if "matching regex" in said:
        said = "Control characters are not taken."
    elif named := _ABOUT.fullmatch(said):
        path = ".".join(filter(None, (path, named["name"])))
        said = "There is no such field here." if named["kind"] == "contains unknown" else "This field is required."
    found = FieldFault(path or "body", said)
    return CatalogueError(ErrorCode.INVALID_REQUEST, f"{found.field}: {said}", faults=(found,))


def _is_localhost(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_local(parts.hostname or "")
    except ValueError:
        return False


def _add_cors(answer: Response, origin: str | None, *, methods: str | None) -> None:
    """Let the page of an origin read the answer; `methods` are those of the path, in the answer to a preflight."""
    answer.headers.add_vary_header("Origin")
    if origin is None:
        return
    answer.headers["Access-Control-Allow-Origin"] = origin
    if methods:
        answer.headers["Access-Control-Allow-Methods"] = methods
        answer.headers["Access-Control-Allow-Headers"] = HEADERS
        answer.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    else:
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
