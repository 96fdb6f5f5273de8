"""One's own account: GET, PATCH /me; password, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from tidings.domain.member import SignedIn
from tidings.web.auth import oneself

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
    created_at: datetime


@router.get("", operation_id="get_me", summary="Get your account")
async def get_me(request: Request, me: Me) -> MeOut:
    """Show the account of whoever is signed in."""
    return await me_out(request, me)


async def me_out(request: Request, found: SignedIn) -> MeOut:
    """Show an account to its owner."""
    member = found.member
    return MeOut(
        id=member.public_id,
        name=member.name,
        email=member.email,
        super_admin=member.super_admin,
        two_factor=TwoFactorOut(totp=member.totp, passkeys=0, recovery_codes_left=0),
        has_password=member.password is not None,
        created_at=member.created_at,
    )
