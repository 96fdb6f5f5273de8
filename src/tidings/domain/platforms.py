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


@dataclass(frozen=True, slots=True)
class Apns:
    """For apps on iOS, iPadOS and macOS. With `background` nothing is shown: the app is woken for the data.

    `volume` (0 to 1) makes `sound` a critical alert; `payload` are members beside `aps`; `priority` is 10, 5 or 1.
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


@dataclass(frozen=True, slots=True)
class Web:
    """For browsers."""

    title: str | None = None
    body: str | None = None
    url: str | None = None
    icon: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Platforms:
    """What differs from the message; None where nothing does."""

    android: Android | None = None
    apns: Apns | None = None
    webpush: Web | None = None


SAME = Platforms()
"""What says the same everywhere."""

PLAIN = Apns()


def aps_from(rendered: Rendered) -> dict[str, Any]:
    """Write Apple's `aps` dictionary of a message (Generating a remote notification, developer.apple.com)."""
    own = rendered.platforms.apns or PLAIN
    if own.background:
        return {"content-available": 1}
    alert = {
        "title": own.title or rendered.title,
        "subtitle": own.subtitle,
        "body": rendered.body if own.body is None else own.body,
    }
    aps: dict[str, Any] = {
        "alert": {name: text for name, text in alert.items() if text},
        "badge": rendered.badge_count if own.badge is None else own.badge,
        "sound": _sound(own),
        "thread-id": own.thread_id,
        "category": own.category,
        "target-content-id": own.target_content_id,
        "interruption-level": own.interruption_level.value if own.interruption_level else None,
        "relevance-score": own.relevance_score,
        "mutable-content": 1 if own.mutable_content or rendered.image else None,
    }
    return {name: value for name, value in aps.items() if value is not None}


def _sound(own: Apns) -> str | dict[str, Any] | None:
    if own.volume is None:
        return own.sound
    return {"critical": 1, "name": own.sound or "default", "volume": own.volume}
