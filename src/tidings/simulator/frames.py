"""What Firefox says on its push socket (Mozilla's autopush protocol, by `messageType`)."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec


class Hello(msgspec.Struct, tag="hello", tag_field="messageType"):
    """The first message: `uaid` is the device's name if it has one."""

    uaid: str | None = None


class Register(msgspec.Struct, tag="register", tag_field="messageType"):
    """Ask for an endpoint; `key` is the VAPID public key in padded base64url."""

    channelID: uuid.UUID  # noqa: N815 - Mozilla's name
    key: str | None = None


class Unregister(msgspec.Struct, tag="unregister", tag_field="messageType"):
    """End a subscription; 200 by the page, 201 quota used up, 202 permission withdrawn."""

    channelID: uuid.UUID  # noqa: N815 - Mozilla's name
    code: int | None = None


class Update(msgspec.Struct):
    """One message that was handled."""

    version: str


class Ack(msgspec.Struct, tag="ack", tag_field="messageType"):
    """Messages that were handled, delivered or not."""

    updates: list[Update] = []


class Nack(msgspec.Struct, tag="nack", tag_field="messageType"):
    """A message that could not be handled."""

    version: str = ""
    code: int | None = None


class Ping(msgspec.Struct, tag="ping", tag_field="messageType"):
    """Is the service still there."""


class Broadcasts(msgspec.Struct, tag="broadcast_subscribe", tag_field="messageType"):
    """Asks for news of Mozilla's own, of which there are none here."""

    broadcasts: dict[str, Any] = {}


Said = Hello | Register | Unregister | Ack | Nack | Ping | Broadcasts
READER: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
