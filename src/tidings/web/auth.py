"""Who is calling: an API key, a dashboard session or the operator; nothing under /api/v1 is open by default."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Query
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.access import Scope
from tidings.storage import StoreUnavailable
from tidings.web.errors import BUSY_SECONDS, problem_of

if TYPE_CHECKING:
    from tidings.wiring import Container

API = "/api/v1"
OPEN = frozenset({("GET", f"{API}/session"), ("POST", f"{API}/session"), ("DELETE", f"{API}/session")})
"""Method and path of what needs no caller: signing in and out, and asking whether one is signed in."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_EVERYTHING = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and what they may do; `app_id` None reaches every App."""

    kind: Literal["key", "session", "operator"]
    name: str
    scopes: frozenset[Scope] = field(default=_EVERYTHING)
    app_id: int | None = None

    def may(self, *any_of: Scope) -> bool:
        """Tell whether one of these scopes is held; `admin` holds all."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(any_of)


class Authenticate:
    """Middleware that lets nobody without a name reach the API; it runs before any body is read."""

    def __init__(self, app: ASGIApp, *, container: Container, operator_token: str | None, docs_url: str) -> None:
        self._app = app
        self._container = container
        self._operator_token = operator_token
        self._docs_url = docs_url

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Find out who calls, or answer in their place."""
        if scope["type"] != "http" or not _under_api(scope["path"]):
            return await self._app(scope, receive, send)
        headers: dict[str, str] = {}
        try:
            caller = await self._caller(scope)
            if caller is None and (scope["method"], scope["path"].rstrip("/")) not in OPEN:
                raise CatalogueError(ErrorCode.UNAUTHORIZED, "The request carries no API key and no session.")
        except StoreUnavailable:
            fault, headers = CatalogueError(ErrorCode.SERVICE_BUSY), {"Retry-After": str(BUSY_SECONDS)}
        except CatalogueError as found:
            fault = found
            if found.code is ErrorCode.UNAUTHORIZED:
                headers = {"WWW-Authenticate": "Bearer"}
        else:
            scope.setdefault("state", {})["caller"] = caller
            return await self._app(scope, receive, send)
        return await problem_of(self._docs_url, fault, headers=headers)(scope, receive, send)

    async def _caller(self, scope: AsgiScope) -> Caller | None:
        connection = HTTPConnection(scope)
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            return await self._bearer(authorization)
        token = connection.cookies.get(cookie_name(self._container.settings.base_url))
        if not token or not await self._container.access.is_signed_in(token):
            return None
        if scope["method"] not in _SAFE:
            check_same_origin(connection.headers, scheme=scope["scheme"], base_url=self._container.settings.base_url)
        return Caller("session", "dashboard")

    async def _bearer(self, authorization: str) -> Caller:
        kind, _, text = authorization.partition(" ")
        text = text.strip()
        if kind.lower() != "bearer" or not text:
            raise CatalogueError(ErrorCode.UNAUTHORIZED, "The Authorization header is not `Bearer <key>`.")
        if self._operator_token and hmac.compare_digest(text.encode(), self._operator_token.encode()):
            return Caller("operator", "operator")
        key = await self._container.access.authenticate(text)
        scopes = frozenset(Scope(scope) for scope in key.scopes if scope in _EVERYTHING)
        return Caller("key", key.name, scopes, key.app_id)


def check_same_origin(headers: Headers, *, scheme: str, base_url: str) -> None:
    """Refuse a change that another site's page started with a session's cookie (CSRF). Raises ORIGIN_NOT_ALLOWED."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        same = origin is None or is_own_origin(origin, headers, scheme=scheme, base_url=base_url)
    if not same:
        raise CatalogueError(
            ErrorCode.ORIGIN_NOT_ALLOWED, "A page of another site may not use the dashboard's session."
        )


def is_own_origin(origin: str, headers: Headers, *, scheme: str, base_url: str) -> bool:
    """Tell whether an Origin is this instance's own: its public address, or the address it was called at."""
    public = urlsplit(base_url)
    return origin in (f"{public.scheme}://{public.netloc}", f"{scheme}://{headers.get('host', '')}")


def cookie_name(base_url: str) -> str:
    """Name the session's cookie; over https the prefix binds it to this host (RFC 6265bis §4.1.3.2)."""
    return "__Host-tidings" if base_url.startswith("https://") else "tidings_session"


def container_of(request: HTTPConnection) -> Container:
    """Give what the application was built with."""
    container: Container = request.app.state.container
    return container


def needs(*any_of: Scope) -> Callable[[Request], Caller]:
    """Make a dependency that gives the caller if they hold one of these scopes. Raises FORBIDDEN."""

    def caller(request: Request) -> Caller:
        found: Caller | None = request.state.caller
        if found is None:
            raise CatalogueError(ErrorCode.UNAUTHORIZED, "The request carries no API key and no session.")
        if not found.may(*any_of):
            names = " or ".join(f"`{scope}`" for scope in any_of)
            raise CatalogueError(ErrorCode.FORBIDDEN, f"This needs a key with the scope {names}.")
        return found

    return caller


def needs_everything(request: Request) -> Caller:
    """Give the caller if they are an administrator of the whole instance. Raises FORBIDDEN."""
    caller = needs(Scope.ADMIN)(request)
    if caller.app_id is not None:
        raise CatalogueError(ErrorCode.FORBIDDEN, "This key is for one App; this needs one for the whole instance.")
    return caller


AppParam = Annotated[
    str | None, Query(alias="app", description="Id of the App; needed only where the key reaches several.")
]


def _app_dependency(caller_of: Callable[[Request], Caller]) -> Callable[..., object]:
    async def app(request: Request, name: AppParam = None) -> App:
        return await app_of(request, caller_of(request), name)

    return app


async def app_of(request: Request, caller: Caller, name: str | None) -> App:
    """Give the App a request is about: the key's, the named one, or the only one.

    Raises FORBIDDEN, APP_NOT_FOUND, APP_REQUIRED.
    """
    apps = container_of(request).apps
    if caller.app_id is None:
        return await apps.resolve(name)
    own = await apps.by_id(caller.app_id)
    if name is not None and name != own.public_id:
        raise CatalogueError(ErrorCode.FORBIDDEN, f"This key is for {own.public_id} alone.")
    return own


Reader = Annotated[Caller, Depends(needs(Scope.READ))]
AnyCaller = Annotated[Caller, Depends(needs(Scope.READ, Scope.SEND))]
Administrator = Annotated[Caller, Depends(needs(Scope.ADMIN))]
InstanceAdministrator = Annotated[Caller, Depends(needs_everything)]

ReadApp = Annotated[App, Depends(_app_dependency(needs(Scope.READ)))]
SendApp = Annotated[App, Depends(_app_dependency(needs(Scope.SEND)))]
AnyApp = Annotated[App, Depends(_app_dependency(needs(Scope.READ, Scope.SEND)))]
AdminApp = Annotated[App, Depends(_app_dependency(needs(Scope.ADMIN)))]


def _under_api(path: str) -> bool:
    return path == API or path.startswith(f"{API}/")
