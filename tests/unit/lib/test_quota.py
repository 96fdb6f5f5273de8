"""Rests and limits of one key at one origin, on a clock that the test moves."""

from __future__ import annotations

import heapq
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.quota import BELIEVED, CUT_EVERY, FIRST_REST, KEPT, LONGEST_REST, Gate, Limit


def most_in_a_minute(moments: list[float]) -> int:
    """The most of these moments that lie within any 60 seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


def taken(gate: Gate, *, now: float) -> int:
    """How many may go at once."""
    return sum(1 for _ in takewhile(lambda _: gate.turn(now=now) == 0, range(10_000)))


@given(
    a_minute=st.integers(1, 200), gaps=st.lists(st.floats(0, 20) | st.sampled_from([0.0, 1.0, 59.999]), max_size=400)
)
def test_never_more_go_in_any_minute_than_the_limit(a_minute: int, gaps: list[float]) -> None:
    limit, now, went = Limit(a_minute), 0.0, []
    for gap in gaps:
        now += gap
        if limit.take(now=now) == 0:
            went.append(now)
    assert most_in_a_minute(went) <= a_minute


def test_a_limit_that_is_not_reached_holds_up_nobody() -> None:
    limit = Limit(60)
    assert {limit.take(now=second * 1.02) for second in range(600)} == {0.0}


def test_a_campaign_that_is_turned_away_comes_back_as_it_may_go_and_is_soon_done() -> None:
    limit, number = Limit(1000), 5000
    coming = [(index / 2000, index) for index in range(number)]
    went, turned_away = [], 0
    while coming:
        now, index = heapq.heappop(coming)
        wait = limit.take(now=now)
        if wait:
            turned_away += 1
            heapq.heappush(coming, (now + wait * 1.1, index))  # retries come in steps, and so late
        else:
            went.append(now)
    assert most_in_a_minute(went) <= 1000
    assert went[-1] <= 1.5 * 60 * number / 1000
    assert turned_away <= 3 * number


def test_a_rest_is_as_long_as_it_was_named_and_the_longest_counts() -> None:
    gate = Gate()
    gate.refused(now=100.0, after=30.0, a_minute=None)
    gate.refused(now=101.0, after=5.0, a_minute=None)
    assert gate.rest(now=101.0) == 29
    assert gate.rest(now=130.0) == 0
    assert not gate.idle, "what is remembered of it is not thrown away for a stranger's sake"


def test_a_rest_without_a_time_doubles_while_the_origin_stays_of_that_mind() -> None:
    gate, now, rests = Gate(), 0.0, []
    for _ in range(9):
        for _ in range(50):
            gate.refused(now=now, after=None, a_minute=None)  # fifty in flight are one refusal
        rests.append(gate.rest(now=now))
        now += rests[-1]
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    gate.passed()
    gate.refused(now=now, after=None, a_minute=None)
    assert gate.rest(now=now) == FIRST_REST


def test_refusals_of_unknown_reach_count_only_in_a_row() -> None:
    gate = Gate()
    for _ in range(3):
        assert not any(gate.doubted() for _ in range(BELIEVED - 1))
        gate.passed()
    assert [gate.doubted() for _ in range(BELIEVED)] == [False] * (BELIEVED - 1) + [True]


def test_a_published_number_is_kept_to_for_an_hour_after_the_last_refusal() -> None:
    gate = Gate()
    assert gate.turn(now=0.0) == 0
    gate.refused(now=0.0, after=None, a_minute=100)
    assert taken(gate, now=1.0) == 100
    assert taken(gate, now=30.0) == 0
    assert taken(gate, now=70.0) == 100
    assert gate.rest(now=0.0) == 0, "to keep to the number is enough"
    assert all(gate.turn(now=KEPT + 1) == 0 for _ in range(1000))


def test_a_number_that_is_still_too_much_is_cut_once_a_minute_and_never_to_nothing() -> None:
    gate = Gate()
    for second in range(int(CUT_EVERY)):
        gate.refused(now=float(second), after=None, a_minute=100)
    assert taken(gate, now=0.0) == 100
    gate.refused(now=CUT_EVERY, after=None, a_minute=100)
    assert taken(gate, now=200.0) == 75
    for minute in range(100):
        gate.refused(now=300.0 + minute * CUT_EVERY, after=None, a_minute=100)
    assert taken(gate, now=7_000.0) == 6


@pytest.mark.parametrize("a_minute", [0.01, 1.0])
def test_even_a_tiny_share_lets_one_go(a_minute: float) -> None:
    gate = Gate()
    gate.refused(now=0.0, after=None, a_minute=a_minute)
    assert taken(gate, now=0.0) == 1
