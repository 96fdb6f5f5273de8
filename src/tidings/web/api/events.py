"""Events: POST /events, one or many; GET /events, GET /events/{id}, POST /events/{id}/replay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Body as JsonBody
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import Event, EventStatus, Sought, Stored
from tidings.domain.permission import Permission
from tidings.services.events import Reported
from tidings.web.api.event_types import KEY
from tidings.web.api.message import YEARS, Name
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, Problem, listed
from tidings.web.api.triggers import FiringOut, firing_out
from tidings.web.auth import By, container_of, in_app
from tidings.web.errors import invalid_from, problem_body

MOST_AT_ONCE = 1_000
MOST_USERS = 1_000

SendEvents = Annotated[App, in_app(Permission.EVENT_SEND)]
ReadEvents = Annotated[App, in_app(Permission.EVENT_READ)]

router = APIRouter(prefix="/events", tags=["Events"])


def _counted(value: datetime) -> datetime:
    if value.year not in YEARS:
        raise ValueError(f"The year must lie between {YEARS[0]} and {YEARS[-1]}.")
    return value


class EventBody(Body):
    """Something that happened."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(examples=["conversation.escalated"])
    id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = Field(
        default=None, description="Your own id of it: the same one again is the same event, also a year later."
    )
    data: dict[str, Any] = Field(default={}, description="What the type's `variables` declare; up to 16 KiB of JSON.")
    users: list[Name] = Field(
        default=[], max_length=MOST_USERS, description="Whom it concerns, by your own ids.", examples=[["u-42"]]
    )
    actor: Name | None = Field(default=None, description="Who did it; they get no message of it.", examples=["u-7"])
    occurred_at: Annotated[AwareDatetime, AfterValidator(_counted)] | None = Field(
        default=None, description="With its zone; absent, now."
    )

    def reported(self) -> Reported:
        """Give it as the service takes it."""
        return Reported(self.type, self.id, self.data, tuple(self.users), self.actor, self.occurred_at)


class Taken(BaseModel):
    """An event that is stored; workers ask its triggers."""

    id: str
    duplicate: bool | None = Field(default=None, description="Only where it was stored before.")


class EventOut(BaseModel):
    """An event and what became of it."""

    id: str
    type: str
    key: str | None = Field(description="The `id` that its sender gave it.")
    data: dict[str, Any]
    users: list[str]
    actor: str | None
    status: EventStatus = Field(description="`queued` until its triggers were asked.")
    fault: str | None = Field(description="Why its triggers could not be asked.")
    replay_of: str | None
    occurred_at: datetime
    created_at: datetime
    done_at: datetime | None


class FiredEventOut(EventOut):
    """An event, what became of it, and what came of each trigger whose conditions held."""

    firings: list[FiringOut]


_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/EventBody"},
                        {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/EventBody"},
                            "minItems": 1,
                            "maxItems": MOST_AT_ONCE,
                        },
                    ]
                }
            }
        },
    }
}


@router.post(
    "",
    operation_id="report_events",
    summary="Report events",
    status_code=202,
    response_model_exclude_none=True,
    openapi_extra=_REQUEST,
)
async def report_events(
    request: Request, by: By, app: SendEvents, body: Annotated[Any, JsonBody()]
) -> Taken | list[Taken | Problem]:
    """Report what happened: one event, or up to 1 000 in an array. The workers ask the triggers of its type.

    An event alone that is not taken is an error; in an array each has its own answer, in their order: an `id`, or a
    problem. The answer waits for no trigger and no push service.
    """
    service = container_of(request).automation.events
    if not isinstance(body, list):
        (result,) = await service.report(app.id, [_event_from(body)], by=by)
        if isinstance(result, CatalogueError):
            raise result
        return _taken(result)
    if not 1 <= len(body) <= MOST_AT_ONCE:
        detail = f"Give 1 to {MOST_AT_ONCE} events at once; these are {len(body)}."
        raise CatalogueError(ErrorCode.INVALID_REQUEST, detail)
    results = await service.report(app.id, [_event_from(one) for one in body], by=by)
    return _answers(request, results)


@router.get("", operation_id="list_events", summary="List events")
async def list_events(
    request: Request,
    app: ReadEvents,
    type: Annotated[str | None, Query(max_length=100, pattern=KEY)] = None,
    user: Annotated[str | None, Query(min_length=1, max_length=200, description="Named in it, or its actor.")] = None,
    status: EventStatus | None = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[EventOut]:
    """List what happened, newest first."""
    sought = Sought(type=type, user=user, status=status)
    page = await container_of(request).automation.events.page(app.id, sought, cursor=cursor, limit=limit)
    return listed(page, event_out)


@router.get("/{event_id}", operation_id="get_event", summary="Get an event")
async def get_event(request: Request, app: ReadEvents, event_id: str) -> FiredEventOut:
    """Show one event, and what came of it."""
    automation = container_of(request).automation
    found = await automation.events.get(app.id, event_id)
    firings = [firing_out(one) for one in await automation.triggers.of_event(found)]
    return FiredEventOut(**event_out(found).model_dump(), firings=firings)


@router.post("/{event_id}/replay", operation_id="replay_event", summary="Replay an event", status_code=202)
async def replay_event(request: Request, by: By, app: SendEvents, event_id: str) -> Taken:
    """Let it happen again: a new event with the same data, which names this one as `replay_of`."""
    return Taken(id=await container_of(request).automation.events.replay(app.id, event_id, by=by))


def event_out(row: Event) -> EventOut:
    """Show an event."""
    return EventOut(
        id=row.public_id,
        type=row.type,
        key=row.key,
        data=row.data,
        users=list(row.users),
        actor=row.actor,
        status=row.status,
        fault=row.fault,
        replay_of=row.replay_of,
        occurred_at=row.occurred_at,
        created_at=row.created_at,
        done_at=row.done_at,
    )


def _event_from(value: object) -> Reported | CatalogueError:
    if not isinstance(value, dict):
        return CatalogueError(ErrorCode.INVALID_REQUEST, "An event is a JSON object.")
    try:
        return EventBody.model_validate(value).reported()
    except ValidationError as wrong:
        return invalid_from(
            [{**one, "loc": ("body", *one["loc"])} for one in wrong.errors()], content_type="", shape=EventBody
        )


def _taken(stored: Stored) -> Taken:
    return Taken(id=stored.public_id, duplicate=True if stored.known else None)


def _answers(request: Request, results: Sequence[Stored | CatalogueError]) -> list[Taken | Problem]:
    docs = request.app.state.docs_url
    return [
        _taken(one) if isinstance(one, Stored) else Problem.model_validate(problem_body(docs, one)) for one in results
    ]
