"""Rounds through a provider, to sign in, to confirm, to connect; the providers themselves: /sign-in/oidc."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from tidings.domain.errors import CatalogueError
from tidings.domain.member import OidcProvider, SignedIn, Stage
from tidings.domain.permission import Permission, Role
from tidings.services.oidc_sign_in import PATIENCE, Back, Departure, Purpose, local_path
from tidings.web.api.session import Anybody, set_cookie, token_of
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, container_of, on_instance, oneself
from tidings.web.callers import Caller, cookie_name, visit_of

router = APIRouter(tags=["Session"])
providers_router = APIRouter(prefix="/sign-in/oidc", tags=["Members"])

ProviderId = Annotated[str, Path(max_length=32, description="Its short name, as `google`.")]
Manager = Annotated[Caller, on_instance(Permission.INSTANCE_MEMBERS, recent=True)]


class ProviderOut(BaseModel):
    """A provider; its secret is never shown."""

    id: str
    name: str
    issuer: str
    client_id: str
    domains: list[str]
    create: Role | Literal["never"]
    app: str | None
    redirect_uri: str = Field(description="What the provider has to know as the redirect address.")


class ProviderBody(Body):
    """A provider."""

    name: str = Field(min_length=1, max_length=60, examples=["Google"])
    issuer: str = Field(min_length=1, max_length=500, examples=["https://accounts.google.com"])
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: str | None = Field(default=None, min_length=1, max_length=500, description="Absent: as before.")
    domains: list[str] = Field(
        default=[], max_length=50, description="Whose verified e-mail addresses are let in, as `example.com`."
    )
    create: Literal["never", "viewer", "editor", "admin"] = Field(
        default="never", description="What strangers of these domains become; `never` lets in members only."
    )
    app: str | None = Field(default=None, description="The App that they join.")


class ProviderTest(BaseModel):
    """What the provider says of itself."""

    ok: Literal[True] = True
    issuer: str
    authorization_endpoint: str


class RoundOut(BaseModel):
    """Where the browser has to go; it is sent back within 10 minutes, to this browser alone."""

    url: str


@router.get(
    "/session/oidc/{provider_id}/start",
    operation_id="start_oidc",
    summary="Go to a provider",
    status_code=303,
    response_class=RedirectResponse,
)
async def start_oidc(
    request: Request,
    caller: Anybody,
    provider_id: ProviderId,
    next: Annotated[str, Query(max_length=500, description="The page to come back to.")] = "/",
) -> RedirectResponse:
    """Send the browser to a provider, with a cookie that it has to bring back."""
    rounds = container_of(request).accounts.oidc_sign_in
    try:
        departure = await rounds.start(provider_id, next=next, purpose=Purpose.SIGN_IN, me=None)
    except CatalogueError as fault:
        return _sign_in_again(fault, next)
    answer = RedirectResponse(departure.url, status_code=303, headers={"Cache-Control": "no-store"})
    _bind(request, answer, departure)
    return answer


@router.post(
    "/session/oidc/{provider_id}/confirm",
    operation_id="confirm_by_oidc",
    summary="Show again who you are, at a provider",
    status_code=201,
)
async def confirm_by_oidc(
    request: Request, response: Response, me: Annotated[SignedIn, oneself()], provider_id: ProviderId
) -> RoundOut:
    """Give the address where the provider asks anew who you are; it sends the browser back to `/confirmed`."""
    return await _begun(request, response, provider_id, "/confirmed", Purpose.CONFIRM, me)


@router.post(
    "/me/oidc/{provider_id}",
    operation_id="connect_oidc",
    summary="Connect your account with a provider",
    status_code=201,
)
async def connect_oidc(
    request: Request, response: Response, me: Annotated[SignedIn, oneself(recent=True)], provider_id: ProviderId
) -> RoundOut:
    """Give the address where the provider says who you are; from then on you can sign in with it."""
    return await _begun(request, response, provider_id, "/settings/profile", Purpose.CONNECT, me)


@router.delete(
    "/me/oidc/{provider_id}",
    operation_id="disconnect_oidc",
    summary="Disconnect your account from a provider",
    status_code=204,
)
async def disconnect_oidc(
    request: Request, me: Annotated[SignedIn, oneself(recent=True)], by: By, provider_id: ProviderId
) -> None:
    """Let the provider vouch for you no longer; the only way in that you have stays."""
    await container_of(request).accounts.oidc_sign_in.disconnect(provider_id, me, by=by)


@router.get(
    "/session/oidc/{provider_id}/callback",
    operation_id="finish_oidc",
    summary="Come back",
    status_code=303,
    response_class=RedirectResponse,
)
async def finish_oidc(
    request: Request,
    caller: Anybody,
    provider_id: ProviderId,
    state: Annotated[str, Query(max_length=128)] = "",
    code: Annotated[str | None, Query(max_length=4_096)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> RedirectResponse:
    """Take the code that the provider gave, and lead to the dashboard; a fault leads to `/sign-in?error=<code>`."""
    back = Back(
        state=state,
        code=code,
        issuer=iss,
        cookie=request.cookies.get(_cookie(request)),
        visit=visit_of(request),
        replaces=token_of(request),
        me=caller.signed_in if caller else None,
    )
    arrival = await container_of(request).accounts.oidc_sign_in.finish(provider_id, back)
    if arrival.fault is not None and arrival.purpose is Purpose.SIGN_IN:
        answer = _sign_in_again(arrival.fault, arrival.next)
    else:
        where = arrival.next
        if arrival.fault is not None:
            where = f"{arrival.next}?{urlencode({'error': arrival.fault.code.value})}"
        elif arrival.opened is not None and arrival.opened.session.stage is Stage.SECOND_FACTOR:
            where = f"/sign-in?{urlencode({'next': arrival.next})}"
        answer = RedirectResponse(where, status_code=303, headers={"Cache-Control": "no-store"})
        if arrival.opened is not None:
            set_cookie(request, answer, arrival.opened)
    answer.delete_cookie(_cookie(request), httponly=True, secure=_is_secure(request), samesite="lax")
    return answer


@providers_router.get("", operation_id="list_oidc_providers", summary="List sign-in providers")
async def list_providers(
    request: Request, caller: Annotated[Caller, on_instance(Permission.INSTANCE_MEMBERS)]
) -> ListOf[ProviderOut]:
    """List the OpenID providers that members may sign in with."""
    return ListOf(data=[await _out(request, one) for one in await container_of(request).accounts.oidc.all()])


@providers_router.put("/{provider_id}", operation_id="put_oidc_provider", summary="Set a sign-in provider")
async def put_provider(
    request: Request, caller: Manager, by: By, provider_id: ProviderId, body: ProviderBody
) -> ProviderOut:
    """Store an OpenID provider. Only addresses that it has verified, of the listed domains, are let in."""
    container = container_of(request)
    app = await container.apps.resolve(body.app) if body.app is not None else None
    wanted = OidcProvider(
        id=provider_id,
        name=body.name,
        issuer=body.issuer,
        client_id=body.client_id,
        client_secret=body.client_secret or "",
        domains=tuple(dict.fromkeys(domain.casefold() for domain in body.domains)),
        create=None if body.create == "never" else Role(body.create),
        app_id=app.id if app else None,
        created_at=container.clock.now(),
    )
    return await _out(request, await container.accounts.oidc.put(wanted, by=by))


@providers_router.delete(
    "/{provider_id}", operation_id="remove_oidc_provider", summary="Remove a sign-in provider", status_code=204
)
async def remove_provider(request: Request, caller: Manager, by: By, provider_id: ProviderId) -> None:
    """Let nobody sign in with it any more; sessions go on."""
    await container_of(request).accounts.oidc.remove(provider_id, by=by)


@providers_router.post("/{provider_id}/test", operation_id="test_oidc_provider", summary="Test a sign-in provider")
async def check_provider(
    request: Request, caller: Annotated[Caller, on_instance(Permission.INSTANCE_MEMBERS)], provider_id: ProviderId
) -> ProviderTest:
    """Fetch what the provider says of itself."""
    found = await container_of(request).accounts.oidc.test(provider_id)
    return ProviderTest(issuer=found.issuer, authorization_endpoint=found.authorization_endpoint)


def _sign_in_again(fault: CatalogueError, next: str) -> RedirectResponse:
    query = urlencode({"error": fault.code.value, "detail": fault.detail[:200], "next": local_path(next)})
    return RedirectResponse(f"/sign-in?{query}", status_code=303, headers={"Cache-Control": "no-store"})


async def _begun(
    request: Request, response: Response, provider_id: str, next: str, purpose: Purpose, me: SignedIn
) -> RoundOut:
    rounds = container_of(request).accounts.oidc_sign_in
    departure = await rounds.start(provider_id, next=next, purpose=purpose, me=me)
    _bind(request, response, departure)
    return RoundOut(url=departure.url)


def _bind(request: Request, answer: Response, departure: Departure) -> None:
    """Give the browser the cookie that it has to bring back."""
    answer.set_cookie(
        _cookie(request),
        departure.cookie,
        max_age=int(PATIENCE.total_seconds()),
        httponly=True,
        secure=_is_secure(request),
        samesite="lax",
    )


def _is_secure(request: Request) -> bool:
    return container_of(request).settings.base_url.startswith("https://")


def _cookie(request: Request) -> str:
    return f"{cookie_name(container_of(request).settings.base_url)}-oidc"


async def _out(request: Request, row: OidcProvider) -> ProviderOut:
    container = container_of(request)
    # An App that is being erased is gone for everybody, and new members cannot join it.
    apps = {one.app.id: one.app.public_id for one in await container.apps.all()} if row.app_id is not None else {}
    app = None if row.app_id is None else apps.get(row.app_id)
    return ProviderOut(
        id=row.id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        domains=list(row.domains),
        create=row.create if row.create is not None and app is not None else "never",
        app=app,
        redirect_uri=container.accounts.oidc.redirect_uri(row.id),
    )
