"""Users: GET /users; POST /users/lookup; PUT, GET, DELETE /users/{external_id}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from tidings.domain.app import App, User
from tidings.domain.permission import Permission
from tidings.services.region import locale_from, time_zone_from
from tidings.web.api.message import Name
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, listed
from tidings.web.auth import By, container_of, in_app

ReadApp = Annotated[App, in_app(Permission.APP_READ)]
WriteApp = Annotated[App, in_app(Permission.USER_WRITE)]

router = APIRouter(prefix="/users", tags=["Users"])


def _zone(name: str | None) -> str | None:
    found = time_zone_from(name)
    if name and not found:
        raise ValueError("There is no such time zone; write it as Europe/Vienna.")
    return found


def _locale(tag: str | None) -> str | None:
    found = locale_from(tag)
    if tag and not found:
        raise ValueError("This is not a language tag; write it as de or de-AT.")
    return found


ExternalId = Annotated[str, Path(min_length=1, max_length=200, description="The App's own id of the user.")]


class UserOut(BaseModel):
    """A person the App knows."""

    id: str
    attributes: dict[str, Any]
    locale: str | None
    time_zone: str | None
    created_at: datetime
    updated_at: datetime


class UserBody(Body):
    """What the App knows of a person; a field that is absent stays as it is."""

    attributes: dict[str, Any] | None = Field(
        default=None, max_length=200, examples=[{"name": "Anna", "role": "operator", "available": True}]
    )
    locale: Annotated[str | None, AfterValidator(_locale)] = Field(default=None, max_length=35, examples=["de"])
    time_zone: Annotated[str | None, AfterValidator(_zone)] = Field(
        default=None, max_length=64, examples=["Europe/Vienna"]
    )


MOST_LOOKED_UP = 1_000
"""Ids that one request may look up."""


class LookupBody(Body):
    """Ids to look up."""

    ids: list[Name] = Field(min_length=1, max_length=MOST_LOOKED_UP, examples=[["u-42", "u-43"]])


class NamedOut(BaseModel):
    """Somebody who is known."""

    id: str
    name: str | None = Field(description="The attribute `name`, if it is a text.")
    devices: int = Field(description="Browsers and devices that a notification would go to now.")


class LookupOut(BaseModel):
    """Who is known and who is not, each once and in the order asked."""

    data: list[NamedOut]
    unknown: list[str] = Field(description="Ids that neither you nor any device ever named.")


@router.get("", operation_id="list_users", summary="List users")
async def list_users(
    request: Request,
    app: ReadApp,
    search: Annotated[
        str,
        Query(
            max_length=200,
            description="Beginnings of words of the id, the attribute `name` or `email`, all of them; case does not "
            "matter.",
        ),
    ] = "",
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[UserOut]:
    """List the people the App knows, newest first."""
    page = await container_of(request).users.page(app.id, cursor=cursor, limit=limit, search=search.strip())
    return listed(page, _out)


@router.post("/lookup", operation_id="lookup_users", summary="Look up users")
async def lookup_users(request: Request, app: ReadApp, body: LookupBody) -> LookupOut:
    """Say of up to 1 000 ids whom the App knows, what they are called, and on how many devices they are reached.

    Whom only a device names is known too, without a name.
    """
    known, unknown = await container_of(request).users.lookup(app.id, body.ids)
    return LookupOut(
        data=[NamedOut(id=one.external_id, name=one.name, devices=one.devices) for one in known], unknown=unknown
    )


@router.put(
    "/{external_id:path}",
    operation_id="put_user",
    summary="Create or update a user",
    responses={201: {"model": UserOut, "description": "The user is new."}},
)
async def put_user(
    request: Request, by: By, response: Response, app: WriteApp, external_id: ExternalId, body: UserBody
) -> UserOut:
    """Say what the App knows of a person."""
    user, created = await container_of(request).users.put(
        app.id, external_id, attributes=body.attributes, locale=body.locale, time_zone=body.time_zone, by=by
    )
    if created:
        response.status_code = 201
    return _out(user)


@router.get("/{external_id:path}", operation_id="get_user", summary="Get a user")
async def get_user(request: Request, app: ReadApp, external_id: ExternalId) -> UserOut:
    """Show one person."""
    return _out(await container_of(request).users.get(app.id, external_id))


@router.delete("/{external_id:path}", operation_id="delete_user", summary="Delete a user", status_code=204)
async def delete_user(request: Request, by: By, app: WriteApp, external_id: ExternalId) -> None:
    """Forget a person; their devices stay subscribed without an owner."""
    await container_of(request).users.delete(app.id, external_id, by=by)


def _out(user: User) -> UserOut:
    return UserOut(
        id=user.external_id,
        attributes=user.attributes,
        locale=user.locale,
        time_zone=user.time_zone,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )
