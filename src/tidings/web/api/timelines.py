"""What came of what was sent: GET /subscriptions/{id}/deliveries of a device, /users/{id}/deliveries of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tidings.domain.absence import Absence, AbsenceReason
from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.services.timelines import Heard, Told
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.api.users import ExternalId
from tidings.web.auth import check_also, container_of, in_app

ReadMessages = Annotated[App, in_app(Permission.MESSAGE_READ)]

router = APIRouter(tags=["Subscriptions"])


class ToldOut(BaseModel):
    """One notification at one device."""

    notification: str
    title: str
    status: str
    reason: str = Field(description="`sent`, or why not.")
    attempt: int
    at: datetime


class ArrivalOut(BaseModel):
    """What became of a notification at one device."""

    subscription: str
    device: str | None
    provider: str
    status: str
    reason: str = Field(description="`sent`, or why not.")
    attempt: int
    at: datetime


class AbsenceOut(BaseModel):
    """Why nothing of a notification was sent to a person, as far as it is known now."""

    reason: AbsenceReason
    because: list[str] = Field(description="What decided it: comparisons that do not hold, tags, how devices ended.")
    at: datetime | None = Field(description="Since when they have a device, or when it is to be sent.")


class HeardOut(BaseModel):
    """One notification at a person's devices."""

    notification: str
    title: str = Field(description="As the person reads it.")
    at: datetime = Field(description="When it was to be sent.")
    devices: list[ArrivalOut]
    absence: AbsenceOut | None = Field(description="Why it was sent to none of their devices.")


@router.get(
    "/users/{external_id:path}/deliveries",
    operation_id="list_user_deliveries",
    summary="List what was sent to a user",
    tags=["Users"],
)
async def list_user_deliveries(
    request: Request,
    app: ReadMessages,
    external_id: ExternalId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
    every: Annotated[bool, Query(description="Also what was sent to none of their devices, and why.")] = False,
) -> ListOf[HeardOut]:
    """List what was sent to a person's devices, newest first: why somebody did not get yesterday's notification.

    With `every`, also what was not, with its `absence`, but for what names others alone; a page may be shorter then.
    Somebody whom only devices name is found too. It shows a person and their devices: a key needs `app.read` besides.
    """
    check_also(request, app, Permission.APP_READ)
    page = await container_of(request).timelines.of_person(app.id, external_id, cursor=cursor, limit=limit, every=every)
    return listed(page, _heard_out)


@router.get(
    "/users/{external_id:path}/deliveries/{notification_id}",
    operation_id="explain_delivery",
    summary="Say why a user got a notification or not",
    tags=["Users"],
)
async def explain_delivery(
    request: Request, app: ReadMessages, external_id: ExternalId, notification_id: str
) -> HeardOut:
    """Say what became of a notification at a person's devices, or why nothing of it was sent to any.

    It shows a person and their devices: a key needs `app.read` besides.
    """
    check_also(request, app, Permission.APP_READ)
    return _heard_out(await container_of(request).timelines.of_one(app.id, external_id, notification_id))


@router.get(
    "/subscriptions/{subscription_id}/deliveries",
    operation_id="list_subscription_deliveries",
    summary="List what was sent to a subscription",
)
async def list_deliveries(
    request: Request,
    app: ReadMessages,
    subscription_id: str,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[ToldOut]:
    """List what was sent to a device, newest first, with the reason of what did not arrive.

    It shows a person's device: a key needs `app.read` besides.
    """
    check_also(request, app, Permission.APP_READ)
    page = await container_of(request).timelines.page(app.id, subscription_id, cursor=cursor, limit=limit)
    return listed(page, _out)


def _heard_out(row: Heard) -> HeardOut:
    return HeardOut(
        notification=row.notification.public_id,
        title=row.title,
        at=row.notification.send_at,
        devices=[
            ArrivalOut(
                subscription=one.device.public_id,
                device=one.device.device,
                provider=one.device.provider,
                status=one.settled.status.name.lower(),
                reason=one.settled.reason,
                attempt=one.settled.attempt,
                at=one.at,
            )
            for one in row.arrivals
        ],
        absence=_absence_out(row.absence) if row.absence else None,
    )


def _absence_out(of: Absence) -> AbsenceOut:
    return AbsenceOut(reason=of.reason, because=[*of.because], at=of.at)


def _out(row: Told) -> ToldOut:
    return ToldOut(
        notification=row.notification.public_id,
        title=row.notification.message.title,
        status=row.settled.status.name.lower(),
        reason=row.settled.reason,
        attempt=row.settled.attempt,
        at=row.at,
    )
