"""Templates: GET, POST /templates; GET, PUT, DELETE /templates/{id}; POST /templates/preview and /{id}/preview."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints, field_validator

from tidings.domain.app import App
from tidings.domain.errors import FieldFault
from tidings.domain.message import Action, Message, Rendered, Translation, Urgency
from tidings.domain.permission import Permission
from tidings.domain.template import NewTemplate, Template
from tidings.lib.liquid import LONGEST_SOURCE
from tidings.services.templates import Preview, previews
from tidings.web.api.content import ActionOut, SaidOut, said_of, words_of
from tidings.web.api.message import MAX_ACTIONS, MAX_DATA, MAX_TTL, MIN_TTL, Language, Name, Variables, short_data
from tidings.web.api.platforms import PlatformsBody
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Fault, Limit, ListOf, OnlyCheck, listed
from tidings.web.auth import By, check_also, container_of, in_app

EVENT_TYPE = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"

router = APIRouter(prefix="/templates", tags=["Templates"])
ReadTemplates = Annotated[App, in_app(Permission.TEMPLATE_READ)]
WriteTemplates = Annotated[App, in_app(Permission.TEMPLATE_WRITE)]

Source = Annotated[str, StringConstraints(max_length=LONGEST_SOURCE)]
"""Liquid."""


class ActionSource(Body):
    """A button; its title and link are Liquid. One whose title comes out empty is left out."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SOURCE)]
    url: Source | None = None


class VariantBody(Body):
    """What it says in another language; what is absent is as in the template itself."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SOURCE)] | None = None
    body: Source | None = None
    url: Source | None = None
    actions: dict[Name, Name] = Field(default={}, max_length=MAX_ACTIONS, description="Titles by the id of the action.")


class ContentBody(Body):
    """What a template says: texts and links are Liquid."""

    language: Language = Field(default="en", description="Of its own words; `locales` has the others.")
    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SOURCE)] = Field(
        examples=["{{ author.name }} replied"]
    )
    body: Source = Field(default="", examples=["in {{ topic.title | truncate: 60 }}"])
    url: Source | None = Field(default=None, examples=["https://www.example.com/topics/{{ topic.id }}"])
    icon: Source | None = None
    image: Source | None = None
    badge_count: int | None = Field(default=None, ge=0, le=99_999)
    actions: list[ActionSource] = Field(default=[], max_length=MAX_ACTIONS)
    ttl: int = Field(default=86_400, ge=MIN_TTL, le=MAX_TTL, description="Seconds the push services keep it.")
    urgency: Urgency = Urgency.NORMAL
    collapse_id: Source | None = Field(default=None, examples=["topic-{{ topic.id }}"])
    data: dict[str, Any] = Field(default={}, description=f"Texts in it are Liquid; up to {MAX_DATA} bytes of JSON.")
    locales: dict[Language, VariantBody] = Field(default={}, max_length=50)
    platforms: PlatformsBody = Field(default=PlatformsBody(), description="Texts in it are Liquid, links are not.")

    @field_validator("data")
    @classmethod
    def _short(cls, value: dict[str, Any]) -> dict[str, Any]:
        return short_data(value)

    @field_validator("actions")
    @classmethod
    def _distinct(cls, value: list[ActionSource]) -> list[ActionSource]:
        if len({action.id for action in value}) != len(value):
            raise ValueError("Two actions have the same id.")
        return value

    def template(self, name: str = "", event_type: str | None = None) -> NewTemplate:
        """Give what is to be kept."""
        message = Message(
            title=self.title,
            body=self.body,
            url=self.url,
            icon=self.icon,
            image=self.image,
            badge_count=self.badge_count,
            actions=tuple(Action(one.id, one.title, one.url) for one in self.actions),
            ttl=self.ttl,
            urgency=self.urgency,
            collapse_id=self.collapse_id,
            data=self.data,
            locales={
                tag: Translation(one.title, one.body, one.url, dict(one.actions)) for tag, one in self.locales.items()
            },
            platforms=self.platforms.platforms(),
        )
        return NewTemplate(name, message, event_type, self.language)


class TemplateBody(ContentBody):
    """A template to be kept."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] = Field(
        examples=["New reply"]
    )
    event_type: Annotated[str, StringConstraints(max_length=100, pattern=EVENT_TYPE)] | None = Field(
        default=None, examples=["topic.replied"], description="The event whose variables it reads."
    )


class TemplateOut(SaidOut):
    """A template: its words, and how often they were changed."""

    id: str
    name: str
    event_type: str | None
    language: str
    version: int
    created_at: datetime
    updated_at: datetime


class With(Body):
    """What a template is shown with."""

    variables: Variables | None = Field(
        default=None,
        description="Data as an event or your server would bring it; absent, the first example of the event type.",
    )
    event: str | None = Field(
        default=None, max_length=64, description="Id of an event whose data to use instead; needs `event.read`."
    )
    user: str | None = Field(
        default=None, max_length=200, description="A user's id, to see it as they would; needs `app.read`."
    )


class PreviewBody(With):
    """A template that is not kept yet, and what it is shown with."""

    template: ContentBody
    event_type: Annotated[str, StringConstraints(max_length=100, pattern=EVENT_TYPE)] | None = None


class ShownOut(BaseModel):
    """What a template says in one language; `error` says why it would not be sent."""

    language: str
    title: str | None
    body: str | None
    url: str | None
    icon: str | None
    image: str | None
    actions: list[ActionOut]
    collapse_id: str | None
    data: dict[str, Any]
    platforms: dict[str, dict[str, Any]] = Field(description="What differs on single platforms.")
    error: Fault | None
    warnings: list[Fault] = Field(description="What is cut, and what some devices do not show.")


class PreviewOut(BaseModel):
    """A template in each of its languages, and the data that it was filled with."""

    variables: dict[str, Any]
    languages: list[ShownOut]


@router.get("", operation_id="list_templates", summary="List templates")
async def list_templates(
    request: Request, app: ReadTemplates, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[TemplateOut]:
    """List templates, newest first."""
    return listed(await container_of(request).templates.page(app.id, cursor=cursor, limit=limit), template_out)


@router.post("", operation_id="create_template", summary="Create a template", status_code=201)
async def create_template(
    request: Request, response: Response, by: By, app: WriteTemplates, body: TemplateBody
) -> TemplateOut:
    """Keep words with gaps; every tag, filter and variable is checked now."""
    new = body.template(body.name, body.event_type)
    made = await container_of(request).templates.create(app, new, by=by)
    response.headers["Location"] = f"/api/v1/templates/{made.public_id}"
    return template_out(made)


@router.post("/preview", operation_id="preview_words", summary="Preview words that are not kept yet")
async def preview_words(request: Request, app: ReadTemplates, body: PreviewBody) -> PreviewOut:
    """Show what a template would say, while it is being written."""
    return await _shown(request, app, body.template.template(event_type=body.event_type), body)


@router.get("/{template_id}", operation_id="get_template", summary="Get a template")
async def get_template(request: Request, app: ReadTemplates, template_id: str) -> TemplateOut:
    """Show one template."""
    return template_out(await container_of(request).templates.get(app.id, template_id))


@router.put("/{template_id}", operation_id="replace_template", summary="Replace a template")
async def replace_template(
    request: Request, by: By, app: WriteTemplates, template_id: str, body: TemplateBody
) -> TemplateOut:
    """Put other words in its place. What is queued already keeps the words it was made with."""
    new = body.template(body.name, body.event_type)
    return template_out(await container_of(request).templates.change(app.id, template_id, new, by=by))


@router.delete("/{template_id}", operation_id="delete_template", summary="Delete a template", status_code=204)
async def delete_template(
    request: Request, by: By, app: WriteTemplates, template_id: str, only_check: OnlyCheck = False
) -> None:
    """Remove a template; refused while a trigger uses it. What is queued already keeps the words it was made with."""
    templates = container_of(request).templates
    if only_check:
        await templates.check_deletable(app.id, template_id)
    else:
        await templates.delete(app.id, template_id, by=by)


@router.post("/{template_id}/preview", operation_id="preview_template", summary="Preview a template")
async def preview_template(request: Request, app: ReadTemplates, template_id: str, body: With) -> PreviewOut:
    """Show what a template says in each of its languages, to somebody or to nobody in particular."""
    found = await container_of(request).templates.get(app.id, template_id)
    return await _shown(request, app, NewTemplate(found.name, found.message, found.event_type, found.language), body)


async def _shown(request: Request, app: App, new: NewTemplate, given: With) -> PreviewOut:
    # Words can say everything that is kept of a person, and of an event: who reads them must be allowed to read that.
    if given.user is not None:
        check_also(request, app, Permission.APP_READ)
    if given.event is not None:
        check_also(request, app, Permission.EVENT_READ)
    person = await container_of(request).templates.person(app.id, given.user)
    variables = given.variables
    if variables is None:
        variables = await container_of(request).templates.data(app.id, event=given.event, event_type=new.event_type)
    shown = [_shown_out(one) for one in previews(new, {**variables, "app": {"name": app.name}}, person)]
    return PreviewOut(variables=variables, languages=shown)


def template_out(row: Template) -> TemplateOut:
    """Show a template."""
    return TemplateOut(
        id=row.public_id,
        name=row.name,
        event_type=row.event_type,
        language=row.language,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        **said_of(row.message),
    )


def _shown_out(shown: Preview) -> ShownOut:
    nothing = Rendered("", "", None, None, None, None, (), Urgency.NORMAL, None, None, {})
    words = words_of(shown.rendered or nothing)
    if shown.rendered is None:
        words |= {"title": None, "body": None}
    return ShownOut(
        language=shown.language,
        error=_fault(shown.fault) if shown.fault else None,
        warnings=[_fault(one) for one in shown.warnings],
        **words,
    )


def _fault(fault: FieldFault) -> Fault:
    return Fault(field=fault.field, message=fault.message)
