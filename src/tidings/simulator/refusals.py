"""Why a push service says no, in words of no particular service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """What is wrong; each flavour has its own words and numbers for it."""

    NO_SUCH_PATH = "no_such_path"
    METHOD = "method"
    UNKNOWN = "unknown"
    GONE = "gone"
    TOO_LARGE = "too_large"
    TTL = "ttl"
    URGENCY = "urgency"
    TOPIC = "topic"
    CODING = "coding"
    NO_AUTHORIZATION = "no_authorization"
    BAD_AUTHORIZATION = "bad_authorization"
    PUBLIC_KEY = "public_key"
    KEY_MISMATCH = "key_mismatch"
    TOKEN = "token"  # noqa: S105 - the JWT, and no password
    AUDIENCE = "audience"
    EXPIRY = "expiry"
    CONTACT = "contact"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"


VAPID = frozenset(
    {
        Reason.NO_AUTHORIZATION,
        Reason.BAD_AUTHORIZATION,
        Reason.PUBLIC_KEY,
        Reason.KEY_MISMATCH,
        Reason.TOKEN,
        Reason.AUDIENCE,
        Reason.EXPIRY,
        Reason.CONTACT,
    }
)
"""The reasons that concern who sends, and not what is sent."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, for this reason; `retry_after` in seconds where the reason passes."""

    reason: Reason
    detail: str
    retry_after: int | None = None
