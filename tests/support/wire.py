"""A server on loopback with TLS, HTTP/2 and HTTP/1.1 that misbehaves by path and counts what it sees."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.http import Client

NewClient = Callable[..., Client]
"""What makes a client, as the test's port wants it."""

ORIGIN = "https://push.example.com"
HEADERS = ("TTL: 60", "Urgency: normal", "Content-Encoding: aes128gcm", "Content-Type: application/octet-stream")
HOSTS = (
    "localhost",
    "127.0.0.1",
    "push.example.com",
    "other.example.com",
    "fcm.googleapis.com",
    "web.push.apple.com",
)


@dataclass
class Seen:
    """One request as it arrived: header fields of HTTP/2, or the very head of HTTP/1.1."""

    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    head: bytes = b""


class Server:
    """Paths of HTTP/2 are the `do_` methods below (/ok, /slow, /status/503); of HTTP/1.1 /cut and /garbage."""

    def __init__(self, *, alpn: tuple[str, ...] = ("h2", "http/1.1"), tls: ssl.SSLContext | None) -> None:
        self.accepted = 0
        self.handshakes = 0
        self.protocols: list[str | None] = []
        self.names: list[str | None] = []
        self.seen: list[Seen] = []
        self.most_streams: dict[str, int] = {}
        self.allowed = 0
        self.refused = 0
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(list(alpn))
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._held: list[tuple[Http2, int]] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._ready.wait(10)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        # Sockets are accepted before TLS is spoken, so that a connection which says nothing is counted too.
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        async with listener:
            await self._stopped.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        protocol = None
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, h2.exceptions.ProtocolError):
            if self._tls is not None:
                await writer.start_tls(self._tls)
                protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
            self.handshakes += 1
            self.protocols.append(protocol)
            await (Http2(self, writer).run(reader) if protocol == "h2" else self._http1(reader, writer))
        writer.transport.abort()
        self._tasks.discard(task)

    async def _http1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line, *fields = head[:-4].split(b"\r\n")
            headers = [(name.lower(), value.strip()) for name, _, value in (field.partition(b":") for field in fields)]
            body = await reader.readexactly(int(dict(headers).get(b"content-length", b"0")))
            path = line.split(b" ")[1].decode()
            self.seen.append(Seen(path, headers, body, head))
            if path == "/garbage":
                writer.write(b"this is not HTTP\r\n\r\n")
                return
            if path == "/cut":
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\nonly this")
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 201 Created\r\nX-Twice: a\r\nx-twice: b\r\ncontent-length: 2\r\n\r\nok")


TAKEN_BACK = (h2.exceptions.StreamClosedError, h2.exceptions.StreamIDTooLowError)
"""What h2 says of an answer to a request whose reset came along with it: no reason to give up the connection."""


class Http2:
    """One HTTP/2 connection."""

    def __init__(self, server: Server, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.writer = writer
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self.requests: dict[int, Seen] = {}
        self.endless: dict[int, int] = {}

    async def run(self, reader: asyncio.StreamReader) -> None:
        self.connection.initiate_connection()
        self.flush()
        while data := await reader.read(65536):
            for event in self.connection.receive_data(data):
                with suppress(*TAKEN_BACK):
                    self.on(event)
            for stream, left in list(self.endless.items()):
                self.pour(stream, left)
            self.flush()
            if self.writer.transport.is_closing():
                return

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    def on(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = list(event.headers)
            self.requests[event.stream_id] = Seen(dict(headers)[b":path"].decode(), headers, b"")
            host = dict(headers)[b":authority"].decode()
            most = self.server.most_streams
            most[host] = max(most.get(host, 0), self.connection.open_inbound_streams)
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id].body += event.data
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.endless.pop(event.stream_id, None)
        elif isinstance(event, h2.events.StreamEnded):
            seen = self.requests.pop(event.stream_id)
            self.server.seen.append(seen)
            self.answer(event.stream_id, seen.path)

    def reply(self, stream: int, status: int, *headers: tuple[str, str], body: bytes = b"") -> None:
        self.connection.send_headers(stream, [(":status", str(status)), *headers], end_stream=not body)
        if body:
            self.connection.send_data(stream, body, end_stream=True)

    def pour(self, stream: int, left: int) -> None:
        while left and (room := min(self.connection.local_flow_control_window(stream), 16384, left)):
            left -= room
            self.connection.send_data(stream, bytes(room), end_stream=not left)
        self.endless[stream] = left
        if not left:
            del self.endless[stream]

    def answer(self, stream: int, path: str) -> None:
        first, _, argument = path.lstrip("/").partition("/")
        getattr(self, f"do_{first}", self.do_ok)(stream, argument)

    def do_ok(self, stream: int, _: str) -> None:
        self.reply(stream, 201, ("location", "https://push.example.com/m/1"), ("ttl", "60"), body=b"stored")

    def do_slow(self, stream: int, _: str) -> None:
        """Say nothing at all."""

    def do_status(self, stream: int, number: str) -> None:
        self.reply(stream, int(number), ("retry-after", "7"))

    def do_fcm(self, stream: int, _: str) -> None:
        """Take as many as are allowed and refuse the others without a word, as Google does with a limited site."""
        self.server.allowed -= 1
        self.server.refused += self.server.allowed < 0
        self.reply(stream, 201 if self.server.allowed >= 0 else 429)

    def do_mended(self, stream: int, _: str) -> None:
        """Fail until something is allowed."""
        self.reply(stream, 201 if self.server.allowed > 0 else 503)

    def do_redirect(self, stream: int, _: str) -> None:
        self.reply(stream, 307, ("location", "/ok"))

    def do_big(self, stream: int, _: str) -> None:
        self.connection.send_headers(stream, [(":status", "201")])
        self.pour(stream, 200_000)

    def do_endless(self, stream: int, _: str) -> None:
        self.connection.send_headers(stream, [(":status", "201")])
        self.pour(stream, 1 << 40)

    def do_fat(self, stream: int, _: str) -> None:
        self.reply(stream, 201, *((f"x-{number}", "v" * 100) for number in range(100)))

    def do_early(self, stream: int, _: str) -> None:
        self.connection.send_headers(stream, [(":status", "103"), ("x-early", "1")])
        self.do_ok(stream, "")

    def do_close(self, stream: int, _: str) -> None:
        self.connection.send_headers(stream, [(":status", "201"), ("content-length", "100")])
        self.connection.send_data(stream, b"only this")
        self.flush()
        self.writer.close()

    def do_goaway(self, stream: int, _: str) -> None:
        self.connection.close_connection(last_stream_id=0)
        self.flush()
        self.writer.close()

    def do_refuse(self, stream: int, _: str) -> None:
        self.connection.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    def do_reset(self, stream: int, _: str) -> None:
        self.connection.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)

    def do_hold(self, stream: int, number: str, status: int = 201) -> None:
        """Answer only when that many are in flight at once."""
        held = self.server._held
        held.append((self, stream))
        if len(held) >= int(number):
            for connection, waiting in held:
                connection.reply(waiting, status)
                connection.flush()
            held.clear()

    def do_busy(self, stream: int, number: str) -> None:
        """Refuse when that many are in flight at once, and not before."""
        self.do_hold(stream, number, 503)


def request(path: str = "/ok", *, base: str = ORIGIN, body: bytes = b"sealed") -> Request:
    return Request(url=base + path, headers=HEADERS, body=body)


def one(client: Client, asked: Request) -> Answer:
    [(key, answer)] = list(client.exchange([("key", asked)]))
    assert key == "key"
    return answer


def status_of(answer: Answer) -> int:
    assert isinstance(answer, Reply), answer
    return answer.status


def failure_of(answer: Answer) -> FailureKind:
    assert isinstance(answer, NetworkFailure), answer
    return answer.kind
