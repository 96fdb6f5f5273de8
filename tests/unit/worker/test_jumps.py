"""What is noticed of a clock that somebody sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tidings.domain.delivery import HeldBack
from tidings.lib.clock import FixedClock, SystemClock
from tidings.worker.jumps import MOST, Jumps

START = datetime(2026, 11, 21, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Set(FixedClock):
    """A clock that somebody sets; what passes is counted all the same."""

    ahead = timedelta()

    def now(self) -> datetime:
        return self.at + self.ahead


def after(*steps: timedelta) -> tuple[Set, Jumps]:
    """Let a minute pass before each step, and look every time."""
    clock = Set(START)
    jumps = Jumps(clock)
    jumps.look()
    for step in steps:
        clock.at += MINUTE
        clock.ahead += step
        assert jumps.look() == (clock.now(), step)
    return clock, jumps


def test_time_that_passes_is_no_jump() -> None:
    clock, jumps = after(timedelta(0))
    clock.at += 24 * HOUR
    assert jumps.look() == (clock.at, timedelta(0))
    assert jumps.held_back(clock.now()) == ()


def test_what_was_stored_before_a_jump_is_due_as_if_there_had_been_none() -> None:
    clock, jumps = after(HOUR, 2 * HOUR)
    now = clock.now()
    assert jumps.held_back(now) == (
        HeldBack(stored_by=START + MINUTE, due_by=now - 3 * HOUR),
        HeldBack(stored_by=START + 2 * MINUTE + HOUR, due_by=now - 2 * HOUR),
    )


def test_what_is_taken_back_is_held_back_no_more() -> None:
    clock, jumps = after(HOUR, 2 * HOUR, -2.5 * HOUR)
    assert jumps.held_back(clock.now()) == (HeldBack(START + MINUTE, clock.now() - 0.5 * HOUR),)
    clock, jumps = after(HOUR, -9 * HOUR)
    assert jumps.held_back(clock.now()) == ()


def test_a_clock_that_jumps_all_the_time_is_remembered_no_further() -> None:
    clock, jumps = after(*[HOUR] * (MOST + 3))
    assert len(jumps.held_back(clock.now())) == MOST


def test_the_machines_own_seconds_go_on() -> None:
    clock = SystemClock()
    before = clock.ticks()
    assert 0 <= clock.ticks() - before < 60
