"""One HTTP/2 connection: frames in, a handler's answers out, faults included."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from tidings.simulator.answers import BODY_KEPT, Answer, Drop, GoAway, Handler, Later, Reset, Response, request_from

WINDOW = 1 << 24
"""Bytes all streams of a connection may send before we renew the window; one stream has HTTP/2's own 65 535."""

UNLIMITED = 2**31 - 1
"""Streams that a client may open as long as nobody has told it otherwise (RFC 9113 §6.5.2)."""

LINGER = 1.0
"""Seconds for which a connection that was shut down still takes what is on its way, unless the client closes it."""

_GOAWAY = bytes((0, 0, 8, 7, 0, 0, 0, 0, 0))
"""The head of the frame (RFC 9113 §6.8): eight bytes, type 7, no flags, stream 0."""


class _Incoming:
    """A request that is still arriving."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.headers = headers
        self.body = bytearray()


class Http2Session:
    """Speaks HTTP/2 (RFC 9113) on one transport."""

    def __init__(
        self, transport: asyncio.Transport, handler: Handler, *, date: Callable[[], str], max_streams: int
    ) -> None:
        self._transport = transport
        self._handler = handler
        self._date = date
        self._loop = asyncio.get_running_loop()
        self._incoming: dict[int, _Incoming] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._unsent: dict[int, bytes] = {}
        self._consumed = 0
        self._processed = 0
        self._last: int | None = None
        self._closed = False
        self._streams = max_streams
        # Bytes in and out: a header that is not UTF-8 must reach the judge, not raise in the decoder.
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = max_streams
        self._h2.local_settings.acknowledge()  # or the first frame would still tell h2's own hundred
        self._h2.initiate_connection()
        # The limit binds a client from its acknowledgement on (RFC 9113 §6.5.3): it may ask before it has heard of it.
        self._h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = UNLIMITED
        self._h2.local_settings.acknowledge()
        self._h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = max_streams
        self._h2.increment_flow_control_window(WINDOW)
        self._flush()

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire and answer every request they complete."""
        if self._closed:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self.close()  # h2 has put the GOAWAY with its reason into what is still to be sent
            return
        for event in events:
            self._on(event)
        self._flush()
        self._end_if_shut_down()

    def receive_end(self) -> None:
        """Take note that the client will send no more."""
        self.close()

    def close(self) -> None:
        """Send what is waiting, then close the connection."""
        self._flush()
        self.lost()
        self._transport.close()

    def lost(self) -> None:
        """Forget everything that was to be answered later."""
        self._closed = True
        self._incoming.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _on(self, event: Event) -> None:
        if self._closed:
            return  # an event before this one closed the connection
        if isinstance(event, DataReceived):
            self._on_data(event)
        elif isinstance(event, RequestReceived):
            if self._last is None:
                self._incoming[event.stream_id] = _Incoming(event.headers)
        elif isinstance(event, StreamEnded):
            self._complete(event.stream_id)
        elif isinstance(event, StreamReset):
            self._forget(event.stream_id)
        elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
            for stream_id in list(self._unsent):
                self._send_body(stream_id)

    @property
    def _left(self) -> bool:
        """Whether the client has said that it leaves (GOAWAY)."""
        return self._h2.state_machine.state is ConnectionState.CLOSED

    def _on_data(self, event: DataReceived) -> None:
        self._consumed += event.flow_controlled_length or 0
        if self._consumed > WINDOW // 2 and not self._left:
            self._h2.increment_flow_control_window(self._consumed)
            self._consumed = 0
        incoming = self._incoming.get(event.stream_id)
        if incoming is None:
            return
        incoming.body += event.data or b""
        if len(incoming.body) > BODY_KEPT:
            self._complete(event.stream_id)
            if not self._closed and event.stream_id not in self._timers:
                # RFC 9113 §8.1: a server that has answered may ask the client to stop sending with NO_ERROR.
                self._h2.reset_stream(event.stream_id, ErrorCodes.NO_ERROR)
                self._unsent.pop(event.stream_id, None)

    def _complete(self, stream_id: int) -> None:
        incoming = self._incoming.pop(stream_id, None)
        if incoming is None:
            return
        fields = {name: value for name, value in incoming.headers if name.startswith(b":")}
        request = request_from(
            fields.get(b":method", b"").decode("latin-1"),
            fields.get(b":path", b"").decode("latin-1"),
            # RFC 9113 §8.3.1: the authority is what HTTP/1.1 calls Host.
            [(b"host", fields.get(b":authority", b"")), *(pair for pair in incoming.headers if pair[0][:1] != b":")],
            bytes(incoming.body),
        )
        self._answer(stream_id, self._handler(request))

    def _answer(self, stream_id: int, answer: Answer) -> None:
        if self._left:
            return  # in the same breath, or while we waited: nothing may be said to it any more
        if isinstance(answer, GoAway):
            self._shut_down(stream_id)
            return
        self._processed = max(self._processed, stream_id)
        if isinstance(answer, Response):
            self._respond(stream_id, answer)
        elif isinstance(answer, Later):
            self._timers[stream_id] = self._loop.call_later(answer.seconds, self._resume, stream_id, answer)
        elif isinstance(answer, Drop):
            self.close()
        elif isinstance(answer, Reset):
            self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)

    def _resume(self, stream_id: int, later: Later) -> None:
        self._timers.pop(stream_id, None)
        self._answer(stream_id, later.then())
        if not self._closed:
            self._flush()
            self._end_if_shut_down()

    def _shut_down(self, stream_id: int) -> None:
        """Say that the streams handed on so far will be answered, and no other; this one is not among them."""
        if stream_id < self._processed:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)  # as safe to repeat (RFC 9113 §8.7)
        if self._last is not None:
            return
        self._last = self._processed
        self._incoming = {number: one for number, one in self._incoming.items() if number <= self._last}
        self._flush()
        # Written by hand: h2 takes a GOAWAY for the end of the connection, also of the streams that go on.
        self._transport.write(_GOAWAY + struct.pack(">II", self._last, ErrorCodes.NO_ERROR))

    def _end_if_shut_down(self) -> None:
        if self._last is not None and not (self._closed or self._incoming or self._timers or self._unsent):
            self._flush()
            self.lost()
            # Closing at once would reset the connection where requests are still on their way, and with it throw away
            # the GOAWAY that nobody has read yet (RFC 9112 §9.6 tells of the same).
            self._loop.call_later(LINGER, self._transport.close)

    def _respond(self, stream_id: int, response: Response) -> None:
        if response.streams is not None and response.streams != self._streams:
            self._streams = response.streams
            self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: response.streams})
        headers = [(":status", str(response.status)), ("date", self._date()), *response.headers]
        if response.body:
            headers.append(("content-length", str(len(response.body))))
        self._h2.send_headers(stream_id, headers, end_stream=not response.body)
        if response.body:
            self._unsent[stream_id] = response.body
            self._send_body(stream_id)

    def _send_body(self, stream_id: int) -> None:
        """Send as much as the client's window takes; the rest goes when it grows."""
        body = self._unsent[stream_id]
        while body and not self._left:
            room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if room <= 0:
                break
            part, body = body[:room], body[room:]
            self._h2.send_data(stream_id, part, end_stream=not body)
        if body:
            self._unsent[stream_id] = body
        else:
            del self._unsent[stream_id]

    def _forget(self, stream_id: int) -> None:
        self._incoming.pop(stream_id, None)
        self._unsent.pop(stream_id, None)
        timer = self._timers.pop(stream_id, None)
        if timer:
            timer.cancel()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._transport.write(data)
