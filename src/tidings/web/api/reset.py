"""A forgotten password: POST /password-reset with the token of a link that somebody made."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import Field

from tidings.web.api.session import Anybody, check_form
from tidings.web.api.shapes import Body
from tidings.web.auth import container_of
from tidings.web.callers import visit_of

router = APIRouter(tags=["Session"])


class ResetBody(Body):
    """The token and the new password."""

    token: str = Field(min_length=1, max_length=256, description="What the link carries after its `#`.")
    new: str = Field(min_length=1, max_length=1_024)


@router.post("/password-reset", operation_id="reset_password", summary="Reset a password", status_code=204)
async def reset_password(request: Request, caller: Anybody, body: ResetBody) -> None:
    """Set a new password with a reset link, which is used up; every session of the member ends. Then sign in."""
    check_form(request)
    account = container_of(request).accounts.account
    await account.reset_password(body.token, body.new, visit=visit_of(request))
