"""Every answer that FCM and Google's token endpoint are known to give, each with its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.outcome import Accepted, Gone, KeyMismatch
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.providers import Grant
from tidings.providers.fcm.oauth import grant_from_answer
from tidings.providers.fcm.outcomes import RETRY_AFTER_CAP, ROWS, Reason
from tidings.providers.fcm.reading import outcome_from, row_for

NOW = 1_798_761_600.0
VECTORS = Path(__file__).parents[2] / "vectors" / "fcm"


def recorded(name: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = json.loads((VECTORS / name).read_text("utf-8"))["answers"]
    return answers


def reply_of(answer: dict[str, Any]) -> Reply:
    return Reply(answer["status"], answer["headers"], answer["body"].encode())


def shown(outcome: object) -> dict[str, Any]:
    fields = {name: getattr(outcome, name) for name in type(outcome).__dataclass_fields__}  # type: ignore[attr-defined]
    said = {name: value for name, value in fields.items() if name != "at" or value is not None}
    return {"kind": type(outcome).__name__, **said}


@pytest.mark.parametrize("answer", recorded("send.json"), ids=lambda answer: answer["name"])
def test_each_recorded_answer_to_a_send_has_its_outcome(answer: dict[str, Any]) -> None:
    assert shown(outcome_from(reply_of(answer), now=NOW)) == answer["outcome"]
    assert answer["source"].startswith(("https://", "RFC "))
    assert answer["evidence"] in {"standard", "documentation", "source", "report"}


def test_every_row_decides_at_least_one_recorded_answer_and_none_is_there_twice() -> None:
    answers = recorded("send.json")
    deciding = [row_for(reply_of(answer)) for answer in answers]
    assert [row for row in ROWS if row not in deciding] == []
    assert len({answer["name"] for answer in answers}) == len(answers)


def test_every_error_code_that_google_documents_is_recorded() -> None:
    said = "\n".join(answer["body"] for answer in recorded("send.json"))
    documented = "INVALID_ARGUMENT UNREGISTERED SENDER_ID_MISMATCH QUOTA_EXCEEDED UNAVAILABLE INTERNAL"
    assert [
        code for code in (*documented.split(), "THIRD_PARTY_AUTH_ERROR") if f'"errorCode": "{code}"' not in said
    ] == []


@pytest.mark.parametrize("answer", recorded("token.json"), ids=lambda answer: answer["name"])
def test_each_recorded_answer_to_a_claim_has_its_meaning(answer: dict[str, Any]) -> None:
    found = grant_from_answer(reply_of(answer), now=NOW)
    if isinstance(found, Grant):
        assert answer["outcome"] == {"kind": "Grant", "life": found.expires_at - NOW}
    else:
        assert shown(found) == answer["outcome"]


@pytest.mark.parametrize("status", [*range(100, 404), *range(405, 600)])
def test_only_a_device_that_is_unregistered_is_gone(status: int) -> None:
    unregistered = next(one for one in recorded("send.json") if one["name"] == "unregistered")["body"].encode()
    for body in (unregistered, b"", b"<html>", b'{"error":{"status":"NOT_FOUND"}}'):
        assert not isinstance(outcome_from(Reply(status, {}, body), now=NOW), Gone | KeyMismatch)
    assert not isinstance(outcome_from(Reply(404, {}, b""), now=NOW), Gone | KeyMismatch)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "details",
                    "errorCode",
                    "@type",
                    "status",
                    "message",
                    "fieldViolations",
                    "field",
                    "name",
                    "access_token",
                    "expires_in",
                    "violations",
                    "reason",
                    "error_description",
                ]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@given(
    status=st.integers(-1, 700) | st.sampled_from([200, 400, 401, 403, 404, 429, 503]),
    body=st.binary(max_size=300) | JSONS.map(lambda value: json.dumps(value).encode()),
    after=st.text(max_size=40) | st.integers(-5, 10**9).map(str),
)
def test_no_answer_raises_and_nothing_of_it_gets_further_than_it_may(status: int, body: bytes, after: str) -> None:
    reply = Reply(status, {"retry-after": after}, body)
    outcome = outcome_from(reply, now=NOW)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.ref.isascii()
        assert len(outcome.ref) <= 256
    else:
        assert outcome.reason in list(Reason)
    waits = getattr(outcome, "after", None)
    assert waits is None or 0 <= waits <= RETRY_AFTER_CAP
    found = grant_from_answer(reply, now=NOW)
    if isinstance(found, Grant):
        assert found.token.decode("ascii").isprintable()
        assert NOW < found.expires_at <= NOW + 3600
    else:
        assert found.reason in list(Reason)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_no_answer_at_all_is_named(kind: FailureKind) -> None:
    failure = NetworkFailure(kind, "words of a library")
    for found in (outcome_from(failure, now=NOW), grant_from_answer(failure, now=NOW)):
        assert not isinstance(found, Grant | Accepted)
        assert found.reason in list(Reason)
