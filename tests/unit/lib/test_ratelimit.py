from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.ratelimit import GcraLimiter, Rate

TEN = Rate(10, 60)


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_as_many_as_the_limit_pass_at_once_and_each_is_told_how_many_are_left(watch: Watch) -> None:
    limiter = GcraLimiter(now=watch)
    verdicts = [limiter.take("a", TEN) for _ in range(11)]
    assert [one.allowed for one in verdicts] == [True] * 10 + [False]
    assert [one.remaining for one in verdicts] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert verdicts[-1] == (False, 10, 0, pytest.approx(60), pytest.approx(6))
    assert limiter.take("b", TEN).allowed, "another caller stands for itself"


def test_one_more_passes_each_time_its_share_of_the_time_is_over(watch: Watch) -> None:
    limiter = GcraLimiter(now=watch)
    for _ in range(10):
        limiter.take("a", TEN)
    watch.at = 5.9
    assert not limiter.take("a", TEN).allowed
    watch.at = 6.0
    assert limiter.take("a", TEN).allowed
    assert not limiter.take("a", TEN).allowed
    watch.at = 200.0
    assert limiter.look("a", TEN).remaining == 10


def test_a_refused_request_and_a_look_are_not_counted(watch: Watch) -> None:
    limiter = GcraLimiter(now=watch)
    for _ in range(10):
        limiter.take("a", TEN)
    for _ in range(100):
        assert not limiter.take("a", TEN).allowed
        assert not limiter.look("a", TEN).allowed
    watch.at = 6.0
    assert limiter.take("a", TEN).allowed


@given(gaps=st.lists(st.floats(0, 30), max_size=80), count=st.integers(1, 20), seconds=st.floats(0.5, 120))
def test_no_more_pass_in_any_stretch_of_time_than_a_burst_and_its_share(
    gaps: list[float], count: int, seconds: float
) -> None:
    watch, rate = Watch(), Rate(count, seconds)
    limiter, passed = GcraLimiter(now=watch), list[float]()
    for gap in gaps:
        watch.at += gap
        verdict = limiter.take("a", rate)
        assert 0 <= verdict.remaining <= count
        assert verdict.reset <= seconds + 1e-3
        if verdict.allowed:
            passed.append(watch.at)
        else:
            watch.at += verdict.retry_after + 1e-6
            assert limiter.look("a", rate).allowed, "Retry-After is enough"
            watch.at -= verdict.retry_after + 1e-6
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= count + (passed[last] - passed[first]) * count / seconds + 1e-3


def test_a_flood_of_callers_takes_no_more_room_and_forgets_nobody_who_calls_on(watch: Watch) -> None:
    limiter = GcraLimiter(most=1_000, now=watch)
    regular = ("subscribe", "app_1", "198.51.100.7")
    for number in range(100_000):
        limiter.take(number, TEN)
        if number % 400 == 0:
            limiter.take(regular, Rate(1_000_000, 60))
    assert len(limiter) <= 1_000
    assert limiter.knows(regular)
    assert not limiter.knows(0)
    assert limiter.look(regular, Rate(1_000_000, 60)).remaining == 1_000_000 - 250
