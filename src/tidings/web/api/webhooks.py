"""Webhooks: GET, POST /webhooks; GET, PATCH, DELETE /webhooks/{id}; POST /webhooks/{id}/secret, /test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.domain.webhook import DisabledBecause, MessageStatus, NewWebhook, Webhook, WebhookAttempt, WebhookEvent
from tidings.lib.egress import MAX_URL
from tidings.services.webhooks import Changes, Revealed
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, caller_of, check_recent, container_of, in_app

LONGEST_OVERLAP = 7 * 86_400
DAY = 86_400

ReadWebhooks = Annotated[App, in_app(Permission.WEBHOOK_READ)]
WriteWebhooks = Annotated[App, in_app(Permission.WEBHOOK_WRITE)]
RecentWriter = Annotated[App, in_app(Permission.WEBHOOK_WRITE, recent=True)]
WebhookId = Annotated[str, Path(min_length=1, max_length=64)]

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    Field(description="An https URL of a public host.", examples=["https://hooks.example.com/tidings"]),
]
Kinds = Annotated[
    list[WebhookEvent],
    Field(min_length=1, max_length=len(WebhookEvent), description="What it is told."),
]
Description = Annotated[
    str, StringConstraints(max_length=200), Field(description="What people call it.", examples=["Our CRM"])
]

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])


class WebhookBody(Body):
    """Where to tell what."""

    url: Url
    events: Kinds
    description: Description = ""
    enabled: bool = True


class WebhookChanges(Body):
    """What is to be changed; what is not named stays."""

    url: Url | None = None
    events: Kinds | None = None
    description: Description | None = None
    enabled: bool | None = Field(
        default=None, description="Turned on, it begins anew; what happened while it was off is not told."
    )


class RotateBody(Body):
    """How long the secret holds that is replaced."""

    keep_seconds: int = Field(
        default=DAY, ge=0, le=LONGEST_OVERLAP, description="Seconds for which everything is signed with both."
    )


class WebhookOut(BaseModel):
    """A webhook."""

    id: str
    url: str
    events: list[WebhookEvent]
    description: str
    enabled: bool
    disabled_because: DisabledBecause | None = Field(
        description="Why Tidings turned it off: it failed for five days, or answered 410."
    )
    failures: int = Field(description="Tries in a row that failed.")
    failing_since: datetime | None
    succeeded_at: datetime | None = Field(description="When it last took something.")
    earlier_secret_until: datetime | None = Field(description="Until when the earlier secret signs too.")
    created_at: datetime
    updated_at: datetime


class RevealedOut(WebhookOut):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class TestOut(BaseModel):
    """How a test event went."""

    message: str = Field(description="Its id, as in `webhook-id` and in the log.")
    delivered: bool
    status: int | None = Field(description="What the receiver answered; null where nothing came back.")
    failure: str = Field(description="Why nothing came back.", examples=["timeout"])
    seconds: float
    answer: str = Field(description="The beginning of an answer that was not a 2xx, escaped.")


class TryOut(BaseModel):
    """One try to tell it."""

    at: datetime
    status: int | None = Field(description="What the receiver answered; null where nothing came back.")
    failure: str = Field(description="Why nothing came back.", examples=["timeout", "dns", "tls"])
    seconds: float
    answer: str = Field(description="The beginning of an answer that was not a 2xx, escaped.")


class MessageOut(BaseModel):
    """One request to a webhook: up to 1 000 events."""

    id: str = Field(description="The same in every try: `webhook-id`.")
    status: MessageStatus
    events: int
    tries: int = Field(description="Tries since it was made, or since it was last sent again by hand.")
    test: bool
    created_at: datetime
    next_try_at: datetime | None
    done_at: datetime | None
    last_status: int | None
    last_failure: str = Field(
        description="Why no answer came; `never_told` where three days passed before it could be tried."
    )


@router.get("", operation_id="list_webhooks", summary="List webhooks")
async def list_webhooks(request: Request, app: ReadWebhooks) -> ListOf[WebhookOut]:
    """List webhooks, newest first; an App has at most 20."""
    found = await container_of(request).automation.webhooks.all(app.id)
    return ListOf(data=[webhook_out(one) for one in found])


@router.post("", operation_id="create_webhook", summary="Create a webhook", status_code=201)
async def create_webhook(
    request: Request, response: Response, by: By, app: RecentWriter, body: WebhookBody
) -> RevealedOut:
    """Tell a server of yours what happens from now on. The secret to check signatures with is shown this once."""
    new = NewWebhook(body.url, _once(body.events), body.description, body.enabled)
    made = await container_of(request).automation.webhooks.create(app.id, new, by=by)
    response.headers["Location"] = f"/api/v1/webhooks/{made.webhook.public_id}"
    return _revealed(made)


@router.get("/{webhook_id}", operation_id="get_webhook", summary="Get a webhook")
async def get_webhook(request: Request, app: ReadWebhooks, webhook_id: WebhookId) -> WebhookOut:
    """Show one webhook."""
    return webhook_out(await container_of(request).automation.webhooks.get(app.id, webhook_id))


@router.patch("/{webhook_id}", operation_id="change_webhook", summary="Change a webhook")
async def change_webhook(
    request: Request, by: By, app: WriteWebhooks, webhook_id: WebhookId, body: WebhookChanges
) -> WebhookOut:
    """Change URL, events or description, or turn it on or off; another URL, or more events, asks who you are again."""
    webhooks = container_of(request).automation.webhooks
    kinds = None if body.events is None else _once(body.events)
    known = await webhooks.get(app.id, webhook_id)
    if body.url not in (None, known.url) or not set(kinds or ()) <= set(known.kinds):
        check_recent(request, caller_of(request))
    changes = Changes(body.url, kinds, body.description, body.enabled)
    return webhook_out(await webhooks.change(app.id, webhook_id, changes, by=by))


@router.delete("/{webhook_id}", operation_id="delete_webhook", summary="Delete a webhook", status_code=204)
async def delete_webhook(request: Request, by: By, app: WriteWebhooks, webhook_id: WebhookId) -> None:
    """Forget a webhook with its log; what it was not told yet, it is not told."""
    await container_of(request).automation.webhooks.delete(app.id, webhook_id, by=by)


@router.post("/{webhook_id}/secret", operation_id="rotate_webhook_secret", summary="Replace the secret")
async def rotate_webhook_secret(
    request: Request, by: By, app: RecentWriter, webhook_id: WebhookId, body: RotateBody
) -> RevealedOut:
    """Give a new secret, shown this once; for a while everything is signed with both, and then with it alone."""
    keep = timedelta(seconds=body.keep_seconds)
    return _revealed(await container_of(request).automation.webhooks.rotate(app.id, webhook_id, keep=keep, by=by))


@router.post("/{webhook_id}/test", operation_id="test_webhook", summary="Send a test event")
async def test_webhook(request: Request, by: By, app: WriteWebhooks, webhook_id: WebhookId) -> TestOut:
    """Send a `webhook.test` event now, also to a webhook that is off, and say how it went. It is not tried again."""
    message, attempt = await container_of(request).automation.webhooks.test(app.id, webhook_id, by=by)
    tried = try_out(attempt).model_dump(exclude={"at"})
    return TestOut(message=message.public_id, delivered=attempt.succeeded, **tried)


def webhook_out(one: Webhook) -> WebhookOut:
    """Show a webhook."""
    return WebhookOut(
        id=one.public_id,
        url=one.url,
        events=list(one.kinds),
        description=one.description,
        enabled=one.enabled,
        disabled_because=one.disabled_because,
        failures=one.failures,
        failing_since=one.failing_since,
        succeeded_at=one.succeeded_at,
        earlier_secret_until=one.earlier_until,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def try_out(attempt: WebhookAttempt) -> TryOut:
    """Show a try."""
    return TryOut(
        at=attempt.at,
        status=attempt.status,
        failure=attempt.failure,
        seconds=attempt.seconds,
        answer=attempt.answer,
    )


def _revealed(made: Revealed) -> RevealedOut:
    return RevealedOut(**webhook_out(made.webhook).model_dump(), secret=made.secret)


def _once(kinds: list[WebhookEvent]) -> tuple[WebhookEvent, ...]:
    return tuple(kind for kind in WebhookEvent if kind in kinds)
