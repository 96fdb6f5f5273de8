from __future__ import annotations

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tidings.simulator.answers import Request
from tidings.simulator.flavours import MOZILLA, STRICT
from tidings.simulator.judge import LONGEST_TTL, Fit, Verdict, judged
from tidings.simulator.refusals import Reason, Refusal

POINT = (
    ec.derive_private_key(5, ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
BODY: bytes = http_ece.encrypt(
    b"hello",
    private_key=ec.derive_private_key(6, ec.SECP256R1()),
    dh=POINT,
    auth_secret=b"a" * 16,
    version="aes128gcm",
)


def verdict(headers: dict[str, str], body: bytes = BODY, *, gone: bool = False, key: bytes | None = None) -> Verdict:
    given_headers = {"ttl": "60", "content-encoding": "aes128gcm", **headers}
    request = Request("POST", "/wpush/v2/t", "", {k: v for k, v in given_headers.items() if v != "-"}, body)
    return judged(request, STRICT.rules, key=key, gone=gone, origins={"https://localhost:1"}, now=1_800_000_000)


def test_a_good_request_is_fit() -> None:
    found = verdict({"urgency": "high", "topic": "a" * 32})
    assert isinstance(found, Fit)
    assert (found.ttl, found.urgency, found.topic) == (60, "high", "a" * 32)
    assert found.coded is not None


def test_a_message_without_body_needs_no_coding() -> None:
    found = verdict({"content-encoding": "-"}, b"")
    assert isinstance(found, Fit)
    assert found.coded is None


@pytest.mark.parametrize(
    ("ttl", "granted"), [("0", 0), ("00060", 60), ("2592001", LONGEST_TTL), ("9" * 6000, LONGEST_TTL)]
)
def test_a_time_to_live_is_read_and_capped(ttl: str, granted: int) -> None:
    found = verdict({"ttl": ttl})
    assert isinstance(found, Fit)
    assert found.ttl == granted


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"ttl": "-"}, Reason.TTL),
        ({"ttl": "-1"}, Reason.TTL),
        ({"ttl": "1.5"}, Reason.TTL),
        ({"ttl": "60, 60"}, Reason.TTL),
        ({"ttl": "\u0661"}, Reason.TTL),
        ({"ttl": ""}, Reason.TTL),
        ({"urgency": "urgent"}, Reason.URGENCY),
        ({"urgency": "normal, high"}, Reason.URGENCY),
        ({"topic": ""}, Reason.TOPIC),
        ({"topic": "a" * 33}, Reason.TOPIC),
        ({"topic": "a b"}, Reason.TOPIC),
        ({"topic": "a="}, Reason.TOPIC),
        ({"topic": "a\n"}, Reason.TOPIC),
        ({"content-encoding": "-"}, Reason.CODING),
        ({"content-encoding": "aesgcm"}, Reason.CODING),
        ({"content-encoding": "aes128gcm, gzip"}, Reason.CODING),
        ({"authorization": "WebPush abc"}, Reason.BAD_AUTHORIZATION),
    ],
)
def test_each_bad_header_has_its_reason(headers: dict[str, str], reason: Reason) -> None:
    found = verdict(headers)
    assert isinstance(found, Refusal)
    assert found.reason is reason


def test_a_body_of_4096_bytes_is_taken_and_one_more_is_not() -> None:
    largest = BODY[:86].replace(b"\x00\x00\x10\x00", b"\x00\x00\x20\x00", 1) + b"x" * (4096 - 86)
    assert isinstance(verdict({}, largest), Fit)
    found = verdict({}, largest + b"x")
    assert isinstance(found, Refusal)
    assert found.reason is Reason.TOO_LARGE


def test_a_restricted_subscription_wants_a_signature_even_when_it_is_gone() -> None:
    found = verdict({}, gone=True, key=POINT)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.NO_AUTHORIZATION


def test_an_ended_subscription_is_gone() -> None:
    found = verdict({}, gone=True)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.GONE


@given(
    st.dictionaries(
        st.sampled_from(["ttl", "urgency", "topic", "content-encoding", "authorization"]),
        st.text(max_size=60),
        max_size=5,
    ),
    st.binary(max_size=200),
)
def test_nothing_a_client_sends_is_answered_with_a_fault_of_ours(headers: dict[str, str], body: bytes) -> None:
    found = verdict(headers, body)
    status = MOZILLA.refuse(found).status if isinstance(found, Refusal) else 201
    assert status == 201 or 400 <= status < 500


def test_every_reason_has_an_answer_in_mozillas_words() -> None:
    for reason in Reason:
        answer = MOZILLA.refuse(Refusal(reason, "why", 7))
        assert answer.status >= 400
        assert ("retry-after", "7") in answer.headers
        assert b'"message": "why"' in answer.body
