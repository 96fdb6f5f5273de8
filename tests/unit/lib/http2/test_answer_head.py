"""Header blocks of answers: those that python-hyper's encoder writes, and garbage."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder, HPACKError
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.http2.answer_head import LARGEST_LIST, MOST_BLOCKS, MOST_FIELDS, AnswerHeads
from tidings.lib.http2.frames import MalformedAnswer, PeerFault

NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20).map(str.encode)
VALUES = st.binary(max_size=60).map(lambda raw: bytes(byte for byte in raw if byte not in b"\0\r\n"))


def block(*fields: tuple[str, str], resized: bool = False, huffman: bool = True) -> bytes:
    encoder = Encoder()
    encoder.header_table_size = 0
    written = encoder.encode(fields, huffman=huffman)
    return written if resized else written.removeprefix(b"\x20")


@pytest.mark.parametrize("huffman", [True, False])
@pytest.mark.parametrize("resized", [True, False])
def test_an_answers_head_is_read_and_known_again(huffman: bool, resized: bool) -> None:
    heads = AnswerHeads()
    written = block(
        (":status", "201"),
        ("location", "https://a.example/m/1"),
        ("x-twice", "a"),
        ("x-twice", "b "),
        ("content-length", "0"),
        resized=resized,
        huffman=huffman,
    )
    assert heads.known(written) is None
    head = heads.head(written)
    assert (head.status, head.length, head.complete) == (201, 0, True)
    assert dict(head.headers) == {"location": "https://a.example/m/1", "x-twice": "a, b", "content-length": "0"}
    assert heads.known(written) is head
    assert heads.head(written) is head
    with pytest.raises(TypeError):
        head.headers["location"] = "elsewhere"  # type: ignore[index]


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.booleans())
def test_fields_are_those_that_the_whole_block_decodes_to(fields: list[tuple[bytes, bytes]], huffman: bool) -> None:
    encoder = Encoder()
    encoder.header_table_size = 0
    written = encoder.encode(fields, huffman=huffman)
    decoder = Decoder()
    assert AnswerHeads().fields(written) == decoder.decode(written, raw=True)


@given(st.binary(max_size=200))
def test_garbage_is_read_as_the_decoder_reads_it_or_refused(garbage: bytes) -> None:
    decoder = Decoder()
    decoder.max_allowed_table_size = 0
    decoder.header_table_size = 0
    try:
        expected = decoder.decode(garbage, raw=True)
    except (HPACKError, UnicodeDecodeError):
        expected = None
    try:
        found = AnswerHeads().fields(garbage)
    except (PeerFault, MalformedAnswer):
        return  # we may be stricter, never laxer
    assert found == expected


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (("x", "y"),),
        (("x", "y"), (":status", "200")),
        ((":status", "200"), (":status", "200")),
        ((":status", "20"),),
        ((":status", "2000"),),
        ((":status", "abc"),),
        ((":status", "200"), (":path", "/")),
        ((":status", "200"), ("Upper", "x")),
        ((":status", "200"), ("", "x")),
        ((":status", "200"), ("x", "a\nb")),
        ((":status", "200"), ("x", "a\0b")),
        ((":status", "200"), ("connection", "close")),
        ((":status", "200"), ("transfer-encoding", "chunked")),
        ((":status", "200"), ("content-length", "-1")),
        ((":status", "200"), ("content-length", "1"), ("content-length", "2")),
        ((":status", "200"), *((f"x-{number}", "v" * 1000) for number in range(70))),
    ],
)
def test_what_is_no_answers_head_is_malformed(fields: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(MalformedAnswer):
        AnswerHeads().head(block(*fields))


@pytest.mark.parametrize(
    "written",
    [
        b"\x80",  # field 0
        b"\xbe",  # the first of a table that is empty
        b"\x88\x20",  # the table resized behind a field
        b"\x3f\xe1\x1f",  # a table of 4096, which we did not allow
        b"\x88\x00\x05ab",  # ends amid a name
        b"\x00\xff\xff\xff\xff\xff\xff\x7f",  # a length without end
        b"\x00\x01a\x81\xff\xff",  # Huffman that is none
    ],
)
def test_what_is_no_block_is_the_peers_fault(written: bytes) -> None:
    with pytest.raises(PeerFault):
        AnswerHeads().head(written)


def test_only_so_much_is_kept_of_headers() -> None:
    many = AnswerHeads().head(block((":status", "200"), *((f"x-{number}", "v") for number in range(100))))
    assert len(many.headers) == 64
    large = AnswerHeads().head(block((":status", "200"), *((f"x-{number}", "v" * 1000) for number in range(40))))
    assert sum(map(len, large.headers.values())) <= 16 * 1024
    assert LARGEST_LIST > 40 * 1000


def test_only_so_much_is_remembered() -> None:
    heads = AnswerHeads()
    for number in range(MOST_FIELDS + MOST_BLOCKS):
        assert heads.head(block((":status", "201"), ("location", f"/m/{number}"))).headers["location"] == f"/m/{number}"
    assert len(heads._blocks) <= MOST_BLOCKS
    assert len(heads._fields) <= MOST_FIELDS
    assert len(heads._told) <= MOST_FIELDS


def test_a_field_that_is_refused_is_refused_each_time_and_one_that_is_known_means_the_same_in_any_answer() -> None:
    heads = AnswerHeads()
    for number in range(3):
        with pytest.raises(MalformedAnswer):
            heads.head(block((":status", "200"), ("connection", "close"), ("x-n", str(number))))
        for status in ("200", "404"):
            head = heads.head(block((":status", status), ("x-a", " 1 "), ("x-a", "2"), ("x-n", str(number))))
            assert (head.status, head.headers) == (int(status), {"x-a": "1, 2", "x-n": str(number)})
