"""Reading FCM's answers: the first row of the table that fits, by errorCode, then by words, then by status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from tidings.domain.outcome import Accepted, Outcome, Refused, Throttled, Unavailable, Unmapped
from tidings.lib.backoff import retry_after
from tidings.lib.exchange import Answer, FailureKind, Reply
from tidings.providers.fcm.outcomes import RETRY_AFTER_CAP, ROWS, Reason, Row, unanswered

_FCM_ERROR = "google.firebase.fcm.v1.FcmError"
_LONGEST_REF = 256


class Said:
    """What a reply says: `{"error": {"status", "message", "details": [...]}}`, or a page of HTML."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    @cached_property
    def error(self) -> Mapping[str, Any]:
        """The error object; empty where there is none."""
        try:
            body = json.loads(self._reply.body)
        except (ValueError, RecursionError):
            return {}
        error = body.get("error") if isinstance(body, dict) else None
        return error if isinstance(error, dict) else {}

    @cached_property
    def code(self) -> str:
        """The errorCode of the FcmError among the details."""
        found = (one.get("errorCode") for one in self._details if str(one.get("@type", "")).endswith(_FCM_ERROR))
        return next((code for code in found if isinstance(code, str)), "")

    @cached_property
    def words(self) -> str:
        """Message, status, and what the details give as reasons, in lower case."""
        said = [self.error.get("message"), self.error.get("status")]
        for one in self._details:
            said += [one.get("reason"), *(item.get("description") for item in _items(one, "violations"))]
            said += [item.get("subject") for item in _items(one, "violations")]
        return "\n".join(text for text in said if isinstance(text, str)).lower()

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that a BadRequest names."""
        named = (item.get("field") for one in self._details for item in _items(one, "fieldViolations"))
        return tuple(field for field in named if isinstance(field, str))

    @cached_property
    def _details(self) -> list[Mapping[str, Any]]:
        return list(_items(self.error, "details"))


def outcome_from(answer: Answer, *, now: float) -> Outcome:
    """Find the first row that fits; whatever the answer holds, this gives an outcome and never raises."""
    if not isinstance(answer, Reply):
        reason = unanswered(answer.kind)
        return Refused(reason) if answer.kind is FailureKind.FORBIDDEN_ADDRESS else Unavailable(None, reason)
    row = row_for(answer)
    return Unmapped(answer.status, Reason.UNMAPPED) if row is None else _filled(row.outcome, answer, now=now)


def row_for(reply: Reply) -> Row | None:
    """Give the row that decides, None if none fits."""
    said = Said(reply)
    for row in ROWS:
        if reply.status not in row.statuses or (row.code and row.code != said.code):
            continue
        if row.says and row.says not in said.words:
            continue
        if row.field and not any(field.startswith(row.field) for field in said.fields):
            continue
        return row
    return None


def _filled(outcome: Outcome, reply: Reply, *, now: float) -> Outcome:
    match outcome:
        case Accepted():
            return Accepted(_ref(reply.body))
        case Throttled() | Unavailable():
            asked, said_at = reply.headers.get("retry-after"), reply.headers.get("date")
            after = retry_after(asked, now=now, cap=RETRY_AFTER_CAP, said_at=said_at)
            return outcome if after is None else replace(outcome, after=after)
        case _:
            return outcome


def _ref(body: bytes) -> str:
    """Give the message's name: `projects/<project>/messages/<id>`, of which the id is what tells them apart."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    name = found.get("name") if isinstance(found, dict) else None
    ref = name.rpartition("/")[2] if isinstance(name, str) else ""
    return ref if len(ref) <= _LONGEST_REF and ref.isascii() and ref.isprintable() else ""


def _items(of: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = of.get(name)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield one
