"""What a receiver's answer means, by its status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tidings.domain.outcome import (
    Accepted,
    Gone,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.lib.backoff import retry_after
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply

RETRY_AFTER_CAP = 6 * 3600.0
"""Seconds: the longest Retry-After that is believed."""


class Reason(StrEnum):
    """Why a delivery ended as it did."""

    FORBIDDEN_ADDRESS = "forbidden_address"
    GONE = "receiver_gone"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    REFUSED = "receiver_refused"
    SERVICE_ERROR = "service_error"
    SIGNATURE_REFUSED = "signature_refused"
    THROTTLED = "throttled"
    UNMAPPED = "unmapped_answer"
    UNREACHED = "receiver_unreached"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the statuses it fits, what they mean, and the source."""

    statuses: range
    outcome: Outcome
    source: str


_STANDARD = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"

ROWS = (
    Row(range(200, 300), Accepted(), _STANDARD),
    Row(range(410, 411), Gone(Reason.GONE), _STANDARD),
    Row(range(401, 402), Misconfigured(Reason.SIGNATURE_REFUSED), "RFC 9110 §15.5.2"),
    Row(range(403, 404), Misconfigured(Reason.SIGNATURE_REFUSED), "RFC 9110 §15.5.4"),
    Row(range(413, 414), Refused(Reason.PAYLOAD_TOO_LARGE), "RFC 9110 §15.5.14"),
    Row(range(429, 430), Throttled(None, ThrottleScope.ORIGIN, Reason.THROTTLED), _STANDARD),
    Row(range(500, 600), Unavailable(None, Reason.SERVICE_ERROR), _STANDARD),
    Row(range(300, 500), Refused(Reason.REFUSED), "RFC 9110 §15.4, §15.5"),
)
"""All rows; the first that fits counts."""


def outcome_from(answer: Answer, *, now: float) -> Outcome:
    """Find the row that fits an answer."""
    if isinstance(answer, NetworkFailure):
        if answer.kind is FailureKind.FORBIDDEN_ADDRESS:
            return Refused(Reason.FORBIDDEN_ADDRESS)
        return Unavailable(None, Reason.UNREACHED)
    outcome = next((row.outcome for row in ROWS if answer.status in row.statuses), None)
    if outcome is None:
        return Unmapped(answer.status, Reason.UNMAPPED)
    if isinstance(outcome, Throttled | Unavailable):
        return replace(outcome, after=_after(answer, now=now))
    return outcome


def _after(reply: Reply, *, now: float) -> float | None:
    asked, said_at = reply.headers.get("retry-after"), reply.headers.get("date")
    return retry_after(asked, now=now, cap=RETRY_AFTER_CAP, said_at=said_at)
