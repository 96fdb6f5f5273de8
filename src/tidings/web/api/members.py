"""Members: GET /members; PATCH, DELETE /members/{id}; POST /members/{id}/reset-link; DELETE /…/second-factor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.permission import Permission, Role
from tidings.services.members import MemberDetails
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import AppParam, By, app_of, check_on_instance, container_of, in_app, somewhere
from tidings.web.callers import Caller

router = APIRouter(prefix="/members", tags=["Members"])

Manager = Annotated[Caller, somewhere(Permission.MEMBER_MANAGE)]
RecentManager = Annotated[Caller, somewhere(Permission.MEMBER_MANAGE, recent=True)]


class MemberOut(BaseModel):
    """A person of the dashboard."""

    id: str
    name: str
    email: str
    role: Role | None = Field(description="In the App that was asked about; null without one.")
    super_admin: bool
    two_factor: bool
    last_seen_at: datetime | None
    disabled_at: datetime | None


class MemberPatch(Body):
    """With `app` the role in it; without, for super admins, the whole instance and whether they are shut out."""

    role: Role | None = None
    super_admin: bool | None = None
    disabled: bool | None = None


class LinkOut(BaseModel):
    """A link that is shown this once."""

    link: str
    expires_at: datetime


@router.get("", operation_id="list_members", summary="List members")
async def list_members(request: Request, caller: Manager, app: AppParam = None) -> ListOf[MemberOut]:
    """List who belongs to an App; without `app`, for super admins, everybody."""
    members = container_of(request).accounts.members
    if app is None and caller.grants.on_instance(Permission.INSTANCE_MEMBERS):
        return ListOf(data=[_out(one) for one in await members.all()])
    found = await app_of(request, caller, app, Permission.MEMBER_MANAGE)
    return ListOf(data=[_out(one) for one in await members.of_app(found.id)])


@router.patch("/{member_id}", operation_id="update_member", summary="Change a member")
async def update_member(
    request: Request, caller: RecentManager, by: By, member_id: str, body: MemberPatch, app: AppParam = None
) -> MemberOut:
    """Change a role in an App; or, for super admins, who has the whole instance and who is shut out."""
    members = container_of(request).accounts.members
    if body.super_admin is not None or body.disabled is not None:
        check_on_instance(caller, Permission.INSTANCE_MEMBERS)
    found: MemberDetails | None = None
    if body.role is not None:
        where = await app_of(request, caller, app, Permission.MEMBER_MANAGE)
        found = await members.set_role(where, member_id, body.role, grants=caller.grants, by=by)
    if body.super_admin is not None:
        found = await members.set_super_admin(member_id, body.super_admin, by=by)
    if body.disabled is not None:
        found = await members.set_disabled(member_id, body.disabled, by=by)
    if found is None:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, "Send `role`, `super_admin` or `disabled`.")
    return _out(found)


@router.delete("/{member_id}", operation_id="remove_member", summary="Take a member out of an App", status_code=204)
async def remove_member(
    request: Request,
    caller: RecentManager,
    app: Annotated[App, in_app(Permission.MEMBER_MANAGE, recent=True)],
    by: By,
    member_id: str,
) -> None:
    """Take a member out of the App; the account and its other Apps stay."""
    await container_of(request).accounts.members.remove(app, member_id, grants=caller.grants, by=by)


@router.post("/{member_id}/reset-link", operation_id="make_reset_link", summary="Make a reset link", status_code=201)
async def make_reset_link(request: Request, caller: RecentManager, by: By, member_id: str) -> LinkOut:
    """Make a link that sets a new password, once, within 24 hours. Pass it on yourself: no mail is sent."""
    container = container_of(request)
    made = await container.accounts.members.reset_link(member_id, grants=caller.grants, by=by)
    return LinkOut(
        link=f"{container.settings.base_url}/reset#{made.token}",
        expires_at=container.clock.now() + timedelta(seconds=made.seconds),
    )


@router.delete(
    "/{member_id}/second-factor",
    operation_id="reset_second_factor",
    summary="Reset a lost second factor",
)
async def reset_second_factor(request: Request, caller: RecentManager, by: By, member_id: str) -> MemberOut:
    """Take away a member's authenticator app, recovery codes and passkeys, which they lost; their sessions end."""
    members = container_of(request).accounts.members
    return _out(await members.reset_second_factor(member_id, grants=caller.grants, by=by))


def _out(details: MemberDetails) -> MemberOut:
    member = details.member
    return MemberOut(
        id=member.public_id,
        name=member.name,
        email=member.email,
        role=details.role,
        super_admin=member.super_admin,
        two_factor=details.two_factor,
        last_seen_at=member.last_seen_at,
        disabled_at=member.disabled_at,
    )
