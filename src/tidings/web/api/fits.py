"""How a notification would fit each way to devices: POST /notifications/fit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.permission import Permission
from tidings.domain.showing import Shown
from tidings.services.fits import Fit, fits
from tidings.web.api.message import NotificationBody
from tidings.web.api.notifications import templated
from tidings.web.auth import check_also, container_of, in_app

router = APIRouter(prefix="/notifications", tags=["Notifications"])


class SizeOut(BaseModel):
    """Bytes for one push service."""

    service: str = Field(description="A push service that takes less than the others; empty for all others.")
    size: int = Field(description="Bytes as the service counts them, in the longest of the languages.")
    largest: int
    fits: bool


class UnshownOut(BaseModel):
    """A member of the message that the system does not simply show."""

    member: str
    shown: Shown = Field(description="`partly`: by some; `app`: the device's app has to; `no`: nothing comes of it.")
    words: str


class FitOut(BaseModel):
    """One way to devices."""

    channel: str
    fault: str = Field(description="Why nothing can be sent there; empty if it can.")
    sizes: list[SizeOut]
    unshown: list[UnshownOut]


class FitsOut(BaseModel):
    """All ways that the App has."""

    channels: list[FitOut]


@router.post("/fit", operation_id="fit_notification", summary="Measure a notification")
async def fit_notification(
    request: Request, app: Annotated[App, in_app(Permission.MESSAGE_READ)], body: NotificationBody
) -> FitsOut:
    """Say of a notification how many bytes it has for each channel of the App, and what is not shown there.

    Nothing is stored and nobody is counted. Of a template its gaps are not filled: a filled one may be longer.
    A key needs `template.read` besides to name a template.
    """
    if body.template is not None:
        check_also(request, app, Permission.TEMPLATE_READ)
    container = container_of(request)
    there = await container.credentials.integrations(app.id)
    channels = {one.provider for one in there if one.configured} & set(body.channels or [one.provider for one in there])
    message = body.notification(app.id, Everyone(), await templated(request, app, body)).message
    return FitsOut(channels=[_out(one) for one in fits(message, channels=channels)])


def _out(one: Fit) -> FitOut:
    sizes = [SizeOut(service=size.service, size=size.size, largest=size.largest, fits=size.fits) for size in one.sizes]
    unshown = [UnshownOut(member=name, shown=found.shown, words=found.words) for name, found in one.unshown]
    return FitOut(channel=one.channel, fault=one.fault, sizes=sizes, unshown=unshown)
