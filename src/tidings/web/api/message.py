"""The body of a notification: fields as people send them, checked one by one, made into a Message and an Audience."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from tidings.domain.audience import FEED, Audience, Devices, Everyone, Members, Relaying, Tagged, Through, Users
from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Action, Message, Translation, Urgency
from tidings.providers import CHANNELS
from tidings.web.api.links import Image, Link, Text, Title, checked_line
from tidings.web.api.platforms import PlatformsBody
from tidings.web.api.shapes import Body

MIN_TTL = 60
MAX_TTL = 2_419_200
MAX_ACTIONS = 4
MAX_NAMED = 10_000
"""Users or subscriptions that one request may name."""

MAX_DATA = 4_096
"""Bytes of `data` as JSON: no push service takes a longer message anyway."""

MAX_VARIABLES = 16_384
"""Bytes of a template's variables as JSON."""

YEARS = range(1970, 9000)
"""Of `send_at`: from its ends one can still count a zone or a time to live on, which no calendar has after 9999."""

EVERY_CHANNEL = (*CHANNELS, FEED)
"""Providers, and the bell in the page."""

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def checked_variables(value: dict[str, Any]) -> dict[str, Any]:
    """Take variables of at most MAX_VARIABLES bytes. Raises ValueError."""
    return _short(value, MAX_VARIABLES)


Variables = Annotated[dict[str, Any], AfterValidator(checked_variables)]


def short_data(value: dict[str, Any]) -> dict[str, Any]:
    """Take `data` of at most MAX_DATA bytes. Raises ValueError."""
    return _short(value, MAX_DATA)


def _short(value: dict[str, Any], most: int) -> dict[str, Any]:
    size = len(json.dumps(value, ensure_ascii=False).encode())
    if size > most:
        raise ValueError(f"This is {size} bytes of JSON; {most} is the most.")
    return value


class ActionBody(Body):
    """A button under the notification."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
    title: Button
    url: Link | None = None


Button = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(checked_line)]


class TranslationBody(Body):
    """What it says in one language; what is absent is as in the message itself."""

    title: Title | None = None
    body: Text | None = None
    url: Link | None = None
    actions: dict[Name, Button] = Field(default={}, max_length=MAX_ACTIONS, description="Titles by the action's id.")

    def translation(self) -> Translation:
        """Give the translation."""
        return Translation(self.title, self.body, self.url, dict(self.actions))


class To(Body):
    """Whom it is for: exactly one of these."""

    all: Literal[True] | None = None
    users: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_NAMED, examples=[["u-42"]])
    subscriptions: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_NAMED)
    tags: dict[Name, str] | None = Field(default=None, min_length=1, max_length=10)
    segment: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None,
        examples=["seg_01jd8k3v5x0000000000000000"],
        description="Whoever a segment's conditions hold for, as they are when the request is accepted.",
    )
    fcm_topic: Annotated[str, Field(min_length=1, max_length=900)] | None = Field(
        default=None,
        examples=["news"],
        description="Everybody whose app follows this topic at FCM: one message, counted as one, as nobody here knows "
        "how many they are.",
    )
    fcm_condition: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        default=None,
        examples=["'news' in topics && !('quiet' in topics)"],
        description="The same by a condition on up to 5 topics.",
    )
    apns_channel: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Everybody who follows this broadcast channel, by its id here (`chn_...`)."
    )
    integration: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="With a topic or condition: through which integration, where there are several."
    )

    def audience(self) -> Members:
        """Give the audience. Raises AUDIENCE_INVALID."""
        named = self.model_fields_set
        if "integration" in named:
            raise CatalogueError(ErrorCode.AUDIENCE_INVALID, "`integration` goes with `fcm_topic` or `fcm_condition`.")
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

    def relayed(self) -> tuple[Relaying, str] | None:
        """Give what a push service is to send on by itself, if that is what is named. Raises AUDIENCE_INVALID."""
        named = self.model_fields_set - {"integration"}
        kinds = [kind for kind in Relaying if kind.value in named]
        if not kinds:
            return None
        name: str | None = getattr(self, kinds[0].value)
        if len(named) != 1 or not name:
            raise CatalogueError(ErrorCode.AUDIENCE_INVALID, "`to` names exactly one kind of audience.")
        return kinds[0], name


def through(members: Members, channels: Sequence[str] | None) -> Audience:
    """Cut an audience down to some channels; None, or all there are, leaves it whole."""
    named = tuple(sorted(set(channels or EVERY_CHANNEL)))
    return members if len(named) == len(EVERY_CHANNEL) else Through(members, named)


def checked_channels(value: list[str] | None) -> list[str] | None:
    """Take names of channels. Raises ValueError."""
    for name in value or ():
        if name not in EVERY_CHANNEL:
            raise ValueError(f"There is no channel {name[:32]!r}; there are {', '.join(EVERY_CHANNEL)}.")
    return value


Channels = Annotated[
    list[str] | None, Field(min_length=1, max_length=len(EVERY_CHANNEL)), AfterValidator(checked_channels)
]


class NotificationBody(Body):
    """A notification and whom it is for."""

    to: To
    title: Title | None = Field(default=None, examples=["The ferry is late"], description="Or a `template`.")
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
    template: Name | None = Field(default=None, description="Id of the template that has the words, in place of them.")
    variables: Variables = Field(default={}, description="What fills the template's gaps.")
    channels: Channels = Field(
        default=None,
        examples=[["webpush", "feed"]],
        description="Only those who are reached so; absent, all. `feed` is the bell.",
    )
    type: str | None = Field(
        default=None,
        max_length=100,
        examples=["topic.reply"],
        description="The event type it tells of: preferences and quiet hours of its people are heeded then.",
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
        return short_data(value)

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

    @model_validator(mode="after")
    def _worded(self) -> NotificationBody:
        given = _WORDS & self.model_fields_set
        if self.template is not None and given:
            raise ValueError(f"The template has the words; leave out {', '.join(sorted(given))}.")
        if self.template is None and (self.title is None or "variables" in self.model_fields_set):
            raise ValueError("Write a `title`, or name a `template`; `variables` are for a template.")
        return self

    def notification(self, app_id: int, audience: Audience, words: Message | None = None) -> NewNotification:
        """Give what is to be stored, for an audience that was found by `to`; `words` are those of its template."""
        message = words or self._message()
        return NewNotification(app_id, message, audience, send_at=self.send_at, event_type=self.type)

    def over(self, words: Message) -> Message:
        """Give a template's message, with what this notification has otherwise: how long, how urgent, and so on."""
        given = self.model_fields_set & {"ttl", "urgency", "collapse_id", "badge_count"}
        return replace(words, **{name: getattr(self, name) for name in given})

    def _message(self) -> Message:
        return Message(
            title=self.title or "",
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
            locales={tag: one.translation() for tag, one in self.locales.items()},
            platforms=self.platforms.platforms(),
        )


_WORDS = frozenset({"title", "body", "url", "icon", "image", "actions", "data", "locales", "platforms"})
"""Fields that a template has."""


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
