"""A person's own switches: which events they hear of, where, and at which hours not."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish
from tidings.services.preferences import KEEP, Choice, Chosen
from tidings.services.quiet import minute_from, text_from
from tidings.services.region import time_zone_from
from tidings.storage.ports.preferences import Switch
from tidings.web.auth import container_of
from tidings.web.public.door import body_of
from tidings.web.public.languages import languages_of
from tidings.web.public.person import person_of

JSON = "application/json"

Key = Annotated[str, Meta(min_length=1, max_length=100)]


class SwitchBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Switches of one event type; null goes back to the default, what is absent stays."""

    push: bool | UnsetType | None = UNSET
    feed: bool | UnsetType | None = UNSET


class QuietBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"begins": "from", "ends": "to"}):
    """Hours without a push, such as 22:00 to 07:00; without a zone, in the one that the person is in."""

    begins: Annotated[str, Meta(max_length=5)]
    ends: Annotated[str, Meta(max_length=5)]
    time_zone: Annotated[str, Meta(max_length=64)] | None = None


class PreferencesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change. `quiet_hours` null means none at all, `default` those of the App."""

    event_types: Annotated[dict[Key, SwitchBody], Meta(max_length=100)] = {}
    quiet_hours: QuietBody | Literal["default"] | UnsetType | None = UNSET


class SwitchAnswer(Struct, frozen=True):
    """What holds, and what would if the person had said nothing."""

    enabled: bool
    default: bool


class ChoiceAnswer(Struct, frozen=True):
    """An event type and its switches; a mandatory one has none that can be turned off."""

    type: str
    name: str
    description: str
    category: str
    mandatory: bool
    push: SwitchAnswer
    feed: SwitchAnswer


class QuietAnswer(Struct, frozen=True, rename={"begins": "from", "ends": "to"}):
    """Hours without a push."""

    begins: str
    ends: str
    time_zone: str | None


class PreferencesAnswer(Struct, frozen=True):
    """What a person may choose and has chosen; `quiet_hours_from` says whose word the quiet hours are."""

    event_types: list[ChoiceAnswer]
    quiet_hours: QuietAnswer | None
    quiet_hours_from: Literal["person", "app"]


preferences_decoder = msgspec.json.Decoder(PreferencesBody)


async def get_preferences(request: Request, app: App) -> Response:
    """Give what the person may choose, in their language, and has chosen."""
    user = await person_of(request, app)
    return _json(await container_of(request).people.preferences.of(app, user, asked=languages_of(request)))


async def put_preferences(request: Request, app: App) -> Response:
    """Turn the person's switches."""
    user = await person_of(request, app)
    body = await body_of(request, preferences_decoder)
    chosen = await container_of(request).people.preferences.change(
        app, user, switches_from(body), asked=languages_of(request), quiet=quiet_from(body.quiet_hours)
    )
    return _json(chosen)


def switches_from(body: PreferencesBody) -> dict[Switch, bool | None]:
    """Give the switches that a body turns."""
    return {
        (key, channel): value
        for key, one in body.event_types.items()
        for channel in PreferenceChannel
        if (value := getattr(one, channel.value)) is not UNSET
    }


def quiet_from(said: QuietBody | str | UnsetType | None) -> QuietWish | object | None:
    """Give what a body says of quiet hours, KEEP where it says nothing. Raises INVALID_REQUEST."""
    if said is UNSET:
        return KEEP
    if said is None:
        return QuietWish()
    return None if isinstance(said, str) else wish_from(said)


def wish_from(said: QuietBody) -> QuietWish:
    """Give quiet hours as they were written. Raises INVALID_REQUEST."""
    zone = time_zone_from(said.time_zone)
    if said.time_zone is not None and zone is None:
        raise _invalid("quiet_hours.time_zone", "There is no such time zone; write it as Europe/Vienna.")
    try:
        hours = QuietHours(minute_from(said.begins), minute_from(said.ends))
    except ValueError as fault:
        words = str(fault)
        raise _invalid("quiet_hours", words[:1].upper() + words[1:].rstrip(".") + ".") from fault
    return QuietWish(hours, zone)


def answer_of(chosen: Chosen) -> PreferencesAnswer:
    """Show what a person may choose, and has chosen."""
    holds = chosen.quiet or chosen.of_app
    return PreferencesAnswer(
        event_types=[_choice(one) for one in chosen.choices],
        quiet_hours=quiet_answer(holds),
        quiet_hours_from="person" if chosen.quiet else "app",
    )


def quiet_answer(wish: QuietWish | None) -> QuietAnswer | None:
    """Show quiet hours."""
    if wish is None or wish.hours is None:
        return None
    return QuietAnswer(text_from(wish.hours.begins), text_from(wish.hours.ends), wish.time_zone)


def _choice(choice: Choice) -> ChoiceAnswer:
    kind = choice.kind
    push, feed = (
        SwitchAnswer(choice.enabled(channel), True if kind.mandatory else kind.default(channel))
        for channel in PreferenceChannel
    )
    name = kind.name or kind.key
    return ChoiceAnswer(kind.key, name, kind.description, kind.category, kind.mandatory, push, feed)


def _invalid(field: str, words: str) -> CatalogueError:
    return CatalogueError(ErrorCode.INVALID_REQUEST, f"{field}: {words}", faults=(FieldFault(field, words),))


def _json(chosen: Chosen) -> Response:
    return Response(msgspec.json.encode(answer_of(chosen)), media_type=JSON)


SHAPES = (PreferencesBody, PreferencesAnswer)
"""What the OpenAPI document shows."""
