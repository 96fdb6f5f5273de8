"""The first member: GET, POST /setup with the token of the link that `tidings up` prints."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from tidings.web.api.me import Email, PersonName
from tidings.web.api.session import Anybody, SessionOut, check_form, signed_in, token_of
from tidings.web.api.shapes import Body
from tidings.web.auth import container_of
from tidings.web.callers import visit_of

router = APIRouter(prefix="/setup", tags=["Session"])


class SetupOut(BaseModel):
    """What the link is for."""

    wants: Literal["first_member", "demo"] = Field(
        description="`first_member`: make one with POST; `demo`: sign in with POST /session."
    )


class SetupBody(Body):
    """The first member."""

    token: str = Field(min_length=1, max_length=256, description="What the set-up link carries after its `#`.")
    name: PersonName
    email: Email
    password: str = Field(min_length=1, max_length=1_024)


@router.get("", operation_id="get_setup", summary="Look at a set-up link")
async def get_setup(
    request: Request,
    caller: Anybody,
    token: Annotated[str, Header(alias="X-Setup-Token", min_length=1, max_length=256)],
) -> SetupOut:
    """Tell what the link is for, without using it up."""
    return SetupOut(wants=await container_of(request).accounts.sign_in.link_wants(token))


@router.post("", operation_id="set_up", summary="Make the first member", status_code=201)
async def set_up(request: Request, response: Response, caller: Anybody, body: SetupBody) -> SessionOut:
    """Make the first member, a super admin who owns every App, and sign them in. The link is used up."""
    check_form(request)
    opened = await container_of(request).accounts.sign_in.set_up(
        body.token,
        name=body.name,
        email=body.email,
        password=body.password,
        visit=visit_of(request),
        replaces=token_of(request),
    )
    return await signed_in(request, response, opened)
