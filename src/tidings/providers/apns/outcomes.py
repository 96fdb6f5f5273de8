"""What each of Apple's answers means, reason by reason, with Apple's words and where they are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidings.domain.delivery import SkipReason
from tidings.domain.outcome import (
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


class Reason(StrEnum):
    """Why a delivery ended as it did; few and stable, because they are counted and shown."""

    BAD_PUSH_TYPE = "bad_push_type"
    BROADCAST_NOT_ENABLED = "broadcast_not_enabled"
    BUNDLE_ID_REFUSED = "bundle_id_refused"
    CERTIFICATE_REFUSED = "certificate_refused"
    CONNECT = "connect_failed"
    CONNECTION_MIXED = "keys_mixed_on_connection"
    CREDENTIAL_FORBIDDEN = "credential_forbidden"
    CREDENTIAL_MISSING = "credential_missing"
    DEVICE_TOKEN = Doubt.DEVICE_TOKEN_REFUSED.value
    DNS = "dns_failed"
    FORBIDDEN_ADDRESS = "forbidden_address"
    IDLE_TIMEOUT = "idle_timeout"
    NETWORK = "network_failed"
    OTHER_APP = Doubt.ADDRESS_FOREIGN.value
    PAYLOAD_TOO_LARGE = "payload_too_large"
    PROTOCOL = "protocol_error"
    REQUEST = "request_refused"
    RESET = "connection_reset"
    SERVICE_ERROR = "service_error"
    SERVICE_OVERLOADED = "service_overloaded"
    SHUTDOWN = "service_shutting_down"
    SUSPECT = Doubt.ENDPOINT_SUSPECT.value
    THROTTLED = "throttled"
    TIMEOUT = "timed_out"
    TLS = "tls_failed"
    TOKEN_EXPIRED = "provider_token_expired"  # noqa: S105 - a reason, not a secret
    TOKEN_REFUSED = "provider_token_refused"  # noqa: S105
    TOKEN_UPDATES = "provider_token_updates"  # noqa: S105
    UNMAPPED = "unmapped_answer"
    UNREGISTERED = "unregistered"
    WRONG_ENVIRONMENT = "wrong_environment"
    WANTS_KEY = "wants_provider_token"
    WRONG_KIND = SkipReason.OTHER_KIND.value


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the answers it fits, what they mean, and the source. `says` is the `reason` in full, "" for any."""

    statuses: range | frozenset[int]
    says: str
    outcome: Outcome
    source: str


_APPLE = "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns"
_BROADCAST = "https://developer.apple.com/documentation/usernotifications/handling-error-responses-from-apns"
_SPELLING = "https://github.com/swift-server-community/APNSwift/pull/229"
_TOKENS = "https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns"
_TOKEN_REST = 20 * 60.0
"""Seconds in which Apple takes one new provider token."""

_OK, _4XX, _5XX = range(200, 300), range(400, 500), range(500, 600)
_OURS = Refused(Reason.REQUEST)
_CREDENTIAL, _ADDRESS = FaultScope.CREDENTIAL, FaultScope.ADDRESS


def _rows(source: str, *pairs: tuple[str, Outcome], statuses: range | frozenset[int] = _4XX) -> tuple[Row, ...]:
    return tuple(Row(statuses, says, outcome, source) for says, outcome in pairs)


ROWS = (
    Row(_OK, "", Accepted(), _APPLE),
    *_rows(
        _APPLE,
        # The token is of the other environment, of a deleted app or made up: settled by what becomes of the others.
        ("BadDeviceToken", Misconfigured(Reason.DEVICE_TOKEN, _ADDRESS)),
        ("DeviceTokenNotForTopic", Misconfigured(Reason.OTHER_APP, _ADDRESS)),
        ("TopicDisallowed", Misconfigured(Reason.BUNDLE_ID_REFUSED)),
        ("BadTopic", Misconfigured(Reason.BUNDLE_ID_REFUSED)),
        ("MissingTopic", Misconfigured(Reason.BUNDLE_ID_REFUSED)),
        ("BadCollapseId", _OURS),
        ("BadExpirationDate", _OURS),
        ("BadMessageId", _OURS),
        ("BadPath", _OURS),
        ("BadPriority", _OURS),
        ("DuplicateHeaders", _OURS),
        ("MethodNotAllowed", _OURS),
        ("MissingDeviceToken", _OURS),
        ("PayloadEmpty", _OURS),
        ("InvalidPushType", Refused(Reason.BAD_PUSH_TYPE)),
        ("PayloadTooLarge", Refused(Reason.PAYLOAD_TOO_LARGE)),
        ("IdleTimeout", Unavailable(None, Reason.IDLE_TIMEOUT)),
        ("BadCertificate", Misconfigured(Reason.CERTIFICATE_REFUSED, _CREDENTIAL)),
        ("BadCertificateEnvironment", Misconfigured(Reason.WRONG_ENVIRONMENT)),
        ("ExpiredProviderToken", Misconfigured(Reason.TOKEN_EXPIRED, _CREDENTIAL)),
        ("Forbidden", Misconfigured(Reason.CREDENTIAL_FORBIDDEN)),
        ("InvalidProviderToken", Misconfigured(Reason.TOKEN_REFUSED, _CREDENTIAL)),
        ("MissingProviderToken", Misconfigured(Reason.CREDENTIAL_MISSING)),
        ("UnrelatedKeyIdInToken", Misconfigured(Reason.CONNECTION_MIXED)),
        ("BadEnvironmentKeyIdInToken", Misconfigured(Reason.WRONG_ENVIRONMENT)),
        ("Unregistered", Gone(Reason.UNREGISTERED)),
        ("ExpiredToken", Gone(Reason.UNREGISTERED)),
        ("TooManyRequests", Throttled(None, ThrottleScope.DEVICE, Reason.THROTTLED)),
    ),
    # Apple's table spells it with `Id`, its servers without.
    *_rows(_SPELLING, ("BadEnvironmentKeyInToken", Misconfigured(Reason.WRONG_ENVIRONMENT))),
    *_rows(
        _TOKENS,
        ("TooManyProviderTokenUpdates", Throttled(_TOKEN_REST, ThrottleScope.PROJECT, Reason.TOKEN_UPDATES)),
    ),
    *_rows(
        _BROADCAST,
        ("FeatureNotEnabled", Misconfigured(Reason.BROADCAST_NOT_ENABLED)),
        ("TopicMismatch", Misconfigured(Reason.OTHER_APP, _ADDRESS)),
        ("BadChannelId", Misconfigured(Reason.DEVICE_TOKEN, _ADDRESS)),
        ("ChannelNotRegistered", Misconfigured(Reason.DEVICE_TOKEN, _ADDRESS)),
        ("MissingChannelId", _OURS),
        ("MissingPushType", _OURS),
        ("BadRequestParams", _OURS),
        ("BadRequestPayload", _OURS),
        ("CannotCreateChannelConfig", _OURS),
    ),
    *_rows(
        _APPLE,
        ("ServiceUnavailable", Unavailable(None, Reason.SERVICE_OVERLOADED)),
        ("Shutdown", Unavailable(None, Reason.SHUTDOWN)),
        ("InternalServerError", Unavailable(None, Reason.SERVICE_ERROR)),
        statuses=_5XX,
    ),
    Row(frozenset({401, 403}), "", Misconfigured(Reason.CREDENTIAL_FORBIDDEN), _APPLE),
    # Apple always says why: without a reason it may be something in between that answers.
    Row(frozenset({410}), "", Refused(Reason.SUSPECT), _APPLE),
    Row(frozenset({413}), "", Refused(Reason.PAYLOAD_TOO_LARGE), _APPLE),
    Row(frozenset({429}), "", Throttled(None, ThrottleScope.UNSTATED, Reason.THROTTLED), _APPLE),
    Row(frozenset({503}), "", Unavailable(None, Reason.SERVICE_OVERLOADED), _APPLE),
    Row(range(300, 500), "", _OURS, _APPLE),
    Row(_5XX, "", Unavailable(None, Reason.SERVICE_ERROR), _APPLE),
)
"""All rows; the first that fits counts. Apple's own list tells the status too, but the reason decides."""
