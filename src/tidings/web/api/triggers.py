"""Triggers: GET, POST /triggers; GET, PUT, DELETE /triggers/{id}; GET /triggers/{id}/firings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError
from tidings.domain.filters import Filter, filter_from, json_from_filter, text_from_filter
from tidings.domain.message import Urgency
from tidings.domain.permission import Permission
from tidings.domain.rules import json_from_rule, rule_from_json
from tidings.domain.trigger import (
    Activity,
    Definition,
    Digest,
    Firing,
    FiringOutcome,
    FiringReason,
    Throttle,
    Trigger,
    Unless,
    Words,
)
from tidings.web.api.content import said_of
from tidings.web.api.event_types import KEY
from tidings.web.api.message import MAX_TTL, MIN_TTL, Channels
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, listed
from tidings.web.api.templates import ContentBody
from tidings.web.auth import By, container_of, in_app

LONGEST_WINDOW = 31 * 86_400
LONGEST_DELAY = 7 * 86_400

ReadTriggers = Annotated[App, in_app(Permission.TRIGGER_READ)]
WriteTriggers = Annotated[App, in_app(Permission.TRIGGER_WRITE)]

TypeKey = Annotated[str, StringConstraints(pattern=KEY, max_length=100)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Paths = Annotated[list[Path], Field(max_length=5, examples=[["event.error.type"]])]

router = APIRouter(prefix="/triggers", tags=["Events"])


class ThrottleBody(Body):
    """At most so many firings for a key."""

    key: Paths = Field(default=[], description="Fields of the event; none counts all of them together.")
    count: int = Field(default=1, ge=1, le=1_000)
    window: int | None = Field(
        default=None, ge=1, le=LONGEST_WINDOW, description="Seconds from the first; null is ever, once and for all."
    )


class UnlessBody(Body):
    """What takes a waiting message back."""

    event_type: TypeKey
    key: Paths = Field(description="Fields that both events have, by which one is told to belong to the other.")


class DigestBody(Body):
    """What happens within a window is told in one message."""

    window: int = Field(ge=10, le=LONGEST_WINDOW, description="Seconds from the first event.")
    key: Paths = Field(default=[], description="Fields of the event; a digest for each of their values.")


class TriggerBody(Body):
    """A trigger as it is to be from now on."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    event_type: TypeKey = Field(examples=["conversation.escalated"])
    conditions: str | dict[str, Any] | None = Field(
        default=None,
        description="As a text or as a tree, over event.*, actor.* and user.*.",
        examples=['event.severity == "error"'],
    )
    audience: dict[str, Any] = Field(
        description='{"users": "event"}, {"users_where": conditions}, {"followers": "topic:{{topic.id}}"}, '
        '{"segment": "seg_..."}, {"everyone": true} or {"union": [...]}; `except_actor` beside it is true unless said.',
        examples=[{"users_where": 'user.role in ["owner", "admin"]'}],
        max_length=3,
    )
    template: Annotated[str, StringConstraints(min_length=1, max_length=64)] | ContentBody = Field(
        description="The id of a template, or words in Liquid.", examples=[{"title": "{{ bot.name }} needs you"}]
    )
    channels: Channels = Field(default=None, description="Only those who are reached so; absent, everybody.")
    throttle: ThrottleBody | None = None
    delay: int = Field(default=0, ge=0, le=LONGEST_DELAY, description="Seconds until it is sent.")
    unless: UnlessBody | None = Field(default=None, description="With `delay`: what takes it back before it is sent.")
    digest: DigestBody | None = None
    urgency: Urgency | None = Field(default=None, description="In place of the template's.")
    ttl: int | None = Field(default=None, ge=MIN_TTL, le=MAX_TTL, description="In place of the template's.")
    enabled: bool = True

    def definition(self) -> Definition:
        """Give what is to be kept. Raises FILTER_INVALID and AUDIENCE_INVALID."""
        inline = None if isinstance(self.template, str) else self.template.template()
        return Definition(
            name=self.name,
            event_type=self.event_type,
            audience=rule_from_json(self.audience),
            words=Words(
                template=self.template if isinstance(self.template, str) else None,
                message=inline.message if inline else None,
                language=inline.language if inline else "en",
            ),
            conditions=None if self.conditions is None else _conditions(self.conditions),
            channels=tuple(self.channels) if self.channels else None,
            throttle=Throttle(tuple(self.throttle.key), self.throttle.count, self.throttle.window)
            if self.throttle
            else None,
            delay=self.delay,
            unless=Unless(self.unless.event_type, tuple(self.unless.key)) if self.unless else None,
            digest=Digest(self.digest.window, tuple(self.digest.key)) if self.digest else None,
            urgency=self.urgency,
            ttl=self.ttl,
            enabled=self.enabled,
        )


def _conditions(form: str | dict[str, Any]) -> Filter:
    try:
        return filter_from(form)
    except CatalogueError as error:
        raise error.within("conditions") from None


class ActivityOut(BaseModel):
    """What came of the newest events whose conditions it held for, up to 200."""

    fired: int
    suppressed: int
    waiting: int = Field(description="For their delay or their digest.")
    last_fired_at: datetime | None = Field(description="Null where none of them fired it.")


class TriggerOut(BaseModel):
    """A trigger."""

    id: str
    name: str
    event_type: str
    conditions: dict[str, Any] | None
    conditions_text: str | None = Field(description="The conditions as they are read.")
    audience: dict[str, Any]
    audience_text: dict[str, Any] = Field(description="The audience with its conditions as they are read.")
    template: str | dict[str, Any]
    channels: list[str] | None
    throttle: ThrottleBody | None
    delay: int
    unless: UnlessBody | None
    digest: DigestBody | None
    urgency: Urgency | None
    ttl: int | None
    enabled: bool
    activity: ActivityOut
    created_at: datetime
    updated_at: datetime


class FiringOut(BaseModel):
    """What came of an event and a trigger whose conditions held."""

    event: str
    trigger: str = Field(description="Empty where it was deleted since.")
    outcome: FiringOutcome
    reason: FiringReason = Field(description="Why nothing was sent; empty where something was, or will be.")
    notifications: list[str]
    at: datetime


@router.get("", operation_id="list_triggers", summary="List triggers")
async def list_triggers(
    request: Request,
    app: ReadTriggers,
    event_type: Annotated[str | None, Query(max_length=100, pattern=KEY)] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[TriggerOut]:
    """List triggers, newest first."""
    service = container_of(request).automation.triggers
    page = await service.page(app.id, cursor=cursor, limit=limit, event_type=event_type)
    lately = dict(zip((row.id for row in page.data), await service.activity(page.data), strict=True))
    return listed(page, lambda row: trigger_out(row, lately[row.id]))


@router.post("", operation_id="create_trigger", summary="Create a trigger", status_code=201)
async def create_trigger(
    request: Request, response: Response, by: By, app: WriteTriggers, body: TriggerBody
) -> TriggerOut:
    """Keep what is to be sent to whom when something happens; every field, variable and id is checked now."""
    made = await container_of(request).automation.triggers.create(app.id, body.definition(), by=by)
    response.headers["Location"] = f"/api/v1/triggers/{made.public_id}"
    return trigger_out(made, Activity())


@router.get("/{trigger_id}", operation_id="get_trigger", summary="Get a trigger")
async def get_trigger(request: Request, app: ReadTriggers, trigger_id: str) -> TriggerOut:
    """Show one trigger."""
    service = container_of(request).automation.triggers
    found = await service.get(app.id, trigger_id)
    (lately,) = await service.activity([found])
    return trigger_out(found, lately)


@router.put("/{trigger_id}", operation_id="replace_trigger", summary="Replace a trigger")
async def replace_trigger(
    request: Request, by: By, app: WriteTriggers, trigger_id: str, body: TriggerBody
) -> TriggerOut:
    """Put another definition in its place; what waits to be sent is sent by the new one."""
    service = container_of(request).automation.triggers
    changed = await service.change(app.id, trigger_id, body.definition(), by=by)
    (lately,) = await service.activity([changed])
    return trigger_out(changed, lately)


@router.delete("/{trigger_id}", operation_id="delete_trigger", summary="Delete a trigger", status_code=204)
async def delete_trigger(request: Request, by: By, app: WriteTriggers, trigger_id: str) -> None:
    """Forget a trigger; what waits to be sent is not sent any more."""
    await container_of(request).automation.triggers.delete(app.id, trigger_id, by=by)


@router.get("/{trigger_id}/firings", operation_id="list_firings", summary="List what came of a trigger")
async def list_firings(
    request: Request, app: ReadTriggers, trigger_id: str, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[FiringOut]:
    """List the events whose conditions it held for, newest first, with what was sent or why nothing was."""
    page = await container_of(request).automation.triggers.firings(app.id, trigger_id, cursor=cursor, limit=limit)
    return listed(page, firing_out)


def _content_out(words: Words) -> dict[str, Any]:
    assert words.message is not None
    return {"language": words.language, **said_of(words.message)}


def firing_out(row: Firing) -> FiringOut:
    """Show what came of it."""
    return FiringOut(
        event=row.event,
        trigger=row.trigger,
        outcome=row.outcome,
        reason=row.reason,
        notifications=list(row.notifications),
        at=row.at,
    )


def trigger_out(row: Trigger, lately: Activity) -> TriggerOut:
    """Show a trigger."""
    one = row.definition
    words = one.words
    return TriggerOut(
        id=row.public_id,
        name=one.name,
        event_type=one.event_type,
        conditions=None if one.conditions is None else json_from_filter(one.conditions),
        conditions_text=None if one.conditions is None else text_from_filter(one.conditions),
        audience=json_from_rule(one.audience),
        audience_text=json_from_rule(one.audience, texts=True),
        template=words.template or _content_out(words),
        channels=None if one.channels is None else list(one.channels),
        throttle=ThrottleBody(key=list(one.throttle.key), count=one.throttle.count, window=one.throttle.window)
        if one.throttle
        else None,
        delay=one.delay,
        unless=UnlessBody(event_type=one.unless.event_type, key=list(one.unless.key)) if one.unless else None,
        digest=DigestBody(window=one.digest.window, key=list(one.digest.key)) if one.digest else None,
        urgency=one.urgency,
        ttl=one.ttl,
        enabled=one.enabled,
        activity=ActivityOut(
            fired=lately.fired,
            suppressed=lately.suppressed,
            waiting=lately.waiting,
            last_fired_at=lately.last_fired_at,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
