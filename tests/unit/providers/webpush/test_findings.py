"""What a test of a VAPID key says of each push service's answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.vapid import new_keys
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply
from tidings.providers import Finding
from tidings.providers.webpush.provider import WebPush

NOW = 1_800_000_000.0


def finding(answer: Answer, which: int) -> Finding:
    credential = new_keys().credential()
    request = WebPush().probes(credential, now=NOW)[which]
    return WebPush().finding(credential, request, answer, now=NOW)


def test_probes_carry_no_message_and_go_to_an_address_of_nobody() -> None:
    probes = WebPush().probes(new_keys().credential(), now=NOW)
    assert [(one.body, one.url.startswith("https://")) for one in probes] == [(b"", True)] * 4
    assert all(any(line.startswith("Authorization: vapid t=") for line in one.headers) for one in probes)


@pytest.mark.parametrize("status", [201, 400, 401, 403, 404, 410, 503])
def test_a_service_that_refuses_the_made_up_address_was_reached(status: int) -> None:
    for which in range(4):
        assert finding(Reply(status, {}, b""), which).ok


@pytest.mark.parametrize("kind", list(FailureKind))
def test_one_that_is_not_reached_is_named_with_its_browsers(kind: FailureKind) -> None:
    found = finding(NetworkFailure(kind), 2)
    assert not found.ok
    assert "web.push.apple.com" in found.detail
    assert "iPhone" in found.detail
    assert "port 443" in found.mend


@pytest.mark.parametrize(
    ("which", "body", "words"),
    [(0, b"invalid JWT provided", "signature"), (2, b'{"reason":"BadVapidPublicKey"}', "the public key")],
)
def test_what_is_said_of_the_key_itself_counts(which: int, body: bytes, words: str) -> None:
    found = finding(Reply(403, {}, body), which)
    assert (found.ok, words in found.detail) == (False, True)
    assert "rotate" in found.mend


def test_a_pair_that_does_not_belong_together_and_a_contact_apple_refuses_are_found() -> None:
    good = new_keys().credential()
    assert [one.ok for one in WebPush().own_findings(good)] == [True, True]
    mixed = replace(good, fingerprint=new_keys().public, settings={"subject": "mailto:me@localhost"})
    assert [one.ok for one in WebPush().own_findings(mixed)] == [False, False]
