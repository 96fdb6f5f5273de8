"""What a push service checks before it takes a message: a request goes in, a verdict comes out."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tidings.simulator import vapid
from tidings.simulator.answers import Request
from tidings.simulator.coding import BadCoding, Coded, coded_from

LARGEST_BODY = 4096
LONGEST_TTL = 30 * 24 * 3600
URGENCIES = frozenset({"very-low", "low", "normal", "high"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Reason(StrEnum):
    """Why a push service says no; each flavour has its own words and numbers for them."""

    NO_SUCH_PATH = "no_such_path"
    METHOD = "method"
    UNKNOWN = "unknown"
    GONE = "gone"
    TOO_LARGE = "too_large"
    TTL = "ttl"
    URGENCY = "urgency"
    TOPIC = "topic"
    CODING = "coding"
    VAPID = "vapid"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, for this reason; `retry_after` in seconds where the reason passes."""

    reason: Reason
    detail: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Yes: what the request asks for. `coded` is None for a message without a body."""

    ttl: int
    urgency: str
    topic: str | None
    coded: Coded | None


Verdict = Fit | Refusal


def judged(request: Request, *, key: bytes | None, gone: bool, origins: Collection[str], now: float) -> Verdict:
    """Judge a POST to a known subscription, in the order Mozilla's service does: signature, life, size, headers, body.

    `key` is the VAPID key the subscription was made with (65 bytes), None if without; `now` in Unix seconds.
    """
    fault = _vapid_fault(request, key=key, origins=origins, now=now)
    if fault:
        return Refusal(Reason.VAPID, fault)
    if gone:
        return Refusal(Reason.GONE, "The subscription has ended")
    if len(request.body) > LARGEST_BODY:
        return Refusal(Reason.TOO_LARGE, f"The body has more than {LARGEST_BODY} bytes")
    asked = _asked(request)
    if isinstance(asked, Refusal) or not request.body:
        return asked
    if request.headers.get("content-encoding") != "aes128gcm":
        return Refusal(Reason.CODING, "Content-Encoding must be aes128gcm, once and alone")
    try:
        return Fit(asked.ttl, asked.urgency, asked.topic, coded_from(request.body))
    except BadCoding as error:
        return Refusal(Reason.CODING, str(error))


def _vapid_fault(request: Request, *, key: bytes | None, origins: Collection[str], now: float) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return "Missing Authorization Header" if key is not None else None
    try:
        vapid.check(header, key=key, origins=origins, now=now)
    except vapid.BadVapid as error:
        return str(error)
    return None


def _asked(request: Request) -> Verdict:
    ttl = request.headers.get("ttl")
    if ttl is None:
        return Refusal(Reason.TTL, "Missing TTL Header")
    if not (ttl.isascii() and ttl.isdigit()):
        return Refusal(Reason.TTL, "TTL must be a non-negative integer")
    urgency = request.headers.get("urgency", "normal")
    if urgency not in URGENCIES:
        return Refusal(Reason.URGENCY, f"Urgency must be one of {', '.join(sorted(URGENCIES))}")
    topic = request.headers.get("topic")
    if topic is not None and not _TOPIC.fullmatch(topic):
        return Refusal(Reason.TOPIC, "Topic must be 1 to 32 characters of the URL-safe base64 alphabet")
    # Twelve digits say "longer than any limit"; int() itself refuses absurdly many.
    return Fit(min(int(ttl.lstrip("0")[:12] or "0"), LONGEST_TTL), urgency, topic, None)
