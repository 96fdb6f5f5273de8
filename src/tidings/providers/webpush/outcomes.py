"""What each push service's answer means, row by row, with the service's own words and where they are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
)
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
    TOO_LARGE_FOR_MOZILLA = "too_large_for_mozilla"
    UNMAPPED = "unmapped_answer"
    UNSUBSCRIBED = "unsubscribed_or_expired"
    VAPID_KEY_MISMATCH = "vapid_key_mismatch"


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
_CHROME_A_MINUTE = 1000
"""What Google takes of a site that Chrome found disruptive."""
_FCM_ERRORS = "https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode"
_FCM_QUOTA = "https://github.com/firebase/firebase-admin-go/issues/719"
_FCM_SCALE = "https://firebase.google.com/docs/cloud-messaging/scale-fcm"
_BRIDGE_LIMITS = "https://github.com/mozilla-services/autopush-rs/pull/1223"
_WNS = "https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/push-request-response-headers"
_NTFY = "https://github.com/binwiederhier/ntfy/pull/609"


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
    Row(
        Family.GOOGLE,
        _one(429),
        Throttled(60.0, ThrottleScope.DEVICE, Reason.THROTTLED),
        _FCM_ERRORS,
        says="device message rate",
    ),
    Row(
        Family.GOOGLE,
        _one(429),
        Throttled(60.0, ThrottleScope.PROJECT, Reason.THROTTLED),
        _FCM_QUOTA,
        says="quota exceeded for quota metric",
    ),
    # Whether one endpoint or the whole site is meant, it does not say.
    Row(
        Family.GOOGLE,
        _one(429),
        Throttled(60.0, ThrottleScope.UNSTATED, Reason.THROTTLED, _CHROME_A_MINUTE),
        _CHROME_LIMITS,
    ),
    Row(Family.GOOGLE, _one(503), Unavailable(10.0, Reason.SERVICE_OVERLOADED), _FCM_SCALE),
    Row(Family.GOOGLE, _ANY_5XX, Unavailable(10.0, Reason.SERVICE_ERROR), _FCM_SCALE),
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
    # Only Firefox for Android goes over the bridge to FCM; its troubles are nobody else's.
    Row(
        Family.MOZILLA,
        _one(502),
        Throttled(None, ThrottleScope.DEVICE, Reason.BRIDGE),
        _AUTOPUSH,
        errno=_one(900, 901, 902, 903),
    ),
    Row(Family.MOZILLA, _one(429), Throttled(120.0, ThrottleScope.DEVICE, Reason.THROTTLED), _BRIDGE_LIMITS),
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
    Row(
        Family.MICROSOFT,
        _one(406, 429),
        Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED),
        f"{_ZARU}109",
        says="channelthrottled",
    ),
    Row(Family.MICROSOFT, _one(400), Refused(Reason.BAD_TTL), f"{_PYWEBPUSH}162", says="ttl value conflicts"),
    Row(Family.MICROSOFT, _one(406, 429), Throttled(None, ThrottleScope.UNSTATED, Reason.THROTTLED), _WNS),
)

_UNKNOWN_ROWS = (
    # A host the operator added is often autopush: its words are believed where they concern this one subscription.
    Row(Family.UNKNOWN, _DENIED, KeyMismatch(Reason.VAPID_KEY_MISMATCH), _AUTOPUSH, says="public key mismatch"),
    # ntfy counts what comes for a topic against whoever subscribed to it, and says so with 507 when nobody has of late.
    Row(Family.UNKNOWN, _one(507), Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED), _NTFY, says="unifiedpush"),
)

_ANY_ROWS = (
    Row(None, _one(200, 201, 202, 204), Accepted(), f"{_RFC8030} §5"),
    Row(None, range(300, 400), Refused(Reason.REDIRECTED), f"{_RFC8030} §5"),
    Row(None, _DENIED, Misconfigured(Reason.AUTHORIZATION_REFUSED), _RFC8292),
    Row(None, _one(404), Gone(Reason.ENDPOINT_UNKNOWN), f"{_RFC8030} §7.3"),
    Row(None, _one(410), Gone(Reason.UNSUBSCRIBED), f"{_RFC8030} §7.3"),
    Row(None, _one(413), Refused(Reason.PAYLOAD_TOO_LARGE), f"{_RFC8030} §7.2"),
    Row(None, _one(408, 425), Unavailable(None, Reason.TIMEOUT), "RFC 9110 §15.5.9, RFC 8470 §5.2"),
    # The RFC's limit is one for a push resource; whether a host means more than that, several in a row tell.
    Row(None, _one(429), Throttled(None, ThrottleScope.UNSTATED, Reason.THROTTLED), f"{_RFC8030} §8.4"),
    Row(None, _ANY_4XX, Refused(Reason.BAD_REQUEST), "RFC 9110 §15.5"),
    Row(None, _one(503), Unavailable(None, Reason.SERVICE_OVERLOADED), "RFC 9110 §15.6.4"),
    Row(None, _ANY_5XX, Unavailable(None, Reason.SERVICE_ERROR), "RFC 9110 §15.6"),
)

ROWS = (*_GOOGLE_ROWS, *_MOZILLA_ROWS, *_APPLE_ROWS, *_MICROSOFT_ROWS, *_UNKNOWN_ROWS, *_ANY_ROWS)
"""All rows; the first that fits counts."""
