"""Windows that grow and halve, breakers that open and find out, and memory that has an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.pacing import (
    FIRST,
    LONGEST_REST,
    MOST_ORIGINS,
    PROBE_WAIT,
    PROBES,
    REST,
    STEADY,
    TRIP,
    Breaker,
    Known,
    Pace,
    Sign,
    Waiting,
)


def answer(pace: Pace, count: int, sign: Sign) -> None:
    tickets = [pace.start() for _ in range(count)]
    for ticket in tickets:
        pace.finish(ticket, sign)


def test_room_is_what_the_window_leaves() -> None:
    pace = Pace(first=3, most=10)
    tickets = [pace.start(), pace.start()]
    assert pace.room == 1
    pace.finish(tickets[0], Sign.GOOD)
    assert pace.room == 2


def test_a_window_of_good_answers_adds_one() -> None:
    pace = Pace(first=10, most=100)
    answer(pace, 11, Sign.GOOD)
    assert 11 <= pace.window < 12


def test_the_window_never_passes_its_end() -> None:
    pace = Pace(first=10, most=12)
    answer(pace, 1000, Sign.GOOD)
    assert pace.window == 12


def test_a_window_of_refusals_halves_once() -> None:
    pace = Pace(first=40, most=100)
    answer(pace, 40, Sign.BUSY)
    assert pace.window == 20


def test_a_refusal_after_the_cut_halves_again() -> None:
    pace = Pace(first=40, most=100)
    answer(pace, 40, Sign.BUSY)
    answer(pace, 20, Sign.BUSY)
    assert pace.window == 10


def test_there_is_always_room_for_one() -> None:
    pace = Pace(first=2, most=100)
    for _ in range(20):
        answer(pace, 1, Sign.BUSY)
    assert pace.room == 1


def test_failing_and_silent_origins_are_asked_less_and_a_broken_connection_says_nothing() -> None:
    for sign, window in [(Sign.BUSY, 20), (Sign.FAILING, 20), (Sign.SILENT, 20), (Sign.NOTHING, 40)]:
        pace = Pace(first=40, most=100)
        answer(pace, 40, sign)
        assert pace.window == window
        assert pace.idle


@given(st.lists(st.sampled_from([*Sign, None]), max_size=300))
def test_whatever_comes_back_the_window_stays_between_one_and_its_end(signs: list[Sign | None]) -> None:
    pace = Pace(most=20)
    flying: list[int] = []
    for sign in signs:
        if sign is None or not flying:
            flying.append(pace.start())
        else:
            pace.finish(flying.pop(), sign)
        assert 1 <= pace.window <= 20
        assert pace.in_flight == len(flying)


def test_an_origin_starts_with_fifty_or_with_all_there_is() -> None:
    assert Pace(most=100).room == FIRST
    assert Pace(most=10).room == 10


def test_an_origin_keeps_its_window() -> None:
    paces: Known[str, Pace] = Known(lambda: Pace(most=100))
    assert paces.of("https://a.example") is paces.of("https://a.example")
    assert paces.of("https://a.example") is not paces.of("https://b.example")


def test_strangers_cannot_fill_the_memory_and_busy_origins_are_kept() -> None:
    paces: Known[str, Pace] = Known(lambda: Pace(most=100))
    busy = paces.of("https://busy.example")
    busy.start()
    idle = paces.of("https://idle.example")
    for number in range(MOST_ORIGINS):
        paces.of(f"https://{number}.example")
    assert len(paces) == MOST_ORIGINS
    assert paces.of("https://busy.example") is busy
    assert paces.of("https://idle.example") is not idle


def test_when_none_is_idle_the_oldest_is_forgotten() -> None:
    breakers: Known[int, Breaker] = Known(Breaker, most=3)
    for number in range(4):
        breakers.of(number).note(Sign.SILENT, now=0.0)
    assert len(breakers) == 3
    assert breakers.of(3).idle is False
    assert breakers.of(0).idle is True, "it was forgotten and is a new one"


def test_what_waits_is_taken_in_order_from_origins_with_room() -> None:
    waiting = Waiting[int]()
    for origin, item in [("a", 1), ("b", 2), ("a", 3), ("b", 4)]:
        waiting.put(origin, item)
    assert waiting.take({"a": 0, "b": 1}.__getitem__) == 2
    assert waiting.take({"a": 1, "b": 1}.__getitem__) == 1
    assert len(waiting) == 2
    assert waiting.take({"a": 0, "b": 0}.__getitem__) is None
    assert [waiting.take(lambda _: 1), waiting.take(lambda _: 1), waiting.take(lambda _: 1)] == [3, 4, None]
    assert len(waiting) == 0


def bad(breaker: Breaker, count: int, sign: Sign = Sign.SILENT, *, now: float = 0.0) -> None:
    for _ in range(count):
        breaker.start()
        breaker.note(sign, now=now)


def test_an_origin_that_never_answers_is_left_alone_for_a_while() -> None:
    breaker = Breaker()
    bad(breaker, TRIP - 1)
    assert breaker.rest(now=0.0) == 0
    bad(breaker, 1, now=5.0)
    assert breaker.rest(now=6.0) == REST - 1
    assert breaker.rest(now=5.0 + REST) == 0, "then it is asked again"


def test_an_origin_that_only_fails_is_left_alone_once_that_lasts() -> None:
    breaker = Breaker()
    bad(breaker, 5 * TRIP, Sign.FAILING)
    assert breaker.rest(now=0.0) == 0, "fifty errors at once are one hiccup"
    bad(breaker, 1, Sign.FAILING, now=STEADY)
    assert breaker.rest(now=STEADY) == REST


def test_few_errors_over_a_long_time_are_no_reason() -> None:
    breaker = Breaker()
    for second in range(TRIP - 1):
        bad(breaker, 1, Sign.FAILING, now=second * STEADY)
    assert breaker.rest(now=TRIP * STEADY) == 0


@pytest.mark.parametrize("sign", [Sign.GOOD, Sign.BUSY])
def test_one_answer_between_makes_it_no_row(sign: Sign) -> None:
    breaker = Breaker()
    bad(breaker, TRIP - 1)
    breaker.note(sign, now=0.0)
    assert breaker.idle
    bad(breaker, TRIP - 1)
    assert breaker.rest(now=0.0) == 0


def test_connections_that_break_are_no_reason() -> None:
    breaker = Breaker()
    bad(breaker, 5 * TRIP, Sign.NOTHING)
    assert breaker.rest(now=0.0) == 0


def test_after_the_rest_a_few_find_out_and_the_others_stand_back() -> None:
    breaker = Breaker()
    bad(breaker, TRIP)
    for _ in range(PROBES):
        assert breaker.rest(now=REST) == 0
        breaker.start()
    assert breaker.rest(now=REST) == PROBE_WAIT


@pytest.mark.parametrize("sign", [Sign.SILENT, Sign.FAILING, Sign.NOTHING])
def test_an_origin_that_is_no_better_after_its_rest_gets_another_at_once(sign: Sign) -> None:
    breaker = Breaker()
    bad(breaker, TRIP)
    bad(breaker, 1, sign, now=100.0)
    assert breaker.rest(now=100.0) == REST
    assert breaker.rest(now=100.0 + REST) == 0, "and is then asked by a few again"


def test_one_good_answer_after_the_rest_opens_it_for_all() -> None:
    breaker = Breaker()
    bad(breaker, TRIP)
    for _ in range(PROBES):
        breaker.start()
    breaker.note(Sign.GOOD, now=REST)
    assert breaker.rest(now=REST) == 0
    assert breaker.idle


@pytest.mark.parametrize(("asked", "given"), [(0.0, REST), (120.0, 120.0), (1e9, LONGEST_REST)])
def test_it_is_left_alone_as_long_as_it_asked_itself_within_reason(asked: float, given: float) -> None:
    breaker = Breaker()
    bad(breaker, TRIP, Sign.FAILING)
    breaker.note(Sign.FAILING, now=STEADY, after=asked)
    assert breaker.rest(now=STEADY) == given
