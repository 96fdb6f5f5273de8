"""Frames of HTTP/2 as bytes, and the faults that a peer can be told of (RFC 9113 §4, §6, §7)."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

HEAD = Struct(">IBI")
"""What a frame begins with: its length in 24 bits and its type in 8, its flags, its stream."""
HEAD_SIZE = HEAD.size

LARGEST_FRAME = 16_384
"""Bytes of a payload that every peer takes, and the most that we take."""
LARGEST_WINDOW = (1 << 31) - 1
LAST_STREAM = (1 << 31) - 1
FIRST_WINDOW = 65_535
"""Bytes that a connection and each stream may send before anything else was agreed on (RFC 9113 §6.9.2)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = (
    range(1, 7)
)

MAGIC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first."""

_NUMBER = Struct(">I")
_SETTING = Struct(">HI")


class Code(IntEnum):
    """Error codes (RFC 9113 §7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class PeerFault(Exception):
    """The peer broke the protocol so that the connection is of no use any more; the words say how."""

    def __init__(self, code: Code, words: str) -> None:
        super().__init__(words)
        self.code = code


class MalformedAnswer(Exception):
    """One answer is no HTTP; the connection is as good as before (RFC 9113 §8.1.1)."""


def name_of(code: int) -> str:
    """Name an error code for people."""
    try:
        return Code(code).name
    except ValueError:
        return f"error {code}"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write any frame."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """Write a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in values.items()))


def settings_in(payload: bytes) -> list[tuple[int, int]]:
    """Read a SETTINGS frame, pairs of identifier and value in their order; its length was checked."""
    return list(_SETTING.iter_unpack(payload))


def window_update(stream: int, increment: int) -> bytes:
    """Write a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(increment))


def rst_stream(stream: int, code: Code) -> bytes:
    """Write a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def goaway(code: Code) -> bytes:
    """Write a GOAWAY frame; no stream of the peer's was ever taken."""
    return frame(GOAWAY, 0, 0, _NUMBER.pack(0) + _NUMBER.pack(code))


def number_in(payload: bytes, at: int = 0) -> int:
    """Read four bytes as a number."""
    found: int = _NUMBER.unpack_from(payload, at)[0]
    return found


def without_padding(flags: int, payload: bytes) -> bytes:
    """Take the padding off a DATA or HEADERS payload; PeerFault if there is more of it than payload."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise PeerFault(Code.PROTOCOL_ERROR, "a frame has more padding than content")
    return payload[1 : len(payload) - payload[0]]
