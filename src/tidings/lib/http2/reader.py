"""Cuts what a peer sends into frames, and puts header blocks together (RFC 9113 §4, §6.2, §6.10)."""

from __future__ import annotations

from collections.abc import Iterator

from tidings.lib.http2 import frames as h2
from tidings.lib.http2.frames import HEAD, HEAD_SIZE, LARGEST_FRAME, Code, PeerFault

LARGEST_BLOCK = 64 * 1024
MOST_PIECES = 64
"""Bytes of a header block, and frames that it may come in."""

_PRIORITY_SIZE = 5

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, payload. The payload of HEADERS is the whole block, without padding and priority."""


class FrameReader:
    """Reads one connection; keeps what is not whole yet."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._block: bytearray | None = None
        self._of = self._flags = self._pieces = 0

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Take bytes in and give the frames that are whole; raises PeerFault for what can be none."""
        if self._rest:
            data = self._rest + data
        at, end, unpack = 0, len(data), HEAD.unpack_from
        while end - at >= HEAD_SIZE:
            word, flags, stream = unpack(data, at)
            size, kind = word >> 8, word & 0xFF
            if size > LARGEST_FRAME:
                raise PeerFault(Code.FRAME_SIZE_ERROR, "a frame that is too large")
            begin = at + HEAD_SIZE
            if begin + size > end:
                break
            at = begin + size
            stream &= h2.LAST_STREAM  # the bit before it means nothing
            if kind == h2.HEADERS or kind == h2.CONTINUATION or self._block is not None or not self._begun:
                frame = self._joined(kind, flags, stream, data[begin:at])
                if frame is not None:
                    yield frame
            else:
                yield kind, flags, stream, data[begin:at]
        self._rest = data[at:]

    def _joined(self, kind: int, flags: int, stream: int, payload: bytes) -> Frame | None:
        """Look after the order of frames; give a header block when it is whole."""
        if not self._begun:
            if kind != h2.SETTINGS or flags & h2.ACK:
                raise PeerFault(Code.PROTOCOL_ERROR, "its first frame is not its SETTINGS")
            self._begun = True
            return kind, flags, stream, payload
        if kind == h2.CONTINUATION:
            return self._continued(flags, stream, payload)
        if self._block is not None:
            raise PeerFault(Code.PROTOCOL_ERROR, "a header block is interrupted")
        if flags & (h2.PADDED | h2.WITH_PRIORITY):
            payload = h2.without_padding(flags, payload)
            if flags & h2.WITH_PRIORITY:
                if len(payload) < _PRIORITY_SIZE:
                    raise PeerFault(Code.FRAME_SIZE_ERROR, "a HEADERS frame without its priority")
                payload = payload[_PRIORITY_SIZE:]
        if flags & h2.END_HEADERS:
            return kind, flags, stream, payload
        self._block, self._of, self._flags, self._pieces = bytearray(payload), stream, flags, 1
        return None

    def _continued(self, flags: int, stream: int, payload: bytes) -> Frame | None:
        if self._block is None or stream != self._of:
            raise PeerFault(Code.PROTOCOL_ERROR, "a CONTINUATION of nothing")
        self._block += payload
        self._pieces += 1
        if len(self._block) > LARGEST_BLOCK or self._pieces > MOST_PIECES:
            raise PeerFault(Code.ENHANCE_YOUR_CALM, "a header block without end")
        if not flags & h2.END_HEADERS:
            return None
        block, self._block = bytes(self._block), None
        return h2.HEADERS, self._flags, stream, block
