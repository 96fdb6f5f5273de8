"""The dashboard's session: who is signed in and what they may; signing in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, model_validator

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import SignedIn, Stage
from tidings.domain.permission import OF_APP, OF_INSTANCE, Role
from tidings.services.sessions import LIFE, Opened
from tidings.web.api.factors import Asked
from tidings.web.api.me import MeOut, me_out
from tidings.web.api.shapes import Body
from tidings.web.auth import By, container_of, oneself, open_to_all
from tidings.web.callers import Caller, address_of, check_same_origin, cookie_name, visit_of

router = APIRouter(prefix="/session", tags=["Session"])

Anybody = Annotated[Caller | None, open_to_all()]


class SignInBody(Body):
    """E-mail address and password, or what a one-time link carries after its `#`."""

    email: str | None = Field(default=None, min_length=1, max_length=254)
    password: str | None = Field(default=None, min_length=1, max_length=1_024)
    setup_token: str | None = Field(default=None, min_length=1, max_length=256)

    @model_validator(mode="after")
    def _one_way(self) -> SignInBody:
        if (self.setup_token is None) == (self.email is None) or (self.email is None) != (self.password is None):
            raise ValueError("Send `email` and `password`, or `setup_token`.")
        return self


class PasskeyBody(Body):
    """What `navigator.credentials.get` gave, as `toJSON()` writes it, with the `id` of the options."""

    id: str = Field(min_length=1, max_length=128)
    credential: dict[str, Any]


class SecondFactorBody(Body):
    """A code of the authenticator app, or a recovery code."""

    code: str | None = Field(default=None, min_length=1, max_length=16)
    recovery_code: str | None = Field(default=None, min_length=1, max_length=32)

    @model_validator(mode="after")
    def _one_way(self) -> SecondFactorBody:
        if (self.code is None) == (self.recovery_code is None):
            raise ValueError("Send `code` or `recovery_code`.")
        return self


class ConfirmBody(Body):
    """Who you are, shown again: your password, a code, or a passkey's answer with the `id` of its options."""

    password: str | None = Field(default=None, min_length=1, max_length=1_024)
    code: str | None = Field(default=None, min_length=1, max_length=16)
    id: str | None = Field(default=None, min_length=1, max_length=128)
    credential: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ConfirmBody:
        if sum(one is not None for one in (self.password, self.code, self.credential)) != 1 or (
            (self.id is None) != (self.credential is None)
        ):
            raise ValueError("Send `password`, `code`, or `id` and `credential`.")
        return self


class AppRole(BaseModel):
    """An App of the caller's, and what they are in it; null for keys and super admins without a role there."""

    id: str
    name: str
    role: Role | None


class PermissionsOut(BaseModel):
    """What the caller may do: on the instance, and by App."""

    instance: list[str]
    apps: dict[str, list[str]]


class OneSession(BaseModel):
    """The session of this browser."""

    id: str
    expires_at: datetime
    authenticated_at: datetime = Field(description="When its member last showed who they are.")


class OidcWay(BaseModel):
    """A provider that people may sign in with."""

    id: str
    name: str


class WaysOut(BaseModel):
    """How one may sign in here."""

    password: bool = True
    passkey: bool = Field(description="Browsers have passkeys over https, and on localhost.")
    oidc: list[OidcWay]


class SessionOut(BaseModel):
    """Who calls, and what they may do; or how to sign in."""

    signed_in: bool
    needs: Literal["second_factor", "setup"] | None = None
    member: MeOut | None = None
    apps: list[AppRole] = []
    permissions: PermissionsOut
    session: OneSession | None = None
    ways: WaysOut


@router.get("", operation_id="get_session", summary="Ask who is signed in")
async def get_session(request: Request, caller: Anybody) -> SessionOut:
    """Tell who the request's session or key belongs to and what they may do; or what is needed to sign in."""
    return await session_out(request, caller)


@router.post("", operation_id="sign_in", summary="Sign in", status_code=201)
async def sign_in(request: Request, response: Response, caller: Anybody, body: SignInBody) -> SessionOut:
    """Sign in for a session cookie; with a second factor set, `needs` says that it is missing."""
    service = container_of(request).accounts.sign_in
    check_form(request)
    visit, before = visit_of(request), token_of(request)
    if body.setup_token is not None:
        opened = await service.with_link(body.setup_token, visit=visit, replaces=before)
    else:
        opened = await service.with_password(body.email or "", body.password or "", visit=visit, replaces=before)
    return await signed_in(request, response, opened)


@router.post("/second-factor", operation_id="show_second_factor", summary="Show the second factor")
async def show_second_factor(
    request: Request, response: Response, caller: Anybody, body: SecondFactorBody
) -> SessionOut:
    """Turn a session that waits for the second factor into a whole one."""
    check_form(request)
    token = token_of(request)
    if caller is None or caller.signed_in is None or token is None:
        raise CatalogueError(ErrorCode.UNAUTHORIZED, "Sign in first; the second factor is waited for 5 minutes.")
    opened = await container_of(request).accounts.second_factor.finish(
        caller.signed_in, code=body.code, recovery_code=body.recovery_code, visit=visit_of(request), token=token
    )
    return await signed_in(request, response, opened)


@router.post("/passkey/options", operation_id="ask_sign_in", summary="Begin to sign in by passkey")
async def ask_sign_in(request: Request, caller: Anybody) -> Asked:
    """Give the options for `navigator.credentials.get`."""
    public_id, options = await container_of(request).accounts.passkeys.ask_sign_in()
    return Asked(id=public_id, options=options)


@router.post("/passkey", operation_id="sign_in_by_passkey", summary="Sign in by passkey", status_code=201)
async def sign_in_by_passkey(request: Request, response: Response, caller: Anybody, body: PasskeyBody) -> SessionOut:
    """Sign in by a passkey, which stands for both factors."""
    check_form(request)
    opened = await container_of(request).accounts.passkeys.sign_in(
        body.id, body.credential, visit=visit_of(request), replaces=token_of(request)
    )
    return await signed_in(request, response, opened)


@router.post("/confirm", operation_id="confirm_session", summary="Show again who you are", status_code=204)
async def confirm_session(request: Request, me: Annotated[SignedIn, oneself()], by: By, body: ConfirmBody) -> None:
    """Confirm with password, code or passkey, for changes that ask for it; it holds for 15 minutes."""
    accounts = container_of(request).accounts
    if body.code is not None:
        await accounts.second_factor.confirm(me, body.code)
    elif body.credential is not None:
        await accounts.passkeys.confirm(me, body.id or "", body.credential, visit=visit_of(request))
    else:
        await accounts.account.confirm_password(me, body.password or "", address=by.address)


@router.delete("", operation_id="sign_out", summary="Sign out", status_code=204)
async def sign_out(request: Request, response: Response, caller: Anybody) -> None:
    """End the session of this browser."""
    token = token_of(request)
    if token:
        await container_of(request).accounts.sessions.end(token, address=address_of(request.scope))
    name = cookie_name(container_of(request).settings.base_url)
    response.delete_cookie(name, httponly=True, secure=name.startswith("__Host-"), samesite="lax")


def check_form(request: Request) -> None:
    """Refuse another site's page that would sign a browser in as somebody else (login CSRF)."""
    base_url = container_of(request).settings.base_url
    check_same_origin(request.headers, scheme=request.scope["scheme"], base_url=base_url)


def token_of(request: Request) -> str | None:
    """Give the token of the browser's cookie."""
    return request.cookies.get(cookie_name(container_of(request).settings.base_url))


async def signed_in(request: Request, response: Response, opened: Opened) -> SessionOut:
    """Give a new session's cookie to the browser, and tell who is signed in."""
    set_cookie(request, response, opened)
    found = await container_of(request).accounts.sessions.find(opened.token)
    assert found is not None
    return await session_out(request, Caller.of_session(found, address_of(request.scope)))


def set_cookie(request: Request, response: Response, opened: Opened) -> None:
    """Give a new session's cookie to the browser."""
    base_url = container_of(request).settings.base_url
    response.set_cookie(
        cookie_name(base_url),
        opened.token,
        max_age=int(LIFE.total_seconds()),
        httponly=True,
        secure=base_url.startswith("https://"),
        samesite="lax",
    )


async def session_out(request: Request, caller: Caller | None) -> SessionOut:
    """Tell who calls and what they may do."""
    container = container_of(request)
    known = [OidcWay(id=one.id, name=one.name) for one in await container.accounts.oidc.all()]
    ways = WaysOut(passkey=_has_passkeys(container.settings.base_url), oidc=known)
    found = caller.signed_in if caller else None
    if caller is None or not caller.is_whole:
        needs: Literal["second_factor", "setup"] | None = "second_factor" if caller else None
        if caller is None and not await container.accounts.sign_in.is_set_up():
            needs = "setup"
        return SessionOut(signed_in=False, needs=needs, permissions=PermissionsOut(instance=[], apps={}), ways=ways)
    apps = [row.app for row in await container.apps.all() if caller.grants.knows(row.app.id)]
    roles = found.roles if found else {}
    return SessionOut(
        signed_in=True,
        member=me_out(found) if found else None,
        apps=[AppRole(id=app.public_id, name=app.name, role=roles.get(app.id)) for app in apps],
        permissions=PermissionsOut(
            instance=sorted(one for one in OF_INSTANCE if caller.grants.on_instance(one)),
            apps={app.public_id: sorted(caller.grants.of_app(app.id) & OF_APP) for app in apps},
        ),
        session=OneSession(
            id=found.session.public_id,
            expires_at=found.session.expires_at,
            authenticated_at=found.session.authenticated_at,
        )
        if found and found.session.stage is Stage.OPEN
        else None,
        ways=ways,
    )


def _has_passkeys(base_url: str) -> bool:
    return base_url.startswith(("https://", "http://localhost:", "http://localhost/")) or base_url == "http://localhost"
