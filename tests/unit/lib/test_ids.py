"""Public ids sort by time, never repeat, and say what they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tidings.lib.clock import FixedClock, SystemClock
from tidings.lib.ids import ALPHABET, Ids

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)


def test_an_id_is_its_prefix_and_26_characters_without_lookalikes() -> None:
    assert re.fullmatch(rf"sub_[{ALPHABET}]{{26}}", Ids(SystemClock()).new("sub"))
    assert not set("ilou") & set(ALPHABET)


def test_ids_of_different_moments_sort_by_time_whatever_chance_gives() -> None:
    clock = FixedClock(NOON)
    first = Ids(clock, lambda size: b"\xff" * size).new("ntf")
    clock.at += timedelta(milliseconds=1)
    second = Ids(clock, bytes).new("ntf")
    assert first < second


def test_the_time_and_the_chance_are_both_in_it_in_full() -> None:
    id = Ids(FixedClock(NOON), lambda size: bytes(range(size))).new("x").partition("_")[2]
    number = 0
    for character in id:
        number = number * 32 + ALPHABET.index(character)
    assert number >> 80 == int(NOON.timestamp() * 1000)
    assert (number & (1 << 80) - 1).to_bytes(10, "big") == bytes(range(10))


def test_ids_of_one_moment_differ() -> None:
    ids = Ids(FixedClock(NOON))
    assert len({ids.new("a") for _ in range(1000)}) == 1000


def test_a_secret_has_256_bits_in_hex() -> None:
    assert re.fullmatch("[0-9a-f]{64}", Ids(SystemClock()).secret())
