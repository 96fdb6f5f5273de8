"""Waiting: never longer than the cap, never shorter than asked, and no header breaks it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.backoff import full_jitter, retry_after

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
NOW = NOON.timestamp()
CAP = 21_600.0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_between_nothing_and_the_cap(attempt: int, chance: float) -> None:
    assert 0 <= full_jitter(attempt, first=5, cap=1800, chance=chance) <= 1800


def test_the_room_for_a_delay_doubles_with_each_try_until_the_cap() -> None:
    assert [full_jitter(n, first=5, cap=60, chance=1.0) for n in range(6)] == [5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999999999999", CAP),
        (format_datetime(NOON.replace(minute=5), usegmt=True), 300.0),
        (format_datetime(NOON.replace(year=2099), usegmt=True), CAP),
        ("Friday, 01-Jan-27 12:05:00 GMT", 300.0),
        ("Fri Jan  1 12:05:00 2027", 300.0),
    ],
)
def test_seconds_and_dates_are_both_read_and_capped(value: str, seconds: float) -> None:
    assert retry_after(value, now=NOW, cap=CAP) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "-5",
        "1.5",
        "soon",
        "\u0661\u0662",
        format_datetime(NOON.replace(hour=11), usegmt=True),
        "Fri, 01 Jan 2027 12:00:00 -0000",
        "Fri, 01 Jan 2027 12:05:00",
        "Fri Jan 32 12:05:00 2027",
        "Fri, 01 Jan 99999999999999999999 12:00:00 GMT",
        "Fri, 01 Jan 2027 99:99:99 GMT",
        "Fri, 01 Jan 0001 00:00:00 +2359",
    ],
)
def test_what_asks_for_nothing_sensible_is_ignored(value: str | None) -> None:
    assert retry_after(value, now=NOW, cap=CAP) is None


@pytest.mark.parametrize("hours", [-30, 0, 30])
def test_a_date_is_counted_from_the_answers_own_date_however_wrong_our_clock_is(hours: int) -> None:
    said_at, until = format_datetime(NOON, usegmt=True), format_datetime(NOON.replace(minute=2), usegmt=True)
    assert retry_after(until, now=NOW + hours * 3600, cap=CAP, said_at=said_at) == 120
    assert retry_after("120", now=NOW + hours * 3600, cap=CAP, said_at=said_at) == 120


@pytest.mark.parametrize("said_at", [None, "", "yesterday", "Fri, 01 Jan 2027 12:00:00 -0000"])
def test_a_date_is_counted_from_our_clock_where_the_answer_has_none(said_at: str | None) -> None:
    until = format_datetime(NOON.replace(minute=2), usegmt=True)
    assert retry_after(until, now=NOW, cap=CAP, said_at=said_at) == 120


def test_a_date_before_the_answers_own_asks_for_nothing() -> None:
    said_at = format_datetime(NOON.replace(minute=3), usegmt=True)
    assert retry_after(format_datetime(NOON.replace(minute=2), usegmt=True), now=0, cap=CAP, said_at=said_at) is None


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,22} \d\d:\d\d:\d\d [A-Z+-0-9]{1,9}")
)
def test_no_header_raises(value: str) -> None:
    seconds = retry_after(value, now=NOW, cap=CAP, said_at=value[::-1])
    assert seconds is None or 0 <= seconds <= CAP
