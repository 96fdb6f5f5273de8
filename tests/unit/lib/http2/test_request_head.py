"""Header blocks of requests, read by python-hyper's decoder."""

from __future__ import annotations

import pytest
from hpack import Decoder, NeverIndexedHeaderTuple

from tidings.lib.http2.request_head import MOST_LINES, RequestHeads, start_of

LINES = ("TTL: 60", "Authorization: vapid t=a.b.c, k=d", "Content-Encoding: aes128gcm", "X-Odd: two  spaces ")


def read(block: bytes | None) -> list[tuple[bytes, bytes]]:
    assert block is not None
    return Decoder().decode(block, raw=True)


def test_a_block_reads_as_what_was_asked() -> None:
    block = RequestHeads().block(start_of("push.example.com:8443"), "/a/b?c", LINES, 359)
    assert read(block) == [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"push.example.com:8443"),
        (b":path", b"/a/b?c"),
        (b"ttl", b"60"),
        (b"authorization", b"vapid t=a.b.c, k=d"),
        (b"content-encoding", b"aes128gcm"),
        (b"x-odd", b"two  spaces"),
        (b"content-length", b"359"),
    ]


def test_path_and_authorization_are_marked_as_never_to_be_put_into_a_table() -> None:
    fields = read(RequestHeads().block(start_of("a.example"), "/secret", LINES, 0))
    assert {field[0] for field in fields if isinstance(field, NeverIndexedHeaderTuple)} == {b":path", b"authorization"}


def test_a_block_means_the_same_each_time_and_leaves_the_peers_table_empty() -> None:
    heads, decoder = RequestHeads(), Decoder()
    blocks = [heads.block(start_of("a.example"), f"/{n}", (*LINES, f"Topic: {n}"), n) for n in range(MOST_LINES + 100)]
    for number, block in enumerate(blocks):
        assert block is not None
        fields = dict(decoder.decode(block, raw=True))
        assert (fields[b"topic"], fields[b":path"]) == (str(number).encode(), f"/{number}".encode())
        assert fields[b"ttl"] == b"60"
    assert not decoder.header_table.dynamic_entries


@pytest.mark.parametrize("own", range(5))
def test_a_block_says_the_same_however_many_lines_are_its_own(own: int) -> None:
    heads, lines = RequestHeads(), (*LINES, "Topic: a", "Urgency: low")
    blocks = [heads.block(start_of("a.example"), "/", lines, 1, own) for _ in range(2)]
    assert read(blocks[0]) == read(blocks[1]) == read(RequestHeads().block(start_of("a.example"), "/", lines, 1))
    assert heads.block(start_of("a.example"), "/", (*LINES, "no colon", "Urgency: low"), 1, own) is None


@pytest.mark.parametrize("length", [1, 126, 127, 128, 254, 255, 2047, 2048, 2049, 20_000])
def test_lengths_are_written_whatever_they_are(length: int) -> None:
    value = "x" * length
    fields = dict(read(RequestHeads().block(start_of("a.example"), f"/{value}", (f"Long: {value}",), 1)))
    assert (fields[b":path"], fields[b"long"]) == (f"/{value}".encode(), value.encode())


@pytest.mark.parametrize(
    "line",
    [
        "no colon",
        "Empty:",
        "Spaces:   ",
        ": nothing",
        "Bad Name: x",
        "Bad\x00: x",
        "Umlaut: \u00fc",
        "Two: a\r\nHost: b",
        "Tab: a\tb",
        "Host: evil.example",
        "Connection: close",
        "Transfer-Encoding: chunked",
        "TE: trailers",
        "Keep-Alive: 5",
        "Upgrade: h2c",
    ],
)
def test_a_line_that_is_no_field_of_http2_gives_no_block(line: str) -> None:
    heads = RequestHeads()
    for _ in range(2):
        assert heads.block(start_of("a.example"), "/", ("TTL: 1", line), 0) is None
