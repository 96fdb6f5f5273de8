"""Reading an answer of a push service: the first row of its table that fits, filled with what the answer names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import assert_never

from tidings.domain.outcome import Accepted, Outcome, Refused, Throttled, Unavailable, Unmapped
from tidings.lib.backoff import retry_after
from tidings.lib.exchange import Answer, FailureKind, Reply
from tidings.providers.webpush.outcomes import ROWS, Reason, Row
from tidings.providers.webpush.settings import Family

RETRY_AFTER_CAP = 6 * 3600.0
"""Seconds: the longest Retry-After that is believed."""

_LONGEST_REF = 256


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
            ref = _ref(reply.headers)
            return Accepted(ref) if ref else outcome
        case Throttled() | Unavailable():
            asked, said_at = reply.headers.get("retry-after"), reply.headers.get("date")
            after = retry_after(asked, now=now, cap=RETRY_AFTER_CAP, said_at=said_at)
            return outcome if after is None else replace(outcome, after=after)
        case _:
            return outcome


def _ref(headers: Mapping[str, str]) -> str:
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
