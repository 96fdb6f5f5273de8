"""Who is calling: an API key, a member's session or the operator; and what each route asks of them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from tidings.domain.audit import Actor, ActorKind
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import SignedIn, Stage
from tidings.domain.permission import EVERYTHING, OF_INSTANCE, SCOPES, Grants, Permission, of_key, of_roles
from tidings.services.device import device_from
from tidings.services.sessions import Visit, actor_of
from tidings.storage import StoreUnavailable
from tidings.web.errors import BUSY_SECONDS, problem_of

if TYPE_CHECKING:
    from tidings.wiring import Container

API = "/api/v1"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOBODY = "The request carries no API key and no session."
_HALF = "The second factor is missing: POST /api/v1/session/second-factor."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and what they hold; `signed_in` is there where a member's browser calls."""

    actor: Actor
    grants: Grants
    signed_in: SignedIn | None = None

    @classmethod
    def of_session(cls, found: SignedIn, address: str | None) -> Caller:
        """Give the member at a browser as a caller."""
        grants = of_roles(found.roles, super_admin=found.member.super_admin)
        return cls(actor_of(found.member, address), grants, found)

    @property
    def is_whole(self) -> bool:
        """Whether they have shown all they need to: a session without its second factor opens nothing."""
        return self.signed_in is None or self.signed_in.session.stage is Stage.OPEN

    def holds(self, permission: Permission) -> bool:
        """Tell whether they hold it anywhere."""
        if permission is Permission.OPEN:
            return True
        if permission is Permission.SELF:
            return self.signed_in is not None
        return self.grants.somewhere(permission)

    def reach(self, permission: Permission) -> frozenset[int] | None:
        """Give the Apps in which it is held; None for every App."""
        return self.grants.reach(permission)


class Declared:
    """A dependency that says what its route asks for; `guards_of` finds it by its class."""

    def __init__(self, permission: Permission, *, recent: bool = False, watching: bool = False) -> None:
        self.permission = permission
        self.recent = recent
        self.watching = watching
        """Whether a browser calls again and again by itself while a page is open; that is no use of its session."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What one route asks for: the pattern of its path, its methods, the permission, whether it is watched."""

    pattern: re.Pattern[str]
    methods: frozenset[str]
    permission: Permission
    watching: bool


class Authenticate:
    """Middleware that lets nobody reach a route they may not; it runs before any body is read.

    Whether what is permitted somewhere is permitted in the App at hand is for the route's own dependency to say.
    """

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
            guard = _guard_at(scope)
            permission = guard.permission if guard else None
            caller = await self._caller(scope, used=not (guard and guard.watching))
            if permission is not Permission.OPEN:
                check_caller(caller, permission)
        except StoreUnavailable:
            fault, headers = CatalogueError(ErrorCode.SERVICE_BUSY), {"Retry-After": str(BUSY_SECONDS)}
        except CatalogueError as found:
            fault = found
            if found.code is ErrorCode.UNAUTHORIZED:
                headers = {"WWW-Authenticate": "Bearer"}
        else:
            # What outlives its first moment asks again whether it may go on.
            scope.setdefault("state", {}).update(caller=caller, caller_again=partial(self._caller, scope, used=False))
            return await self._app(scope, receive, send)
        return await problem_of(self._docs_url, fault, headers=headers)(scope, receive, send)

    async def _caller(self, scope: AsgiScope, *, used: bool) -> Caller | None:
        connection = HTTPConnection(scope)
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            return await self._bearer(authorization, address_of(scope))
        token = connection.cookies.get(cookie_name(self._container.settings.base_url))
        if not token:
            return None
        found = await self._container.accounts.sessions.find(token, address=address_of(scope), used=used)
        if found is None:
            return None
        if scope["method"] not in _SAFE:
            check_same_origin(connection.headers, scheme=scope["scheme"], base_url=self._container.settings.base_url)
        return Caller.of_session(found, address_of(scope))

    async def _bearer(self, authorization: str, address: str | None) -> Caller:
        kind, _, text = authorization.partition(" ")
        text = text.strip()
        if kind.lower() != "bearer" or not text:
            raise CatalogueError(ErrorCode.UNAUTHORIZED, "The Authorization header is not `Bearer <key>`.")
        if self._operator_token and hmac.compare_digest(text.encode(), self._operator_token.encode()):
            return Caller(Actor(ActorKind.OPERATOR, None, "operator", address), EVERYTHING)
        key = await self._container.access.authenticate(text)
        return Caller(Actor(ActorKind.KEY, key.public_id, key.name, address), of_key(key.scopes, key.app_id))


def check_caller(caller: Caller | None, permission: Permission | None) -> None:
    """Raise UNAUTHORIZED for nobody and for half a session, FORBIDDEN for who does not hold the permission anywhere."""
    if caller is None:
        raise CatalogueError(ErrorCode.UNAUTHORIZED, _NOBODY)
    if not caller.is_whole:
        raise CatalogueError(ErrorCode.UNAUTHORIZED, _HALF)
    if permission is not None and not caller.holds(permission):
        raise forbidden(permission)


def forbidden(permission: Permission, *, where: str = "") -> CatalogueError:
    """Say what is missing."""
    if permission is Permission.SELF:
        return CatalogueError(ErrorCode.FORBIDDEN, "This is about a member's own account; sign in to the dashboard.")
    on = where or (" on the instance" if permission in OF_INSTANCE else "")
    scopes = [] if permission in OF_INSTANCE else [scope for scope, opens in SCOPES.items() if permission in opens]
    *others, last = [f"`{scope}`" for scope in scopes] or [""]
    named = f"{', '.join(others)} or {last}" if others else last
    keys = f", which a key has with the scope {named}" if named else ""
    return CatalogueError(ErrorCode.FORBIDDEN, f"This needs the permission `{permission}`{on}{keys}.")


def _guard_at(scope: AsgiScope) -> Guard | None:
    """Give what the route of a request asks for; None where there is no route."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    guards: list[Guard] = scope["app"].state.guards
    for guard in guards:
        if method in guard.methods and guard.pattern.match(scope["path"]):
            return guard
    return None


def guards_of(app: FastAPI) -> list[Guard]:
    """Read what every route under /api/v1 asks for, in the order in which they are tried. Raises RuntimeError."""
    routes = [route for route in iter_route_contexts(app.routes) if _under_api(route.path or "")]
    return [
        Guard(
            compile_path(route.path or "")[0],
            frozenset(route.methods or ()),
            permission_of(route),
            any(one.watching for one in _declared(route)),
        )
        for route in routes
    ]


def permission_of(route: RouteContext) -> Permission:
    """Give what a route asks for.

    Raises RuntimeError for one that does not say, or says two things: nobody must reach it by accident.
    """
    found = {one.permission for one in _declared(route)}
    if len(found) != 1:
        methods = sorted(route.methods or ())
        raise RuntimeError(f"{route.path} {methods} declares {len(found)} permissions, and must declare one.")
    return found.pop()


def asks_again(route: RouteContext) -> bool:
    """Tell whether a route asks members each time to have shown lately who they are."""
    return any(one.recent for one in _declared(route))


def _declared(route: RouteContext) -> Iterator[Declared]:
    return (one for one in _dependencies(route.dependant) if isinstance(one, Declared))


def _dependencies(dependant: Any) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _dependencies(one)


def address_of(scope: AsgiScope) -> str | None:
    """Give where a request comes from; a trusted proxy's word is in `client` by now."""
    client = scope.get("client")
    return str(client[0])[:64] if client else None


def visit_of(request: Request) -> Visit:
    """Give where a request comes from, and what its browser calls itself."""
    return Visit(address_of(request.scope), device_from(request.headers.get("user-agent", "")) or "Unknown")


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
    """Tell whether an Origin is this instance's own: its public address, or another one that it was called at.

    Of a public address on https the page without it is not ours: whoever is on the way can write that.
    """
    public, host = urlsplit(base_url), headers.get("host", "")
    called = public.scheme if host == public.netloc else scheme
    return origin in (f"{public.scheme}://{public.netloc}", f"{called}://{host}")


def cookie_name(base_url: str) -> str:
    """Name the session's cookie; over https the prefix binds it to this host (RFC 6265bis §4.1.3.2)."""
    return "__Host-tidings" if base_url.startswith("https://") else "tidings_session"


def _under_api(path: str) -> bool:
    return path == API or path.startswith(f"{API}/")
