"""Apps: GET, POST /apps; GET, PATCH, DELETE /apps/{app_id}; GET, POST, DELETE /apps/{app_id}/identity-secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.erasure import ErasureStatus
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.permission import Permission
from tidings.services.apps import AppDetails
from tidings.web.api.erasures import ErasureOut, erasure_out
from tidings.web.api.message import Language
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, caller_of, check_recent, container_of, in_path_app, on_instance, somewhere
from tidings.web.callers import Caller

router = APIRouter(prefix="/apps", tags=["Apps"])


class AppOut(BaseModel):
    """One site or mobile app."""

    id: str
    name: str
    origins: list[str] = Field(description="Sites whose pages may subscribe; none means localhost only.")
    require_signed_identity: bool = Field(description="Whether browsers must sign the user ids they send.")
    language: str | None = Field(description="Tried for people whose own language a message does not have.")
    web_push_enabled: bool = Field(description="Whether browsers are sent to, and may subscribe.")
    created_at: datetime


class AppBody(Body):
    """A new App."""

    name: str = Field(min_length=1, max_length=100, examples=["Harbour News"])
    origins: list[str] = Field(default=[], max_length=100, examples=[["https://www.example.com"]])


class AppPatch(Body):
    """What to change; a field that is absent stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    origins: list[str] | None = Field(
        default=None,
        max_length=100,
        examples=[["https://www.example.com"]],
        description="All sites whose pages may subscribe; those not named are removed.",
    )
    allow_origins: list[str] = Field(default=[], max_length=100, description="Sites to add to those there are.")
    disallow_origins: list[str] = Field(default=[], max_length=100, description="Sites to take away.")
    require_signed_identity: bool | None = None
    language: Language | None = Field(default=None, examples=["de"])
    web_push_enabled: bool | None = Field(
        default=None, description="`false`: nothing is sent to browsers. Keys and subscribers stay."
    )


class IdentityFacts(BaseModel):
    """How old the secret is that an App's server signs user ids with; the secret itself was shown once."""

    since: datetime
    earlier_until: datetime | None = Field(description="Until when the secret before holds besides.")


class IdentitySecret(IdentityFacts):
    """A new secret to sign user ids with, which is shown this once."""

    identity_secret: str


class IdentityBody(Body):
    """How the secret is changed."""

    grace_hours: int = Field(
        default=24, ge=0, le=720, description="How long the secret before holds besides; 0 ends it at once."
    )


@router.get("", operation_id="list_apps", summary="List Apps")
async def list_apps(request: Request, caller: Annotated[Caller, somewhere(Permission.APP_SEE)]) -> ListOf[AppOut]:
    """List the Apps that the caller reaches."""
    rows = await container_of(request).apps.all()
    return ListOf(data=[_out(row) for row in rows if caller.grants.knows(row.app.id)])


@router.post("", operation_id="create_app", summary="Create an App", status_code=201)
async def create_app(
    request: Request, by: By, caller: Annotated[Caller, on_instance(Permission.INSTANCE_MANAGE)], body: AppBody
) -> AppOut:
    """Create an App with its own keys, subscribers and origins."""
    return _out(await container_of(request).apps.create(body.name, origins=body.origins, by=by))


@router.get("/{app_id}", operation_id="get_app", summary="Get an App")
async def get_app(request: Request, app: Annotated[App, in_path_app(Permission.APP_SEE)]) -> AppOut:
    """Show one App."""
    return _out(await container_of(request).apps.get(app.public_id))


@router.patch("/{app_id}", operation_id="update_app", summary="Change an App")
async def update_app(
    request: Request, by: By, app: Annotated[App, in_path_app(Permission.APP_SETTINGS)], body: AppPatch
) -> AppOut:
    """Change name, origins, language, web push, or that ids be signed; that they need not be asks who you are again."""
    apps = container_of(request).apps
    if body.require_signed_identity is False and (await apps.get(app.public_id)).require_signed_identity:
        check_recent(request, caller_of(request))
    return _out(
        await apps.update(
            app.public_id,
            name=body.name,
            origins=body.origins,
            allow=body.allow_origins,
            disallow=body.disallow_origins,
            require_signed_identity=body.require_signed_identity,
            language=body.language,
            web_push=body.web_push_enabled,
            by=by,
        )
    )


@router.delete(
    "/{app_id}",
    operation_id="erase_app",
    summary="Erase an App",
    responses={202: {"model": ErasureOut, "description": "It goes on in the background."}},
)
async def erase_app(
    request: Request,
    response: Response,
    app: Annotated[App, in_path_app(Permission.APP_DELETE, recent=True)],
    by: By,
    confirm: Annotated[str, Query(max_length=100, description="The App's name, as a sign that this one is meant.")],
) -> ErasureOut:
    """Erase an App with its people, devices, messages, keys and counts. It is closed at once, and nothing is sent."""
    if confirm != app.name:
        fault = FieldFault("confirm", "This is not the name of the App.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
    found = await container_of(request).erasure.app(app, by=by)
    if found.status is ErasureStatus.RUNNING:
        response.status_code = 202
    return erasure_out(found)


@router.get("/{app_id}/identity-secret", operation_id="get_identity_secret", summary="Get the identity secret's age")
async def get_identity_secret(
    request: Request, app: Annotated[App, in_path_app(Permission.APP_SETTINGS)]
) -> IdentityFacts:
    """Show since when the secret for signing user ids is in force; the secret itself is shown only when it is made."""
    return _facts(app)


@router.post(
    "/{app_id}/identity-secret",
    operation_id="make_identity_secret",
    summary="Make a new identity secret",
    status_code=201,
)
async def make_identity_secret(
    request: Request,
    app: Annotated[App, in_path_app(Permission.APP_SETTINGS, recent=True)],
    by: By,
    body: IdentityBody | None = None,
) -> IdentitySecret:
    """Make a new secret for signing user ids on your server, and show it this once.

    A token is `<expiry>.<HMAC-SHA256 of "<user id>\\n<expiry>">`. The secret before holds for `grace_hours` more.
    """
    grace = timedelta(hours=(body or IdentityBody()).grace_hours)
    made = await container_of(request).apps.new_identity_secret(app.public_id, grace=grace, by=by)
    return IdentitySecret(**_facts(made).model_dump(), identity_secret=made.identity_secret.decode())


@router.delete(
    "/{app_id}/identity-secret/earlier",
    operation_id="end_earlier_identity_secret",
    summary="End the earlier identity secret",
    status_code=204,
)
async def end_earlier(
    request: Request, app: Annotated[App, in_path_app(Permission.APP_SETTINGS, recent=True)], by: By
) -> None:
    """Let the secret before the one in force hold no longer, as once every server has the new one."""
    await container_of(request).apps.end_earlier_secret(app.public_id, by=by)


def _facts(app: App) -> IdentityFacts:
    return IdentityFacts(since=app.secret_since or app.created_at, earlier_until=app.earlier_until)


def _out(details: AppDetails) -> AppOut:
    app = details.app
    return AppOut(
        id=app.public_id,
        name=app.name,
        origins=list(app.origins),
        require_signed_identity=details.require_signed_identity,
        language=app.language,
        web_push_enabled=details.web_push_enabled,
        created_at=app.created_at,
    )
