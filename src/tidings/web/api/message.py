"""The body of a notification: fields as people send them, checked one by one, made into a Message and an Audience."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, field_validator

from tidings.domain.audience import Audience, Devices, Everyone, Members, Tagged, Through, Users
from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Action, Message, Translation, Urgency
from tidings.providers import CHANNELS
from tidings.web.api.links import Image, Link, Text, Title, checked_line
from tidings.web.api.platforms import PlatformsBody, platforms_out
from tidings.web.api.shapes import Body

MIN_TTL = 60
MAX_TTL = 2_419_200
MAX_ACTIONS = 4
MAX_NAMED = 10_000
"""Users or subscriptions that one request may name."""

MAX_DATA = 4_096
"""Bytes of `data` as JSON: no push service takes a longer message anyway."""

YEARS = range(1970, 9000)
"""Of `send_at`: from its ends one can still count a zone or a time to live on, which no calendar has after 9999."""

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ActionBody(Body):
    """A button under the notification."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(checked_line)]
    url: Link | None = None


class TranslationBody(Body):
    """Title and body in one language."""

    title: Title | None = None
    body: Text | None = None


class To(Body):
    """Whom it is for: exactly one of these."""

    all: Literal[True] | None = None
    users: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_NAMED, examples=[["u-42"]])
    subscriptions: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_NAMED)
    tags: dict[Name, str] | None = Field(default=None, min_length=1, max_length=10)
    segment: str | None = Field(default=None, description="Comes later.")

    def audience(self) -> Members:
        """Give the audience. Raises AUDIENCE_INVALID."""
        named = self.model_fields_set
        if "segment" in named:
            raise CatalogueError(
                ErrorCode.AUDIENCE_INVALID, "Segments come in a later version; use `tags`, `users` or `all` for now."
            )
        if len(named) != 1:
            raise CatalogueError(ErrorCode.AUDIENCE_INVALID, "`to` names exactly one kind of audience.")
        if self.users:
            return Users(tuple(dict.fromkeys(self.users)))
        if self.subscriptions:
            return Devices(tuple(dict.fromkeys(self.subscriptions)))
        if self.tags:
            return Tagged(tuple(self.tags.items()))
        if self.all:
            return Everyone()
        raise CatalogueError(ErrorCode.AUDIENCE_INVALID, "`to` names nobody.")


def through(members: Members, channels: Sequence[str] | None) -> Audience:
    """Cut an audience down to some channels; None, or all there are, leaves it whole."""
    named = tuple(sorted(set(channels or CHANNELS)))
    return members if len(named) == len(CHANNELS) else Through(members, named)


def checked_channels(value: list[str] | None) -> list[str] | None:
    """Take names of channels. Raises ValueError."""
    for name in value or ():
        if name not in CHANNELS:
            raise ValueError(f"There is no channel {name[:32]!r}; there are {', '.join(CHANNELS)}.")
    return value


Channels = Annotated[list[str] | None, Field(min_length=1, max_length=len(CHANNELS)), AfterValidator(checked_channels)]


class NotificationBody(Body):
    """A notification and whom it is for."""

    to: To
    title: Title = Field(examples=["The ferry is late"])
    body: Text = Field(default="", examples=["Departure from pier 3 at 10:40"])
    url: Link | None = Field(default=None, examples=["https://www.example.com/ferry"])
    icon: Image | None = None
    image: Image | None = None
    badge_count: int | None = Field(default=None, ge=0, le=99_999)
    actions: list[ActionBody] = Field(default=[], max_length=MAX_ACTIONS)
    ttl: int = Field(default=86_400, ge=MIN_TTL, le=MAX_TTL, description="Seconds the push services keep it.")
    urgency: Urgency = Urgency.NORMAL
    collapse_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, description="A later notification with the same id replaces this one."
    )
    data: dict[str, Any] = Field(default={}, description="Handed to the page; up to 4 096 bytes of JSON.")
    locales: dict[Language, TranslationBody] = Field(default={}, max_length=50)
    platforms: PlatformsBody = Field(
        default=PlatformsBody(), description="What it says differently on one kind of device."
    )
    channels: Channels = Field(
        default=None, examples=[["fcm", "apns"]], description="Only those who are reached so; absent, everybody."
    )
    send_at: AwareDatetime | None = Field(default=None, description="With its zone; absent, now.")
    expect_audience: int | None = Field(
        default=None,
        ge=0,
        description="How many devices you counted. Where it is more than 1 % off, nothing is stored: 409.",
    )
    confirm_volume: bool = Field(
        default=False, description="It is meant, however much was sent lately: the tripwire lets it pass."
    )

    @field_validator("data")
    @classmethod
    def _short(cls, value: dict[str, Any]) -> dict[str, Any]:
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > MAX_DATA:
            raise ValueError(f"This is {size} bytes of JSON; {MAX_DATA} is the most.")
        return value

    @field_validator("send_at")
    @classmethod
    def _counted(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.year not in YEARS:
            raise ValueError(f"The year must lie between {YEARS[0]} and {YEARS[-1]}.")
        return value

    @field_validator("actions")
    @classmethod
    def _distinct(cls, value: list[ActionBody]) -> list[ActionBody]:
        if len({action.id for action in value}) != len(value):
            raise ValueError("Two actions have the same id.")
        return value

    def audience(self) -> Audience:
        """Give whom it is for, through the channels that were asked for. Raises AUDIENCE_INVALID."""
        return through(self.to.audience(), self.channels)

    def notification(self, app_id: int) -> NewNotification:
        """Give what is to be stored. Raises AUDIENCE_INVALID."""
        message = Message(
            title=self.title,
            body=self.body,
            url=self.url,
            icon=self.icon,
            image=self.image,
            badge_count=self.badge_count,
            actions=tuple(Action(one.id, one.title, one.url) for one in self.actions),
            ttl=self.ttl,
            urgency=self.urgency,
            collapse_id=self.collapse_id,
            data=self.data,
            locales={tag: Translation(one.title, one.body) for tag, one in self.locales.items()},
            platforms=self.platforms.platforms(),
        )
        return NewNotification(app_id, message, self.audience(), send_at=self.send_at)


class ActionOut(BaseModel):
    """A button under the notification."""

    id: str
    title: str
    url: str | None


class ContentOut(BaseModel):
    """What a notification says, as it was sent."""

    title: str
    body: str
    url: str | None
    icon: str | None
    image: str | None
    badge_count: int | None
    actions: list[ActionOut]
    ttl: int
    urgency: Urgency
    collapse_id: str | None
    data: dict[str, Any]
    locales: dict[str, dict[str, str | None]]
    platforms: dict[str, dict[str, Any]]


def content_of(message: Message) -> dict[str, Any]:
    """Give a message's fields under the names they are sent with."""
    return {
        "title": message.title,
        "body": message.body,
        "url": message.url,
        "icon": message.icon,
        "image": message.image,
        "badge_count": message.badge_count,
        "actions": [ActionOut(id=one.id, title=one.title, url=one.url) for one in message.actions],
        "ttl": message.ttl,
        "urgency": message.urgency,
        "collapse_id": message.collapse_id,
        "data": message.data,
        "locales": {tag: {"title": one.title, "body": one.body} for tag, one in message.locales.items()},
        "platforms": platforms_out(message.platforms),
    }


def to_out(audience: Audience) -> dict[str, Any]:
    """Give an audience in the words of `to`."""
    match audience:
        case Everyone():
            return {"all": True}
        case Users(external_ids):
            return {"users": list(external_ids)}
        case Devices(public_ids):
            return {"subscriptions": list(public_ids)}
        case Tagged(tags):
            return {"tags": dict(tags)}
        case Through(of, _):
            return to_out(of)


def channels_out(audience: Audience) -> list[str]:
    """Give the channels that an audience is reached through."""
    return list(audience.channels if isinstance(audience, Through) else CHANNELS)


class WarningOut(BaseModel):
    """What will keep some devices from getting it."""

    code: str = Field(description="The reason that those devices are going to be counted under.")
    message: str


def too_large_out(service: str, over: int) -> WarningOut:
    """Warn of a push service for which the message is `over` bytes too long."""
    return WarningOut(
        code=f"too_large_for_{service}",
        message=f"The message is {over} bytes too long for the push service of {service.title()}: browsers that use it "
        "will not get it. Shorten title, body, data or URLs.",
    )
