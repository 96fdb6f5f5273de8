"""What a push service's answer means: eight outcomes, and nothing else, reach the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ThrottleScope(StrEnum):
    """How far a "not now" reaches."""

    DEVICE = "device"
    """One address; nobody else has to wait."""
    UNSTATED = "unstated"
    """The service does not say: one address, until several in a row were told the same."""
    ORIGIN = "origin"
    """All that one key sends to this service."""
    PROJECT = "project"
    """The same, counted by what the key belongs to."""


class FaultScope(StrEnum):
    """Where a credential is wrong."""

    ORIGIN = "origin"
    """At the push service that said so; others may take it."""
    CREDENTIAL = "credential"
    """Everywhere: its project is closed, its key revoked. No address can be what is wrong."""
    ADDRESS = "address"
    """With this address; where it is so with many and the service takes none, the mistake is ours."""


class Held(StrEnum):
    """Why a parcel came back without having been sent."""

    SILENT = "origin_silent"
    """Its push service answers nobody, or nothing but errors."""
    RESTS = "origin_rests"
    """Its push service asked us to wait."""
    PACED = "origin_paced"
    """Its push service takes so many a minute, and these have gone."""
    SLOW = "origin_slow"
    """Its push service takes long to answer, and as many wait for it as may."""
    RECALLED = "recalled"
    """Its notification was paused or cancelled."""


class Doubt(StrEnum):
    """Reasons that may be the fault of the address alone; every provider calls them so.

    Where its push service takes the messages of others, enough of these retire an address, or have it rest where it
    may be good elsewhere.
    """

    ENDPOINT_SUSPECT = "endpoint_suspect"
    """The service doubts the address; it has been seen to come back after a day."""
    BAD_REQUEST = "bad_request"
    ADDRESS_INVALID = "address_invalid"
    """The service has never given out such an address."""
    ADDRESS_FOREIGN = "address_foreign"
    """The address belongs to another account or app."""
    KEYS_UNUSABLE = "subscription_keys_unusable"
    REDIRECTED = "redirected"
    AUTHORIZATION_REFUSED = "authorization_refused"
    DEVICE_TOKEN_REFUSED = "device_token_refused"  # noqa: S105 - a reason, not a secret
    """The service knows no such token, or not in the environment it was sent to."""


GRANT_REFUSED = "access_token_refused"
"""The reason of Misconfigured where it is the fetched token that was refused: another one is fetched, once."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service took the message; `ref` is its own name for it (a Location, an apns-id), or empty."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """This address is dead: expire the subscription and keep the reason.

    `at` is when the service saw so, in Unix seconds, if it says: whoever has registered since then is alive.
    """

    reason: str
    at: float | None = None


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
    scope: FaultScope = FaultScope.ORIGIN


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not now: never again sooner than `after` seconds (None: the service named no time).

    `a_minute` is the number that the service publishes, where it has one; more are in vain from now on.
    """

    after: float | None
    scope: ThrottleScope
    reason: str = "throttled"
    a_minute: int | None = None


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


_UNSENT = frozenset(Held)

Outcome = Accepted | Gone | KeyMismatch | Refused | Misconfigured | Throttled | Unavailable | Unmapped


def unsent(outcome: Outcome) -> bool:
    """Say whether it is known of a parcel that it did not leave."""
    return isinstance(outcome, Throttled | Unavailable) and outcome.reason in _UNSENT
