"""Broadcast channels of an integration: made at the push service, listed, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.providers import Channel
from tidings.services.relays import ChannelDetails
from tidings.web.api.integrations import Label
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, listed
from tidings.web.auth import By, container_of, in_app

WriteApp = Annotated[App, in_app(Permission.INTEGRATION_WRITE)]

router = APIRouter(prefix="/integrations", tags=["Integrations"])


class NewChannel(Body):
    """A channel to make, or one that was made elsewhere to be known here."""

    label: Label = Field(examples=["Final, Saturday"])
    environment: Literal["production", "sandbox"] | None = Field(
        default=None, description="Absent, that of the integration."
    )
    keeps: bool = Field(
        default=False, description="Whether Apple keeps the last message for devices that are away, for some hours."
    )
    channel: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_-]{8,128}$")] | None = Field(
        default=None, description="Apple's id of a channel that is there already; absent, a new one is made."
    )


class ChannelOut(BaseModel):
    """A channel: send to it with `to: {"apns_channel": id}`, and let apps follow it by Apple's id."""

    id: str
    label: str
    channel: str = Field(description="Apple's id, which the app follows it by.")
    environment: str
    keeps: bool
    created_at: datetime
    last_active_at: datetime | None = Field(description="When Apple last took a message for it.")


@router.post("/{integration}/channels", operation_id="create_channel", summary="Make a channel", status_code=201)
async def create_channel(request: Request, by: By, app: WriteApp, integration: str, body: NewChannel) -> ChannelOut:
    """Make a broadcast channel for Live Activities at Apple; all who follow it get what is sent to it."""
    relays = container_of(request).phones.relays
    if body.channel is not None:
        known = Channel(body.channel, body.keeps, body.environment or "")
        return _out(await relays.adopt_channel(app.id, integration, known, label=body.label, by=by))
    made = await relays.create_channel(
        app.id, integration, label=body.label, environment=body.environment, keeps=body.keeps, by=by
    )
    return _out(made)


@router.get("/{integration}/channels", operation_id="list_channels", summary="List channels")
async def list_channels(
    request: Request,
    app: Annotated[App, in_app(Permission.APP_READ)],
    integration: str,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[ChannelOut]:
    """List the broadcast channels of an integration, newest first."""
    page = await container_of(request).phones.relays.channels(app.id, integration, cursor=cursor, limit=limit)
    return listed(page, _out)


@router.delete(
    "/{integration}/channels/{channel}", operation_id="delete_channel", summary="Delete a channel", status_code=204
)
async def delete_channel(request: Request, by: By, app: WriteApp, integration: str, channel: str) -> None:
    """End it at Apple and here; whoever follows it gets nothing more."""
    await container_of(request).phones.relays.delete_channel(app.id, integration, channel, by=by)


def _out(found: ChannelDetails) -> ChannelOut:
    relay, channel = found.relay, found.channel
    return ChannelOut(
        id=relay.public_id,
        label=relay.label,
        channel=channel.id,
        environment=channel.environment,
        keeps=channel.keeps,
        created_at=relay.created_at,
        last_active_at=relay.last_active_at,
    )
