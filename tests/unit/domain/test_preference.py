"""Preferences: what one person's wishes mean for one message, also in the nights in which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.delivery import SkipReason
from tidings.domain.preference import (
    DAY,
    OFF,
    SEND,
    STEP,
    Decision,
    EventKind,
    PutOff,
    QuietHours,
    Skip,
    Wish,
    decision,
)

VIENNA = ZoneInfo("Europe/Vienna")
ZONES = [
    *("UTC", "Europe/Vienna", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kolkata", "Europe/Dublin"),
]
NIGHT = QuietHours(22 * 60, 7 * 60)
REPLY = EventKind("topic.reply")


def at(text: str, zone: ZoneInfo = VIENNA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def decided(wish: Wish, kind: EventKind = REPLY, *, now: datetime, urgent: bool = False, ttl: float = 24) -> Decision:
    return decision(wish, kind, zone=VIENNA, urgent=urgent, now=now, expires_at=now + timedelta(hours=ttl))


@pytest.mark.parametrize(
    ("push", "default", "expected"),
    [(None, True, SEND), (None, False, OFF), (True, False, SEND), (False, True, OFF)],
)
def test_what_a_person_said_goes_before_the_default(push: bool | None, default: bool, expected: Decision) -> None:
    kind = EventKind("topic.reply", push=default)
    assert decided(Wish(push=push), kind, now=at("2026-11-26 12:00")) == expected


def test_nobody_can_switch_off_what_is_mandatory() -> None:
    kind = EventKind("account.locked", push=False, mandatory=True)
    assert decided(Wish(push=False, quiet=NIGHT), kind, now=at("2026-11-26 23:00")) == SEND


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-26 21:59", None),
        ("2026-11-26 22:00", "2026-11-27 07:00"),
        ("2026-11-27 00:00", "2026-11-27 07:00"),
        ("2026-11-27 06:59", "2026-11-27 07:00"),
        ("2026-11-27 07:00", None),
    ],
)
def test_quiet_hours_end_in_the_morning(now: str, until: str | None) -> None:
    expected = SEND if until is None else PutOff(at(until))
    assert decided(Wish(quiet=NIGHT), now=at(now)) == expected


def test_hours_within_a_day_end_on_that_day() -> None:
    nap = Wish(quiet=QuietHours(13 * 60, 14 * 60 + 3))
    assert decided(nap, now=at("2026-11-26 13:30")) == PutOff(at("2026-11-26 14:05"))
    assert decided(nap, now=at("2026-11-26 12:59")) == SEND


def test_urgent_messages_pass_the_quiet_hours_but_no_switch() -> None:
    assert decided(Wish(quiet=NIGHT), now=at("2026-11-26 23:00"), urgent=True) == SEND
    assert decided(Wish(push=False, quiet=NIGHT), now=at("2026-11-26 23:00"), urgent=True) == OFF


def test_what_would_come_too_late_is_left_out() -> None:
    assert decided(Wish(quiet=NIGHT), now=at("2026-11-26 23:00"), ttl=8) == Skip(SkipReason.QUIET_HOURS)
    assert decided(Wish(quiet=NIGHT), now=at("2026-11-26 23:00"), ttl=8.1) == PutOff(at("2026-11-27 07:00"))


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-03-28 22:00", 8), ("2026-10-24 22:00", 10), ("2026-11-26 22:00", 9)],
)
def test_the_night_is_as_long_as_the_clock_says(now: str, hours: int) -> None:
    """Clocks go forward on 2026-03-29 and back on 2026-10-25 in Vienna."""
    assert decided(Wish(quiet=NIGHT), now=at(now)) == PutOff(at(now) + timedelta(hours=hours))


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    small = QuietHours(60, 2 * 60 + 30)
    first, second = at("2026-10-25 02:29"), at("2026-10-25 02:29") + timedelta(hours=1)
    end = at("2026-10-25 02:30") + timedelta(hours=1)
    assert small.end(first, VIENNA) == small.end(second, VIENNA) == end


def test_hours_that_the_clock_leaves_out_wake_nobody_early() -> None:
    small = QuietHours(60, 2 * 60 + 30)
    assert small.end(at("2026-03-29 01:45"), VIENNA) == at("2026-03-29 03:30")


@pytest.mark.parametrize(("begins", "ends"), [(5, 5), (-1, 5), (5, DAY)])
def test_hours_that_are_none_are_refused(begins: int, ends: int) -> None:
    with pytest.raises(ValueError, match="hours"):
        QuietHours(begins, ends)


hours = st.builds(
    lambda begins, more: QuietHours(begins, (begins + more) % DAY), st.integers(0, DAY - 1), st.integers(1, DAY - 1)
)
moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added


def holds(quiet: QuietHours, now: datetime, zone: ZoneInfo) -> bool:
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if quiet.begins < quiet.ends:
        return quiet.begins <= minute < quiet.ends
    return minute >= quiet.begins or minute < quiet.ends


@given(quiet=hours, now=moments, name=st.sampled_from(ZONES))
def test_a_clock_within_the_hours_is_never_rung(quiet: QuietHours, now: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    end = quiet.end(now, zone)
    if holds(quiet, now, zone):
        assert end is not None, (quiet, now.astimezone(zone))
    if end is None:
        return
    assert now < end <= now + timedelta(hours=26)
    local = end.astimezone(zone)
    at_the_end = local.hour * 60 + local.minute == quiet.ends
    # Else the clock leaves that time out, and it ends within the hour that is left out.
    assert at_the_end or not exists(quiet.ends, end, zone)


def exists(minute: int, near: datetime, zone: ZoneInfo) -> bool:
    local = near.astimezone(zone).replace(hour=minute // 60, minute=minute % 60)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)


@given(quiet=hours, now=moments, name=st.sampled_from(ZONES), ttl=st.integers(60, 28 * DAY * 60))
def test_what_is_put_off_comes_within_its_time_and_when_it_may(
    quiet: QuietHours, now: datetime, name: str, ttl: int
) -> None:
    zone, expires = ZoneInfo(name), now + timedelta(seconds=ttl)
    found = decision(Wish(quiet=quiet), REPLY, zone=zone, urgent=False, now=now, expires_at=expires)
    end = quiet.end(now, zone)
    if end is None:
        assert found == SEND
    elif isinstance(found, PutOff):
        assert end <= found.until < min(expires, end + timedelta(minutes=STEP))
        assert found.until.minute % STEP == found.until.second == found.until.microsecond == 0
    else:
        assert found == Skip(SkipReason.QUIET_HOURS)
        assert expires <= end + timedelta(minutes=STEP)
