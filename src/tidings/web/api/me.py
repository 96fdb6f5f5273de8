"""One's own account: GET, PATCH /me; password, sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from tidings.domain.member import Session, SignedIn
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, caller_of, check_recent, container_of, oneself

router = APIRouter(prefix="/me", tags=["Account"])


def _email(value: str) -> str:
    name, at, host = value.rpartition("@")
    if not at or not name or "." not in f"{host}." or not host or any(one.isspace() for one in value):
        raise ValueError("Write a whole e-mail address, as you@example.com.")
    if not value.isprintable():
        raise ValueError("An e-mail address has no control characters.")
    return value


Email = Annotated[str, StringConstraints(min_length=3, max_length=254, strip_whitespace=True), AfterValidator(_email)]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Me = Annotated[SignedIn, oneself()]


class TwoFactorOut(BaseModel):
    """What a member has beside a password."""

    totp: bool
    passkeys: int
    recovery_codes_left: int


class MeOut(BaseModel):
    """One's own account."""

    id: str
    name: str
    email: str
    super_admin: bool
    two_factor: TwoFactorOut
    has_password: bool = Field(description="False for who signs in by passkey, a provider or the demo's link only.")
    providers: list[str] = Field(description="Ids of the sign-in providers that vouch for you.")
    can_confirm: bool = Field(description="False for who has nothing to show again who they are, as the demo's owner.")
    created_at: datetime


class MePatch(Body):
    """What to change; a field that is absent stays as it is."""

    name: PersonName | None = None
    email: Email | None = None


class PasswordBody(Body):
    """The password in force, empty for who has none, and the new one."""

    current: str = Field(max_length=1_024)
    new: str = Field(min_length=1, max_length=1_024)


class SessionOfMine(BaseModel):
    """A browser that is signed in."""

    id: str
    current: bool
    device: str
    address: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@router.get("", operation_id="get_me", summary="Get your account")
async def get_me(request: Request, me: Me) -> MeOut:
    """Show the account of whoever is signed in."""
    return me_out(me)


@router.patch("", operation_id="update_me", summary="Change your account")
async def update_me(request: Request, me: Me, by: By, body: MePatch) -> MeOut:
    """Change name or e-mail address; the address asks who you are again."""
    if body.email is not None and body.email != me.member.email:
        check_recent(request, caller_of(request))
    accounts = container_of(request).accounts
    await accounts.members.rename(me, name=body.name, email=body.email, by=by)
    changed = replace(me.member, name=body.name or me.member.name, email=body.email or me.member.email)
    return me_out(replace(me, member=changed))


@router.post("/password", operation_id="change_password", summary="Change your password", status_code=204)
async def change_password(request: Request, me: Me, by: By, body: PasswordBody) -> None:
    """Set a new password; every other session ends."""
    if me.member.password is None:
        check_recent(request, caller_of(request))
    await container_of(request).accounts.account.change_password(me, current=body.current, new=body.new, by=by)


@router.get("/sessions", operation_id="list_sessions", summary="List your sessions")
async def list_sessions(request: Request, me: Me) -> ListOf[SessionOfMine]:
    """List the browsers you are signed in with, the last used first."""
    found = await container_of(request).accounts.sessions.of_member(me.member.id)
    return ListOf(data=[_session_out(one, current=one.id == me.session.id) for one in found])


@router.delete("/sessions/{session_id}", operation_id="end_session", summary="End a session", status_code=204)
async def end_session(request: Request, me: Me, by: By, session_id: str) -> None:
    """Sign one browser out."""
    await container_of(request).accounts.sessions.end_one(me.member, session_id, by=by)


@router.delete("/sessions", operation_id="end_other_sessions", summary="End all other sessions", status_code=204)
async def end_other_sessions(request: Request, me: Me, by: By) -> None:
    """Sign every browser out but this one."""
    await container_of(request).accounts.sessions.end_others(me.member, but=me.session, by=by)


def me_out(found: SignedIn) -> MeOut:
    """Show an account to its owner."""
    member = found.member
    factors = TwoFactorOut(totp=member.totp, passkeys=found.passkeys, recovery_codes_left=found.recovery_codes)
    return MeOut(
        id=member.public_id,
        name=member.name,
        email=member.email,
        super_admin=member.super_admin,
        two_factor=factors,
        has_password=member.password is not None,
        providers=list(found.providers),
        can_confirm=found.can_confirm,
        created_at=member.created_at,
    )


def _session_out(row: Session, *, current: bool) -> SessionOfMine:
    return SessionOfMine(
        id=row.public_id,
        current=current,
        device=row.device,
        address=row.address,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
