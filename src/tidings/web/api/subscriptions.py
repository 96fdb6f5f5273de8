"""Subscriptions: list, show, tag, delete, import, export."""

from __future__ import annotations

from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.domain.subscription import Subscription, SubscriptionStatus
from tidings.domain.tracked import TrackedEvent
from tidings.services.devices import place_of
from tidings.services.formats import Format
from tidings.services.registration import Registration
from tidings.services.transfers import IN_MEMORY
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, ProviderName, listed
from tidings.web.api.suspected import SuspectedOut, suspected_out
from tidings.web.auth import By, container_of, in_app

router = APIRouter(prefix="/subscriptions", tags=["Subscriptions"])
ReadApp = Annotated[App, in_app(Permission.APP_READ)]


class SubscriptionOut(BaseModel):
    """One browser or device; its address and keys are never shown."""

    id: str
    provider: str
    origin: str = Field(description="The push service that holds it.")
    user: str | None
    status: SubscriptionStatus
    status_reason: str | None
    device: str | None
    app_version: str | None = Field(description="Of an app: the version that it said it has.")
    locale: str | None
    time_zone: str | None
    tags: dict[str, str]
    created_at: datetime
    last_active_at: datetime | None = Field(description="The last notification delivered.")
    last_seen_at: datetime = Field(description="The last visit.")
    suspected: SuspectedOut | None = Field(
        description="Only of a device whose token looks as if it belonged elsewhere."
    )


class TagsBody(Body):
    """Tags to set; one set to null is taken away."""

    tags: dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=256)] | None] = (
        Field(max_length=50, examples=[{"plan": "pro"}])
    )


class NewDevice(Body):
    """A device with an app, as the App's server registers it."""

    provider: ProviderName
    token: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        default=None, description="FCM's registration token, or Apple's device token in hex."
    )
    fid: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        default=None, description="Firebase installation id, in place of a token."
    )
    environment: Literal["production", "sandbox"] | None = Field(default=None, description="Of Apple's devices.")
    bundle_id: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="Of Apple's devices.")
    integration: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Needed only where several integrations fit."
    )
    kind: Annotated[str, Field(max_length=32)] | None = Field(
        default=None, description="Of Apple's tokens that are not the app's own: `voip`, `liveactivity`, `widgets`, ..."
    )
    push_magic: Annotated[str, Field(max_length=128)] | None = Field(default=None, description="Of managed devices.")
    user: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The App's own id of its user; absent, a known device keeps whom it has."
    )
    locale: Annotated[str, Field(max_length=35)] | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    tags: dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=256)]] | None = (
        Field(default=None, max_length=50)
    )
    device: Annotated[str, Field(max_length=200)] | None = Field(default=None, examples=["Pixel 10"])
    app_version: Annotated[str, Field(max_length=200)] | None = Field(default=None, examples=["4.2.0"])


class DeviceRegistered(BaseModel):
    """The device's id and status; the secret only when it is new: the app may refresh itself with it."""

    id: str
    status: SubscriptionStatus
    secret: str | None


class EventOut(BaseModel):
    """Something that happened on a device's page."""

    id: str
    name: str
    properties: dict[str, Any]
    user: str | None = Field(description="Whose device it was then.")
    at: datetime


class ImportFault(BaseModel):
    """A row that was refused, counted from 1 without the heading."""

    row: int
    message: str


class ImportResult(BaseModel):
    """What became of a file."""

    added: int
    known: int = Field(description="Devices that were here already; they stay as they were.")
    refused: int
    errors: list[ImportFault] = Field(description="The first 1 000 refused rows.")


@router.get("", operation_id="list_subscriptions", summary="List subscriptions")
async def list_subscriptions(
    request: Request,
    app: ReadApp,
    status: SubscriptionStatus | None = None,
    user: Annotated[str | None, Query(max_length=200, description="The App's own id of a user.")] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[SubscriptionOut]:
    """List browsers and devices, newest first."""
    page = await container_of(request).subscriptions.page(app.id, cursor=cursor, limit=limit, status=status, user=user)
    return listed(page, subscription_out)


@router.post(
    "",
    operation_id="register_subscription",
    summary="Register a device with an app",
    status_code=201,
    responses={200: {"model": DeviceRegistered, "description": "The device was known; it is as it says now."}},
)
async def register_subscription(
    request: Request, response: Response, app: Annotated[App, in_app(Permission.SUBSCRIPTION_WRITE)], body: NewDevice
) -> DeviceRegistered:
    """Register or refresh a device by its token. Apps can do so themselves: `POST /v1/{app}/push/devices`."""
    fields = body.model_dump(exclude_none=True)
    registered = await container_of(request).phones.devices.register(
        app,
        Registration(
            subscription=place_of(fields),
            user_id=body.user,
            locale=body.locale,
            time_zone=body.time_zone,
            tags=body.tags,
            device=body.device,
            app_version=body.app_version,
        ),
        trusted=True,
    )
    row = registered.subscription
    if not registered.created:
        response.status_code = 200
    return DeviceRegistered(id=row.public_id, status=row.status, secret=registered.secret)


@router.get(
    "/export",
    operation_id="export_subscriptions",
    summary="Export subscriptions",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}, "description": "One subscription a line."}},
)
async def export_subscriptions(
    request: Request, by: By, app: Annotated[App, in_app(Permission.SUBSCRIPTION_EXPORT, recent=True)]
) -> StreamingResponse:
    """Give every subscription with endpoint and keys, one JSON object a line. Treat the file as a secret."""
    await container_of(request).transfers.note_export(app.id, by=by)
    return StreamingResponse(
        container_of(request).transfers.write_out(app.id),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="subscriptions.ndjson"', "Cache-Control": "no-store"},
    )


@router.post(
    "/import",
    operation_id="import_subscriptions",
    summary="Import subscriptions",
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "JSON, NDJSON or CSV of web-push, Pushpad, OneSignal or django-push-notifications.",
            "content": {name: {} for name in ("application/x-ndjson", "application/json", "text/csv")},
        }
    },
)
async def import_subscriptions(
    request: Request,
    by: By,
    app: Annotated[App, in_app(Permission.SUBSCRIPTION_IMPORT)],
    format: Annotated[Format, Query(description="`auto` looks at the first character.")] = Format.AUTO,
    vapid_key: Annotated[
        str | None, Query(max_length=128, description="Public key they were made with; import its private half first.")
    ] = None,
) -> ImportResult:
    """Store the good rows of a file; the others come back with their row number and what is wrong."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        async for chunk in request.stream():
            file.write(chunk)
        result = await container_of(request).transfers.take_in(app.id, file, format=format, vapid_key=vapid_key, by=by)
    return ImportResult(
        added=result.added,
        known=result.known,
        refused=result.refused,
        errors=[ImportFault(row=row, message=message) for row, message in result.faults],
    )


@router.get("/{subscription_id}", operation_id="get_subscription", summary="Get a subscription")
async def get_subscription(request: Request, app: ReadApp, subscription_id: str) -> SubscriptionOut:
    """Show one browser or device."""
    return subscription_out(await container_of(request).subscriptions.get(app.id, subscription_id))


@router.patch("/{subscription_id}", operation_id="update_subscription", summary="Change a subscription's tags")
async def update_subscription(
    request: Request,
    by: By,
    app: Annotated[App, in_app(Permission.SUBSCRIPTION_WRITE)],
    subscription_id: str,
    body: TagsBody,
) -> SubscriptionOut:
    """Set tags, and take away those that are null."""
    return subscription_out(
        await container_of(request).subscriptions.set_tags(app.id, subscription_id, body.tags, by=by)
    )


@router.delete(
    "/{subscription_id}", operation_id="delete_subscription", summary="Delete a subscription", status_code=204
)
async def delete_subscription(
    request: Request, by: By, app: Annotated[App, in_app(Permission.SUBSCRIPTION_DELETE)], subscription_id: str
) -> None:
    """Forget a browser or device with its address."""
    await container_of(request).subscriptions.delete(app.id, subscription_id, by=by)


@router.get(
    "/{subscription_id}/events", operation_id="list_subscription_events", summary="List a subscription's events"
)
async def list_events(
    request: Request, app: ReadApp, subscription_id: str, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[EventOut]:
    """List what the device's page reported with `Tidings.track`, newest first; it is kept for 90 days."""
    page = await container_of(request).tracking.page(app.id, subscription_id, cursor=cursor, limit=limit)
    return listed(page, _event_out)


def _event_out(row: TrackedEvent) -> EventOut:
    return EventOut(id=row.public_id, name=row.name, properties=row.properties, user=row.user_external_id, at=row.at)


def subscription_out(row: Subscription) -> SubscriptionOut:
    """Show a subscription as people see it."""
    return SubscriptionOut(
        id=row.public_id,
        provider=row.provider,
        origin=row.origin,
        user=row.user_external_id,
        status=row.status,
        status_reason=row.status_reason,
        device=row.device,
        app_version=row.app_version,
        locale=row.locale,
        time_zone=row.time_zone,
        tags=row.tags,
        created_at=row.created_at,
        last_active_at=row.last_active_at,
        last_seen_at=row.last_seen_at,
        suspected=suspected_out(row.suspected),
    )
