"""The bodies of the public API, decoded in one step and documented in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tidings.domain.receipt import ReceiptEvent

PRINTABLE = r"^[^\x00-\x1f\x7f]*$(?!\n)"
"""No control characters: no id, language or tag has one, PostgreSQL keeps no NUL, and terminals obey the others.

`$` alone lets a line break at the end pass."""

DeviceId = Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]
Secret = Annotated[str, Meta(max_length=128)]
Key = Annotated[str, Meta(max_length=256)]
TagName = Annotated[str, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
TagValue = Annotated[str, Meta(max_length=256, pattern=PRINTABLE)]


DeviceToken = Annotated[str, Meta(min_length=1, max_length=4096, pattern=PRINTABLE)]
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=PRINTABLE)]


class PushKeys(Struct, frozen=True):
    """The browser's public key and secret, in base64url."""

    p256dh: Key
    auth: Key


class PushSubscription(Struct, frozen=True):
    """`PushSubscription.toJSON()`, as the browser gives it."""

    endpoint: str
    keys: PushKeys


class UserRef(Struct, frozen=True):
    """Who is signed in on the site; the token is their id signed by the site's server."""

    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=PRINTABLE)]
    token: Annotated[str, Meta(max_length=256)] | None = None


class SubscribeBody(Struct, frozen=True):
    """A browser registers or refreshes its subscription; `id` and `secret` are those of its last registration."""

    subscription: PushSubscription
    vapid_key: Annotated[str, Meta(max_length=128, pattern=PRINTABLE)] | None = None
    user: UserRef | None = None
    locale: Annotated[str, Meta(max_length=35, pattern=PRINTABLE)] | None = None
    time_zone: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)] | None = None
    tags: Annotated[dict[TagName, TagValue], Meta(max_length=50)] | None = None
    id: DeviceId | None = None
    secret: Secret | None = None


class DeviceBody(Struct, frozen=True):
    """An app registers or refreshes its device; `id` and `secret` are those of its last registration.

    `token` is what the system gave the app: FCM's registration token (or `fid`), or Apple's device token in hex.
    """

    provider: Annotated[str, Meta(max_length=16, pattern=PRINTABLE)]
    token: DeviceToken | None = None
    fid: DeviceToken | None = None
    environment: Word | None = None
    bundle_id: Word | None = None
    integration: DeviceId | None = None
    kind: Word | None = None
    push_magic: Word | None = None
    user: UserRef | None = None
    locale: Annotated[str, Meta(max_length=35, pattern=PRINTABLE)] | None = None
    time_zone: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)] | None = None
    tags: Annotated[dict[TagName, TagValue], Meta(max_length=50)] | None = None
    device: Annotated[str, Meta(max_length=200, pattern=PRINTABLE)] | None = None
    app_version: Word | None = None
    id: DeviceId | None = None
    secret: Secret | None = None


class LeaveBody(Struct, frozen=True):
    """An app turns its device off; it names its id or its token."""

    secret: Secret
    token: DeviceToken | None = None
    id: DeviceId | None = None
    reason: Literal["turned_off", "permission_revoked"] | None = None


class SubscribeAnswer(Struct, frozen=True, omit_defaults=True):
    """The device's id, its secret (only when it is new or has proved itself) and its status."""

    id: str
    status: str
    secret: str | None = None


class UnsubscribeBody(Struct, frozen=True):
    """A browser turns itself off; it names its endpoint or, where that is gone with the permission, its id."""

    secret: Secret
    endpoint: Annotated[str, Meta(max_length=2048)] | None = None
    id: DeviceId | None = None
    reason: Literal["turned_off", "permission_revoked"] | None = None


class DeviceTagsBody(Struct, frozen=True):
    """A device sets tags of its own; one set to null is taken away."""

    id: DeviceId
    secret: Secret
    tags: dict[str, str | None]


class TagsAnswer(Struct, frozen=True):
    """What the device carries now."""

    tags: dict[str, str]


class DeviceEventBody(Struct, frozen=True):
    """Something happened on the page; `event` is the page's own id of it, so that telling it twice stores it once."""

    id: DeviceId
    secret: Secret
    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=PRINTABLE)]
    properties: dict[str, Any] = {}
    event: Annotated[str, Meta(min_length=1, max_length=64, pattern=PRINTABLE)] | None = None


class EventAnswer(Struct, frozen=True):
    """The stored event."""

    id: str


class VapidKeyAnswer(Struct, frozen=True):
    """The key to subscribe with: 87 characters."""

    public_key: str


class ReceiptBody(Struct, frozen=True):
    """What a person did with a notification; delivery and token come from its payload."""

    delivery: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]
    token: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]
    event: ReceiptEvent
    action: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)] = ""


SHAPES = (
    SubscribeBody,
    SubscribeAnswer,
    DeviceBody,
    LeaveBody,
    UnsubscribeBody,
    VapidKeyAnswer,
    ReceiptBody,
    DeviceTagsBody,
    TagsAnswer,
    DeviceEventBody,
    EventAnswer,
)
"""What the OpenAPI document shows."""

subscribe_decoder = msgspec.json.Decoder(SubscribeBody)
device_decoder = msgspec.json.Decoder(DeviceBody)
leave_decoder = msgspec.json.Decoder(LeaveBody)
unsubscribe_decoder = msgspec.json.Decoder(UnsubscribeBody)
receipt_decoder = msgspec.json.Decoder(ReceiptBody)
tags_decoder = msgspec.json.Decoder(DeviceTagsBody)
event_decoder = msgspec.json.Decoder(DeviceEventBody)
