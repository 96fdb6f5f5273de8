"""Preferences of people: GET, PUT /users/{id}/preferences; the App's quiet hours: GET, PUT, DELETE /quiet-hours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StrictBool

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.services.preferences import Chosen
from tidings.web.api.message import Language
from tidings.web.api.shapes import Body
from tidings.web.api.users import ExternalId, WriteApp
from tidings.web.auth import By, container_of, in_app
from tidings.web.public.preferences import (
    PreferencesBody,
    QuietBody,
    answer_of,
    quiet_answer,
    quiet_from,
    switches_from,
    wish_from,
)

SettingsApp = Annotated[App, in_app(Permission.APP_SETTINGS)]
PersonApp = Annotated[App, in_app(Permission.APP_READ)]

Locale = Annotated[
    Language | None, Query(description="The language of names; else the person's own, else the App's.", examples=["de"])
]

router = APIRouter(tags=["Preferences"])


class SwitchesIn(Body):
    """Switches of one event type; null goes back to the default, what is absent stays."""

    push: StrictBool | None = None
    feed: StrictBool | None = None


class QuietHoursBody(Body):
    """Hours without a push; without a zone, in the one that each person is in."""

    begins: str = Field(alias="from", max_length=5, examples=["22:00"])
    ends: str = Field(alias="to", max_length=5, examples=["07:00"])
    time_zone: str | None = Field(default=None, max_length=64, examples=["Europe/Vienna"])


class PreferencesIn(Body):
    """What is to change. `quiet_hours` null means none at all, `default` those of the App; absent, they stay."""

    event_types: dict[Annotated[str, Field(min_length=1, max_length=100)], SwitchesIn] = Field(
        default={}, max_length=100, examples=[{"topic.reply": {"push": False}}]
    )
    quiet_hours: QuietHoursBody | Literal["default"] | None = None


class SwitchOut(BaseModel):
    """What holds, and what would if the person had said nothing."""

    enabled: bool
    default: bool


class ChoiceOut(BaseModel):
    """An event type and its switches. `unsubscribe_url` turns its pushes off with no sign-in: for e-mails."""

    type: str
    name: str
    description: str
    category: str
    mandatory: bool
    push: SwitchOut
    feed: SwitchOut
    unsubscribe_url: str


class QuietHoursOut(BaseModel):
    """Hours without a push."""

    begins: str = Field(alias="from")
    ends: str = Field(alias="to")
    time_zone: str | None


class PreferencesOut(BaseModel):
    """What a person may choose and has chosen; `quiet_hours_from` says whose word the quiet hours are."""

    event_types: list[ChoiceOut]
    quiet_hours: QuietHoursOut | None
    quiet_hours_from: Literal["person", "app"]


class AppQuietHours(BaseModel):
    """The quiet hours of those who said nothing themselves; null for none."""

    quiet_hours: QuietHoursOut | None


@router.get("/users/{external_id:path}/preferences", operation_id="get_preferences", summary="Get preferences")
async def get_preferences(
    request: Request, app: PersonApp, external_id: ExternalId, locale: Locale = None
) -> PreferencesOut:
    """Show what a person may choose, and has chosen."""
    found = await container_of(request).people.preferences.of(app, external_id, asked=_asked(locale))
    return _out(request, app, found)


@router.put("/users/{external_id:path}/preferences", operation_id="put_preferences", summary="Change preferences")
async def put_preferences(
    request: Request, by: By, app: WriteApp, external_id: ExternalId, body: PreferencesIn, locale: Locale = None
) -> PreferencesOut:
    """Turn a person's switches: in their name, when they changed them on a page of your own."""
    said = msgspec.convert(body.model_dump(exclude_unset=True, by_alias=True), PreferencesBody)
    chosen = await container_of(request).people.preferences.change(
        app, external_id, switches_from(said), asked=_asked(locale), quiet=quiet_from(said.quiet_hours), by=by
    )
    return _out(request, app, chosen)


@router.get("/quiet-hours", operation_id="get_quiet_hours", summary="Get the App's quiet hours")
async def get_quiet_hours(request: Request, app: Annotated[App, in_app(Permission.APP_READ)]) -> AppQuietHours:
    """Show the quiet hours of those who said nothing themselves."""
    return _quiet_out(quiet_answer(await container_of(request).people.preferences.quiet_of_app(app.id)))


@router.put("/quiet-hours", operation_id="put_quiet_hours", summary="Set the App's quiet hours")
async def put_quiet_hours(request: Request, by: By, app: SettingsApp, body: QuietHoursBody) -> AppQuietHours:
    """Set the hours in which pushes of event types wait, unless they are urgent or mandatory."""
    wish = wish_from(msgspec.convert(body.model_dump(by_alias=True), QuietBody))
    await container_of(request).people.preferences.set_quiet_of_app(app, wish, by=by)
    return _quiet_out(quiet_answer(wish))


@router.delete("/quiet-hours", operation_id="delete_quiet_hours", summary="Have no quiet hours", status_code=204)
async def delete_quiet_hours(request: Request, by: By, app: SettingsApp) -> None:
    """Let pushes go out at every hour to those who said nothing themselves."""
    await container_of(request).people.preferences.set_quiet_of_app(app, None, by=by)


def _asked(locale: str | None) -> tuple[str, ...]:
    return () if locale is None else (locale,)


def _out(request: Request, app: App, chosen: Chosen) -> PreferencesOut:
    container = container_of(request)
    shown: dict[str, Any] = msgspec.to_builtins(answer_of(chosen))
    for one in shown["event_types"]:
        link = container.people.preferences.link(app, chosen.user, one["type"])
        one["unsubscribe_url"] = container.settings.base_url.rstrip("/") + link
    return PreferencesOut.model_validate(shown)


def _quiet_out(answer: msgspec.Struct | None) -> AppQuietHours:
    return AppQuietHours.model_validate({"quiet_hours": msgspec.to_builtins(answer)})
