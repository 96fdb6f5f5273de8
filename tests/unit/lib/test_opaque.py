"""Opaque ids: they come back to their pair, and nothing else does."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.opaque import OpaquePairs

OPAQUE = OpaquePairs(b"k" * 32)
NUMBERS = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=40))
def test_every_pair_comes_back_from_its_id_and_token(pairs: list[tuple[int, int]]) -> None:
    encoded = OPAQUE.encode_many(pairs)
    assert [OPAQUE.decode(id, token) for id, token in encoded] == pairs
    assert all(re.fullmatch("[0-9a-f]{32}", id) and re.fullmatch("[A-Za-z0-9_-]{16}", token) for id, token in encoded)


def test_a_pair_has_the_same_id_alone_and_among_others_and_in_another_process() -> None:
    (alone,) = OPAQUE.encode_many([(7, 42)])
    assert OPAQUE.encode_many([(1, 1), (7, 42)])[1] == alone
    assert OpaquePairs(b"k" * 32).encode_many([(7, 42)]) == [alone]
    assert OpaquePairs(b"K" * 32).decode(*alone) is None


def test_neighbours_have_nothing_in_common() -> None:
    ids = [id for id, _ in OPAQUE.encode_many([(1, n) for n in range(1000)])]
    assert len(set(ids)) == 1000
    assert len({id[:8] for id in ids}) == len({id[-8:] for id in ids}) == 1000


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_other_text_decodes_to_nothing(id: str, token: str) -> None:
    ((good_id, good_token),) = OPAQUE.encode_many([(1, 2)])
    assert OPAQUE.decode(id, good_token) is None
    assert OPAQUE.decode(good_id, token) is None


def test_another_spelling_of_a_good_id_decodes_to_nothing() -> None:
    ((id, token),) = OPAQUE.encode_many([(3, 4)])
    for wrong in (id.upper(), f" {id}", f"{id[:2]} {id[2:]}", id + "00", id[:-2], "\u0660" * 32):
        assert OPAQUE.decode(wrong, token) is None
    for wrong in (token + "=", token[:-1], token.swapcase(), "\u00e9" * 16, ""):
        assert OPAQUE.decode(id, wrong) is None


@pytest.mark.parametrize("pair", [(-1, 0), (0, 2**64)])
def test_numbers_beyond_64_bits_are_a_bug_of_the_caller(pair: tuple[int, int]) -> None:
    with pytest.raises(struct.error):
        OPAQUE.encode_many([pair])


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        OpaquePairs(b"short")
