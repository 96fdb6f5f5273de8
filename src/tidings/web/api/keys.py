"""API keys: GET, POST /keys; DELETE /keys/{key_id}."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import ApiKey
from tidings.services.access import Scope
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import Administrator, app_of, container_of

router = APIRouter(prefix="/keys", tags=["API keys"])


class KeyOut(BaseModel):
    """An API key as people see it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    app: str | None = Field(description="The App it is for; null reaches every App.")
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class IssuedKey(KeyOut):
    """A new API key with its text, which is shown this once."""

    key: str


class KeyBody(Body):
    """A new API key."""

    name: str = Field(min_length=1, max_length=100, examples=["Shop server"])
    scopes: list[Scope] = Field(
        default=[Scope.READ, Scope.SEND],
        min_length=1,
        description="`read` sees everything but secrets, `send` sends and keeps users, `admin` may do all.",
    )
    app: str | None = Field(default=None, description="Id of the App it is for; absent, it reaches every App.")


@router.get("", operation_id="list_keys", summary="List API keys")
async def list_keys(request: Request, caller: Administrator) -> ListOf[KeyOut]:
    """List the API keys in force."""
    container = container_of(request)
    keys = await container.access.keys(app_id=caller.app_id)
    names = {row.app.id: row.app.public_id for row in await container.apps.all()}
    return ListOf(data=[_out(key, names.get(key.app_id or 0)) for key in keys])


@router.post("", operation_id="create_key", summary="Create an API key", status_code=201)
async def create_key(request: Request, caller: Administrator, body: KeyBody) -> IssuedKey:
    """Create an API key. Its text is in this answer and nowhere else."""
    app = await app_of(request, caller, body.app) if body.app is not None or caller.app_id else None
    issued = await container_of(request).access.create_key(
        name=body.name, scopes=body.scopes, app_id=app.id if app else None
    )
    shown = _out(issued.api_key, app.public_id if app else None)
    return IssuedKey(**shown.model_dump(), key=issued.text)


@router.delete("/{key_id}", operation_id="revoke_key", summary="Revoke an API key", status_code=204)
async def revoke_key(request: Request, caller: Administrator, key_id: str) -> None:
    """End an API key at once."""
    await container_of(request).access.revoke_key(key_id, app_id=caller.app_id)


def _out(key: ApiKey, app: str | None) -> KeyOut:
    return KeyOut(
        id=key.public_id,
        name=key.name,
        prefix=key.prefix,
        scopes=list(key.scopes),
        app=app,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
