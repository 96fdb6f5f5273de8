"""Invitations: GET, POST /invitations; DELETE /invitations/{id}; POST /invitations/look, /invitations/accept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.member import Invitation
from tidings.domain.permission import Permission, Role
from tidings.web.api.me import Email, PersonName
from tidings.web.api.session import Anybody, SessionOut, check_form, session_out, signed_in, token_of
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, caller_of, container_of, in_app
from tidings.web.callers import Caller, visit_of

router = APIRouter(prefix="/invitations", tags=["Members"])


class InvitationOut(BaseModel):
    """An offer to join the App."""

    id: str
    email: str
    role: Role
    invited_by: str | None
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """A new invitation with its link, which is shown this once."""

    link: str


class InvitationBody(Body):
    """Whom to invite, and as what."""

    email: Email
    role: Role


class TokenBody(Body):
    """What the link carries after its `#`."""

    token: str = Field(min_length=1, max_length=256)


class AcceptBody(TokenBody):
    """Name and password of a new member; neither for one who is signed in."""

    name: PersonName | None = None
    password: str | None = Field(default=None, min_length=1, max_length=1_024)


class OfferOut(BaseModel):
    """What somebody is invited to."""

    app: str = Field(description="The App's name.")
    role: Role
    email: str
    known: bool = Field(description="Whether this address has an account already: sign in with it first.")
    expires_at: datetime


@router.get("", operation_id="list_invitations", summary="List invitations")
async def list_invitations(
    request: Request, app: Annotated[App, in_app(Permission.MEMBER_MANAGE)]
) -> ListOf[InvitationOut]:
    """List the invitations that are still good."""
    found = await container_of(request).accounts.invitations.of_app(app.id)
    return ListOf(data=[_out(one) for one in found])


@router.post("", operation_id="invite", summary="Invite somebody", status_code=201)
async def invite(
    request: Request, app: Annotated[App, in_app(Permission.MEMBER_MANAGE, recent=True)], by: By, body: InvitationBody
) -> InvitationMade:
    """Make a link that lets one person into the App, once, within 7 days. Pass it on yourself: no mail is sent."""
    container = container_of(request)
    grants = caller_of(request).grants
    sent = await container.accounts.invitations.invite(app, body.email, body.role, grants=grants, by=by)
    link = f"{container.settings.base_url}/invite#{sent.token}"
    return InvitationMade(**_out(sent.invitation).model_dump(), link=link)


@router.delete("/{invitation_id}", operation_id="withdraw_invitation", summary="Withdraw", status_code=204)
async def withdraw_invitation(
    request: Request, app: Annotated[App, in_app(Permission.MEMBER_MANAGE)], by: By, invitation_id: str
) -> None:
    """Take an invitation back; its link ends."""
    await container_of(request).accounts.invitations.withdraw(app, invitation_id, by=by)


@router.post("/look", operation_id="look_at_invitation", summary="Look at an invitation")
async def look_at_invitation(request: Request, caller: Anybody, body: TokenBody) -> OfferOut:
    """Show what a link invites to, without using it up."""
    offer = await container_of(request).accounts.invitations.look(body.token)
    return OfferOut(
        app=offer.app.name,
        role=offer.invitation.role,
        email=offer.invitation.email,
        known=offer.known,
        expires_at=offer.invitation.expires_at,
    )


@router.post("/accept", operation_id="accept_invitation", summary="Accept an invitation", status_code=201)
async def accept_invitation(
    request: Request, response: Response, caller: Anybody, by: By, body: AcceptBody
) -> SessionOut:
    """Join the App: as a new member, who is then signed in, or as the one who is signed in."""
    check_form(request)
    invitations = container_of(request).accounts.invitations
    if caller is not None and caller.signed_in is not None and caller.is_whole:
        await invitations.join(body.token, caller.signed_in, by=by)
        found = await container_of(request).accounts.sessions.find(token_of(request) or "")
        return await session_out(request, Caller.of_session(found, by.address) if found else None)
    await invitations.look(body.token)
    if body.name is None or body.password is None:
        missing = "name" if body.name is None else "password"
        fault = FieldFault(missing, "This field is required.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
    opened = await invitations.accept(
        body.token,
        name=body.name,
        password=body.password,
        visit=visit_of(request),
        replaces=token_of(request),
    )
    return await signed_in(request, response, opened)


def _out(row: Invitation) -> InvitationOut:
    return InvitationOut(
        id=row.public_id,
        email=row.email,
        role=row.role,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
