"""GET /subscriptions/{id}/deliveries: what was sent to one device, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.services.timelines import Told
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.auth import container_of, in_app

router = APIRouter(prefix="/subscriptions", tags=["Subscriptions"])


class ToldOut(BaseModel):
    """One notification at one device."""

    notification: str
    title: str
    status: str
    reason: str = Field(description="`sent`, or why not.")
    attempt: int
    at: datetime


@router.get(
    "/{subscription_id}/deliveries",
    operation_id="list_subscription_deliveries",
    summary="List what was sent to a subscription",
)
async def list_deliveries(
    request: Request,
    app: Annotated[App, in_app(Permission.MESSAGE_READ)],
    subscription_id: str,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[ToldOut]:
    """List what was sent to a device, newest first, with the reason of what did not arrive."""
    page = await container_of(request).timelines.page(app.id, subscription_id, cursor=cursor, limit=limit)
    return listed(page, _out)


def _out(row: Told) -> ToldOut:
    return ToldOut(
        notification=row.notification.public_id,
        title=row.notification.message.title,
        status=row.settled.status.name.lower(),
        reason=row.settled.reason,
        attempt=row.settled.attempt,
        at=row.at,
    )
