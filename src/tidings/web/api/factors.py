"""One's own second factor and passkeys: /me/totp, /me/recovery-codes, /me/passkeys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.member import Passkey, SignedIn
from tidings.web.api.me import Me, PersonName
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, container_of, oneself

router = APIRouter(prefix="/me", tags=["Account"])

RecentMe = Annotated[SignedIn, oneself(recent=True)]


class SeedOut(BaseModel):
    """What an authenticator app takes; it is in force once a first code is shown."""

    secret: str
    uri: str
    qr: str = Field(description="The URI as a QR code: an `<svg>` element.")


class CodeBody(Body):
    """A code of the app."""

    code: str = Field(min_length=1, max_length=16)


class RecoveryCodes(BaseModel):
    """Codes for when the app is lost; each is good once. They are shown this once."""

    recovery_codes: list[str]


class PasskeyOut(BaseModel):
    """A passkey."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Asked(BaseModel):
    """What the browser is to answer: pass `options` to WebAuthn, and send `id` back with what it gives."""

    id: str
    options: dict[str, Any]


class NewPasskey(Body):
    """What `navigator.credentials.create` gave, as `toJSON()` writes it."""

    id: str = Field(min_length=1, max_length=128)
    name: PersonName
    credential: dict[str, Any]


class PasskeyPatch(Body):
    """A new name."""

    name: PersonName


@router.post("/totp", operation_id="begin_totp", summary="Begin with an authenticator app", status_code=201)
async def begin_totp(request: Request, me: RecentMe) -> SeedOut:
    """Make a seed for an authenticator app; confirm it with a code."""
    seed = await container_of(request).accounts.second_factor.begin(me)
    return SeedOut(secret=seed.secret, uri=seed.uri, qr=seed.qr)


@router.post("/totp/confirm", operation_id="confirm_totp", summary="Confirm the authenticator app")
async def confirm_totp(request: Request, me: RecentMe, by: By, body: CodeBody) -> RecoveryCodes:
    """Put the app in force with its first code; every other session ends."""
    codes = await container_of(request).accounts.second_factor.complete(me, body.code, by=by)
    return RecoveryCodes(recovery_codes=codes)


@router.delete("/totp", operation_id="remove_totp", summary="Remove the authenticator app", status_code=204)
async def remove_totp(request: Request, me: RecentMe, by: By) -> None:
    """Take the app and its recovery codes away."""
    await container_of(request).accounts.second_factor.remove(me, by=by)


@router.post("/recovery-codes", operation_id="make_recovery_codes", summary="Make new recovery codes", status_code=201)
async def make_recovery_codes(request: Request, me: RecentMe, by: By) -> RecoveryCodes:
    """Make new recovery codes; those before end."""
    codes = await container_of(request).accounts.second_factor.new_recovery_codes(me, by=by)
    return RecoveryCodes(recovery_codes=codes)


@router.get("/passkeys", operation_id="list_passkeys", summary="List your passkeys")
async def list_passkeys(request: Request, me: Me) -> ListOf[PasskeyOut]:
    """List your passkeys, oldest first."""
    return ListOf(data=[_out(one) for one in await container_of(request).accounts.passkeys.of_member(me.member)])


@router.post("/passkeys/options", operation_id="ask_passkey", summary="Begin with a passkey")
async def ask_passkey(request: Request, me: RecentMe) -> Asked:
    """Give the options for `navigator.credentials.create`."""
    public_id, options = await container_of(request).accounts.passkeys.ask_registration(me)
    return Asked(id=public_id, options=options)


@router.post("/passkeys", operation_id="add_passkey", summary="Add a passkey", status_code=201)
async def add_passkey(request: Request, me: RecentMe, by: By, body: NewPasskey) -> PasskeyOut:
    """Store a passkey that the browser made."""
    passkeys = container_of(request).accounts.passkeys
    return _out(await passkeys.register(me, body.id, body.credential, name=body.name, by=by))


@router.patch("/passkeys/{passkey_id}", operation_id="rename_passkey", summary="Rename a passkey")
async def rename_passkey(request: Request, me: Me, by: By, passkey_id: str, body: PasskeyPatch) -> PasskeyOut:
    """Give a passkey another name."""
    return _out(await container_of(request).accounts.passkeys.rename(me, passkey_id, body.name, by=by))


@router.delete("/passkeys/{passkey_id}", operation_id="remove_passkey", summary="Remove a passkey", status_code=204)
async def remove_passkey(request: Request, me: RecentMe, by: By, passkey_id: str) -> None:
    """Forget a passkey."""
    await container_of(request).accounts.passkeys.remove(me, passkey_id, by=by)


def _out(row: Passkey) -> PasskeyOut:
    return PasskeyOut(id=row.public_id, name=row.name, created_at=row.created_at, last_used_at=row.last_used_at)
