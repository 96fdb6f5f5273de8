"""What leaves on one connection: requests in frames, within the windows that the peer opens (RFC 9113 §5.2, §6.9)."""

from __future__ import annotations

from tidings.lib.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    HEAD,
    HEADERS,
    LARGEST_FRAME,
    LARGEST_WINDOW,
    Code,
    PeerFault,
    frame,
)

_pack = HEAD.pack
_BOTH = END_HEADERS | END_STREAM


class _Rest:
    """What is left of a body, and what its stream may send of it."""

    __slots__ = ("body", "window")

    def __init__(self, body: memoryview, window: int) -> None:
        self.body = body
        self.window = window


class Sending:
    """Writes requests into `out`; what does not fit the windows waits until they open."""

    def __init__(self, out: list[bytes]) -> None:
        self._out = out
        self._window = FIRST_WINDOW
        self._initial = FIRST_WINDOW
        self._largest = LARGEST_FRAME
        self._rests: dict[int, _Rest] = {}

    def request(self, stream: int, block: bytes, body: bytes) -> None:
        """Write a request's header block and as much of its body as may leave now."""
        size, length = len(body), len(block)
        if length > self._largest:
            self._long_head(stream, block, ends=not size)
        elif not size:
            self._out += (_pack(length << 8 | HEADERS, _BOTH, stream), block)
        elif size <= self._window and size <= self._initial and size <= self._largest:
            self._window -= size
            self._out += (
                _pack(length << 8 | HEADERS, END_HEADERS, stream),
                block,
                _pack(size << 8 | DATA, END_STREAM, stream),
                body,
            )
            return
        else:
            self._out += (_pack(length << 8 | HEADERS, END_HEADERS, stream), block)
        if size:
            self._rests[stream] = _Rest(memoryview(body), self._initial)
            self._pump()

    def _long_head(self, stream: int, block: bytes, *, ends: bool) -> None:
        kind, flags = HEADERS, END_STREAM if ends else 0
        for at in range(0, len(block), self._largest):
            piece = block[at : at + self._largest]
            last = END_HEADERS if at + self._largest >= len(block) else 0
            self._out.append(frame(kind, flags | last, stream, piece))
            kind, flags = CONTINUATION, 0

    def drop(self, stream: int) -> bool:
        """Send no more of that stream's body; tell whether some was left."""
        return self._rests.pop(stream, None) is not None

    def open(self, stream: int, increment: int) -> bool:
        """Widen the window of a stream, of the connection with 0; False if the stream's would be too wide."""
        if stream:
            rest = self._rests.get(stream)
            if rest is not None:
                rest.window += increment
                if rest.window > LARGEST_WINDOW:
                    return False
        else:
            self._window += increment
            if self._window > LARGEST_WINDOW:
                raise PeerFault(Code.FLOW_CONTROL_ERROR, "the connection's window is too wide")
        self._pump()
        return True

    def resize(self, initial: int) -> None:
        """Take another first window for streams; those that are open get the difference (RFC 9113 §6.9.2)."""
        if initial > LARGEST_WINDOW:
            raise PeerFault(Code.FLOW_CONTROL_ERROR, "the first window of streams is too wide")
        for rest in self._rests.values():
            rest.window += initial - self._initial
            if rest.window > LARGEST_WINDOW:
                raise PeerFault(Code.FLOW_CONTROL_ERROR, "a stream's window is too wide")
        self._initial = initial
        self._pump()

    def enlarge(self, largest: int) -> None:
        """Take another largest frame."""
        if not LARGEST_FRAME <= largest < 1 << 24:
            raise PeerFault(Code.PROTOCOL_ERROR, "a largest frame that is not allowed")
        self._largest = largest

    def _pump(self) -> None:
        for stream, rest in list(self._rests.items()):
            while (size := min(self._window, rest.window, self._largest, len(rest.body))) > 0:
                piece, rest.body = bytes(rest.body[:size]), rest.body[size:]
                self._window -= size
                rest.window -= size
                self._out.append(frame(DATA, 0 if rest.body else END_STREAM, stream, piece))
            if not rest.body:
                del self._rests[stream]
            if self._window <= 0:
                return
