"""One HTTP/2 connection without its socket: calls go in, bytes come out; bytes go in, answers come out (RFC 9113)."""

from __future__ import annotations

from collections.abc import Callable

from tidings.lib.exchange import Answer, FailureKind
from tidings.lib.http2 import frames as h2
from tidings.lib.http2.answer_head import LARGEST_LIST, AnswerHeads
from tidings.lib.http2.call import Call
from tidings.lib.http2.frames import LARGEST_FRAME, Code, MalformedAnswer, PeerFault
from tidings.lib.http2.reader import FrameReader
from tidings.lib.http2.sending import Sending
from tidings.lib.transfer import BODY_READ

STREAMS = 90
"""Streams at the same time: there are servers that allow a hundred and close the connection at one too many."""

WINDOW = 16 * 1024 * 1024
"""Bytes of all answers together that may be on their way; renewed when half of them came."""

MOST_UNSENT = 10_000
"""Frames that wait to leave: a peer that asks for that many and reads none is left."""

NO_TABLE = b"\x20"
"""How the first header block begins: we use no table, whatever size the peer allows (RFC 7541 §4.2, §6.3)."""

UNPROVEN = frozenset({401, 403})
"""Answers after which a connection still has to show that its credential is a good one."""

_GREETING = (
    h2.MAGIC
    + h2.settings(
        {
            h2.HEADER_TABLE_SIZE: 0,
            h2.ENABLE_PUSH: 0,
            h2.INITIAL_WINDOW_SIZE: BODY_READ + LARGEST_FRAME,
            h2.MAX_HEADER_LIST_SIZE: LARGEST_LIST,
        }
    )
    + h2.window_update(0, WINDOW - h2.FIRST_WINDOW)
)


class Connection:
    """The client's end of a connection.

    After each call of a method: `out` has what is to be written, `done` the answers, `returned` the calls that the peer
    says it did not work on. `leaving` means that it takes no new calls, `broken` that it is of no use any more.
    """

    def __init__(self, heads: AnswerHeads, *, first_stream: int = 1) -> None:
        self.out: list[bytes] = [_GREETING]
        self.calls: dict[int, Call] = {}
        self.done: list[tuple[Call, Answer]] = []
        self.returned: list[Call] = []
        self.leaving = self.broken = self.settled = self.proven = False
        self.heard_at = 0.0
        self.limit = STREAMS
        self._heads = heads
        self._known = heads.known
        self._sending = Sending(self.out)
        self._next = first_stream
        self._resized = NO_TABLE
        self._reader = FrameReader()
        self._window = WINDOW
        self._now = 0.0
        self._handlers: dict[int, Callable[[int, int, bytes], None]] = {
            h2.DATA: self._data,
            h2.HEADERS: self._headers,
            h2.PRIORITY: self._priority,
            h2.RST_STREAM: self._rst_stream,
            h2.SETTINGS: self._settings,
            h2.PUSH_PROMISE: self._push_promise,
            h2.PING: self._ping,
            h2.GOAWAY: self._goaway,
            h2.WINDOW_UPDATE: self._window_update,
        }

    @property
    def free(self) -> int:
        """Tell how many more calls it takes now: one until the peer has said how many."""
        if self.leaving:
            return 0
        return (self.limit if self.settled else min(1, self.limit)) - len(self.calls)

    def send(self, call: Call) -> None:
        """Begin a call."""
        stream = self._next
        self._next += 2
        if self._next > h2.LAST_STREAM:
            self.leaving = True  # RFC 9113 §5.1.1: numbers are used once
        call.connection, call.stream = self, stream
        self.calls[stream] = call
        self._sending.request(stream, self._resized + call.block, call.request.body)
        self._resized = b""

    def cancel(self, call: Call) -> None:
        """Forget a call that nobody waits for any more."""
        if self.calls.pop(call.stream, None) is not None:
            self._sending.drop(call.stream)
            self.out.append(h2.rst_stream(call.stream, Code.CANCEL))

    def end(self, words: str, kind: FailureKind = FailureKind.RESET) -> None:
        """Take note that the connection is gone: what has no answer by now gets none here."""
        self.leaving = self.broken = True
        for call in self.calls.values():
            cut = call.status and call.enough
            self.done.append((call, call.reply(self._now) if cut else call.failure(kind, words)))
        self.calls.clear()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes in. A peer that breaks the protocol is told so, and all its calls fail."""
        if self.broken:
            return
        self._now = self.heard_at = now
        try:
            self._read(data)
            if len(self.out) > MOST_UNSENT:
                raise PeerFault(Code.ENHANCE_YOUR_CALM, "it asks for more than it reads")
        except PeerFault as fault:
            self.out.append(h2.goaway(fault.code))
            self.end(f"HTTP/2: {fault}", FailureKind.PROTOCOL)

    def _read(self, data: bytes) -> None:
        known, calls = self._known, self.calls
        for kind, flags, stream, payload in self._reader.frames(data):
            if kind == h2.HEADERS:
                # Most answers are a head that is known, and nothing else.
                head, call = known(payload), calls.get(stream)
                if head and call and flags & h2.END_STREAM and not call.status and head.complete:
                    call.status, call.headers, _, _ = head
                    self._finish(call)
                    continue
            handler = self._handlers.get(kind)
            if handler is not None:
                handler(flags, stream, payload)

    def _call_of(self, stream: int, what: str) -> Call | None:
        """Give the call of a stream, None if it is over; PeerFault for one that never was."""
        if not stream & 1 or stream >= self._next:
            raise PeerFault(Code.PROTOCOL_ERROR, f"{what} for a stream that was never opened")
        return self.calls.get(stream)

    def _finish(self, call: Call) -> None:
        stream = call.stream
        del self.calls[stream]
        if self._sending.drop(stream):
            self.out.append(h2.rst_stream(stream, Code.CANCEL))  # answered before all of it was sent
        if call.status not in UNPROVEN:
            self.proven = True
        self.done.append((call, call.reply(self._now)))

    def _fail(self, call: Call, code: Code, words: str) -> None:
        """Give up one stream."""
        del self.calls[call.stream]
        self._sending.drop(call.stream)
        self.out.append(h2.rst_stream(call.stream, code))
        self.done.append((call, call.failure(FailureKind.PROTOCOL, words)))

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        call = self._call_of(stream, "DATA")
        self._window -= len(payload)
        if self._window < 0:
            raise PeerFault(Code.FLOW_CONTROL_ERROR, "more DATA than its window")
        if self._window <= WINDOW // 2:
            self.out.append(h2.window_update(0, WINDOW - self._window))
            self._window = WINDOW
        piece = h2.without_padding(flags, payload)
        if call is None:
            return
        if not call.status:
            self._fail(call, Code.PROTOCOL_ERROR, "a body without a head")
            return
        call.take(piece)
        if flags & h2.END_STREAM:
            self._ended(call)
        elif call.read > BODY_READ:  # the answer stands, cut as ever
            self.out.append(h2.rst_stream(stream, Code.CANCEL))
            self._finish(call)

    def _ended(self, call: Call) -> None:
        if call.length not in (-1, call.read) and call.status != 304:
            self._fail(call, Code.PROTOCOL_ERROR, "a body that is shorter or longer than it says")
        else:
            self._finish(call)

    def _headers(self, flags: int, stream: int, block: bytes) -> None:
        call, ends = self._call_of(stream, "HEADERS"), flags & h2.END_STREAM
        if call is None:
            return  # without a table, a block that is not read changes nothing
        try:
            if call.status:
                self._heads.trailers(block)
                if not ends:
                    raise MalformedAnswer("a second head")
            else:
                head = self._heads.head(block)
                if head.status < 200:
                    if ends or head.status == 101:
                        raise MalformedAnswer("an interim answer that ends")
                    return
                call.status, call.headers, call.length, _ = head
        except MalformedAnswer as malformed:
            self._fail(call, Code.PROTOCOL_ERROR, str(malformed))
        else:
            if ends:
                self._ended(call)

    def _priority(self, flags: int, stream: int, payload: bytes) -> None:
        if not stream:
            raise PeerFault(Code.PROTOCOL_ERROR, "PRIORITY for no stream")
        if len(payload) != 5:
            raise PeerFault(Code.FRAME_SIZE_ERROR, "PRIORITY of another size")

    def _rst_stream(self, flags: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise PeerFault(Code.FRAME_SIZE_ERROR, "RST_STREAM of another size")
        call = self._call_of(stream, "RST_STREAM")
        if call is None:
            return
        del self.calls[stream]
        self._sending.drop(stream)
        code = h2.number_in(payload)
        if code == Code.REFUSED_STREAM and not call.status:
            call.tries += 1
            self.returned.append(call)  # RFC 9113 §8.7: it was not worked on
        elif call.status and call.enough:
            self.done.append((call, call.reply(self._now)))
        else:
            self.done.append(
                (call, call.failure(FailureKind.RESET, f"HTTP/2: its stream was reset, {h2.name_of(code)}"))
            )

    def _settings(self, flags: int, stream: int, payload: bytes) -> None:
        if stream:
            raise PeerFault(Code.PROTOCOL_ERROR, "SETTINGS for a stream")
        if len(payload) % 6 or (flags & h2.ACK and payload):
            raise PeerFault(Code.FRAME_SIZE_ERROR, "SETTINGS of another size")
        if flags & h2.ACK:
            return
        for identifier, value in h2.settings_in(payload):
            if identifier == h2.MAX_CONCURRENT_STREAMS:
                self.limit = min(STREAMS, value)
            elif identifier == h2.INITIAL_WINDOW_SIZE:
                self._sending.resize(value)
            elif identifier == h2.MAX_FRAME_SIZE:
                self._sending.enlarge(value)
            elif identifier == h2.ENABLE_PUSH and value:
                raise PeerFault(Code.PROTOCOL_ERROR, "a server that wants to be pushed to")
        self.settled = True
        self.out.append(h2.frame(h2.SETTINGS, h2.ACK, 0))

    def _push_promise(self, flags: int, stream: int, payload: bytes) -> None:
        raise PeerFault(Code.PROTOCOL_ERROR, "a push that we did not allow")

    def _ping(self, flags: int, stream: int, payload: bytes) -> None:
        if stream:
            raise PeerFault(Code.PROTOCOL_ERROR, "PING for a stream")
        if len(payload) != 8:
            raise PeerFault(Code.FRAME_SIZE_ERROR, "PING of another size")
        if not flags & h2.ACK:
            self.out.append(h2.frame(h2.PING, h2.ACK, 0, payload))

    def _goaway(self, flags: int, stream: int, payload: bytes) -> None:
        if stream:
            raise PeerFault(Code.PROTOCOL_ERROR, "GOAWAY for a stream")
        if len(payload) < 8:
            raise PeerFault(Code.FRAME_SIZE_ERROR, "GOAWAY of another size")
        self.leaving = True
        last = h2.number_in(payload) & h2.LAST_STREAM
        for number in [number for number in self.calls if number > last]:
            self._sending.drop(number)
            call = self.calls.pop(number)
            call.tries += not last  # a peer that worked on some will work on the others, a few at a time
            self.returned.append(call)  # RFC 9113 §6.8: it was not worked on

    def _window_update(self, flags: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise PeerFault(Code.FRAME_SIZE_ERROR, "WINDOW_UPDATE of another size")
        increment = h2.number_in(payload) & h2.LARGEST_WINDOW
        call = self._call_of(stream, "WINDOW_UPDATE") if stream else None
        if not increment and not stream:
            raise PeerFault(Code.PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
        if stream and call is None:
            return
        if call is not None and not increment:
            self._fail(call, Code.PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
        elif not self._sending.open(stream, increment) and call is not None:
            self._fail(call, Code.FLOW_CONTROL_ERROR, "a stream's window is too wide")
