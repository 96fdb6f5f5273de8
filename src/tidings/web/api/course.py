"""GET /notifications/{id}/timeline: when people saw, clicked, closed and answered a notification."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.services.course import Point
from tidings.web.auth import container_of, in_app

router = APIRouter(prefix="/notifications", tags=["Notifications"])


class PointOut(BaseModel):
    """What was reported from `at` on, for as long as a step is."""

    at: datetime
    shown: int = 0
    clicked: int = 0
    closed: int = 0
    answered: int = 0


class TimelineOut(BaseModel):
    """What people did over time, from when it was sent to the last report, without a gap."""

    step_seconds: int = Field(description="How long each point is: a minute up to a week.")
    data: list[PointOut] = Field(description="120 points at most; none where nothing was reported, or is kept.")


@router.get(
    "/{notification_id}/timeline", operation_id="get_notification_timeline", summary="Get what people did over time"
)
async def get_timeline(
    request: Request, app: Annotated[App, in_app(Permission.MESSAGE_READ)], notification_id: str
) -> TimelineOut:
    """Count shows, clicks, closings and answers over time, in as short steps as 120 points allow.

    It is read from the receipts: once they had their time, only the notification's own counts are left.
    """
    course = await container_of(request).stats.courses.of(app.id, notification_id)
    return TimelineOut(step_seconds=int(course.step.total_seconds()), data=[_out(point) for point in course.points])


def _out(point: Point) -> PointOut:
    return PointOut(at=point.at, **{event.value: count for event, count in point.counts.items()})
