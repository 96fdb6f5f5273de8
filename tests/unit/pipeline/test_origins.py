"""What one answer means for the requests after it, at the same push service and with the same key."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tidings.domain.outcome import (
    Accepted,
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
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply
from tidings.lib.pacing import REST, STEADY, TRIP
from tidings.lib.quota import BELIEVED
from tidings.pipeline.origins import LONGEST_SPREAD, SPREAD, Origins

A, B = "https://a.example", "https://b.example"
DEVICE, UNSTATED = ThrottleScope.DEVICE, ThrottleScope.UNSTATED
WIDE = [ThrottleScope.ORIGIN, ThrottleScope.PROJECT]


def answered(
    origins: Origins, outcome: Outcome, *, status: int = 429, times: int = 1, key: int = 7, now: float = 0.0
) -> None:
    """So many requests were in flight together, and all came back so."""
    tell(origins, Reply(status, {}, b""), outcome, times=times, key=key, now=now)


def tell(origins: Origins, answer: Answer, outcome: Outcome, *, times: int = 1, key: int = 7, now: float = 0.0) -> None:
    for flight in [origins.start(A, key, now=now) for _ in range(times)]:
        origins.learn(flight, answer, outcome, now=now)


def held(
    origins: Origins, origin: str = A, *, key: int = 7, chunk: int = 0, life: float = 86_400.0, now: float = 0.0
) -> Throttled | Unavailable | None:
    return origins.held(origin, key, chunk=chunk, life=life, now=now)


@pytest.mark.parametrize("outcome", [Throttled(30.0, DEVICE), Throttled(30.0, UNSTATED)])
def test_a_device_that_gets_too_much_holds_up_nobody_else(outcome: Throttled) -> None:
    origins = Origins(most=100)
    answered(origins, outcome)
    assert origins.room(A, now=0.0) >= 50
    assert held(origins) is None


def test_devices_never_speak_for_their_service_however_many() -> None:
    origins = Origins(most=100)
    answered(origins, Throttled(30.0, DEVICE), times=50)
    assert origins.room(A, now=0.0) >= 50
    assert held(origins) is None


@pytest.mark.parametrize("scope", WIDE)
def test_a_throttle_of_the_whole_service_halves_the_window_and_lets_the_key_rest_there(scope: ThrottleScope) -> None:
    origins = Origins(most=100)
    answered(origins, Throttled(30.0, scope), times=50)
    assert origins.room(A, now=0.0) == 25
    assert held(origins, now=10.0) == Throttled(20.0, ThrottleScope.PROJECT, Held.RESTS)
    assert held(origins, now=30.0) is None
    assert held(origins, B) is None, "another service"
    assert held(origins, key=8) is None, "another key"


def test_several_in_a_row_that_do_not_say_how_far_they_reach_speak_for_the_key() -> None:
    origins = Origins(most=100)
    for _ in range(20):
        answered(origins, Throttled(30.0, UNSTATED), times=BELIEVED - 1)
        answered(origins, Accepted(), status=201)
    assert held(origins) is None
    answered(origins, Throttled(30.0, UNSTATED), times=BELIEVED)
    outcome = held(origins)
    assert outcome is not None
    assert outcome.reason == Held.RESTS


def test_a_published_number_a_minute_is_shared_out_and_kept_to() -> None:
    origins = Origins(most=100, share=0.5)
    answered(origins, Throttled(60.0, UNSTATED, a_minute=1000), times=BELIEVED)
    assert held(origins, now=59.0) is not None
    outcomes = [held(origins, now=60.0) for _ in range(700)]
    assert outcomes.count(None) == 500
    late = [one for one in outcomes if one is not None]
    assert {one.reason for one in late} == {Held.PACED}
    waits = [one.after or 0.0 for one in late]
    assert waits == sorted(waits)
    assert 10 < waits[-1] < 60, "the others are told times that follow one another"


def test_a_share_that_changes_counts_what_has_gone_in_this_minute() -> None:
    origins = Origins(most=100)
    goes = []
    for share in (1.0, 0.25, 0.75):
        origins.share = share
        origins.limit(7, of="fcm:my-app", a_minute=800)
        goes.append([held(origins, now=1.0) for _ in range(400)].count(None))
    assert goes == [400, 0, 200], "all of the first 400, none while 200 would be the most, and then up to 600"


def test_of_two_numbers_for_one_account_the_smaller_holds() -> None:
    origins = Origins(most=100)
    origins.limit(7, of="fcm:my-app", a_minute=10)
    origins.limit(8, of="fcm:my-app", a_minute=600)
    assert [held(origins, key=key, now=1.0) for key in (7, 8) * 30].count(None) == 10
    origins.limit(7, of="fcm:my-app", a_minute=30)
    assert [held(origins, key=8, now=1.0) for _ in range(100)].count(None) == 20, "a number that was raised holds"


def test_our_own_guess_never_lets_a_message_run_out_of_time() -> None:
    origins = Origins(most=100)
    answered(origins, Throttled(0.0, ThrottleScope.PROJECT, a_minute=1))
    assert held(origins, now=1.0) is None
    for _ in range(100):
        outcome = held(origins, life=50.0, now=1.0)
        assert outcome is not None
        assert (outcome.after or 0) <= 25


def test_chunks_come_back_at_different_moments_and_never_too_soon() -> None:
    origins = Origins(most=100)
    answered(origins, Throttled(100.0, ThrottleScope.ORIGIN))
    waits = sorted(one.after or 0.0 for chunk in range(100) if (one := held(origins, chunk=chunk)))
    assert waits[0] >= 100
    assert waits[-1] <= 100 * (1 + SPREAD)
    assert max(later - sooner for sooner, later in pairwise(waits)) < 1, "evenly"
    assert held(origins, chunk=3) == held(origins, chunk=3), "a chunk stays together"


@pytest.mark.parametrize(("after", "life", "longest"), [(6 * 3600.0, 1e6, 6 * 3600 + LONGEST_SPREAD), (100, 101, 101)])
def test_the_spread_is_bounded_and_leaves_time_to_live(after: float, life: float, longest: float) -> None:
    origins = Origins(most=100)
    answered(origins, Throttled(after, ThrottleScope.ORIGIN))
    for chunk in range(50):
        outcome = held(origins, chunk=chunk, life=life)
        assert outcome is not None
        assert after <= (outcome.after or 0) < longest


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (403, Unavailable(None, "endpoint_suspect")),
        (400, Unavailable(None, "idle_timeout")),
        (502, Throttled(None, DEVICE, "bridge_unavailable")),
        (410, Gone("gone")),
        (401, KeyMismatch("key")),
        (413, Refused("large")),
        (401, Misconfigured("key")),
        (206, Unmapped(206, "unmapped")),
    ],
)
def test_what_concerns_one_address_or_ourselves_says_nothing_against_the_service(status: int, outcome: Outcome) -> None:
    origins = Origins(most=100)
    for second in range(100):
        answered(origins, outcome, status=status, now=float(second))
    assert origins.room(A, now=100.0) >= 50
    assert held(origins, now=100.0) is None


def test_a_service_that_only_fails_is_left_alone_after_a_while() -> None:
    origins = Origins(most=100)
    failed = Unavailable(None, "service_error")
    answered(origins, failed, status=500, times=TRIP)
    assert origins.room(A, now=0.0) == 25
    assert held(origins) is None
    answered(origins, failed, status=500, now=STEADY)
    assert held(origins, now=STEADY) == Unavailable(REST, Held.SILENT)
    assert held(origins, B, now=STEADY) is None
    assert held(origins, key=8, now=STEADY) is not None, "with whatever key"


def test_a_failing_service_is_left_alone_as_long_as_it_asked() -> None:
    origins = Origins(most=100)
    for second in range(TRIP):
        answered(origins, Unavailable(120.0, "service_overloaded"), status=503, now=float(second))
    assert held(origins, now=9.0) == Unavailable(120.0, Held.SILENT)


@pytest.mark.parametrize("kind", [FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT])
def test_a_silent_service_is_left_alone_and_nobody_stands_in_line_for_it(kind: FailureKind) -> None:
    origins = Origins(most=100)
    tell(origins, NetworkFailure(kind), Unavailable(None, kind), times=TRIP)
    assert held(origins) == Unavailable(REST, Held.SILENT)
    flights = [origins.start(A, 7, now=0.0) for _ in range(60)]
    assert origins.room(A, now=0.0) == 1
    assert flights


@pytest.mark.parametrize("kind", [FailureKind.RESET, FailureKind.PROTOCOL, FailureKind.OTHER])
def test_connections_that_break_say_nothing(kind: FailureKind) -> None:
    origins = Origins(most=100)
    tell(origins, NetworkFailure(kind), Unavailable(None, kind), times=5 * TRIP)
    assert origins.room(A, now=0.0) == 50
    assert held(origins) is None


def test_one_good_answer_after_the_rest_lets_all_go_again() -> None:
    origins = Origins(most=100)
    tell(origins, NetworkFailure(FailureKind.CONNECT), Unavailable(None, "connect_failed"), times=TRIP)
    flights = []
    while held(origins, now=REST) is None:
        flights.append(origins.start(A, 7, now=REST))
    assert 1 <= len(flights) <= 3, "a few find out"
    origins.learn(flights[0], Reply(201, {}, b""), Accepted(), now=REST)
    assert held(origins, now=REST) is None


def test_slow_services_are_counted_once_a_moment_and_share_half_of_all_places() -> None:
    origins, names = Origins(most=100), [f"https://{n}.example" for n in range(60)]
    for name in names[:50]:
        assert origins.room(name, now=1.0) > 0
        origins.start(name, 7, now=1.0)
    assert origins.room(names[0], now=1.0) == 0, "unknown services are slow ones until they answer"
    flight = origins.start(names[50], 7, now=1.0)
    origins.learn(flight, Reply(201, {}, b""), Accepted(), now=1.1)
    assert origins.room(names[50], now=1.1) == 50, "one that answers at once is none"
    assert origins.room(names[51], now=1.1) == 1, "one request finds out what another one is"
