"""What is in the way of a notification before it is sent: POST /notifications/outlook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.message import Urgency
from tidings.domain.outlook import Matter
from tidings.domain.permission import Permission
from tidings.services.outlooks import Planned
from tidings.web.api.message import MAX_TTL, MIN_TTL, Channels, To, through
from tidings.web.api.relaying import members_of
from tidings.web.api.shapes import Body
from tidings.web.auth import container_of, in_app

router = APIRouter(prefix="/notifications", tags=["Notifications"])


class OutlookBody(Body):
    """A notification as far as it decides who gets it, and when."""

    to: To
    channels: Channels = None
    type: str | None = Field(default=None, max_length=100, examples=["topic.reply"])
    urgency: Urgency = Urgency.NORMAL
    ttl: int = Field(default=86_400, ge=MIN_TTL, le=MAX_TTL)


class ObstacleOut(BaseModel):
    """What keeps it from some devices."""

    matter: Matter = Field(
        description="`integration_paused`: it waits. `key_revoked`, `web_push_off`: they are skipped. "
        "`integration_removed`: they ended with their integration, and are not among `devices`."
    )
    provider: str
    integration: str | None = Field(description="Where it is mended; null where there is none.")
    label: str
    reason: str = Field(description="Why it is paused.")
    devices: int


class ReachedOut(BaseModel):
    """A way to devices."""

    provider: str
    service: str | None = Field(description="Of browsers, the origin of the push service; null in a large audience.")
    devices: int


class QuietOut(BaseModel):
    """Devices whose people have quiet hours now."""

    devices: int
    later: int = Field(description="Of these, told when the hours end.")
    never: int = Field(description="Of these, not told: the time to live ends before the hours. All others: told now.")
    until: datetime | None = Field(description="When the last of `later` is told.")


class OutlookOut(BaseModel):
    """What would become of it now."""

    devices: int = Field(description="As `POST /notifications/count` counts.")
    reached: list[ReachedOut]
    obstacles: list[ObstacleOut]
    quiet_hours: QuietOut | None = Field(description="Null where the audience is too large to ask each.")
    turned_off: int = Field(description="Devices whose people do not want to hear of this event type.")


@router.post("/outlook", operation_id="look_ahead", summary="Look ahead")
async def look_ahead(
    request: Request, app: Annotated[App, in_app(Permission.MESSAGE_READ)], body: OutlookBody
) -> OutlookOut:
    """Say what is in the way of a notification, and for whom it is quiet hours, before it is sent.

    Nothing is stored. Decided is as in sending: without a `type` nobody is asked, and quiet hours hold up nothing.
    """
    if body.to.relayed() is not None:
        return OutlookOut(devices=1, reached=[], obstacles=[], quiet_hours=None, turned_off=0)
    container = container_of(request)
    audience = through(await members_of(container.people.segments, app.id, body.to), body.channels)
    found = await container.outlooks.of(Planned(app.id, audience, body.type, body.urgency, body.ttl))
    obstacles = [
        ObstacleOut(
            matter=one.matter,
            provider=one.provider,
            integration=one.integration,
            label=one.label,
            reason=one.reason,
            devices=one.devices,
        )
        for one in found.obstacles
    ]
    quiet = None
    if found.quiet is not None:
        hours = found.quiet
        quiet = QuietOut(devices=hours.devices, later=hours.later, never=hours.never, until=hours.until)
    reached = [ReachedOut(provider=one.provider, service=one.origin, devices=one.devices) for one in found.reached]
    return OutlookOut(
        devices=found.devices, reached=reached, obstacles=obstacles, quiet_hours=quiet, turned_off=found.turned_off
    )
