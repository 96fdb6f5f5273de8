"""The client's end of a connection against python-hyper's server, and against frames that no good server sends."""

from __future__ import annotations

from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.lib.exchange import FailureKind, NetworkFailure, Reply, Request
from tidings.lib.http2 import frames as wire
from tidings.lib.http2.answer_head import AnswerHeads
from tidings.lib.http2.call import Call
from tidings.lib.http2.connection import MOST_UNSENT, STREAMS, WINDOW, Connection
from tidings.lib.http2.request_head import RequestHeads, start_of
from tidings.lib.transfer import BODY_KEPT, BODY_READ

START = start_of("push.example.com")
CREATED = b"\x48\x03201"
"""`:status: 201` in HPACK."""


def call(body: bytes = b"sealed", *, key: str = "a", path: str = "/x", lines: tuple[str, ...] = ("TTL: 60",)) -> Call:
    block = RequestHeads().block(START, path, lines, len(body))
    assert block is not None
    return Call(key, Request(f"https://push.example.com{path}", lines, body), "push.example.com", block, 1.0)


def opened(*, first_stream: int = 1, **announced: int) -> Connection:
    connection = Connection(AnswerHeads(), first_stream=first_stream)
    values = {getattr(SettingsFrame, name): value for name, value in announced.items()}
    connection.receive(SettingsFrame(0, settings=values).serialize(), 2.0)
    connection.out.clear()
    return connection


def hear(connection: Connection, *frames: Frame | bytes) -> None:
    data = (frame if isinstance(frame, bytes) else frame.serialize() for frame in frames)
    connection.receive(b"".join(data), 3.0)


def said(connection: Connection) -> list[Frame]:
    data, frames = memoryview(b"".join(connection.out)), []
    connection.out.clear()
    while data:
        frame, length = Frame.parse_frame_header(data[:9])
        frame.parse_body(data[9 : 9 + length])
        frames.append(frame)
        data = data[9 + length :]
    return frames


def answer_of(connection: Connection) -> Reply | NetworkFailure:
    [(_, answer)] = connection.done
    return answer


def created(stream: int, *flags: str) -> HeadersFrame:
    return HeadersFrame(stream, CREATED, flags=["END_HEADERS", *flags])


class Peer:
    """python-hyper's server; it raises if we break the protocol."""

    def __init__(self, connection: Connection) -> None:
        self.ours = connection
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.bodies: dict[int, bytes] = {}
        self.ended: list[int] = []

    def turn(self) -> list[h2.events.Event]:
        events = self.h2.receive_data(b"".join(self.ours.out))
        self.ours.out.clear()
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.append(event.stream_id)
        self.ours.receive(self.h2.data_to_send(), 3.0)
        return events


def test_a_request_and_its_answer_with_a_server_that_checks_everything() -> None:
    connection = Connection(AnswerHeads())
    peer = Peer(connection)
    connection.send(call(b"x" * 300))
    peer.turn()
    assert peer.bodies == {1: b"x" * 300}
    peer.h2.send_headers(1, [(":status", "100")])
    peer.h2.send_headers(1, [(":status", "201"), ("location", "/m/1")])
    peer.h2.send_data(1, b"hello", pad_length=9)
    peer.h2.send_headers(1, [("x-trailer", "1")], end_stream=True)
    peer.turn()
    assert answer_of(connection) == Reply(201, {"location": "/m/1"}, b"hello", 2.0)
    assert not connection.calls
    assert not connection.leaving


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 65_535, 65_536, 300_000])
def test_a_body_of_any_size_keeps_to_the_windows(size: int) -> None:
    connection = Connection(AnswerHeads())
    peer = Peer(connection)
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    peer.turn()
    connection.send(call(body))
    for _ in range(100):
        peer.turn()
        if peer.ended:
            break
        for event_stream in (None, 1):
            window = peer.h2.inbound_flow_control_window if event_stream is None else 0
            if window < 16_384 or event_stream:
                peer.h2.increment_flow_control_window(16_384, event_stream)
    assert peer.ended == [1]
    assert peer.bodies.get(1, b"") == body


def test_a_long_head_is_continued_and_a_server_reads_it_whole() -> None:
    connection = Connection(AnswerHeads())
    peer = Peer(connection)
    long = call(b"", lines=tuple(f"X-{number}: {'v' * 5000}" for number in range(9)))
    connection.send(long)
    [request] = [event for event in peer.turn() if isinstance(event, h2.events.RequestReceived)]
    assert dict(request.headers)["x-8"] == "v" * 5000
    assert peer.ended == [1]


def test_windows_that_change_while_a_body_waits() -> None:
    connection = opened(INITIAL_WINDOW_SIZE=10)
    connection.send(call(b"x" * 100))
    [_, data] = said(connection)
    assert (len(data.data), data.flags) == (10, set())
    hear(connection, SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 5}))
    assert not [frame for frame in said(connection) if isinstance(frame, DataFrame)]
    hear(connection, WindowUpdateFrame(1, window_increment=25))  # -5 + 25
    [data] = said(connection)
    assert len(data.data) == 20
    hear(connection, SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 500}))
    [data] = [frame for frame in said(connection) if isinstance(frame, DataFrame)]
    assert (len(data.data), data.flags) == (70, {"END_STREAM"})


def test_the_window_of_the_connection_is_shared() -> None:
    connection = opened()
    for _ in range(5):
        connection.send(call(b"x" * 16_000))
    assert sum(len(frame.data) for frame in said(connection) if isinstance(frame, DataFrame)) == 65_535
    hear(connection, WindowUpdateFrame(0, window_increment=1 << 20))
    frames = said(connection)
    assert sum(len(frame.data) for frame in frames) == 80_000 - 65_535
    assert frames[-1].flags == {"END_STREAM"}


def test_how_many_calls_it_takes_is_the_peers_to_say_and_at_most_ours() -> None:
    connection = Connection(AnswerHeads())
    assert connection.free == 1
    hear(connection, SettingsFrame(0))
    assert connection.free == STREAMS
    hear(connection, SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 2}))
    connection.send(call())
    assert connection.free == 1
    hear(connection, SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 1 << 31}))
    assert connection.free == STREAMS - 1
    hear(connection, SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 0}))
    assert connection.free <= 0


def test_settings_and_pings_are_acknowledged_and_their_acknowledgements_are_not() -> None:
    connection = opened()
    hear(connection, SettingsFrame(0), PingFrame(0, b"12345678"))
    [settled, pong] = said(connection)
    assert (settled.flags, pong.flags, pong.opaque_data) == ({"ACK"}, {"ACK"}, b"12345678")
    hear(connection, SettingsFrame(0, flags=["ACK"]), PingFrame(0, b"12345678", flags=["ACK"]))
    assert said(connection) == []


def test_what_means_nothing_to_us_is_passed_over() -> None:
    connection = opened()
    connection.send(call())
    hear(
        connection,
        PriorityFrame(1, depends_on=0, stream_weight=1),
        PriorityFrame(8, depends_on=0, stream_weight=1),
        wire.frame(0xFA, 0xFF, 1, b"anything"),
        SettingsFrame(0, settings={0xF000: 5}),
        created(1, "END_STREAM"),
        RstStreamFrame(1, error_code=0),
        WindowUpdateFrame(1, window_increment=5),
        DataFrame(1, b"late"),
    )
    assert answer_of(connection) == Reply(201, {}, b"", 2.0)
    assert not connection.broken


def test_calls_beyond_the_last_one_that_a_peer_took_come_back() -> None:
    connection = opened()
    calls = [call(key=key) for key in "abc"]
    for one in calls:
        connection.send(one)
    hear(connection, GoAwayFrame(0, last_stream_id=1))
    assert connection.returned == calls[1:]
    assert (connection.leaving, connection.free) == (True, 0)
    hear(connection, created(1, "END_STREAM"))
    assert connection.done == [(calls[0], Reply(201, {}, b"", 2.0))]


def test_a_refused_stream_comes_back_and_one_that_was_reset_otherwise_fails() -> None:
    connection = opened()
    refused, failed = call(key="a"), call(key="b")
    connection.send(refused)
    connection.send(failed)
    hear(connection, RstStreamFrame(1, error_code=7), RstStreamFrame(3, error_code=2))
    assert connection.returned == [refused]
    [(one, answer)] = connection.done
    assert one is failed
    assert isinstance(answer, NetworkFailure)
    assert answer.kind is FailureKind.RESET
    assert "INTERNAL_ERROR" in answer.detail


def test_an_answer_before_the_whole_request_ends_the_request() -> None:
    connection = opened(INITIAL_WINDOW_SIZE=1)
    connection.send(call(b"x" * 100))
    said(connection)
    hear(connection, created(1, "END_STREAM"))
    assert isinstance(answer_of(connection), Reply)
    [reset] = said(connection)
    assert (type(reset), reset.error_code) == (RstStreamFrame, 8)


def test_numbers_of_streams_run_out() -> None:
    connection = opened(first_stream=wire.LAST_STREAM)
    connection.send(call())
    assert (connection.leaving, connection.free) == (True, 0)
    hear(connection, created(wire.LAST_STREAM, "END_STREAM"))
    assert isinstance(answer_of(connection), Reply)


def test_a_cancelled_call_is_reset_and_what_comes_for_it_is_passed_over() -> None:
    connection = opened()
    one = call()
    connection.send(one)
    said(connection)
    connection.cancel(one)
    connection.cancel(one)
    assert [type(frame) for frame in said(connection)] == [RstStreamFrame]
    hear(connection, created(1), DataFrame(1, b"x", flags=["END_STREAM"]))
    assert (connection.done, connection.broken) == ([], False)


def test_a_body_is_cut_and_one_without_end_is_stopped_while_its_status_stands() -> None:
    connection = opened()
    connection.send(call())
    said(connection)
    hear(connection, created(1))
    for _ in range(BODY_READ // 16_384 + 1):
        assert not connection.done
        hear(connection, DataFrame(1, bytes(16_384)))
    answer = answer_of(connection)
    assert isinstance(answer, Reply)
    assert (answer.status, len(answer.body)) == (201, BODY_KEPT)
    assert [type(frame) for frame in said(connection)] == [RstStreamFrame]


def test_the_window_for_answers_is_renewed() -> None:
    connection = opened()
    for _ in range(9):
        connection.send(call())
    said(connection)
    pieces = 0
    for stream in range(1, 19, 2):
        hear(connection, created(stream))
        for _ in range(BODY_READ // 16_384):
            hear(connection, DataFrame(stream, bytes(16_384)))
            pieces += 1
    [update] = said(connection)
    assert (type(update), update.stream_id, update.window_increment) == (WindowUpdateFrame, 0, WINDOW // 2)


def test_a_head_in_pieces_with_padding_and_trailers() -> None:
    connection = opened()
    connection.send(call())
    hear(connection, HeadersFrame(1, CREATED[:2], pad_length=3, flags=["PADDED", "PRIORITY"]))
    hear(connection, ContinuationFrame(1, CREATED[2:], flags=["END_HEADERS"]), DataFrame(1, b"body"))
    hear(connection, HeadersFrame(1, Encoder().encode([("x", "y")]), flags=["END_HEADERS", "END_STREAM"]))
    assert answer_of(connection) == Reply(201, {}, b"body", 2.0)


MALFORMED: dict[str, Callable[[], tuple[Frame | bytes, ...]]] = {
    "body before head": lambda: (DataFrame(1, b"x"),),
    "no status": lambda: (HeadersFrame(1, b"", flags=["END_HEADERS"]),),
    "interim answer that ends": lambda: (HeadersFrame(1, b"\x48\x03103", flags=["END_HEADERS", "END_STREAM"]),),
    "switching protocols": lambda: (HeadersFrame(1, b"\x48\x03101", flags=["END_HEADERS"]),),
    "second head": lambda: (created(1), created(1)),
    "pseudo field in trailers": lambda: (created(1), created(1, "END_STREAM")),
    "shorter than it says": lambda: (
        HeadersFrame(1, CREATED + b"\x0f\x0d\x015", flags=["END_HEADERS"]),
        DataFrame(1, b"four", flags=["END_STREAM"]),
    ),
    "body that never came": lambda: (HeadersFrame(1, CREATED + b"\x0f\x0d\x015", flags=["END_HEADERS", "END_STREAM"]),),
    "window update of nothing": lambda: (wire.window_update(1, 0),),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_an_answer_that_is_none_fails_alone(name: str) -> None:
    connection = opened()
    connection.send(call(b"x" * 70_000))
    connection.send(call(key="b"))
    hear(connection, *MALFORMED[name]())
    answer = answer_of(connection)
    assert isinstance(answer, NetworkFailure)
    assert answer.kind is FailureKind.PROTOCOL
    assert [frame for frame in said(connection) if isinstance(frame, RstStreamFrame)]
    connection.done.clear()
    hear(connection, created(3, "END_STREAM"))
    assert isinstance(answer_of(connection), Reply)


FAULTS: dict[str, tuple[bytes, wire.Code]] = {
    "push": (PushPromiseFrame(1, promised_stream_id=2, data=b"", flags=["END_HEADERS"]).serialize(), wire.Code(1)),
    "data for no stream": (wire.frame(wire.DATA, 0, 0, b"x"), wire.Code(1)),
    "data for a stream to come": (wire.frame(wire.DATA, 0, 5, b"x"), wire.Code(1)),
    "head for a stream of the server": (wire.frame(wire.HEADERS, 4, 2, CREATED), wire.Code(1)),
    "reset of a stream to come": (wire.frame(wire.RST_STREAM, 0, 5, bytes(4)), wire.Code(1)),
    "reset of no stream": (wire.frame(wire.RST_STREAM, 0, 0, bytes(4)), wire.Code(1)),
    "reset of another size": (wire.frame(wire.RST_STREAM, 0, 1, bytes(5)), wire.Code(6)),
    "settings for a stream": (wire.frame(wire.SETTINGS, 0, 1), wire.Code(1)),
    "settings of another size": (wire.frame(wire.SETTINGS, 0, 0, bytes(5)), wire.Code(6)),
    "acknowledgement with content": (wire.frame(wire.SETTINGS, 1, 0, bytes(6)), wire.Code(6)),
    "push enabled": (wire.settings({wire.ENABLE_PUSH: 1}), wire.Code(1)),
    "first window too wide": (wire.settings({wire.INITIAL_WINDOW_SIZE: 1 << 31}), wire.Code(3)),
    "largest frame too small": (wire.settings({wire.MAX_FRAME_SIZE: 16_383}), wire.Code(1)),
    "largest frame too large": (wire.settings({wire.MAX_FRAME_SIZE: 1 << 24}), wire.Code(1)),
    "ping for a stream": (wire.frame(wire.PING, 0, 1, bytes(8)), wire.Code(1)),
    "ping of another size": (wire.frame(wire.PING, 0, 0, bytes(7)), wire.Code(6)),
    "goaway for a stream": (wire.frame(wire.GOAWAY, 0, 1, bytes(8)), wire.Code(1)),
    "goaway of another size": (wire.frame(wire.GOAWAY, 0, 0, bytes(7)), wire.Code(6)),
    "priority for no stream": (wire.frame(wire.PRIORITY, 0, 0, bytes(5)), wire.Code(1)),
    "priority of another size": (wire.frame(wire.PRIORITY, 0, 1, bytes(4)), wire.Code(6)),
    "window update of nothing": (wire.window_update(0, 0), wire.Code(1)),
    "window update of another size": (wire.frame(wire.WINDOW_UPDATE, 0, 0, bytes(3)), wire.Code(6)),
    "window update for a stream to come": (wire.window_update(5, 1), wire.Code(1)),
    "window too wide": (wire.window_update(0, wire.LARGEST_WINDOW), wire.Code(3)),
    "padding that is more than all": (wire.frame(wire.DATA, wire.PADDED, 1, b"\x04abc"), wire.Code(1)),
    "padding without a length": (wire.frame(wire.DATA, wire.PADDED, 1, b""), wire.Code(1)),
    "a block that cannot be read": (wire.frame(wire.HEADERS, 4, 1, b"\xbe"), wire.Code(9)),
    "a frame that is too large": (wire.HEAD.pack(16_385 << 8, 0, 1), wire.Code(6)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_peer_that_breaks_the_protocol_is_told_so_and_all_its_calls_fail(name: str) -> None:
    data, code = FAULTS[name]
    connection = opened()
    connection.send(call(key="a"))
    connection.send(call(key="b"))
    said(connection)
    connection.receive(data, 3.0)
    assert (connection.broken, connection.leaving, connection.free) == (True, True, 0)
    goaway = said(connection)[-1]
    assert (type(goaway), goaway.error_code) == (GoAwayFrame, code)
    assert [one.key for one, _ in connection.done] == ["a", "b"]
    assert {answer.kind for _, answer in connection.done if isinstance(answer, NetworkFailure)} == {
        FailureKind.PROTOCOL
    }
    connection.receive(created(1, "END_STREAM").serialize(), 4.0)
    assert len(connection.done) == 2


def test_more_data_than_its_window_is_the_peers_fault() -> None:
    connection = opened()
    connection._window = 5
    connection.send(call())
    hear(connection, created(1), DataFrame(1, b"123456"))
    assert said(connection)[-1].error_code == wire.Code.FLOW_CONTROL_ERROR


def test_a_streams_window_too_wide_fails_that_stream_alone() -> None:
    connection = opened(INITIAL_WINDOW_SIZE=1 << 20)
    connection.send(call(b"x" * 65_535))  # all that the connection may send
    connection.send(call(b"xyz", key="b"))
    hear(connection, WindowUpdateFrame(3, window_increment=wire.LARGEST_WINDOW))
    [(failed, answer)] = connection.done
    assert failed.key == "b"
    assert isinstance(answer, NetworkFailure)
    assert not connection.broken


def test_a_peer_that_asks_for_much_and_reads_nothing_is_left() -> None:
    connection = opened()
    for _ in range(MOST_UNSENT // 100 + 2):
        hear(connection, *(PingFrame(0, b"12345678") for _ in range(100)))
    assert connection.broken
    assert len(connection.out) < MOST_UNSENT + 200


FRAMES = st.one_of(
    st.binary(max_size=60),
    st.builds(
        wire.frame, st.integers(0, 11), st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 5, 7]), st.binary(max_size=30)
    ),
    st.sampled_from([created(stream, "END_STREAM").serialize() for stream in (1, 3)]),
    st.builds(lambda stream, body: DataFrame(stream, body).serialize(), st.sampled_from([1, 3]), st.binary(max_size=9)),
)


@settings(max_examples=300)
@given(st.lists(FRAMES, max_size=12), st.booleans(), st.integers(1, 64))
def test_whatever_comes_each_call_has_one_end(frames: list[bytes], settled: bool, step: int) -> None:
    connection = Connection(AnswerHeads())
    if settled:
        hear(connection, SettingsFrame(0))
    calls = [call(b"x" * 70_000, key="a"), call(key="b")]
    for one in calls:
        connection.send(one)
    data = b"".join(frames)
    for at in range(0, len(data), step):
        connection.receive(data[at : at + step], 3.0)
    connection.end("over")
    ends = [one for one, _ in connection.done] + connection.returned
    assert sorted(one.key for one in ends) == ["a", "b"]
