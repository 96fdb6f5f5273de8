"""What follows from each outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain import suspected
from tidings.domain.delivery import DeliveryStatus, Retired, Retry
from tidings.domain.outcome import (
    Accepted,
    Doubt,
    FaultScope,
    Gone,
    Held,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.lib.exchange import Reply
from tidings.pipeline.settle import (
    CONFIGURATION_DELAY,
    EVERYWHERE,
    LONGEST_DELAY,
    MANY,
    MOST_PUZZLING_TRIES,
    SUSPECT,
    Tried,
    Verdicts,
    settle,
)
from tidings.providers.fcm.reading import outcome_from

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)


def tried(
    outcome: Outcome,
    *,
    subscription_id: int = 1,
    earlier_tries: int = 0,
    puzzling: int = 0,
    origin: str = "https://push",
) -> Tried:
    return Tried(
        subscription_id,
        earlier_tries,
        credential_id=7,
        origin=origin,
        outcome=outcome,
        address_hash=b"hash",
        puzzling=puzzling,
    )


def settled(*all_tried: Tried, expires_at: datetime = TOMORROW, chance: float = 0.5) -> Verdicts:
    return settle(all_tried, now=NOW, expires_at=expires_at, chance=lambda: chance)


def only_retry(verdicts: Verdicts) -> tuple[float, Retry]:
    assert verdicts.deliveries == []
    ((moment, (retry,)),) = verdicts.retries.items()
    return (moment - NOW).total_seconds(), retry


def test_an_accepted_message_is_sent_and_keeps_the_services_name_for_it() -> None:
    (delivery,) = settled(tried(Accepted("https://push/m/1"), earlier_tries=2)).deliveries
    assert delivery.status is DeliveryStatus.SENT
    assert delivery.provider_ref == "https://push/m/1"
    assert delivery.attempt == 3


def test_a_dead_address_fails_and_its_subscription_is_retired() -> None:
    verdicts = settled(tried(Gone("unregistered")))
    assert verdicts.retired == [Retired(1, "unregistered", b"hash")]
    assert [(one.status, one.reason) for one in verdicts.deliveries] == [(DeliveryStatus.FAILED, "gone")]


def test_a_subscription_made_with_another_key_has_to_subscribe_again() -> None:
    verdicts = settled(tried(KeyMismatch("vapid_key_mismatch")))
    assert verdicts.retired == [Retired(1, "key_mismatch:vapid_key_mismatch", b"hash")]
    assert verdicts.deliveries[0].reason == "key_mismatch"


def test_a_refused_message_fails_and_the_subscription_stays() -> None:
    verdicts = settled(tried(Refused("too_large")))
    assert verdicts.retired == []
    assert verdicts.deliveries[0].reason == "too_large"


def test_refused_credentials_pause_the_integration_and_the_message_waits_without_losing_a_try() -> None:
    verdicts = settled(tried(Misconfigured("bad_jwt"), earlier_tries=4))
    assert verdicts.misconfigured == {(7, "https://push"): "bad_jwt"}
    delay, retry = only_retry(verdicts)
    assert delay >= CONFIGURATION_DELAY
    assert retry.attempt == 4
    assert verdicts.retired == []


def test_a_credential_that_is_wrong_everywhere_is_paused_everywhere() -> None:
    verdicts = settled(tried(Misconfigured("project_closed", FaultScope.CREDENTIAL)))
    assert verdicts.misconfigured == {(7, EVERYWHERE): "project_closed"}


def test_one_address_that_dislikes_our_key_pauses_nothing_while_its_service_accepts_others() -> None:
    verdicts = settled(tried(Accepted(), subscription_id=1), tried(Misconfigured("odd"), subscription_id=2))
    assert verdicts.misconfigured == {}
    assert [retry for group in verdicts.retries.values() for retry in group] == [Retry(2, 1, puzzling=1)]


def test_a_key_that_worked_lately_is_not_doubted_for_one_address() -> None:
    only = tried(Misconfigured("authorization_refused"), origin="https://odd")
    verdicts = settle([only], now=NOW, expires_at=TOMORROW, chance=lambda: 0.5, proven={(7, "https://odd")})
    assert verdicts.misconfigured == {}
    assert only_retry(verdicts)[1] == Retry(1, 1, puzzling=1)
    last = tried(Misconfigured("authorization_refused"), origin="https://odd", puzzling=MOST_PUZZLING_TRIES - 1)
    ended = settle([last], now=NOW, expires_at=TOMORROW, chance=lambda: 0.5, proven={(7, "https://odd")})
    assert [one.reason for one in ended.deliveries] == ["authorization_refused"]
    assert ended.retired == []


def test_refused_credentials_at_one_service_are_told_although_another_service_accepts_them() -> None:
    verdicts = settled(
        tried(Accepted(), subscription_id=1, origin="https://a"),
        tried(Misconfigured("bad_jwt"), subscription_id=2, origin="https://b"),
    )
    assert verdicts.misconfigured == {(7, "https://b"): "bad_jwt"}


@pytest.mark.parametrize("reason", [Held.RESTS, Held.PACED])
def test_what_was_never_sent_comes_back_when_it_was_told_and_had_no_try(reason: Held) -> None:
    verdicts = settled(tried(Throttled(40.0, ThrottleScope.PROJECT, reason), earlier_tries=3), chance=0.0)
    assert only_retry(verdicts) == (40.0, Retry(1, 3))


def test_chunks_with_the_same_delay_come_back_at_different_moments() -> None:
    delays = [
        only_retry(settled(tried(Throttled(120.0, ThrottleScope.PROJECT, Held.RESTS)), chance=lot / 10))[0]
        for lot in range(10)
    ]
    assert len(set(delays)) == 10
    assert min(delays) >= 120
    assert max(delays) <= 120 * 1.4


def test_rounding_never_lets_a_message_run_out_of_time() -> None:
    only = tried(Throttled(120.0, ThrottleScope.PROJECT, Held.RESTS))
    assert only_retry(settled(only, expires_at=NOW + timedelta(seconds=121)))[0] == 120


@given(after=st.floats(0, 20_000), earlier=st.integers(0, 1_500), chance=st.floats(0, 0.999))
def test_a_throttled_message_is_never_tried_sooner_than_the_service_asked(
    after: float, earlier: int, chance: float
) -> None:
    verdicts = settled(tried(Throttled(after, ThrottleScope.ORIGIN), earlier_tries=earlier), chance=chance)
    delay, retry = only_retry(verdicts)
    assert delay >= after - 1e-3
    assert delay <= (after + LONGEST_DELAY) * 1.5 + 1
    assert retry.attempt == earlier + 1


@pytest.mark.parametrize("outcome", [Unavailable(None, "timed_out"), Throttled(None, ThrottleScope.DEVICE)])
def test_tries_go_on_until_the_time_to_live_ends(outcome: Outcome) -> None:
    at, tries = NOW, 0
    while True:
        verdicts = settle([tried(outcome, earlier_tries=tries)], now=at, expires_at=TOMORROW, chance=lambda: 0.999)
        if not verdicts.retries:
            break
        ((at, (retry,)),) = verdicts.retries.items()
        tries = retry.attempt
    assert at > TOMORROW - timedelta(seconds=LONGEST_DELAY * 1.25), "an outage of hours loses nobody"
    assert tries < 70, "nor does it try without end"
    assert [(one.status, one.reason) for one in verdicts.deliveries] == [(DeliveryStatus.EXPIRED, "ttl_ended")]


def test_an_answer_no_table_knows_is_tried_a_few_times() -> None:
    retry = Retry(1, 0)
    for times in range(1, MOST_PUZZLING_TRIES):
        again = tried(Unmapped(418, "teapot"), earlier_tries=retry.attempt, puzzling=retry.puzzling)
        retry = only_retry(settled(again))[1]
        assert (retry.attempt, retry.puzzling) == (times, times)
    last = settled(tried(Unmapped(418, "teapot"), earlier_tries=retry.attempt, puzzling=retry.puzzling))
    assert last.deliveries[0].reason == "unmapped_418"


def test_tries_that_ended_otherwise_use_up_none_of_those_few() -> None:
    assert only_retry(settled(tried(Unmapped(418, "teapot"), earlier_tries=40)))[1] == Retry(1, 41, puzzling=1)
    away = tried(Unavailable(None, "away"), earlier_tries=4, puzzling=2)
    assert only_retry(settled(away))[1] == Retry(1, 5, puzzling=2)


def test_nothing_is_tried_after_the_message_has_run_out() -> None:
    verdicts = settled(tried(Throttled(120, ThrottleScope.ORIGIN)), expires_at=NOW + timedelta(seconds=60))
    assert verdicts.retries == {}
    assert verdicts.deliveries[0].status is DeliveryStatus.EXPIRED


@given(st.lists(st.integers(0, 40), min_size=200, max_size=200), st.randoms(use_true_random=False))
def test_a_chunk_of_retries_makes_a_handful_of_shards_and_loses_nobody(tries: list[int], random: Random) -> None:
    verdicts = settle(
        [
            tried(Unavailable(None, "reset"), subscription_id=number, earlier_tries=earlier)
            for number, earlier in enumerate(tries)
        ],
        now=NOW,
        expires_at=TOMORROW,
        chance=random.random,
    )
    assert len(verdicts.retries) <= 11
    assert sorted(retry.subscription_id for group in verdicts.retries.values() for retry in group) == list(range(200))


def test_a_chunk_does_not_fall_apart_in_a_long_outage() -> None:
    random = Random(17)
    waiting = [(NOW, tuple(Retry(number, 0) for number in range(200)))]
    for _ in range(50):
        at, retries = waiting.pop(0)
        verdicts = settle(
            [
                tried(Unavailable(None, "dns_failed"), subscription_id=one, earlier_tries=n)
                for one, n in ((retry.subscription_id, retry.attempt) for retry in retries)
            ],
            now=at,
            expires_at=TOMORROW + timedelta(days=7),
            chance=random.random,
        )
        waiting += [(moment, tuple(group)) for moment, group in verdicts.retries.items()]
    assert len(waiting) == 1
    assert len(waiting[0][1]) == 200


BAD_TOKEN = Misconfigured(Doubt.DEVICE_TOKEN_REFUSED, FaultScope.ADDRESS)


def test_one_token_that_is_refused_while_others_are_taken_is_suspected_and_kept() -> None:
    verdicts = settled(tried(Accepted(), subscription_id=1), tried(BAD_TOKEN, subscription_id=2))
    assert [(one.subscription_id, one.patience) for one in verdicts.suspicions] == [(2, suspected.PATIENCE)]
    assert not suspected.PATIENCE.retires
    assert verdicts.retired == []
    assert verdicts.misconfigured == {}
    assert {one.subscription_id: one.reason for one in verdicts.deliveries}[2] == "device_token_refused"


def test_where_every_token_is_refused_the_key_is_paused_there_and_nobody_is_suspected_or_fails() -> None:
    verdicts = settled(*(tried(BAD_TOKEN, subscription_id=n) for n in range(MANY)))
    assert verdicts.misconfigured == {(7, "https://push"): "device_token_refused"}
    assert verdicts.suspicions == []
    assert verdicts.deliveries == []
    assert sum(map(len, verdicts.retries.values())) == MANY


def test_where_most_tokens_are_refused_nobody_is_suspected() -> None:
    taken = [tried(Accepted(), subscription_id=n) for n in range(MANY - 1)]
    refused = [tried(BAD_TOKEN, subscription_id=100 + n) for n in range(MANY)]
    verdicts = settled(*taken, *refused)
    assert verdicts.suspicions == []
    assert verdicts.misconfigured == {}
    assert sum(one.status is DeliveryStatus.FAILED for one in verdicts.deliveries) == MANY
    elsewhere = [tried(Accepted(), subscription_id=200 + n, origin="https://other") for n in range(99)]
    assert settled(*taken, *refused, *elsewhere).suspicions == []
    assert len(settled(*taken, *taken, *refused).suspicions) == MANY


def test_a_few_tokens_alone_pause_nothing() -> None:
    verdicts = settled(*(tried(BAD_TOKEN, subscription_id=n) for n in range(MANY - 1)))
    assert verdicts.misconfigured == {}
    assert verdicts.suspicions == []
    assert len(verdicts.deliveries) == MANY - 1


def test_when_a_service_saw_that_an_address_is_dead_goes_with_it() -> None:
    verdicts = settled(tried(Gone("unregistered", NOW.timestamp())))
    assert verdicts.retired == [Retired(1, "unregistered", b"hash", NOW)]


def foreign(count: int) -> list[Tried]:
    outcome = Misconfigured("address_foreign", FaultScope.ADDRESS)
    return [tried(outcome, subscription_id=number) for number in range(1, count + 1)]


def test_a_few_foreign_addresses_fail_alone_and_stay() -> None:
    verdicts = settled(*foreign(MANY - 1))
    assert {one.reason for one in verdicts.deliveries} == {"address_foreign"}
    assert (verdicts.misconfigured, verdicts.retired, verdicts.suspicions) == ({}, [], [])


def test_many_foreign_addresses_and_none_taken_are_our_mistake_and_wait() -> None:
    verdicts = settled(*foreign(MANY))
    assert verdicts.misconfigured == {(7, "https://push"): "address_foreign"}
    assert (verdicts.deliveries, verdicts.retired, verdicts.suspicions) == ([], [], [])


def test_where_others_are_taken_many_foreign_addresses_are_suspected_and_pause_nothing() -> None:
    taken = [tried(Accepted(), subscription_id=100 + number) for number in range(MANY + 1)]
    verdicts = settled(*taken, *foreign(MANY))
    assert verdicts.misconfigured == {}
    assert len(verdicts.suspicions) == MANY
    assert {one.patience.retires for one in verdicts.suspicions} == {False}


def test_an_address_that_never_was_one_goes_at_once_where_others_are_taken() -> None:
    bad = tried(Refused("address_invalid"), subscription_id=1)
    (suspicion,) = settled(bad, tried(Accepted(), subscription_id=2)).suspicions
    assert (suspicion.patience.times, suspicion.patience.unreached_only) == (1, False)
    assert settled(bad).suspicions == []


def invalid(count: int) -> list[Tried]:
    return [tried(Refused("address_invalid"), subscription_id=number) for number in range(1, count + 1)]


@pytest.mark.parametrize("taken", [0, 1, MANY])
def test_many_addresses_that_are_called_invalid_at_once_are_not_dropped_unless_as_many_are_taken(taken: int) -> None:
    others = [tried(Accepted(), subscription_id=1_000 + number) for number in range(taken)]
    chunk = [*others, *invalid(199)]
    verdicts = settle(chunk, now=NOW, expires_at=TOMORROW, chance=lambda: 0.5, proven={(7, "https://push")})
    assert (verdicts.suspicions, verdicts.retired, verdicts.misconfigured) == ([], [], {})
    assert sum(one.reason == "address_invalid" for one in verdicts.deliveries) == 199
    assert len(settled(*others[:1] * 199, *invalid(199)).suspicions) == (199 if taken else 0)


def test_an_address_that_is_called_invalid_alone_is_given_time_though_its_service_took_other_messages() -> None:
    verdicts = settle(invalid(1), now=NOW, expires_at=TOMORROW, chance=lambda: 0.5, proven={(7, "https://push")})
    assert [one.patience for one in verdicts.suspicions] == [SUSPECT]


def test_iphones_that_firebase_has_no_key_for_pause_nobody() -> None:
    body = {"error": {"details": [{"@type": FCM_ERROR, "errorCode": "THIRD_PARTY_AUTH_ERROR"}]}}
    outcome = outcome_from(Reply(401, {}, json.dumps(body).encode()), now=NOW.timestamp())
    verdicts = settled(*(tried(outcome, subscription_id=number) for number in range(MANY)))
    assert (verdicts.misconfigured, verdicts.suspicions, verdicts.retries) == ({}, [], {})
    assert {one.reason for one in verdicts.deliveries} == {"apns_or_web_push_key_missing"}


def test_a_credential_that_is_wrong_is_paused_although_it_worked_a_moment_ago() -> None:
    off = tried(Misconfigured("fcm_api_disabled", FaultScope.CREDENTIAL), subscription_id=2)
    verdicts = settled(tried(Accepted(), subscription_id=1), off)
    assert verdicts.misconfigured == {(7, EVERYWHERE): "fcm_api_disabled"}
