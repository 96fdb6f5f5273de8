"""What a push service checks before it takes a message: a request goes in, a verdict comes out."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from tidings.simulator import vapid
from tidings.simulator.answers import Request
from tidings.simulator.coding import BadCoding, Coded, coded_from
from tidings.simulator.refusals import Reason, Refusal

LONGEST_TTL = 30 * 24 * 3600
URGENCIES = frozenset({"very-low", "low", "normal", "high"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one push service insists on.

    `least_ttl` is refused below, `longest_ttl` is what a longer one becomes; sizes in bytes, times in seconds.
    """

    largest: int = 4096
    least_ttl: int = 0
    longest_ttl: int = LONGEST_TTL
    contact: bool = True
    decodable_topic: bool = False
    zero_ttl: tuple[str, str] | None = None
    """A header and its value that allow TTL 0 all the same."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Yes: what the request asks for. `coded` is None for a message without a body."""

    ttl: int
    urgency: str
    topic: str | None
    coded: Coded | None


Verdict = Fit | Refusal


def judged(
    request: Request, rules: Rules, *, key: bytes | None, gone: bool, origins: Collection[str], now: float
) -> Verdict:
    """Judge a POST to a known subscription, in the order Mozilla's service does: signature, life, size, headers, body.

    `key` is the VAPID key the subscription was made with (65 bytes), None if without; `now` in Unix seconds.
    """
    fault = _vapid_fault(request, rules, key=key, origins=origins, now=now)
    if fault:
        return fault
    if gone:
        return Refusal(Reason.GONE, "The subscription has ended")
    if len(request.body) > rules.largest:
        return Refusal(Reason.TOO_LARGE, f"The body has more than {rules.largest} bytes")
    asked = _asked(request, rules)
    if isinstance(asked, Refusal) or not request.body:
        return asked
    if request.headers.get("content-encoding") != "aes128gcm":
        return Refusal(Reason.CODING, "Content-Encoding must be aes128gcm, once and alone")
    try:
        return Fit(asked.ttl, asked.urgency, asked.topic, coded_from(request.body))
    except BadCoding as error:
        return Refusal(Reason.CODING, str(error))


def _vapid_fault(
    request: Request, rules: Rules, *, key: bytes | None, origins: Collection[str], now: float
) -> Refusal | None:
    header = request.headers.get("authorization")
    if header is None:
        return Refusal(Reason.NO_AUTHORIZATION, "Missing Authorization Header") if key is not None else None
    try:
        vapid.check(header, key=key, origins=origins, now=now, contact=rules.contact)
    except vapid.BadVapid as error:
        return Refusal(error.reason, str(error))
    return None


def _asked(request: Request, rules: Rules) -> Verdict:
    ttl = request.headers.get("ttl")
    if ttl is None:
        return Refusal(Reason.TTL, "Missing TTL Header")
    if not (ttl.isascii() and ttl.isdigit()):
        return Refusal(Reason.TTL, "TTL must be a non-negative integer")
    # Twelve digits say "longer than any limit"; int() itself refuses absurdly many.
    seconds = min(int(ttl.lstrip("0")[:12] or "0"), rules.longest_ttl)
    if seconds < rules.least_ttl and not _has(request, rules.zero_ttl):
        return Refusal(Reason.TTL, f"TTL must be at least {rules.least_ttl}")
    urgency = request.headers.get("urgency", "normal")
    if urgency not in URGENCIES:
        return Refusal(Reason.URGENCY, f"Urgency must be one of {', '.join(sorted(URGENCIES))}")
    topic = request.headers.get("topic")
    if topic is not None and not _TOPIC.fullmatch(topic):
        return Refusal(Reason.TOPIC, "Topic must be 1 to 32 characters of the URL-safe base64 alphabet")
    if topic is not None and rules.decodable_topic and len(topic) % 4 == 1:
        return Refusal(Reason.TOPIC, f"Topic must be base64 that can be decoded, and none has {len(topic)} characters")
    return Fit(seconds, urgency, topic, None)


def _has(request: Request, header: tuple[str, str] | None) -> bool:
    return header is not None and request.headers.get(header[0]) == header[1]
