from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.simulator import protobuf


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        (((1, 150),), "089601"),
        (((2, "testing"),), "120774657374696e67"),
        (((3, protobuf.message((1, 150))),), "1a03089601"),
        (((16, 0),), "800100"),
    ],
)
def test_messages_are_written_as_the_encoding_guide_shows(
    fields: tuple[tuple[int, int | str | bytes], ...], written: str
) -> None:
    assert protobuf.message(*fields).hex() == written


def test_what_is_written_is_read_again_and_the_last_number_counts() -> None:
    data = protobuf.message((1, 7), (1, 8), (10, "a"), (10, "ü")) + protobuf.fixed64(13, 2**63 + 1)
    fields = protobuf.fields_of(data)
    assert protobuf.number_in(fields, 1) == 8
    assert protobuf.texts_in(fields, 10) == ["a", "ü"]
    assert protobuf.number_in(fields, 13) == 2**63 + 1
    assert protobuf.number_in(fields, 99) == 0


@pytest.mark.parametrize("data", ["08", "0a05aa", "09aabb", "0b", "08" + "ff" * 11])
def test_what_is_cut_off_or_of_no_known_kind_is_malformed(data: str) -> None:
    with pytest.raises(protobuf.Malformed):
        protobuf.fields_of(bytes.fromhex(data))


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(protobuf.Malformed):
        protobuf.fields_of(data)
