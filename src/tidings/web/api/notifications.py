"""Notifications: send, count, list, show, follow, pause, resume, cancel; and the test message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.campaign import Notification, NotificationStatus
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Message
from tidings.domain.permission import Permission
from tidings.domain.safety import HoldReason
from tidings.pipeline.flow import Idempotent
from tidings.services.notifications import Outcome
from tidings.services.tripwire import Terms
from tidings.web.api.accepted import Accepted, accepted_out
from tidings.web.api.audiences import channels_out, to_out
from tidings.web.api.content import ContentOut, content_of
from tidings.web.api.deliveries import DeliveryOut, delivery_out
from tidings.web.api.links import Text
from tidings.web.api.message import (
    Channels,
    NotificationBody,
    To,
    through,
)
from tidings.web.api.progress import Progress, check_room, follow
from tidings.web.api.relaying import audience_of, is_known, members_of
from tidings.web.api.shapes import FIRST_LIMIT, Body, CountsOut, Cursor, Limit, ListOf, counts_out, listed
from tidings.web.auth import By, container_of, in_app

MAX_KEY = 128

router = APIRouter(prefix="/notifications", tags=["Notifications"])
ReadMessages = Annotated[App, in_app(Permission.MESSAGE_READ)]
SendApp = Annotated[App, in_app(Permission.MESSAGE_SEND)]
test_router = APIRouter(tags=["Notifications"])


class HeldBody(Body):
    """What is to become of everything that the tripwire holds."""

    action: Literal["send", "cancel"]


class NotificationOut(ContentOut):
    """A notification: what it says, where it stands, and why some did not get it."""

    id: str
    status: NotificationStatus
    to: dict[str, Any]
    channels: list[str] = Field(description="What it goes through, of those that the audience has.")
    devices_known: bool = Field(description="False where a push service sends it on: it counts as one.")
    source: str
    event_type: str | None = Field(description="What it is about; people choose by it what they get.")
    trigger: str | None = Field(description="The trigger that made it.")
    event: str | None = Field(description="The event that it tells of; of a digest the newest.")
    held_because: HoldReason | None = Field(description="Why the tripwire holds it; null for all others.")
    counts: CountsOut
    reasons: dict[str, int] = Field(description="Why recipients failed, expired or were skipped.")
    answers: dict[str, int] | None = Field(default=None, description="How often each action was chosen.")
    created_at: datetime
    send_at: datetime
    expires_at: datetime
    finished_at: datetime | None


class CountBody(Body):
    """An audience to count."""

    to: To
    channels: Channels = None


class Count(BaseModel):
    """How many there are."""

    count: int
    devices_known: bool = Field(default=True, description="False, and else absent, where a push service sends on.")


class TestBody(Body):
    """Whom to test, and what to say."""

    user: str | None = Field(default=None, max_length=200, description="The App's own id, or an email address.")
    body: Text | None = None


async def idempotency_key(
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="1 to 128 printable characters, kept for 24 hours.")
    ] = None,
) -> str | None:
    """Check the header. Raises IDEMPOTENCY_KEY_INVALID. Not a plain function: FastAPI would ask a thread to call it."""
    if key is not None and not (1 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise CatalogueError(ErrorCode.IDEMPOTENCY_KEY_INVALID)
    return key


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


@router.post(
    "",
    operation_id="send_notification",
    summary="Send a notification",
    status_code=202,
    response_model_exclude_none=True,
)
async def send_notification(
    request: Request, by: By, response: Response, app: SendApp, body: NotificationBody, key: IdempotencyKey
) -> Accepted:
    """Store a notification; workers send it. With the same Idempotency-Key it is stored once, however often asked.

    Far more than the App has subscribers, or the same words to most of them again, is stored and held: `status` is
    `paused` and `held_because` says why.
    """
    container, idempotent = container_of(request), _idempotent(key, body)
    terms = Terms(expect_audience=body.expect_audience, confirm_volume=body.confirm_volume)
    try:
        _check_moment(body, now=container.clock.now())
        words = await templated(request, app, body)
        audience = await audience_of(container.phones.relays, container.people.segments, app.id, body, words)
        new = body.notification(app.id, audience, words)
        accepted = await container.notifications.send(new, idempotent=idempotent, terms=terms, by=by)
    except CatalogueError:
        # What it named may be gone, or its time past, since it was stored: asked again, it is the same all the same.
        known = None if idempotent is None else await container.notifications.replayed(app.id, idempotent)
        if known is None:
            raise
        accepted = known
    return accepted_out(response, accepted)


@router.post(
    "/held", operation_id="settle_held", summary="Send or cancel what is held", response_model_exclude_defaults=True
)
async def settle_held(request: Request, by: By, app: SendApp, body: HeldBody) -> Count:
    """Send everything that the tripwire holds, after which it counts anew, or cancel it; says how many there were."""
    settled = await container_of(request).notifications.settle_held(app.id, send=body.action == "send", by=by)
    return Count(count=settled)


@test_router.post(
    "/test",
    operation_id="send_test",
    summary="Send a test message",
    status_code=202,
    response_model_exclude_none=True,
)
async def send_test(
    request: Request, by: By, response: Response, app: SendApp, body: TestBody | None = None
) -> Accepted:
    """Send "Web Push is working" to a user's devices, or to the first subscribed user's."""
    wanted = body or TestBody()
    accepted = await container_of(request).notifications.test(app, user=wanted.user, body=wanted.body, by=by)
    return accepted_out(response, accepted)


@router.post("/count", operation_id="count_audience", summary="Count an audience", response_model_exclude_defaults=True)
async def count_audience(request: Request, app: ReadMessages, body: CountBody) -> Count:
    """Count the devices that a notification would go to now."""
    if body.to.relayed() is not None:
        return Count(count=1, devices_known=False)
    container = container_of(request)
    audience = through(await members_of(container.people.segments, app.id, body.to), body.channels)
    return Count(count=await container.notifications.count(app.id, audience))


@router.get("", operation_id="list_notifications", summary="List notifications")
async def list_notifications(
    request: Request, app: ReadMessages, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[NotificationOut]:
    """List notifications, newest first."""
    page = await container_of(request).notifications.page(app.id, cursor=cursor, limit=limit)
    return listed(page, notification_out)


@router.get("/{notification_id}", operation_id="get_notification", summary="Get a notification")
async def get_notification(request: Request, app: ReadMessages, notification_id: str) -> NotificationOut:
    """Show one notification with its counters."""
    service = container_of(request).notifications
    found = await service.get(app.id, notification_id)
    return notification_out(found, answers=await service.answers(found))


@router.get("/{notification_id}/deliveries", operation_id="list_deliveries", summary="List deliveries")
async def list_deliveries(
    request: Request,
    app: Annotated[App, in_app(Permission.APP_READ)],
    notification_id: str,
    limit: Annotated[int, Query(ge=1, le=200)] = FIRST_LIMIT,
    cursor: Cursor = None,
    outcome: Annotated[Outcome | None, Query(description="`missed` are all but `sent`.")] = None,
    reason: Annotated[str | None, Query(max_length=64, description="Why not, as in `reasons`.")] = None,
) -> ListOf[DeliveryOut]:
    """List the recipients that have reached their final state, and why; those of an outcome or a reason alone."""
    page = await container_of(request).notifications.deliveries(
        app.id, notification_id, cursor=cursor, limit=limit, outcome=outcome, reason=reason
    )
    return listed(page, delivery_out)


@router.post("/{notification_id}/pause", operation_id="pause_notification", summary="Pause")
async def pause_notification(request: Request, by: By, app: SendApp, notification_id: str) -> NotificationOut:
    """Stop for now; what is on its way still arrives."""
    return notification_out(await container_of(request).notifications.pause(app.id, notification_id, by=by))


@router.post("/{notification_id}/resume", operation_id="resume_notification", summary="Resume")
async def resume_notification(request: Request, by: By, app: SendApp, notification_id: str) -> NotificationOut:
    """Go on after a pause."""
    return notification_out(await container_of(request).notifications.resume(app.id, notification_id, by=by))


@router.post("/{notification_id}/cancel", operation_id="cancel_notification", summary="Cancel")
async def cancel_notification(request: Request, by: By, app: SendApp, notification_id: str) -> NotificationOut:
    """End it; who has not got it yet is skipped."""
    return notification_out(await container_of(request).notifications.cancel(app.id, notification_id, by=by))


async def _watched(
    request: Request,
    app: Annotated[App, in_app(Permission.MESSAGE_READ, watching=True)],
    notification_id: str,
) -> tuple[App, Notification]:
    # A dependency, because once a stream has begun there is no status left to say 404 with.
    check_room(request)
    return app, await container_of(request).notifications.get(app.id, notification_id)


@router.get(
    "/{notification_id}/progress",
    operation_id="follow_notification",
    summary="Follow the progress",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "`progress` events with a Progress each."}},
)
async def follow_notification(
    request: Request, watched: Annotated[tuple[App, Notification], Depends(_watched)]
) -> AsyncIterator[ServerSentEvent]:
    """Stream counters, rate and time left, twice a second at most, until the notification is final."""
    app, notification = watched
    async for progress in follow(request, app, notification):
        yield ServerSentEvent(event="progress", raw_data=progress.model_dump_json())


def notification_out(row: Notification, *, answers: dict[str, int] | None = None) -> NotificationOut:
    """Show a notification."""
    return NotificationOut(
        id=row.public_id,
        status=row.status,
        to=to_out(row.audience),
        channels=channels_out(row.audience),
        devices_known=is_known(row.audience),
        source=row.source,
        event_type=row.event_type,
        trigger=row.trigger,
        event=row.event,
        held_because=row.held_because,
        counts=counts_out(row.counts),
        reasons=row.reasons,
        answers=answers,
        created_at=row.created_at,
        send_at=row.send_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        **content_of(row.message),
    )


def _check_moment(body: NotificationBody, *, now: datetime) -> None:
    if body.send_at is not None and body.send_at + timedelta(seconds=body.ttl) <= now:
        fault = FieldFault("send_at", "That is so long ago that nobody would get it; leave it out to send now.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))


async def templated(request: Request, app: App, body: NotificationBody) -> Message | None:
    """Give the words of the template that a notification names; None where it has words of its own."""
    if body.template is None:
        return None
    return body.over(await container_of(request).templates.message(app, body.template, body.variables))


def _idempotent(key: str | None, body: NotificationBody) -> Idempotent | None:
    if key is None:
        return None
    asked = json.dumps(body.model_dump(mode="json", exclude_unset=True), sort_keys=True, separators=(",", ":"))
    return Idempotent(key, hashlib.sha256(asked.encode()).digest())


__all__ = ["Progress", "notification_out", "router", "test_router"]
