"""What each push service's answer means, row by row, with the service's own words and where they are written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import assert_never

from tidings.domain.outcome import (
    Accepted,
    Gone,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.lib.backoff import retry_after
from tidings.lib.exchange import Answer, FailureKind, Reply
from tidings.providers.webpush.settings import Family


class Reason(StrEnum):
    """Why a delivery ended as it did; few and stable, because they are counted and shown."""

    AUTHORIZATION_REFUSED = "authorization_refused"
    BAD_CRYPTO = "bad_crypto"
    BAD_REQUEST = "bad_request"
    BAD_TOPIC = "bad_topic"
    BAD_TTL = "bad_ttl"
    BAD_URGENCY = "bad_urgency"
    BRIDGE = "bridge_unavailable"
    CONNECT = "connect_failed"
    DNS = "dns_failed"
    DROPPED = "dropped_by_service"
    ENDPOINT_SUSPECT = "endpoint_suspect"
    ENDPOINT_UNKNOWN = "endpoint_unknown"
    FORBIDDEN_ADDRESS = "forbidden_address"
    IDLE_TIMEOUT = "idle_timeout"
    JWT_AUDIENCE = "jwt_audience_refused"
    JWT_EXPIRY = "jwt_expiry_refused"
    JWT_REFUSED = "jwt_refused"
    KEYS_UNUSABLE = "subscription_keys_unusable"
    NETWORK = "network_failed"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    PROTOCOL = "protocol_error"
    PUBLIC_KEY_REFUSED = "public_key_refused"
    REDIRECTED = "redirected"
    RESET = "connection_reset"
    SERVICE_ERROR = "service_error"
    SERVICE_OVERLOADED = "service_overloaded"
    THROTTLED = "throttled"
    TIMEOUT = "timed_out"
    TLS = "tls_failed"
    UNMAPPED = "unmapped_answer"
    UNSUBSCRIBED = "unsubscribed_or_expired"
    VAPID_KEY_MISMATCH = "vapid_key_mismatch"


RETRY_AFTER_CAP = 6 * 3600.0
"""Seconds: the longest Retry-After that is believed."""
_LONGEST_REF = 256


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the answers it fits, what they mean, and the source.

    `says` has to occur in what the service said, in lower case; `errno` is Mozilla's. An outcome's own `after` holds
    when the service names no time.
    """

    family: Family | None
    statuses: range | frozenset[int]
    outcome: Outcome
    source: str
    says: str = ""
    errno: frozenset[int] = frozenset()


_AUTOPUSH = "https://github.com/mozilla-services/autopush-rs/blob/master/docs/src/errors.md"
_APPLE = (
    "https://developer.apple.com/documentation/usernotifications/"
    "sending-web-push-notifications-in-web-apps-and-browsers"
)
_RFC8030, _RFC8292 = "RFC 8030", "RFC 8292 §4.2"
_WEB_PUSH = "https://github.com/web-push-libs/web-push/issues/"
_JAVA = "https://github.com/web-push-libs/webpush-java/issues/"
_ZARU = "https://github.com/zaru/webpush/issues/"
_PYWEBPUSH = "https://github.com/web-push-libs/pywebpush/issues/"
_STALE_KEYS = "https://github.com/vjt/grappa-irc/issues/1323"
_CHROME_LIMITS = "https://developer.chrome.com/blog/web-push-rate-limits"


def _one(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


_ANY_4XX, _ANY_5XX, _DENIED = range(400, 500), range(500, 600), _one(401, 403)

_GOOGLE_ROWS = (
    Row(
        Family.GOOGLE,
        _DENIED,
        KeyMismatch(Reason.VAPID_KEY_MISMATCH),
        f"{_JAVA}206",
        says="do not correspond to the credentials used to create the subscription",
    ),
    Row(
        Family.GOOGLE,
        _DENIED,
        KeyMismatch(Reason.VAPID_KEY_MISMATCH),
        f"{_JAVA}212",
        says="does not correspond to the sender id",
    ),
    # Seen for a day at a time with devices that came back: a verdict only if it stays, so it is tried again.
    Row(
        Family.GOOGLE,
        _one(403),
        Unavailable(None, Reason.ENDPOINT_SUSPECT),
        f"{_WEB_PUSH}523",
        says="invalid push subscription endpoint",
    ),
    Row(
        Family.GOOGLE,
        _DENIED,
        Misconfigured(Reason.JWT_AUDIENCE),
        f"{_WEB_PUSH}532",
        says="aud claim in the token must include the origin",
    ),
    Row(Family.GOOGLE, _DENIED, Misconfigured(Reason.JWT_REFUSED), f"{_WEB_PUSH}532", says="invalid jwt"),
    Row(Family.GOOGLE, _one(400), Misconfigured(Reason.JWT_REFUSED), f"{_ZARU}31", says="unauthorizedregistration"),
    # Devices that were offline for 270 days.
    Row(
        Family.GOOGLE,
        _one(404),
        Gone(Reason.ENDPOINT_UNKNOWN),
        f"{_WEB_PUSH}940",
        says="a valid push subscription endpoint should be specified",
    ),
    Row(Family.GOOGLE, _one(429), Throttled(None, ThrottleScope.ORIGIN, Reason.THROTTLED), _CHROME_LIMITS),
)

_MOZILLA_ROWS = (
    Row(Family.MOZILLA, _one(400), Refused(Reason.BAD_CRYPTO), _AUTOPUSH, errno=_one(101, 110, 111)),
    Row(Family.MOZILLA, _one(400), Refused(Reason.BAD_TTL), _AUTOPUSH, errno=_one(112, 114)),
    Row(Family.MOZILLA, _one(400), Refused(Reason.BAD_TOPIC), _AUTOPUSH, errno=_one(113)),
    Row(Family.MOZILLA, _one(400), Gone(Reason.ENDPOINT_UNKNOWN), _AUTOPUSH, errno=_one(108)),
    Row(Family.MOZILLA, _DENIED, KeyMismatch(Reason.VAPID_KEY_MISMATCH), _AUTOPUSH, says="public key mismatch"),
    Row(Family.MOZILLA, _DENIED, Misconfigured(Reason.JWT_AUDIENCE), _AUTOPUSH, says="invalid vapid audience"),
    Row(Family.MOZILLA, _DENIED, Misconfigured(Reason.JWT_EXPIRY), _AUTOPUSH, says="expiration is too long"),
    Row(Family.MOZILLA, _DENIED, Misconfigured(Reason.JWT_REFUSED), _AUTOPUSH, errno=_one(109)),
    Row(Family.MOZILLA, _one(404), Gone(Reason.ENDPOINT_UNKNOWN), _AUTOPUSH, errno=_one(102)),
    Row(Family.MOZILLA, _one(410), Gone(Reason.UNSUBSCRIBED), _AUTOPUSH, errno=_one(103, 105, 106)),
    Row(Family.MOZILLA, _ANY_4XX, Refused(Reason.PAYLOAD_TOO_LARGE), _AUTOPUSH, errno=_one(104)),
    Row(Family.MOZILLA, _one(502), Unavailable(None, Reason.BRIDGE), _AUTOPUSH, errno=_one(900, 901, 902, 903)),
    Row(Family.MOZILLA, _one(503), Unavailable(120.0, Reason.SERVICE_OVERLOADED), _AUTOPUSH),
)

_APPLE_ROWS = (
    # By reason, not by status: most senders report 400 with it, one reports 403.
    Row(Family.APPLE, _ANY_4XX, KeyMismatch(Reason.VAPID_KEY_MISMATCH), _STALE_KEYS, says="vapidpkhashmismatch"),
    Row(Family.APPLE, _ANY_4XX, Misconfigured(Reason.JWT_REFUSED), _APPLE, says="badjwttoken"),
    Row(Family.APPLE, _ANY_4XX, Misconfigured(Reason.PUBLIC_KEY_REFUSED), _APPLE, says="badvapidpublickey"),
    Row(Family.APPLE, _ANY_4XX, Misconfigured(Reason.AUTHORIZATION_REFUSED), _APPLE, says="badauthorizationheader"),
    Row(Family.APPLE, _one(400), Unavailable(None, Reason.IDLE_TIMEOUT), _APPLE, says="idletimeout"),
    Row(Family.APPLE, _one(400), Refused(Reason.BAD_TTL), _APPLE, says="badttl"),
    Row(Family.APPLE, _one(400), Refused(Reason.BAD_URGENCY), _APPLE, says="badurgency"),
    Row(Family.APPLE, _one(400), Refused(Reason.BAD_TOPIC), _APPLE, says="badwebpushtopic"),
    Row(Family.APPLE, _one(400), Refused(Reason.BAD_CRYPTO), _APPLE, says="badwebpushrequest"),
    Row(Family.APPLE, _one(404), Gone(Reason.ENDPOINT_UNKNOWN), _APPLE, says="badpath"),
    # Too many for one device; others of the same service go on.
    Row(Family.APPLE, _one(429), Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED), _APPLE),
)

_MICROSOFT_ROWS = (
    Row(
        Family.MICROSOFT,
        range(200, 300),
        Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED),
        f"{_PYWEBPUSH}162",
        says="channelthrottled",
    ),
    Row(Family.MICROSOFT, range(200, 300), Refused(Reason.DROPPED), f"{_PYWEBPUSH}162", says="dropped"),
    Row(Family.MICROSOFT, _one(400), Refused(Reason.BAD_TTL), f"{_PYWEBPUSH}162", says="ttl value conflicts"),
    Row(Family.MICROSOFT, _one(406, 429), Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED), f"{_ZARU}109"),
)

_ANY_ROWS = (
    # A host the operator added is often autopush: its words are believed where they concern this one subscription.
    Row(Family.UNKNOWN, _DENIED, KeyMismatch(Reason.VAPID_KEY_MISMATCH), _AUTOPUSH, says="public key mismatch"),
    Row(None, _one(200, 201, 202, 204), Accepted(), f"{_RFC8030} §5"),
    Row(None, range(300, 400), Refused(Reason.REDIRECTED), f"{_RFC8030} §5"),
    Row(None, _DENIED, Misconfigured(Reason.AUTHORIZATION_REFUSED), _RFC8292),
    Row(None, _one(404), Gone(Reason.ENDPOINT_UNKNOWN), f"{_RFC8030} §7.3"),
    Row(None, _one(410), Gone(Reason.UNSUBSCRIBED), f"{_RFC8030} §7.3"),
    Row(None, _one(413), Refused(Reason.PAYLOAD_TOO_LARGE), f"{_RFC8030} §7.2"),
    Row(None, _one(408, 425), Unavailable(None, Reason.TIMEOUT), "RFC 9110 §15.5.9, RFC 8470 §5.2"),
    Row(None, _one(429), Throttled(None, ThrottleScope.ORIGIN, Reason.THROTTLED), f"{_RFC8030} §8.4"),
    Row(None, _ANY_4XX, Refused(Reason.BAD_REQUEST), "RFC 9110 §15.5"),
    Row(None, _one(503), Unavailable(None, Reason.SERVICE_OVERLOADED), "RFC 9110 §15.6.4"),
    Row(None, _ANY_5XX, Unavailable(None, Reason.SERVICE_ERROR), "RFC 9110 §15.6"),
)

ROWS = (*_GOOGLE_ROWS, *_MOZILLA_ROWS, *_APPLE_ROWS, *_MICROSOFT_ROWS, *_ANY_ROWS)
"""All rows; the first that fits counts."""


class _Said:
    """What a reply says beyond its status: the body, the `errno` in it, and the headers that WNS explains itself in."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    @cached_property
    def words(self) -> str:
        headers = (value for name, value in self._reply.headers.items() if name.startswith("x-wns-"))
        return "\n".join((self._reply.body.decode("utf-8", "replace"), *headers)).lower()

    @cached_property
    def errno(self) -> int | None:
        try:
            body = json.loads(self._reply.body)
        except (ValueError, RecursionError):
            return None
        number = body.get("errno") if isinstance(body, dict) else None
        return number if isinstance(number, int) else None


def outcome_from(family: Family, answer: Answer, *, now: float) -> Outcome:
    """Find the first row that fits an answer; whatever the answer holds, this gives an outcome and never raises."""
    if not isinstance(answer, Reply):
        return _unanswered(answer.kind)
    row = row_for(family, answer)
    return Unmapped(answer.status, Reason.UNMAPPED) if row is None else _filled(row.outcome, answer, now=now)


def row_for(family: Family, reply: Reply) -> Row | None:
    """Give the row that decides, None if none fits."""
    said: _Said | None = None
    for row in _rows(family, reply.status):
        if row.says or row.errno:
            said = said or _Said(reply)
            if (row.says and row.says not in said.words) or (row.errno and said.errno not in row.errno):
                continue
        return row
    return None


@lru_cache(maxsize=1024)
def _rows(family: Family, status: int) -> tuple[Row, ...]:
    return tuple(row for row in ROWS if row.family in (family, None) and status in row.statuses)


def _filled(outcome: Outcome, reply: Reply, *, now: float) -> Outcome:
    match outcome:
        case Accepted():
            return Accepted(_ref(reply.headers))
        case Throttled() | Unavailable():
            after = retry_after(reply.headers.get("retry-after"), now=now, cap=RETRY_AFTER_CAP)
            return outcome if after is None else replace(outcome, after=after)
        case _:
            return outcome


def _ref(headers: dict[str, str]) -> str:
    for name in ("apns-id", "x-wns-msg-id", "location"):
        ref = headers.get(name, "")
        if ref and len(ref) <= _LONGEST_REF and ref.isascii() and ref.isprintable():
            return ref
    return ""


def _unanswered(kind: FailureKind) -> Outcome:
    match kind:
        case FailureKind.FORBIDDEN_ADDRESS:
            return Refused(Reason.FORBIDDEN_ADDRESS)
        case FailureKind.DNS:
            return Unavailable(None, Reason.DNS)
        case FailureKind.CONNECT:
            return Unavailable(None, Reason.CONNECT)
        case FailureKind.TLS:
            return Unavailable(None, Reason.TLS)
        case FailureKind.TIMEOUT:
            return Unavailable(None, Reason.TIMEOUT)
        case FailureKind.RESET:
            return Unavailable(None, Reason.RESET)
        case FailureKind.PROTOCOL:
            return Unavailable(None, Reason.PROTOCOL)
        case FailureKind.OTHER:
            return Unavailable(None, Reason.NETWORK)
        case _:
            assert_never(kind)
