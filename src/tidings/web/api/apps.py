"""Apps: GET, POST /apps; GET, PATCH /apps/{app_id}; GET /apps/{app_id}/identity-secret."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.apps import AppDetails
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import Administrator, AnyCaller, Caller, InstanceAdministrator, app_of, container_of

router = APIRouter(prefix="/apps", tags=["Apps"])


class AppOut(BaseModel):
    """One site or mobile app."""

    id: str
    name: str
    origins: list[str] = Field(description="Sites whose pages may subscribe; none means localhost only.")
    require_signed_identity: bool = Field(description="Whether browsers must sign the user ids they send.")
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


class IdentitySecret(BaseModel):
    """What an App's server signs user ids with."""

    identity_secret: str


@router.get("", operation_id="list_apps", summary="List Apps")
async def list_apps(request: Request, caller: AnyCaller) -> ListOf[AppOut]:
    """List the Apps that the key reaches."""
    rows = await container_of(request).apps.all()
    return ListOf(data=[_out(row) for row in rows if caller.app_id in (None, row.app.id)])


@router.post("", operation_id="create_app", summary="Create an App", status_code=201)
async def create_app(request: Request, caller: InstanceAdministrator, body: AppBody) -> AppOut:
    """Create an App with its own keys, subscribers and origins."""
    return _out(await container_of(request).apps.create(body.name, origins=body.origins))


@router.get("/{app_id}", operation_id="get_app", summary="Get an App")
async def get_app(request: Request, caller: AnyCaller, app_id: str) -> AppOut:
    """Show one App."""
    await _reachable(request, caller, app_id)
    return _out(await container_of(request).apps.get(app_id))


@router.patch("/{app_id}", operation_id="update_app", summary="Change an App")
async def update_app(request: Request, caller: Administrator, app_id: str, body: AppPatch) -> AppOut:
    """Change name, origins, or whether user ids must be signed."""
    await _reachable(request, caller, app_id)
    return _out(
        await container_of(request).apps.update(
            app_id,
            name=body.name,
            origins=body.origins,
            allow=body.allow_origins,
            disallow=body.disallow_origins,
            require_signed_identity=body.require_signed_identity,
        )
    )


@router.get("/{app_id}/identity-secret", operation_id="get_identity_secret", summary="Get the identity secret")
async def get_identity_secret(request: Request, caller: Administrator, app_id: str) -> IdentitySecret:
    """Show the secret for signing user ids on your server: `<expiry>.<HMAC-SHA256 of "<user id>\\n<expiry>">`."""
    app = await app_of(request, caller, app_id)
    return IdentitySecret(identity_secret=app.identity_secret.decode())


async def _reachable(request: Request, caller: Caller, app_id: str) -> None:
    if caller.app_id is not None and (await container_of(request).apps.by_id(caller.app_id)).public_id != app_id:
        raise CatalogueError(ErrorCode.FORBIDDEN, "This key is for another App.")


def _out(details: AppDetails) -> AppOut:
    app = details.app
    return AppOut(
        id=app.public_id,
        name=app.name,
        origins=list(app.origins),
        require_signed_identity=details.require_signed_identity,
        created_at=app.created_at,
    )
