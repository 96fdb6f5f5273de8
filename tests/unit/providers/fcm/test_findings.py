"""What a test of the connection says, for answers that the simulator does not give."""

from __future__ import annotations

import pytest

from tidings.domain.outcome import Unavailable
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply
from tidings.providers import Finding
from tidings.providers.fcm.findings import grant_finding_from, send_finding_from
from tidings.providers.fcm.outcomes import Reason, unanswered
from tidings.providers.fcm.reading import outcome_from

NOW = 1_798_761_600.0
SETTINGS = {"project_id": "acme", "client_email": "push@acme.iam.gserviceaccount.com"}


def found(answer: Answer) -> Finding:
    return send_finding_from(outcome_from(answer, now=NOW), SETTINGS)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_service_that_is_not_reached_is_said_in_words_with_the_way_round(kind: FailureKind) -> None:
    reason = unanswered(kind)
    for finding, host in (
        (found(NetworkFailure(kind)), "fcm.googleapis.com"),
        (grant_finding_from(Unavailable(None, reason)), "oauth2.googleapis.com"),
    ):
        assert not finding.ok
        assert finding.detail.startswith(f"{host} was not reached. ")
        assert reason not in finding.detail
        assert f"reach {host} on port 443" in finding.mend


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_of_google_is_told_from_ours(status: int) -> None:
    finding = found(Reply(status, {}, b""))
    assert (finding.ok, "trouble of its own" in finding.detail) == (False, True)
    assert grant_finding_from(Unavailable(None, Reason.GRANT_UNAVAILABLE)).mend == finding.mend


@pytest.mark.parametrize("status", [302, 413, 200, 600])
def test_every_other_answer_has_words_and_something_to_do(status: int) -> None:
    finding = found(Reply(status, {}, b""))
    assert finding.detail
    assert finding.ok or finding.mend
