"""The signature that receivers check, each recorded answer, and whom an integration serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError
from tidings.domain.subscription import Address
from tidings.lib.crypto import bytes_from_base64
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.providers.webhook.message import headers_from
from tidings.providers.webhook.outcomes import ROWS
from tidings.providers.webhook.provider import Webhook

PAGE = json.loads((Path(__file__).parents[3] / "vectors" / "webhook" / "webhook.json").read_text("utf-8"))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FIELDS = {"url": "https://hooks.example.com/tidings", "secret": SECRET}


def test_a_message_is_signed_as_the_standards_own_example_is() -> None:
    secret = bytes_from_base64(SECRET.removeprefix("whsec_"))
    body = b'{"test": 2432232314}'
    headers = headers_from(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, now=1_614_265_330)
    assert "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" in headers
    assert "webhook-timestamp: 1614265330" in headers


@pytest.mark.parametrize("answer", PAGE["answers"], ids=lambda answer: answer["name"])
def test_each_recorded_answer_has_its_outcome(answer: dict[str, Any]) -> None:
    reply = Reply(answer["status"], answer["headers"], answer["body"].encode())
    outcome = Webhook().outcome(Address("https://hooks.example.com/1"), reply, now=0.0)
    fields = {name: getattr(outcome, name) for name in type(outcome).__dataclass_fields__}
    assert {"kind": type(outcome).__name__, **fields} == answer["outcome"]


def test_every_row_decides_a_recorded_answer() -> None:
    statuses = [answer["status"] for answer in PAGE["answers"]]
    deciding = [next(row for row in ROWS if status in row.statuses) for status in statuses if status != 99]
    assert [row for row in ROWS if row not in deciding] == []


def test_a_device_belongs_to_the_integration_of_its_own_receiver_and_to_no_other() -> None:
    made = Webhook().credential_from(FIELDS)
    serves = [
        Webhook().serves(made.settings, {"token": url})
        for url in ("https://hooks.example.com/7", "https://hooks.example.com.evil.org/7", "https://evil.org/7")
    ]
    assert serves == [True, False, False]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://hooks.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": ""}, "url"),
        ({"secret": "whsec_c2hvcnQ="}, "secret"),
        ({"secret": "ä"}, "secret"),
    ],
)
def test_each_field_that_is_wrong_is_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        Webhook().credential_from(FIELDS | change)
    assert [fault.field for fault in caught.value.faults] == [field]


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "http://hooks.example.com/x", "ftp://x", 7, None])
def test_no_device_leads_into_a_private_network(url: object) -> None:
    with pytest.raises(CatalogueError):
        Webhook().address_from({"token": url}, policy=HostPolicy(frozenset(), ()))


def test_a_test_of_the_receiver_says_what_it_answered() -> None:
    via = Webhook()
    made = via.credential_from(FIELDS)

    credential = Credential(1, 1, 1, "webhook", made.fingerprint, made.secret, made.settings)
    (request,) = via.probes(credential, now=0.0)
    assert request.url == FIELDS["url"]
    said = {status: via.finding(credential, request, Reply(status, {}, b""), now=0.0) for status in (200, 401, 500)}
    assert [one.ok for one in said.values()] == [True, False, False]
    assert "secret" in said[401].mend
    assert "HTTP 500" in said[500].detail
    assert not via.finding(credential, request, NetworkFailure(FailureKind.TLS, "no"), now=0.0).ok
