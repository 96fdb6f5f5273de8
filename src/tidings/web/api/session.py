"""The dashboard's session: POST spends a set-up link, GET tells whether one is signed in, DELETE signs out."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from tidings.services.access import SESSION_LIFE
from tidings.web.api.shapes import Body
from tidings.web.auth import check_same_origin, container_of, cookie_name

router = APIRouter(prefix="/session", tags=["Session"])


class SessionBody(Body):
    """What the one-time link carries after its `#`."""

    setup_token: str = Field(min_length=1, max_length=256)


class SessionOut(BaseModel):
    """Whether this browser is signed in, and until when if that was just decided."""

    signed_in: bool
    expires_at: datetime | None = None


@router.post("", operation_id="sign_in", summary="Sign in", status_code=201)
async def sign_in(request: Request, response: Response, body: SessionBody) -> SessionOut:
    """Spend a one-time set-up link for a session cookie."""
    base_url = container_of(request).settings.base_url
    check_same_origin(request.headers, scheme=request.scope["scheme"], base_url=base_url)
    session = await container_of(request).access.sign_in(body.setup_token)
    response.set_cookie(
        cookie_name(base_url),
        session.token,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        secure=base_url.startswith("https://"),
        samesite="lax",
    )
    return SessionOut(signed_in=True, expires_at=session.expires_at)


@router.get("", operation_id="get_session", summary="Ask whether one is signed in")
async def get_session(request: Request) -> SessionOut:
    """Tell whether the request carries a session or a key in force."""
    return SessionOut(signed_in=request.state.caller is not None)


@router.delete("", operation_id="sign_out", summary="Sign out", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """End the session of this browser."""
    name = cookie_name(container_of(request).settings.base_url)
    token = request.cookies.get(name)
    if token:
        await container_of(request).access.sign_out(token)
    response.delete_cookie(name, httponly=True, secure=name.startswith("__Host-"), samesite="lax")
