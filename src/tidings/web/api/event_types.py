"""Event types: GET /event-types; PUT, GET, DELETE /event-types/{key}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from tidings.domain.app import App
from tidings.domain.event import Defaults, EventType, Naming, NewEventType
from tidings.domain.permission import Permission
from tidings.web.api.message import Language
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, OnlyCheck, listed
from tidings.web.auth import By, container_of, in_app

ReadTypes = Annotated[App, in_app(Permission.EVENT_TYPE_READ)]
WriteTypes = Annotated[App, in_app(Permission.EVENT_TYPE_WRITE)]

KEY = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"
TypeKey = Annotated[str, Path(pattern=KEY, max_length=100, examples=["conversation.escalated"])]
"""Dotted, in lower case: what happened to what."""

Line = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]

router = APIRouter(prefix="/event-types", tags=["Events"])


class DefaultsBody(Body):
    """What a person gets of it before they choose."""

    push: bool = True
    feed: bool = True


class NamingBody(Body):
    """What people see it as in another language; what is absent is as in the type's own words."""

    name: Annotated[Line, Field(min_length=1)] | None = None
    description: Annotated[str, Field(max_length=1_000)] | None = None
    category: Line | None = None


class EventTypeBody(Body):
    """An event type as it is to be from now on."""

    name: Annotated[Line, Field(min_length=1, examples=["A visitor wants a person"])]
    description: Annotated[str, Field(max_length=1_000)] = ""
    category: Line = Field(default="", description="What people see it under among their preferences.")
    variables: dict[str, Any] = Field(
        default={},
        description="JSON Schema (2020-12) of the events' data: an object, up to 100 properties, 6 levels. No "
        "references and no combinations; patterns without look-around.",
        examples=[{"properties": {"bot": {"type": "object", "properties": {"name": {"type": "string"}}}}}],
    )
    examples: list[dict[str, Any]] = Field(
        default=[], max_length=10, description="Data that satisfy it; previews and dry runs begin with them."
    )
    defaults: DefaultsBody = DefaultsBody()
    mandatory: bool = Field(default=False, description="Nobody can turn it off, and it waits for no quiet hours.")
    language: Language = Field(default="en", description="Of name, description and category.")
    locales: dict[Language, NamingBody] = Field(
        default={},
        max_length=50,
        description="These in other languages, by language tag.",
        examples=[{"de": {"name": "Ein Besucher möchte mit einem Menschen sprechen"}}],
    )

    def declared(self, key: str) -> NewEventType:
        """Give what is to be kept."""
        return NewEventType(
            key=key,
            name=self.name,
            description=self.description,
            category=self.category,
            variables=self.variables,
            examples=tuple(self.examples),
            defaults=Defaults(push=self.defaults.push, feed=self.defaults.feed),
            mandatory=self.mandatory,
            language=self.language,
            locales={tag: Naming(one.name, one.description, one.category) for tag, one in self.locales.items()},
        )


class DefaultsOut(BaseModel):
    """What a person gets of it before they choose."""

    push: bool
    feed: bool


class NamingOut(BaseModel):
    """What people see it as in another language; null is as in the type's own words."""

    name: str | None
    description: str | None
    category: str | None


class EventTypeOut(BaseModel):
    """An event type."""

    key: str
    name: str
    description: str
    category: str
    variables: dict[str, Any]
    examples: list[dict[str, Any]]
    defaults: DefaultsOut
    mandatory: bool
    language: str
    locales: dict[str, NamingOut]
    created_at: datetime
    updated_at: datetime


@router.get("", operation_id="list_event_types", summary="List event types")
async def list_event_types(
    request: Request, app: ReadTypes, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[EventTypeOut]:
    """List the kinds of events the App declares, in the order in which they were declared."""
    return listed(await container_of(request).automation.event_types.page(app.id, cursor=cursor, limit=limit), _out)


@router.put(
    "/{key}",
    operation_id="put_event_type",
    summary="Declare an event type",
    responses={201: {"model": EventTypeOut, "description": "The type is new."}},
)
async def put_event_type(
    request: Request, by: By, response: Response, app: WriteTypes, key: TypeKey, body: EventTypeBody
) -> EventTypeOut:
    """Declare a kind of event with its variables, or change it. Events that are stored already stay as they are."""
    stored, made = await container_of(request).automation.event_types.put(app.id, body.declared(key), by=by)
    if made:
        response.status_code = 201
    return _out(stored)


@router.get("/{key}", operation_id="get_event_type", summary="Get an event type")
async def get_event_type(request: Request, app: ReadTypes, key: TypeKey) -> EventTypeOut:
    """Show one event type."""
    return _out(await container_of(request).automation.event_types.get(app.id, key))


@router.delete("/{key}", operation_id="delete_event_type", summary="Delete an event type", status_code=204)
async def delete_event_type(
    request: Request, by: By, app: WriteTypes, key: TypeKey, only_check: OnlyCheck = False
) -> None:
    """Forget an event type; events of it that are stored stay in the history. Refused while a trigger needs it."""
    event_types = container_of(request).automation.event_types
    if only_check:
        await event_types.check_deletable(app.id, key)
    else:
        await event_types.delete(app.id, key, by=by)


def _out(row: EventType) -> EventTypeOut:
    return EventTypeOut(
        key=row.key,
        name=row.name,
        description=row.description,
        category=row.category,
        variables=row.variables,
        examples=list(row.examples),
        defaults=DefaultsOut(push=row.defaults.push, feed=row.defaults.feed),
        mandatory=row.mandatory,
        language=row.language,
        locales={
            tag: NamingOut(name=one.name, description=one.description, category=one.category)
            for tag, one in row.locales.items()
        },
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
