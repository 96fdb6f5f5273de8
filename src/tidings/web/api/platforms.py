"""`platforms` of a notification: what it says differently on Android, on Apple's systems and in browsers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, StringConstraints, field_validator, model_validator

from tidings.domain.platforms import ActivityEvent, ApplePush, Interruption, Platforms, Visibility, Wake
from tidings.web.api.links import Image, Link, Text, Title
from tidings.web.api.shapes import Body

MAX_PAYLOAD = 4_096
"""Bytes of `apns.payload` as JSON."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Moment = Annotated[int, Field(ge=0, le=32_503_680_000)]
Count = Annotated[int, Field(ge=0, le=99_999)]


class AndroidBody(Body):
    """For Android apps, through FCM."""

    title: Title | None = None
    body: Text | None = None
    image: Image | None = None
    icon: Word | None = Field(default=None, description="Name of a drawable of the app.")
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] | None = None
    sound: Word | None = Field(default=None, description="`default`, or a file in the app's res/raw.")
    channel_id: Word | None = None
    click_action: Word | None = None
    ticker: Title | None = None
    tag: Word | None = Field(default=None, description="Replaces a shown notification with the same tag.")
    badge: Count | None = Field(default=None, description="The number that launchers show (notification_count).")
    sticky: bool = False
    local_only: bool = False
    visibility: Visibility | None = None
    priority: Wake | None = Field(default=None, description="Without it, `high` for urgency high and `normal` else.")
    restricted_package_name: Word | None = None
    direct_boot_ok: bool = False
    data_only: bool = Field(default=False, description="No notification: the app gets the data and shows it itself.")


class LocalisedBody(Body):
    """Words of the app's own."""

    key: Word = Field(description="A key of the app's Localizable.strings.")
    args: list[Text] = Field(default=[], max_length=32, description="What fills the gaps of its text.")


class LiveActivityBody(Body):
    """Start, update or end a Live Activity; moments in Unix seconds."""

    event: ActivityEvent
    timestamp: Moment = Field(description="When it was so; a device leaves out what is older than what it shows.")
    content_state: dict[str, Any] | None = None
    stale_date: Moment | None = None
    dismissal_date: Moment | None = None
    attributes_type: Word | None = None
    attributes: dict[str, Any] | None = None
    input_push_token: bool = False
    input_push_channel: Word | None = None
    alert: bool = Field(default=False, description="Title and body light up the screen; a start always does.")

    @model_validator(mode="after")
    def _whole(self) -> LiveActivityBody:
        begins = ("attributes_type", "attributes")
        if self.event is ActivityEvent.START:
            missing = [name for name in (*begins, "content_state") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"A start needs `{missing[0]}`.")
            if self.input_push_token and self.input_push_channel:
                raise ValueError("An activity is updated by token or by channel, not by both.")
            return self
        given = [name for name in (*begins, "input_push_channel", "input_push_token") if getattr(self, name)]
        if given:
            raise ValueError(f"Only a start has `{given[0]}`.")
        if self.event is ActivityEvent.UPDATE and self.content_state is None:
            raise ValueError("An update needs `content_state`.")
        return self


class ApnsBody(Body):
    """For apps on iOS, iPadOS and macOS, through APNs or FCM."""

    title: Title | None = None
    subtitle: Title | None = None
    body: Text | None = None
    badge: Count | None = Field(default=None, description="0 takes the badge away.")
    sound: Word | None = Field(default=None, description="`default`, or a file in the app's bundle.")
    volume: Annotated[float, Field(ge=0, le=1)] | None = Field(default=None, description="Makes the alert critical.")
    thread_id: Word | None = None
    category: Word | None = None
    target_content_id: Word | None = None
    interruption_level: Interruption | None = None
    relevance_score: Annotated[float, Field(ge=0, le=100)] | None = Field(
        default=None, description="0 to 1; of a Live Activity to 100."
    )
    mutable_content: bool = Field(default=False, description="A service extension of the app may change it.")
    background: bool = Field(default=False, description="Nothing is shown; the app is woken for the data.")
    priority: Literal[1, 5, 10] | None = None
    payload: dict[str, Any] = Field(default={}, description="Members beside `aps`; up to 4 096 bytes of JSON.")
    push_type: ApplePush | None = Field(default=None, description="`alert` if absent; each goes to tokens of its kind.")
    content_available: bool = Field(default=False, description="Wakes the app too, beside what is shown.")
    silent: bool = Field(default=False, description="No sound; else urgency normal and high have the default one.")
    once: bool = Field(default=False, description="Apple keeps it for no device that is away.")
    collapse_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]+$")] | None = None
    launch_image: Word | None = None
    filter_criteria: Word | None = None
    title_localised: LocalisedBody | None = None
    subtitle_localised: LocalisedBody | None = None
    body_localised: LocalisedBody | None = None
    live_activity: LiveActivityBody | None = None

    @field_validator("payload")
    @classmethod
    def _beside(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "aps" in value:
            raise ValueError("`aps` is written from the other fields; put only your own members here.")
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > MAX_PAYLOAD:
            raise ValueError(f"This is {size} bytes of JSON; {MAX_PAYLOAD} is the most.")
        return value

    @model_validator(mode="after")
    def _possible(self) -> ApnsBody:
        kind = self.push_type or (ApplePush.BACKGROUND if self.background else ApplePush.ALERT)
        if self.background and kind is not ApplePush.BACKGROUND:
            raise ValueError("`background` is a push type of its own; leave one of the two out.")
        if kind is ApplePush.BACKGROUND and self.priority in (1, 10):
            raise ValueError("Apple refuses a background push of priority 10; leave `priority` out, or set 5.")
        if (kind is ApplePush.LIVE_ACTIVITY) is not (self.live_activity is not None):
            raise ValueError('`live_activity` belongs to `"push_type": "liveactivity"`, and to no other.')
        if kind is not ApplePush.LIVE_ACTIVITY and (self.relevance_score or 0) > 1:
            raise ValueError("`relevance_score` is from 0 to 1 here.")
        if self.silent and (self.sound is not None or self.volume is not None):
            raise ValueError("It is either silent or has a sound.")
        return self


class WebBody(Body):
    """For browsers, through Web Push."""

    title: Title | None = None
    body: Text | None = None
    url: Link | None = None
    icon: Image | None = None
    image: Image | None = None


class PlatformsBody(Body):
    """What the message says differently on one kind of device."""

    android: AndroidBody | None = None
    apns: ApnsBody | None = None
    webpush: WebBody | None = None

    def platforms(self) -> Platforms:
        """Give the domain's form."""
        return msgspec.convert(self.model_dump(mode="json", exclude_unset=True), Platforms)


def platforms_out(platforms: Platforms) -> dict[str, Any]:
    """Give what differs, under the names it was sent with."""
    plain: dict[str, dict[str, Any] | None] = msgspec.to_builtins(platforms)
    return {
        name: {field: value for field, value in of.items() if not (value is None or value is False or value == {})}
        for name, of in plain.items()
        if of is not None
    }
