"""What FCM's answers mean, row by row, with its own words and where they are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from tidings.domain.outcome import (
    GRANT_REFUSED,
    Accepted,
    Doubt,
    FaultScope,
    Gone,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
)
from tidings.lib.exchange import FailureKind
from tidings.providers.fcm.settings import A_MINUTE

RETRY_AFTER_CAP = 6 * 3600.0
"""Seconds: the longest Retry-After that is believed."""


class Reason(StrEnum):
    """Why a delivery ended as it did; few and stable, because they are counted and shown."""

    ACCOUNT_DISABLED = "service_account_disabled"
    ACCOUNT_MISSING = "service_account_missing"
    API_DISABLED = "fcm_api_disabled"
    CLOCK_SKEW = "clock_skew"
    CONNECT = "connect_failed"
    DNS = "dns_failed"
    FORBIDDEN_ADDRESS = "forbidden_address"
    GRANT_DENIED = "access_token_denied"
    GRANT_REFUSED = GRANT_REFUSED
    GRANT_UNAVAILABLE = "access_token_unavailable"
    KEY_REVOKED = "service_account_key_revoked"
    MESSAGE_INVALID = "message_invalid"
    NETWORK = "network_failed"
    PACKAGE = "package_name_mismatch"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    PERMISSION = "permission_missing"
    PROJECT = "project_unknown"
    PROTOCOL = "protocol_error"
    REDIRECTED = Doubt.REDIRECTED.value
    RESET = "connection_reset"
    SERVICE_ERROR = "service_error"
    SERVICE_OVERLOADED = "service_overloaded"
    SUSPECT = Doubt.ENDPOINT_SUSPECT.value
    THIRD_PARTY = "apns_or_web_push_key_missing"
    THROTTLED = "throttled"
    TIMEOUT = "timed_out"
    TLS = "tls_failed"
    TOKEN_FOREIGN = Doubt.ADDRESS_FOREIGN.value
    TOKEN_INVALID = Doubt.ADDRESS_INVALID.value
    UNMAPPED = "unmapped_answer"
    UNREGISTERED = "unregistered"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the answers it fits, what they mean, and the source.

    `code` is the errorCode of an FcmError among the details; `says` has to occur in message, status and the details'
    reasons, in lower case; `field` is how the field begins that a BadRequest names. An outcome's own `after` holds
    when the service names no time.
    """

    statuses: range | frozenset[int]
    outcome: Outcome
    source: str
    code: str = ""
    says: str = ""
    field: str = ""


_CODES = "https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode"
_ERRORS = "https://firebase.google.com/docs/cloud-messaging/error-codes"
_SCALE = "https://firebase.google.com/docs/cloud-messaging/scale-fcm"
_QUOTA = "https://firebase.google.com/docs/cloud-messaging/throttling-and-quotas"
_GITHUB = "https://github.com/"
_ADMIN = f"{_GITHUB}firebase/firebase-admin-python/blob/main/firebase_admin/messaging.py"
"""Google's own client decides by the errorCode, whatever the status."""


def _one(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


def _wrong(reason: Reason, scope: FaultScope = FaultScope.CREDENTIAL) -> Misconfigured:
    return Misconfigured(reason, scope)


_ANY_4XX, _ANY_5XX = range(400, 500), range(500, 600)
_NOT_400, _NOT_429 = (frozenset(_ANY_4XX) - {one} for one in (400, 429))

ROWS = (
    Row(range(200, 300), Accepted(), "https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send"),
    # First of all the tokens: what is said of one device concerns nobody else.
    Row(_one(404), Gone(Reason.UNREGISTERED), f"{_GITHUB}firebase/firebase-admin-java/issues/972", code="UNREGISTERED"),
    # With another status it is at odds with itself: too little to end a device for, and nothing against the project.
    Row(_ANY_4XX, Refused(Reason.SUSPECT), _ADMIN, code="UNREGISTERED"),
    Row(
        _ANY_4XX,
        _wrong(Reason.TOKEN_FOREIGN, FaultScope.ADDRESS),
        f"{_GITHUB}dcai/airnotifier/issues/211",
        code="SENDER_ID_MISMATCH",
    ),
    # Its words may speak of our own token all the same (firebase-admin-node#3215): it is the key for APNs, or for
    # Web Push, that the project lacks. Devices with Android go on, also where ten iPhones in a row are refused so.
    Row(
        _ANY_4XX,
        Refused(Reason.THIRD_PARTY),
        f"{_GITHUB}Blackjacx/Assist/issues/6",
        code="THIRD_PARTY_AUTH_ERROR",
    ),
    # What its code says of rate, service or message its status does not make a fault of our credentials.
    Row(_NOT_429, Throttled(60.0, ThrottleScope.UNSTATED, Reason.THROTTLED), _ADMIN, code="QUOTA_EXCEEDED"),
    Row(_ANY_4XX, Unavailable(10.0, Reason.SERVICE_OVERLOADED), _ADMIN, code="UNAVAILABLE"),
    Row(_ANY_4XX, Unavailable(10.0, Reason.SERVICE_ERROR), _ADMIN, code="INTERNAL"),
    Row(_NOT_400, Refused(Reason.MESSAGE_INVALID), _ADMIN, code="INVALID_ARGUMENT"),
    Row(_one(400), Refused(Reason.TOKEN_INVALID), _ERRORS, says="not a valid fcm registration token"),
    Row(_one(400), Refused(Reason.TOKEN_INVALID), _CODES, field="message.token"),
    Row(_one(400), Refused(Reason.TOKEN_INVALID), _CODES, field="message.fid"),
    Row(_one(400), Refused(Reason.PAYLOAD_TOO_LARGE), _CODES, says="too big"),
    Row(_one(400), Refused(Reason.PACKAGE), _CODES, says="package name"),
    Row(_one(400), Refused(Reason.MESSAGE_INVALID), _ERRORS),
    # Of our credentials.
    Row(_one(403), _wrong(Reason.API_DISABLED), f"{_GITHUB}beste/firebase-php/issues/231", says="has not been used"),
    Row(_one(403), _wrong(Reason.API_DISABLED), "https://cloud.google.com/apis/design/errors", says="service_disabled"),
    Row(_one(403), _wrong(Reason.PROJECT), "https://cloud.google.com/apis/design/errors", says="consumer_invalid"),
    Row(
        _one(403),
        _wrong(Reason.PERMISSION),
        f"{_GITHUB}xtrinch/fcm-django/issues/213",
    ),
    Row(_one(401), _wrong(Reason.GRANT_REFUSED), "https://cloud.google.com/apis/design/errors"),
    # Not UNREGISTERED: the project, or the path, is what is not there.
    Row(_one(404), _wrong(Reason.PROJECT), f"{_GITHUB}firebase/firebase-admin-node/issues/2970"),
    # Of the rate.
    Row(
        _one(429),
        Throttled(60.0, ThrottleScope.DEVICE, Reason.THROTTLED),
        f"{_GITHUB}firebase/firebase-admin-go/issues/736",
        says="device",
    ),
    Row(
        _one(429),
        Throttled(60.0, ThrottleScope.DEVICE, Reason.THROTTLED),
        f"{_GITHUB}binwiederhier/ntfy/issues/289",
        says="topic",
    ),
    Row(
        _one(429),
        Throttled(60.0, ThrottleScope.PROJECT, Reason.THROTTLED, A_MINUTE),
        _QUOTA,
        says="quota metric",
    ),
    Row(_one(429), Throttled(60.0, ThrottleScope.UNSTATED, Reason.THROTTLED), _QUOTA),
    # Of the service.
    Row(_one(503), Unavailable(10.0, Reason.SERVICE_OVERLOADED), _SCALE),
    Row(_one(408, 504), Unavailable(None, Reason.TIMEOUT), _CODES),
    Row(_ANY_5XX, Unavailable(10.0, Reason.SERVICE_ERROR), _SCALE),
    Row(range(300, 400), Refused(Reason.REDIRECTED), "RFC 9110 §15.4"),
    Row(_one(413), Refused(Reason.PAYLOAD_TOO_LARGE), "RFC 9110 §15.5.14"),
    Row(_ANY_4XX, Refused(Reason.MESSAGE_INVALID), "RFC 9110 §15.5"),
)
"""All rows; the first that fits counts."""


def unanswered(kind: FailureKind) -> Reason:
    """Name what kept an answer from coming."""
    match kind:
        case FailureKind.FORBIDDEN_ADDRESS:
            return Reason.FORBIDDEN_ADDRESS
        case FailureKind.DNS:
            return Reason.DNS
        case FailureKind.CONNECT:
            return Reason.CONNECT
        case FailureKind.TLS:
            return Reason.TLS
        case FailureKind.TIMEOUT:
            return Reason.TIMEOUT
        case FailureKind.RESET:
            return Reason.RESET
        case FailureKind.PROTOCOL:
            return Reason.PROTOCOL
        case FailureKind.OTHER:
            return Reason.NETWORK
        case _:
            assert_never(kind)
