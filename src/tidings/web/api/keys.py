"""API keys: GET, POST /keys; DELETE /keys/{key_id}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from tidings.domain.app import ApiKey, App
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.permission import Permission, Scope, of_scopes
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import AppParam, By, app_of, container_of, somewhere
from tidings.web.callers import Caller, forbidden

router = APIRouter(prefix="/keys", tags=["API keys"])


class KeyOut(BaseModel):
    """An API key as people see it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    app: str | None = Field(description="The App it is for; null reaches every App.")
    created_at: datetime
    created_by: str | None = Field(description="Who made it, by the name they had then.")
    expires_at: datetime | None = Field(description="Null: it holds until it is revoked.")
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
        description="`read` sees everything but secrets, `send` sends and keeps users, `admin` also sets up. What "
        "carries people's data, and what lets people in, has scopes of its own.",
    )
    app: str | None = Field(default=None, description="Id of the App it is for; absent, it reaches every App.")
    expires_at: AwareDatetime | None = Field(default=None, description="When it ends by itself.")


Manager = Annotated[Caller, somewhere(Permission.KEY_MANAGE)]


@router.get("", operation_id="list_keys", summary="List API keys")
async def list_keys(request: Request, caller: Manager, app: AppParam = None) -> ListOf[KeyOut]:
    """List the API keys in force that reach the App, or any App of the caller's."""
    container = container_of(request)
    reach = caller.reach(Permission.KEY_MANAGE)
    if app is not None:
        reach = frozenset({(await app_of(request, caller, app, Permission.KEY_MANAGE)).id})
    keys = await container.access.keys(app_ids=reach)
    names = {row.app.id: row.app.public_id for row in await container.apps.all()}
    return ListOf(data=[_out(key, names.get(key.app_id or 0)) for key in keys])


@router.post("", operation_id="create_key", summary="Create an API key", status_code=201)
async def create_key(
    request: Request,
    caller: Annotated[Caller, somewhere(Permission.KEY_MANAGE, recent=True)],
    by: By,
    body: KeyBody,
) -> IssuedKey:
    """Create an API key. Its text is in this answer and nowhere else. It may do no more than who makes it."""
    app = await _app_for(request, caller, body.app)
    _check_no_more(caller, body.scopes, app)
    issued = await container_of(request).access.create_key(
        name=body.name, scopes=body.scopes, app=app, expires_at=_later(request, body.expires_at), by=by
    )
    shown = _out(issued.api_key, app.public_id if app else None)
    return IssuedKey(**shown.model_dump(), key=issued.text)


@router.delete("/{key_id}", operation_id="revoke_key", summary="Revoke an API key", status_code=204)
async def revoke_key(
    request: Request, caller: Annotated[Caller, somewhere(Permission.KEY_MANAGE, recent=True)], by: By, key_id: str
) -> None:
    """End an API key at once."""
    await container_of(request).access.revoke_key(key_id, app_ids=caller.reach(Permission.KEY_MANAGE), by=by)


async def _app_for(request: Request, caller: Caller, name: str | None) -> App | None:
    """Give the App a new key is for: the named one; None, every App, is for who holds every App."""
    if name is None and caller.reach(Permission.KEY_MANAGE) is None:
        return None
    return await app_of(request, caller, name, Permission.KEY_MANAGE)


def _check_no_more(caller: Caller, scopes: list[Scope], app: App | None) -> None:
    held = caller.grants.everywhere if app is None else caller.grants.of_app(app.id)
    missing = of_scopes(scopes) - held
    if missing:
        raise forbidden(min(missing), where="; a key cannot do more than who makes it")
    if app is None and Scope.ADMIN in scopes and not caller.grants.on_instance(Permission.INSTANCE_MANAGE):
        raise forbidden(Permission.INSTANCE_MANAGE)


def _later(request: Request, moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= container_of(request).clock.now():
        fault = FieldFault("expires_at", "That is over already.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
    return moment


def _out(key: ApiKey, app: str | None) -> KeyOut:
    return KeyOut(
        id=key.public_id,
        name=key.name,
        prefix=key.prefix,
        scopes=list(key.scopes),
        app=app,
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
