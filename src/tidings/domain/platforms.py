"""What one message says differently on Android, on Apple's systems and in browsers; and Apple's form of a message.

FCM and APNs both reach Apple's devices, so both write the same `aps` dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidings.domain.message import Rendered


class Wake(StrEnum):
    """How an Android device is woken: at once, or when it is awake anyway."""

    NORMAL = "normal"
    HIGH = "high"


class Visibility(StrEnum):
    """What Android shows of it on a locked screen."""

    PRIVATE = "private"
    PUBLIC = "public"
    SECRET = "secret"  # noqa: S105 - a word of Android


class Interruption(StrEnum):
    """How loudly Apple's systems tell of it (UNNotificationInterruptionLevel)."""

    PASSIVE = "passive"
    ACTIVE = "active"
    TIME_SENSITIVE = "time-sensitive"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Android:
    """For Android apps. With `data_only` there is no notification: the app gets the data and decides.

    `color` is `#rrggbb`; `badge` is the number shown on the icon (notification_count).
    """

    title: str | None = None
    body: str | None = None
    image: str | None = None
    icon: str | None = None
    color: str | None = None
    sound: str | None = None
    channel_id: str | None = None
    click_action: str | None = None
    ticker: str | None = None
    tag: str | None = None
    badge: int | None = None
    sticky: bool = False
    local_only: bool = False
    visibility: Visibility | None = None
    priority: Wake | None = None
    restricted_package_name: str | None = None
    direct_boot_ok: bool = False
    data_only: bool = False


class ApplePush(StrEnum):
    """What a push to one of Apple's systems is for (`apns-push-type`); a device drops what does not match."""

    ALERT = "alert"
    BACKGROUND = "background"
    LOCATION = "location"
    VOIP = "voip"
    COMPLICATION = "complication"
    FILE_PROVIDER = "fileprovider"
    MDM = "mdm"
    LIVE_ACTIVITY = "liveactivity"
    PUSH_TO_TALK = "pushtotalk"
    WIDGETS = "widgets"
    CONTROLS = "controls"


class ActivityEvent(StrEnum):
    """What becomes of a Live Activity."""

    START = "start"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True, slots=True)
class LiveActivity:
    """Start, update or end a Live Activity. Moments are in Unix seconds.

    A device leaves out what is older than what it shows, by `timestamp`: so that is the author's, not the moment of
    some retry. With `alert`, title and body light up the screen; a start always does.
    """

    event: ActivityEvent
    timestamp: int
    content_state: dict[str, Any] | None = None
    stale_date: int | None = None
    dismissal_date: int | None = None
    attributes_type: str | None = None
    attributes: dict[str, Any] | None = None
    input_push_token: bool = False
    input_push_channel: str | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Localised:
    """Words that the app has itself: the key in its Localizable.strings, and what fills the gaps."""

    key: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Apns:
    """For apps on iOS, iPadOS and macOS. With `background` nothing is shown: the app is woken for the data.

    `volume` (0 to 1) makes `sound` a critical alert, `silent` leaves out the sound that an urgent enough message has;
    `payload` are members beside `aps`; `priority` is 10, 5 or 1. With `once`, Apple keeps it for no device that is
    away.
    """

    title: str | None = None
    subtitle: str | None = None
    body: str | None = None
    badge: int | None = None
    sound: str | None = None
    volume: float | None = None
    thread_id: str | None = None
    category: str | None = None
    target_content_id: str | None = None
    interruption_level: Interruption | None = None
    relevance_score: float | None = None
    mutable_content: bool = False
    background: bool = False
    priority: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    push_type: ApplePush | None = None
    content_available: bool = False
    silent: bool = False
    once: bool = False
    collapse_id: str | None = None
    launch_image: str | None = None
    filter_criteria: str | None = None
    title_localised: Localised | None = None
    subtitle_localised: Localised | None = None
    body_localised: Localised | None = None
    live_activity: LiveActivity | None = None

    @property
    def type(self) -> ApplePush:
        """What it is for."""
        return self.push_type or (ApplePush.BACKGROUND if self.background else ApplePush.ALERT)


PLAIN = Apns()


@dataclass(frozen=True, slots=True)
class Web:
    """For browsers."""

    title: str | None = None
    body: str | None = None
    url: str | None = None
    icon: str | None = None
    image: str | None = None


_FOR_EVERYBODY = frozenset({ApplePush.ALERT, ApplePush.BACKGROUND})
"""What the app itself gets, as it could elsewhere. The other types are for tokens that Apple gave it for them."""

APPLE = "apns"
"""The channel of Apple's own kinds of push."""


@dataclass(frozen=True, slots=True)
class Platforms:
    """What differs from the message; None where nothing does."""

    android: Android | None = None
    apns: Apns | None = None
    webpush: Web | None = None

    @property
    def apples_own(self) -> ApplePush | None:
        """Give the type of a push that only Apple's devices know, such as a Live Activity's."""
        kind = (self.apns or PLAIN).type
        return None if kind in _FOR_EVERYBODY else kind

    def channels(self, chosen: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Leave out of the channels that were chosen those on which it would be something else; None: all there are."""
        if self.apples_own is None:
            return chosen
        return (APPLE,) if chosen is None or APPLE in chosen else ()

    def fault(self, chosen: tuple[str, ...] | None) -> str | None:
        """Say in words what is wrong with channels that were chosen for it; None where nothing is."""
        if self.apples_own is None or chosen in (None, (APPLE,)):
            return None
        return f"A push of the type `{self.apples_own}` is for Apple's devices alone; name `apns` alone, or no channel."


SAME = Platforms()
"""What says the same everywhere."""

_RELOADS = frozenset({ApplePush.WIDGETS, ApplePush.CONTROLS})
_SHOWN = frozenset({ApplePush.ALERT, ApplePush.VOIP})
_AUDIBLE = frozenset({"normal", "high"})
"""Urgencies with a sound, unless the author says otherwise."""


def aps_from(rendered: Rendered) -> dict[str, Any]:
    """Write Apple's `aps` dictionary of a message (Generating a remote notification, developer.apple.com)."""
    own = rendered.platforms.apns or PLAIN
    if own.type is ApplePush.BACKGROUND:
        return {"content-available": 1}
    if own.type in _RELOADS:
        return {"content-changed": True}
    if own.live_activity is not None:
        return _activity(rendered, own, own.live_activity)
    if own.type not in _SHOWN:
        return {}
    return _present(
        {
            "alert": _alert(rendered, own),
            "badge": rendered.badge_count if own.badge is None else own.badge,
            "sound": _sound(rendered, own),
            "thread-id": own.thread_id,
            "category": own.category,
            "content-available": 1 if own.content_available else None,
            "target-content-id": own.target_content_id,
            "interruption-level": own.interruption_level.value if own.interruption_level else None,
            "relevance-score": own.relevance_score,
            "mutable-content": 1 if own.mutable_content or rendered.image else None,
            "filter-criteria": own.filter_criteria,
        }
    )


def _alert(rendered: Rendered, own: Apns) -> dict[str, Any]:
    title = own.title or rendered.title
    body = rendered.body if own.body is None else own.body
    alert: dict[str, Any] = {"launch-image": own.launch_image}
    for name, text, localised in (
        ("title", title, own.title_localised),
        ("subtitle", own.subtitle, own.subtitle_localised),
        ("body", body, own.body_localised),
    ):
        if localised is None:
            alert[name] = text or None
            continue
        prefix = "" if name == "body" else f"{name}-"
        alert[f"{prefix}loc-key"] = localised.key
        alert[f"{prefix}loc-args"] = list(localised.args) or None
    return _present(alert)


def _sound(rendered: Rendered, own: Apns) -> str | dict[str, Any] | None:
    if own.volume is not None:
        return {"critical": 1, "name": own.sound or "default", "volume": own.volume}
    if own.silent or own.sound or own.interruption_level is Interruption.PASSIVE:
        return None if own.silent else own.sound
    return "default" if rendered.urgency in _AUDIBLE else None


def _activity(rendered: Rendered, own: Apns, activity: LiveActivity) -> dict[str, Any]:
    alerts = activity.alert or activity.event is ActivityEvent.START
    return _present(
        {
            "timestamp": activity.timestamp,
            "event": activity.event.value,
            "content-state": activity.content_state,
            "stale-date": activity.stale_date,
            "dismissal-date": activity.dismissal_date,
            "attributes-type": activity.attributes_type,
            "attributes": activity.attributes,
            "input-push-token": 1 if activity.input_push_token else None,
            "input-push-channel": activity.input_push_channel,
            "alert": _alert(rendered, own) | _present({"sound": _sound(rendered, own)}) if alerts else None,
            "relevance-score": own.relevance_score,
        }
    )


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in members.items() if member is not None}
