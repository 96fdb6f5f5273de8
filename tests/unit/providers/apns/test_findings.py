"""What a test of the connection says, for answers that the simulator does not give."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from support.apple import key_credential
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply
from tidings.providers import Finding
from tidings.providers.apns.findings import finding_from, warnings_of
from tidings.providers.apns.outcomes import ROWS
from tidings.providers.apns.settings import Environment

NOW = 1_798_761_600.0
CREDENTIAL = key_credential()


def found(answer: Answer) -> Finding:
    return finding_from(CREDENTIAL, Environment.SANDBOX, answer, now=NOW)


def refused(reason: str, *, status: int = 403, date: float | None = None) -> Reply:
    headers = {} if date is None else {"date": formatdate(date, usegmt=True)}
    return Reply(status, headers, b'{"reason":"%s"}' % reason.encode())


@pytest.mark.parametrize(("ahead", "says"), [(7200, "7200 seconds ahead of"), (-7200, "7200 seconds behind")])
@pytest.mark.parametrize("reason", ["InvalidProviderToken", "ExpiredProviderToken"])
def test_a_clock_that_is_off_is_told_from_a_wrong_key(reason: str, ahead: int, says: str) -> None:
    finding = found(refused(reason, date=NOW - ahead))
    assert says in finding.detail
    assert "clock" in finding.mend
    assert "recognise" in found(refused("InvalidProviderToken", date=NOW - 5)).detail


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_service_that_is_not_reached_is_said_with_the_way_round(kind: FailureKind) -> None:
    finding = found(NetworkFailure(kind, "words {of} a library"))
    assert not finding.ok
    assert "api.sandbox.push.apple.com was not reached" in finding.detail
    assert "2197" in finding.mend


def test_every_reason_has_an_answer_and_only_tokens_that_are_bad_prove_anything() -> None:
    for reason in {row.says for row in ROWS if row.says}:
        finding = found(refused(reason, status=400))
        assert finding.ok is (reason in {"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"})
        assert finding.ok or finding.mend, reason


@pytest.mark.parametrize("reply", [Reply(418, {}, b""), refused("{bundle}{x}"), Reply(403, {"date": "soon"}, b"[]")])
def test_an_answer_that_nobody_knows_is_shown_as_it_is(reply: Reply) -> None:
    assert str(reply.status) in found(reply).detail


def test_what_goes_wrong_most_often_is_always_said_and_when_a_certificate_ends() -> None:
    said = " ".join(warnings_of({"expires_at": "2027-12-19T11:00:00+00:00"}))
    assert "separate" in said
    assert "does not fail in silence" in said
    assert "built and signed" in said
    assert "19 December 2027" in said
