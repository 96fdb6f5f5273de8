"""Every answer that Apple's push service is known to give, each with its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.domain.outcome import Accepted, Doubt, Gone, Outcome, Refused, Unavailable, Unmapped
from tidings.domain.subscription import Address
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.providers.apns.outcomes import ROWS, Reason
from tidings.providers.apns.provider import Apns
from tidings.providers.apns.reading import reason_in, row_for

NOW = 1_798_761_600.0
PAGE = json.loads((Path(__file__).parents[2] / "vectors" / "apns" / "apns.json").read_text("utf-8"))
ANSWERS: list[dict[str, Any]] = PAGE["answers"]
DOCUMENTED = (
    "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic DeviceTokenNotForTopic "
    "DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken MissingTopic PayloadEmpty TopicDisallowed "
    "BadCertificate BadCertificateEnvironment ExpiredProviderToken Forbidden InvalidProviderToken MissingProviderToken "
    "UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken BadPath MethodNotAllowed ExpiredToken Unregistered "
    "PayloadTooLarge TooManyProviderTokenUpdates TooManyRequests InternalServerError ServiceUnavailable Shutdown "
    "FeatureNotEnabled MissingChannelId BadChannelId ChannelNotRegistered BadRequestParams BadRequestPayload "
    "MissingPushType CannotCreateChannelConfig TopicMismatch BadEnvironmentKeyInToken"
)


def reply_of(answer: dict[str, Any]) -> Reply:
    return Reply(answer["status"], answer["headers"], answer["body"].encode())


def outcome_of(answer: Reply | NetworkFailure) -> Outcome:
    return Apns().outcome(Address("c0ffee"), answer, now=NOW)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["name"])
def test_each_recorded_answer_has_its_outcome(answer: dict[str, Any]) -> None:
    outcome = outcome_of(reply_of(answer))
    fields = {name: getattr(outcome, name) for name in type(outcome).__dataclass_fields__}
    assert {"kind": type(outcome).__name__, **fields} == answer["outcome"]
    assert answer["source"].startswith(("https://", "RFC "))
    assert answer["evidence"] in {"standard", "documentation", "source", "report"}


def test_every_documented_reason_is_recorded_and_none_twice() -> None:
    assert set(DOCUMENTED.split()) - {reason_in(reply_of(answer)) for answer in ANSWERS} == set()
    names = [answer["name"] for answer in ANSWERS]
    assert len(names) == len(set(names))


def test_every_row_decides_at_least_one_recorded_answer() -> None:
    deciding = [row_for(answer["status"], reason_in(reply_of(answer))) for answer in ANSWERS]
    assert [row for row in ROWS if row not in deciding] == []


def test_only_the_two_reasons_that_name_a_dead_token_cost_a_subscription() -> None:
    reasons = ["", "Nonsense", *DOCUMENTED.split()]
    for status in (*range(200, 600), 0, 999):
        for reason in reasons:
            outcome = outcome_of(Reply(status, {}, json.dumps({"reason": reason}).encode()))
            named = reason in ("Unregistered", "ExpiredToken") and 400 <= status < 500
            assert isinstance(outcome, Gone) is named, (status, reason)
            assert isinstance(outcome, Accepted) is (200 <= status < 300), (status, reason)
            assert isinstance(outcome, Unmapped) is (not 200 <= status < 600), (status, reason)


@pytest.mark.parametrize(
    "timestamp", [None, "1798000000123", 1.5, True, -1, 0, 10**30, [1], NOW * 1000 + 10**9, float(NOW)]
)
def test_without_a_moment_that_can_be_a_token_is_dead_as_of_now(timestamp: object) -> None:
    body = json.dumps({"reason": "Unregistered", "timestamp": timestamp}).encode()
    assert outcome_of(Reply(410, {}, body)) == Gone(Reason.UNREGISTERED, NOW)


def test_a_moment_that_is_a_little_ahead_is_now() -> None:
    body = json.dumps({"reason": "Unregistered", "timestamp": int(NOW + 3_600) * 1000}).encode()
    assert outcome_of(Reply(410, {}, body)) == Gone(Reason.UNREGISTERED, NOW)


def test_a_410_that_gives_no_reason_is_doubted_and_no_verdict() -> None:
    for body in (b"", b"{}", b"<html>Gone</html>", b'{"reason":""}'):
        assert outcome_of(Reply(410, {}, body)) == Refused(Doubt.ENDPOINT_SUSPECT)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_no_answer_at_all_is_tried_again_unless_the_address_is_forbidden(kind: FailureKind) -> None:
    outcome = outcome_of(NetworkFailure(kind, "\x00words of a library"))
    assert isinstance(outcome, Refused if kind is FailureKind.FORBIDDEN_ADDRESS else Unavailable)
    assert outcome.reason in list(Reason)
