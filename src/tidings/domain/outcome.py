"""What a push service's answer means: eight outcomes, and nothing else, reach the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ThrottleScope(StrEnum):
    """How far a "not now" reaches."""

    DEVICE = "device"
    ORIGIN = "origin"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service took the message; `ref` is its own name for it (a Location, an apns-id), or empty."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """This address is dead: expire the subscription and keep the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class KeyMismatch:
    """The subscription was made with another VAPID key: the browser has to subscribe again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This message is bad (too large, a bad header): keep the subscription, flag the notification."""

    reason: str


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Our credentials, topic or project are wrong: keep everything, wait, tell the operator now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not now: never again sooner than `after` seconds (None: the service named no time)."""

    after: float | None
    scope: ThrottleScope
    reason: str = "throttled"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A 5xx, a time-out, DNS or TLS: retry with jitter until the message's time to live ends."""

    after: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """No row of the answer table fits: treated as Unavailable with few tries, and counted."""

    status: int
    reason: str


Outcome = Accepted | Gone | KeyMismatch | Refused | Misconfigured | Throttled | Unavailable | Unmapped
