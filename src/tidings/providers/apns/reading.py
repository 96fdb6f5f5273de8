"""Reading an answer of Apple's: the first row of the table that fits, filled with what the answer names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, assert_never

from tidings.domain.outcome import Accepted, Gone, Outcome, Refused, Throttled, Unavailable, Unmapped
from tidings.lib.backoff import retry_after
from tidings.lib.exchange import Answer, FailureKind, Reply
from tidings.providers.apns.outcomes import ROWS, Reason, Row

RETRY_AFTER_CAP = 6 * 3600.0
"""Seconds: the longest Retry-After that is believed."""

_FIRST_MOMENT = 1_230_768_000.0
"""Unix seconds: 2009, when the service began; a `timestamp` before it, or of tomorrow, is none.

What is a little ahead of our own clock counts as now."""
_DAY = 86_400.0
_LONGEST_REF = 64


def outcome_from(answer: Answer, *, now: float) -> Outcome:
    """Find the first row that fits an answer; whatever the answer holds, this gives an outcome and never raises."""
    if not isinstance(answer, Reply):
        return _unanswered(answer.kind)
    said = _said(answer)
    row = row_for(answer.status, _reason(said))
    return Unmapped(answer.status, Reason.UNMAPPED) if row is None else _filled(row.outcome, answer, said, now=now)


@lru_cache(maxsize=1024)
def row_for(status: int, reason: str) -> Row | None:
    """Give the row that decides, None if none fits."""
    return next((row for row in ROWS if status in row.statuses and row.says in ("", reason)), None)


def reason_in(reply: Reply) -> str:
    """Give the `reason` that Apple states, or an empty text."""
    return _reason(_said(reply))


def _said(reply: Reply) -> dict[str, Any]:
    if not reply.body:
        return {}
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _reason(said: dict[str, Any]) -> str:
    found = said.get("reason")
    return found[:64] if isinstance(found, str) else ""


def _filled(outcome: Outcome, reply: Reply, said: dict[str, Any], *, now: float) -> Outcome:
    match outcome:
        case Accepted():
            return Accepted(_ref(reply.headers))
        case Gone():
            # Without a credible moment it is dead as of now: who registers while the answer is on its way is alive.
            return replace(outcome, at=_moment(said.get("timestamp"), now=now) or now)
        case Throttled() | Unavailable():
            asked, said_at = reply.headers.get("retry-after"), reply.headers.get("date")
            after = retry_after(asked, now=now, cap=RETRY_AFTER_CAP, said_at=said_at)
            return outcome if after is None else replace(outcome, after=after)
        case _:
            return outcome


def _moment(milliseconds: object, *, now: float) -> float | None:
    """Read when Apple saw that a token was dead, in Unix seconds; None if it does not say, or nothing credible."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool) or abs(milliseconds) > 10**15:
        return None
    seconds = milliseconds / 1000
    return min(seconds, now) if _FIRST_MOMENT < seconds < now + _DAY else None


def _ref(headers: Mapping[str, str]) -> str:
    ref = headers.get("apns-id", "")
    return ref if len(ref) <= _LONGEST_REF and ref.isascii() and ref.isprintable() else ""


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
