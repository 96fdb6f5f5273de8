"""Bytes into frames: cut anywhere, with anything in them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.http2 import frames as h2
from tidings.lib.http2.frames import Code, PeerFault
from tidings.lib.http2.reader import MOST_PIECES, FrameReader


def spoken(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in (SettingsFrame(0), *frames))


def read(*pieces: bytes) -> list[tuple[int, int, int, bytes]]:
    reader = FrameReader()
    return [frame for piece in pieces for frame in reader.frames(piece)]


TALK = spoken(
    HeadersFrame(1, b"block", flags=["END_HEADERS", "END_STREAM"]),
    HeadersFrame(3, b"first ", pad_length=5, flags=["PADDED", "PRIORITY"]),
    ContinuationFrame(3, b"second "),
    ContinuationFrame(3, b"third", flags=["END_HEADERS"]),
    PingFrame(0, b"12345678"),
    DataFrame(3, b"body", flags=["END_STREAM"]),
    WindowUpdateFrame(0, window_increment=9),
)


@given(st.lists(st.integers(0, len(TALK)), max_size=30).map(sorted))
def test_frames_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *cuts, len(TALK)]
    frames = read(*(TALK[start:end] for start, end in pairwise(edges)))
    assert [(kind, stream) for kind, _, stream, _ in frames] == [
        (h2.SETTINGS, 0),
        (h2.HEADERS, 1),
        (h2.HEADERS, 3),
        (h2.PING, 0),
        (h2.DATA, 3),
        (h2.WINDOW_UPDATE, 0),
    ]
    assert frames[2][3] == b"first second third"


@given(st.binary(max_size=400), st.integers(1, 50), st.booleans())
def test_garbage_ends_in_frames_or_a_fault(garbage: bytes, step: int, begun: bool) -> None:
    reader = FrameReader()
    data = (spoken() if begun else b"") + garbage
    try:
        for at in range(0, len(data), step):
            for kind, flags, stream, payload in reader.frames(data[at : at + step]):
                assert (kind | flags) < 256
                assert stream <= h2.LAST_STREAM
                assert len(payload) <= h2.LARGEST_FRAME * MOST_PIECES
    except PeerFault:
        pass


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PingFrame(0, b"12345678").serialize(), Code.PROTOCOL_ERROR),
        (SettingsFrame(0, flags=["ACK"]).serialize(), Code.PROTOCOL_ERROR),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Code.FRAME_SIZE_ERROR),
        (spoken() + h2.HEAD.pack(16_385 << 8, 0, 1), Code.FRAME_SIZE_ERROR),
        (spoken(ContinuationFrame(1, b"x")), Code.PROTOCOL_ERROR),
        (spoken(HeadersFrame(1, b"x"), PingFrame(0, b"12345678")), Code.PROTOCOL_ERROR),
        (spoken(HeadersFrame(1, b"x"), HeadersFrame(3, b"x", flags=["END_HEADERS"])), Code.PROTOCOL_ERROR),
        (spoken(HeadersFrame(1, b"x"), ContinuationFrame(3, b"x")), Code.PROTOCOL_ERROR),
        (spoken() + h2.frame(h2.HEADERS, h2.PADDED | h2.END_HEADERS, 1, b"\x05abc"), Code.PROTOCOL_ERROR),
        (spoken() + h2.frame(h2.HEADERS, h2.WITH_PRIORITY | h2.END_HEADERS, 1, b"abc"), Code.FRAME_SIZE_ERROR),
        (spoken(HeadersFrame(1, b"x"), *(ContinuationFrame(1, b"") for _ in range(99))), Code.ENHANCE_YOUR_CALM),
        (
            spoken(HeadersFrame(1, b"x"), *(ContinuationFrame(1, bytes(16_000)) for _ in range(5))),
            Code.ENHANCE_YOUR_CALM,
        ),
    ],
)
def test_what_no_peer_may_send_is_named(data: bytes, code: Code) -> None:
    with pytest.raises(PeerFault) as fault:
        read(data)
    assert fault.value.code is code
