"""Segments: GET, POST /segments; GET, PATCH, DELETE /segments/{id}; counts of both kinds; POST /conditions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from tidings.domain.app import App
from tidings.domain.filters import json_from_filter, text_from_filter
from tidings.domain.permission import Permission
from tidings.domain.segment import Segment
from tidings.services.segments import Place, conditions_from
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, OnlyCheck, listed
from tidings.web.auth import By, container_of, in_app

ReadSegments = Annotated[App, in_app(Permission.SEGMENT_READ)]
WriteSegments = Annotated[App, in_app(Permission.SEGMENT_WRITE)]
SeenApp = Annotated[App, in_app(Permission.APP_SEE)]

TEXT = 'user.plan == "pro" && subscription.last_seen_at.withinLast("30d")'
TREE: JsonDict = {
    "all": [
        {"field": "user.plan", "op": "equals", "value": "pro"},
        {"field": "subscription.last_seen_at", "op": "within_last", "value": "30d"},
    ]
}
SEGMENT: JsonDict = {
    "id": "seg_01jd8k3v5x0000000000000000",
    "name": "Pro, seen lately",
    "conditions": {"v": 1, **TREE},
    "conditions_text": TEXT,
    "created_at": "2026-11-26T12:00:00Z",
    "updated_at": "2026-11-26T12:00:00Z",
}

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(examples=["Pro, seen lately"]),
]
Conditions = Annotated[
    str | dict[str, Any],
    Field(description="As a text or as a tree, over user.* and subscription.*.", examples=[TEXT, TREE]),
]

router = APIRouter(tags=["Segments"])


class SegmentBody(Body):
    """A segment as it is to be."""

    name: Name
    conditions: Conditions


class SegmentChanges(Body):
    """What is to change; what is absent stays."""

    name: Name | None = None
    conditions: Conditions | None = None


class SegmentOut(BaseModel):
    """A segment, with its conditions in both forms."""

    model_config = ConfigDict(json_schema_extra={"examples": [SEGMENT]})

    id: str
    name: str
    conditions: dict[str, Any]
    conditions_text: str = Field(description="The conditions as they are read.")
    created_at: datetime
    updated_at: datetime


class ConditionsBody(Body):
    """Conditions that are kept nowhere yet."""

    conditions: Conditions


class ConditionsToRead(ConditionsBody):
    """Conditions to be read, and where they are to stand."""

    place: Place = Field(
        default=Place.SEGMENT, description="A segment asks for user.* and subscription.*, a trigger for event.* too."
    )


class ConditionsOut(BaseModel):
    """The same conditions in both forms."""

    conditions: dict[str, Any] = Field(examples=[{"v": 1, **TREE}])
    conditions_text: str = Field(examples=[TEXT])


class SegmentCount(BaseModel):
    """How many active devices conditions hold for."""

    count: int = Field(examples=[1_204])
    exact: bool = Field(description="False where it is reckoned from a part of more than 100 000 devices.")


@router.get("/segments", operation_id="list_segments", summary="List segments")
async def list_segments(
    request: Request,
    app: ReadSegments,
    name: Annotated[str | None, Query(max_length=100, description="Only the one with exactly this name.")] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[SegmentOut]:
    """List segments, newest first."""
    page = await container_of(request).people.segments.page(app.id, cursor=cursor, limit=limit, name=name)
    return listed(page, segment_out)


@router.post("/segments", operation_id="create_segment", summary="Create a segment", status_code=201)
async def create_segment(
    request: Request, response: Response, by: By, app: WriteSegments, body: SegmentBody
) -> SegmentOut:
    """Keep conditions under a name, to send to whoever they hold for at the time."""
    conditions = conditions_from(body.conditions)
    made = await container_of(request).people.segments.create(app.id, body.name, conditions, by=by)
    response.headers["Location"] = f"/api/v1/segments/{made.public_id}"
    return segment_out(made)


@router.post("/segments/count", operation_id="count_conditions", summary="Count for conditions")
async def count_conditions(request: Request, app: WriteSegments, body: ConditionsBody) -> SegmentCount:
    """Count the active devices that conditions hold for, before they are kept."""
    found = await container_of(request).people.segments.count(app.id, conditions_from(body.conditions))
    return SegmentCount(count=found.count, exact=found.exact)


@router.get("/segments/{segment_id}", operation_id="get_segment", summary="Get a segment")
async def get_segment(request: Request, app: ReadSegments, segment_id: str) -> SegmentOut:
    """Show one segment."""
    return segment_out(await container_of(request).people.segments.get(app.id, segment_id))


@router.patch("/segments/{segment_id}", operation_id="update_segment", summary="Change a segment")
async def update_segment(
    request: Request, by: By, app: WriteSegments, segment_id: str, body: SegmentChanges
) -> SegmentOut:
    """Change its name or its conditions; what is being sent to it goes on as it began."""
    conditions = None if body.conditions is None else conditions_from(body.conditions)
    changed = await container_of(request).people.segments.change(
        app.id, segment_id, name=body.name, conditions=conditions, by=by
    )
    return segment_out(changed)


@router.delete("/segments/{segment_id}", operation_id="delete_segment", summary="Delete a segment", status_code=204)
async def delete_segment(
    request: Request, by: By, app: WriteSegments, segment_id: str, only_check: OnlyCheck = False
) -> None:
    """Forget a segment; refused while a trigger, or a notification that is not finished, uses it."""
    segments = container_of(request).people.segments
    if only_check:
        await segments.check_deletable(app.id, segment_id)
    else:
        await segments.delete(app.id, segment_id, by=by)


@router.get("/segments/{segment_id}/count", operation_id="count_segment", summary="Count a segment")
async def count_segment(request: Request, app: ReadSegments, segment_id: str) -> SegmentCount:
    """Count the active devices that are in a segment now."""
    found = await container_of(request).people.segments.count_of(app.id, segment_id)
    return SegmentCount(count=found.count, exact=found.exact)


@router.post("/conditions", operation_id="read_conditions", summary="Read conditions")
async def read_conditions(app: SeenApp, body: ConditionsToRead) -> ConditionsOut:
    """Check conditions and give them in both forms: for editors that show the one beside the other."""
    tree = conditions_from(body.conditions, place=body.place)
    return ConditionsOut(conditions=json_from_filter(tree), conditions_text=text_from_filter(tree))


def segment_out(row: Segment) -> SegmentOut:
    """Show a segment."""
    return SegmentOut(
        id=row.public_id,
        name=row.name,
        conditions=json_from_filter(row.filter),
        conditions_text=text_from_filter(row.filter),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
