"""How often one may call: a key or session under /api/v1, an address on what is open to strangers."""

from __future__ import annotations

import math
from collections.abc import Hashable
from enum import StrEnum
from functools import cache, lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidings.domain.audit import ActorKind
from tidings.domain.content import is_local
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.log import Logger
from tidings.lib.networks import network_of
from tidings.lib.ratelimit import Limiter, Rate, Verdict
from tidings.web.callers import API, cookie_name
from tidings.web.errors import problem_of

MINUTE = 60.0

RATES = {
    "api": Rate(6_000, MINUTE),
    "open": Rate(120, MINUTE),
    "refused": Rate(120, MINUTE),
    "subscribe": Rate(300, MINUTE),
    "receipts": Rate(12_000, MINUTE),
    "funnel": Rate(1_200, MINUTE),
    "public": Rate(6_000, MINUTE),
}
"""What one caller may do. A campaign makes a burst of receipts, and an office or a mobile network shows its devices as
one address: ten thousand of them may report at once. Registering is what fills a database, so it is held shorter."""

FIELDS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""The three that clients know (draft-ietf-httpapi-ratelimit-headers-06); later drafts have changed their form twice."""

EXPOSED = ", ".join(("Retry-After", *FIELDS))
"""What a page may read of an answer beyond its body."""

UNKNOWN = "unknown"
_PUBLIC = ("push", "v1")

log = Logger(__name__)


class Event(StrEnum):
    """What is logged."""

    PROXY_TELLS_NOBODY = "proxy_tells_no_client_address"


class LimitAddresses:
    """Middleware for what strangers may call, by address; before anything of a request is looked up or read."""

    def __init__(self, app: ASGIApp, *, limiter: Limiter | None, base_url: str, docs_url: str) -> None:
        self._app = app
        self._limiter = limiter
        self._cookie = cookie_name(base_url)
        self._docs_url = docs_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, or answer in the application's place."""
        limiter = self._limiter
        if scope["type"] != "http" or limiter is None or (kind := _kind_of(scope["path"], scope["method"])) is None:
            return await self._app(scope, receive, send)
        address = counted_address(scope)
        if address is None:
            return await self._app(scope, receive, send)
        name, app = kind
        key = credential_of(scope, self._cookie) if name == "api" else (name, app, address)
        # A key that is none and an App that is not there cost a look into the database, and each time another is named.
        guesses = ("refused", address)
        verdict = limiter.look(guesses, RATES["refused"])
        if verdict.allowed or limiter.knows(key):
            if name == "api":
                send = _telling(send, None, limiter, guesses, status=401)
                return await self._app(scope, receive, send)
            verdict = limiter.take(key, RATES[name])
            if verdict.allowed:
                send = _telling(send, verdict, limiter, guesses, status=404)
                return await self._app(scope, receive, send)
        return await _refusal(self._docs_url, verdict, f"the address {address}")(scope, receive, send)


class LimitCallers:
    """Middleware for what a key or a session may call; it comes after the one that finds out whether they are any."""

    def __init__(self, app: ASGIApp, *, limiter: Limiter | None, base_url: str, docs_url: str) -> None:
        self._app = app
        self._limiter = limiter
        self._cookie = cookie_name(base_url)
        self._docs_url = docs_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, or answer in the application's place."""
        if scope["type"] != "http" or self._limiter is None or not _under(scope["path"], API):
            return await self._app(scope, receive, send)
        caller = scope.get("state", {}).get("caller")
        if caller is not None and caller.actor.kind is ActorKind.OPERATOR:
            return await self._app(scope, receive, send)
        if caller is not None:
            words = "this key or session"
            verdict = self._limiter.take(credential_of(scope, self._cookie), RATES["api"])
        elif (address := counted_address(scope)) is not None:
            words = f"the address {address}"
            verdict = self._limiter.take(("open", address), RATES["open"])
        else:
            return await self._app(scope, receive, send)
        if verdict.allowed:
            return await self._app(scope, receive, _telling(send, verdict, self._limiter))
        return await _refusal(self._docs_url, verdict, words)(scope, receive, send)


def credential_of(scope: Scope, cookie: str) -> tuple[str, int]:
    """Give something that stands for the key or session that a request carries; never the secret itself."""
    connection = HTTPConnection(scope)
    authorization = connection.headers.get("authorization")
    if authorization is None:
        return "api", hash(connection.cookies.get(cookie, ""))
    # The scheme in other letters and more spaces make no other key, and must not make another count.
    return "api", hash(authorization.partition(" ")[2].strip())


def address_of(scope: Scope) -> str:
    """Give the address of who called: the client's own where a trusted proxy told it, else the other end's."""
    client = scope.get("client")
    return str(client[0]) if client else UNKNOWN


def counted_address(scope: Scope) -> str | None:
    """Give the address to count by, None where a proxy on this machine does not tell whose request it brings.

    All its visitors would be one address, so that one of them could shut out all the others.
    """
    address = address_of(scope)
    if not is_local(address) or not _speaks_for_others(Headers(scope=scope)):
        return network_of(address) or UNKNOWN
    _warn_once()
    return None


@cache
def _warn_once() -> None:
    mend = "Let the proxy set X-Forwarded-For; until then nobody is limited by address."
    log.warning(Event.PROXY_TELLS_NOBODY, mend=mend)


def _kind_of(path: str, method: str) -> tuple[str, str] | None:
    """Say what a request counts as, and of which App by the address's own words."""
    if _under(path, API):
        return "api", ""
    first, _, rest = path[1:].partition("/")
    if first not in _PUBLIC:
        return None
    app = rest.partition("/")[0][:64] if first == "v1" else ""
    before, _, last = rest.rpartition("/")
    if before.endswith("funnel"):
        return "funnel", app
    return (last if method == "POST" and last in ("subscribe", "receipts") else "public"), app


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _speaks_for_others(headers: Headers) -> bool:
    """Tell whether a request from this machine was meant for a host, or made by a page, that is elsewhere."""
    return not all(map(_is_here, (f"//{headers.get('host', 'localhost')}", headers.get("origin", "//localhost"))))


@lru_cache(maxsize=1024)
def _is_here(url: str) -> bool:
    try:
        return is_local(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _telling(
    send: Send, verdict: Verdict | None, limiter: Limiter, guesses: Hashable = None, *, status: int = 0
) -> Send:
    """Add the fields of a verdict to an answer, and count one with that status as a guess."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == status:
                limiter.take(guesses, RATES["refused"])
            if verdict is not None:
                # As they are on the wire: a helper that looks whether they are there costs more than all the rest.
                added = [(name.lower().encode(), value.encode()) for name, value in _fields(verdict).items()]
                message["headers"] = [*message["headers"], *added]
        await send(message)

    return told


def _fields(verdict: Verdict) -> dict[str, str]:
    values = (verdict.limit, verdict.remaining, math.ceil(verdict.reset))
    return {name: str(value) for name, value in zip(FIELDS, values, strict=True)}


def _refusal(docs_url: str, verdict: Verdict, who: str) -> ASGIApp:
    wait = max(1, math.ceil(verdict.retry_after))
    words = f"More than {verdict.limit} a minute came from {who}; the next is taken in {wait} s."
    fault = CatalogueError(ErrorCode.RATE_LIMITED, words)
    headers = {
        **_fields(verdict),
        "Retry-After": str(wait),
        # Without these a page could not tell a limit from a lost network; nothing in the answer is a secret.
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": EXPOSED,
    }
    return problem_of(docs_url, fault, headers=headers)
