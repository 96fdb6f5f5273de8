"""What webhooks were told: GET /webhooks/{id}/messages and .../{message}, POST .../replay and /webhooks/{id}/replay."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from tidings.domain.webhook import MessageStatus, WebhookMessage
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, listed
from tidings.web.api.webhooks import MessageOut, ReadWebhooks, TryOut, WebhookId, WriteWebhooks, try_out
from tidings.web.auth import By, container_of

MessageId = Annotated[str, Path(min_length=1, max_length=64)]
Status = Annotated[MessageStatus | None, Query(description="Only those that stand so.")]

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])


class MessageDetailsOut(MessageOut):
    """A message with its tries, newest first, and with what it says now."""

    attempts: list[TryOut]
    content: list[dict[str, Any]] = Field(
        description="The events as they would be told now; of people who were erased meanwhile there is nothing."
    )


class ReplayBody(Body):
    """Which messages are to be sent again."""

    since: AwareDatetime
    until: AwareDatetime | None = Field(default=None, description="Absent, up to now.")
    status: MessageStatus | None = Field(
        default=MessageStatus.FAILED, description="`failed`, `delivered`, or null for both."
    )


class ReplayedOut(BaseModel):
    """How many messages are sent again."""

    messages: int


@router.get("/{webhook_id}/messages", operation_id="list_webhook_messages", summary="List what a webhook was told")
async def list_webhook_messages(
    request: Request,
    app: ReadWebhooks,
    webhook_id: WebhookId,
    status: Status = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[MessageOut]:
    """List the messages of the last 14 days, newest first."""
    service = container_of(request).automation.webhooks
    return listed(await service.messages(app.id, webhook_id, cursor=cursor, limit=limit, status=status), message_out)


@router.get(
    "/{webhook_id}/messages/{message_id}",
    operation_id="get_webhook_message",
    summary="Get one message with its tries",
)
async def get_webhook_message(
    request: Request, app: ReadWebhooks, webhook_id: WebhookId, message_id: MessageId
) -> MessageDetailsOut:
    """Show what a message says, and how each try to tell it went."""
    found = await container_of(request).automation.webhooks.message(app.id, webhook_id, message_id)
    return MessageDetailsOut(
        **message_out(found.message).model_dump(),
        attempts=[try_out(one) for one in found.attempts],
        content=found.events,
    )


@router.post(
    "/{webhook_id}/messages/{message_id}/replay",
    operation_id="replay_webhook_message",
    summary="Send one message again",
    status_code=202,
)
async def replay_webhook_message(
    request: Request, by: By, app: WriteWebhooks, webhook_id: WebhookId, message_id: MessageId
) -> MessageOut:
    """Have a message sent again under the same id; one that waits is sent anyway."""
    return message_out(await container_of(request).automation.webhooks.replay(app.id, webhook_id, message_id, by=by))


@router.post(
    "/{webhook_id}/replay", operation_id="replay_webhook", summary="Send the messages of a time again", status_code=202
)
async def replay_webhook(
    request: Request, by: By, app: WriteWebhooks, webhook_id: WebhookId, body: ReplayBody
) -> ReplayedOut:
    """Have the messages made within a time sent again, each under its id: those that failed, unless you say others."""
    service = container_of(request).automation.webhooks
    count = await service.replay_range(
        app.id, webhook_id, since=body.since, until=body.until, status=body.status, by=by
    )
    return ReplayedOut(messages=count)


def message_out(one: WebhookMessage) -> MessageOut:
    """Show a message."""
    return MessageOut(
        id=one.public_id,
        status=one.status,
        events=one.events,
        tries=one.tries,
        test=one.test,
        created_at=one.created_at,
        next_try_at=one.due_at if one.status is MessageStatus.WAITING else None,
        done_at=one.done_at,
        last_status=one.last_status,
        last_failure=one.last_failure,
    )
