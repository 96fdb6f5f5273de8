"""Every answer that push services are known to give, each with its outcome; and answers that nobody ever gave."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.outcome import Accepted, Gone, KeyMismatch, Outcome, Refused, Throttled, Unavailable, Unmapped
from tidings.domain.subscription import Address
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.providers.webpush.outcomes import ROWS, Reason
from tidings.providers.webpush.provider import WebPush
from tidings.providers.webpush.reading import RETRY_AFTER_CAP, row_for
from tidings.providers.webpush.settings import Family, service_at

NOW = 1_798_761_600.0
VECTORS = Path(__file__).parents[2] / "vectors" / "webpush"
PAGES: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text("utf-8")) for path in VECTORS.glob("*.json")}
RECORDED = [
    pytest.param({"endpoint": page["endpoint"], **answer}, id=f"{family}: {answer['name']}")
    for family, page in sorted(PAGES.items())
    for answer in page["answers"]
]
ENDPOINTS = {Family(name): str(page["endpoint"]) for name, page in PAGES.items()}


def outcome_of(endpoint: str, reply: Reply | NetworkFailure) -> Outcome:
    return WebPush().outcome(Address(endpoint), reply, now=NOW)


def reply_of(answer: dict[str, Any]) -> Reply:
    return Reply(answer["status"], answer["headers"], answer["body"].encode())


@pytest.mark.parametrize("answer", RECORDED)
def test_each_recorded_answer_of_a_push_service_has_its_outcome(answer: dict[str, Any]) -> None:
    outcome = outcome_of(answer["endpoint"], reply_of(answer))
    fields = {name: getattr(outcome, name) for name in type(outcome).__dataclass_fields__}
    assert {"kind": type(outcome).__name__, **fields} == answer["outcome"]
    assert answer["source"].startswith(("https://", "RFC "))
    assert answer["evidence"] in {"standard", "documentation", "source", "report"}


def test_there_is_a_page_of_answers_for_every_family_and_no_answer_is_there_twice() -> None:
    assert set(PAGES) == {family.value for family in Family}
    for family, page in PAGES.items():
        names = [answer["name"] for answer in page["answers"]]
        assert len(names) == len(set(names)), family
        assert {service_at(one.get("endpoint", page["endpoint"])).family.value for one in page["answers"]} == {family}


def test_every_row_decides_at_least_one_recorded_answer() -> None:
    deciding = [row_for(Family(name), reply_of(one)) for name, page in PAGES.items() for one in page["answers"]]
    assert [row for row in ROWS if row not in deciding] == []


def said(family: str) -> set[str]:
    """What a family's answers say: the `errno` or `reason` of their bodies, and their X-WNS-* headers."""
    words: set[str] = set()
    for answer in PAGES[family]["answers"]:
        words |= {value.lower() for name, value in answer["headers"].items() if name.startswith("x-wns-")}
        if answer["body"].startswith("{"):
            body = json.loads(answer["body"])
            words |= {str(body[name]) for name in ("errno", "reason", "code") if name in body}
    return words


@pytest.mark.parametrize(
    ("family", "documented"),
    [
        (
            "mozilla",
            "101 102 103 104 105 106 108 109 110 111 112 113 114 201 202 900 901 902 903 999 None",
        ),
        (
            "apple",
            "BadAuthorizationHeader BadJwtToken BadPath BadTtl BadUrgency BadVapidPublicKey BadWebPushRequest "
            "BadWebPushTopic IdleTimeout InternalServerError MethodNotAllowed PayloadTooLarge ServiceUnavailable "
            "Shutdown TooManyRequests Unregistered VapidPkHashMismatch",
        ),
        ("microsoft", "received dropped channelthrottled connected tempdisconnected disconnected"),
        ("unknown", "50701 42901 42908 41301 40301"),
    ],
)
def test_every_word_that_a_service_documents_is_recorded(family: str, documented: str) -> None:
    assert set(documented.split()) - said(family) == set()


def test_every_status_that_microsoft_documents_is_recorded() -> None:
    statuses = {answer["status"] for answer in PAGES["microsoft"]["answers"]}
    assert {200, 400, 401, 403, 404, 405, 406, 410, 413, 500, 503} <= statuses


@pytest.mark.parametrize("family", list(Family))
def test_every_status_without_a_word_has_the_outcome_of_its_class(family: Family) -> None:
    for status in range(-1, 1000):
        outcome = outcome_of(ENDPOINTS[family], Reply(status, {}, b""))
        expected: type[object] | tuple[type[object], ...]
        if status in (200, 201, 202, 204):
            expected = Accepted
        elif status in (404, 410):
            expected = Gone
        elif 300 <= status < 400:
            expected = Refused
        elif 400 <= status < 500:
            assert not isinstance(outcome, Accepted | Gone | KeyMismatch | Unmapped), (status, outcome)
            continue
        elif 500 <= status < 600:
            expected = Unavailable
        else:
            expected = Unmapped
        assert isinstance(outcome, expected), (status, outcome)


WORDS = [*sorted({row.says for row in ROWS if row.says}), "NotRegistered", "errno", "reason", "ntfy.sh", "dropped"]
HOSTILE = st.one_of(
    st.binary(max_size=600),
    st.integers(1, 8192).map(lambda size: b"\x00" * size),
    st.integers(1, 4096).map(lambda depth: b"[" * depth),
    st.integers(1, 2000).map(lambda depth: b'{"errno":' * depth + b"109" + b"}" * depth),
    st.sampled_from(WORDS).map(lambda words: words.upper().encode() + b"\xff\xfe\x00"),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["errno", "reason", "x"]), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.integers(1, 8000).map(lambda digits: b'{"errno":' + b"9" * digits + b"}"),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["retry-after", "date", "location", "apns-id", "x-wns-msg-id", "x-wns-error-description", "x-wns-status", ""]
    ),
    st.text(max_size=300)
    | st.integers(-(10**9), 10**12).map(str)
    | st.sampled_from(["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", *WORDS]),
)


@given(
    family=st.sampled_from(list(Family)),
    status=st.integers(100, 599) | st.sampled_from([201, 400, 401, 403, 404, 406, 410, 413, 429, 500, 502, 503, 507]),
    headers=HEADERS,
    body=HOSTILE,
)
def test_no_answer_raises_and_nothing_of_it_gets_further_than_it_may(
    family: Family, status: int, headers: dict[str, str], body: bytes
) -> None:
    outcome = outcome_of(ENDPOINTS[family], Reply(status, headers, body))
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert len(outcome.ref) <= 256
        assert outcome.ref.isascii()
        assert outcome.ref.isprintable()
    else:
        assert outcome.reason in list(Reason), "reasons are counted and shown, so they are ours and never the service's"
    if isinstance(outcome, Throttled | Unavailable) and outcome.after is not None:
        assert 0 <= outcome.after <= RETRY_AFTER_CAP
    assert pickle.loads(pickle.dumps(outcome)) == outcome


@pytest.mark.parametrize("kind", list(FailureKind))
def test_no_answer_at_all_is_tried_again_unless_the_address_is_forbidden(kind: FailureKind) -> None:
    for endpoint in ENDPOINTS.values():
        outcome = outcome_of(endpoint, NetworkFailure(kind, "\x00words of a library"))
        assert isinstance(outcome, Refused if kind is FailureKind.FORBIDDEN_ADDRESS else Unavailable)
        assert outcome.reason in list(Reason)
