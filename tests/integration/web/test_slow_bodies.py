"""What does not come in time is not waited for: a head, a body, what is left of a refused one; pieces are read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from tidings.cli import patience
from tidings.cli.serving import served
from tidings.lib.ratelimit import Rate
from tidings.web import bodies, limits

HEAD = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: push.example.com\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
BODY = b'{"email": "nobody@example.com", "password": "wrong one"}'


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with served(app, listener, stopping=app.state.stopping):
            yield listener.getsockname()[1]


async def test_who_sends_no_more_is_told_and_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD % len(BODY) + BODY[:9])
    answer = await asyncio.wait_for(reader.read(), 60)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_too_slow"' in answer
    writer.close()


async def test_one_byte_after_the_other_does_not_begin_the_wait_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    came = 0

    async def receive() -> Message:
        nonlocal came
        came += 1
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def reader(_: Scope, read: Receive, __: Send) -> None:
        while (await read())["more_body"]:
            pass

    async def nothing(_: Message) -> None:
        raise AssertionError

    scope = {"type": "http", "path": "/api/v1/session", "headers": []}
    with pytest.raises(HTTPException) as refused:
        await bodies.LimitBody(reader, docs_url="x")(scope, receive, nothing)
    assert refused.value.status_code == 408
    assert came > 1


async def test_a_body_in_pieces_is_read(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD % len(BODY))
    for piece in (BODY[:9], BODY[9:]):
        writer.write(piece)
        await writer.drain()
    assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 401 ")
    writer.close()


REFUSED = {
    "a stranger": (401, b"POST /api/v1/notifications", b"push.example.com"),
    "another name": (421, b"POST /api/v1/notifications", b"evil.example"),
    "an address that is not there": (404, b"POST /push/nothing", b"push.example.com"),
    "another method": (405, b"POST /livez", b"push.example.com"),
    "one too many": (429, b"POST /push/subscribe", b"localhost"),
    "one too large": (413, b"POST /push/subscribe", b"push.example.com"),
}


FRAMINGS = (
    b"Content-Length: 900000",
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue\r\nContent-Length: 900000",
)


@pytest.mark.parametrize("why", REFUSED)
async def test_a_refused_body_does_not_hold_the_connection(
    port: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LINGER", 0.2)
    status, line, host = REFUSED[why]
    if status == 413:
        monkeypatch.setattr(bodies, "MAX_BODY", 2)
    if status == 429:
        monkeypatch.setitem(limits.RATES, "subscribe", Rate(1, 3_600))
        await sent(port, line, host, b"Content-Length: 0")
    for framing in FRAMINGS:
        head, _, body = (await sent(port, line, host, framing)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), (framing, head)
        assert b"connection: close" in head.lower()
        assert body.endswith(b"}"), "the answer came whole"


async def sent(port: int, line: bytes, host: bytes, framing: bytes) -> bytes:
    """Send a head and three bytes of what it says comes after it; give what comes until the other end closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (line + b" HTTP/1.1", b"Host: " + host, b"Content-Type: application/json", framing, b"")
    writer.write(b"\r\n".join((*head, b"3\r\n{{{\r\n")))
    if framing.endswith(b": 0"):
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return answer


async def test_who_is_still_sending_reads_why_it_was_refused(port: int) -> None:
    """A connection that is closed while bytes of it are unread is reset, and the answer may be lost with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /api/v1/images HTTP/1.1\r\nHost: push.example.com\r\nContent-Length: 4000000\r\n\r\n")
    for _ in range(40):
        writer.write(b"x" * 100_000)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 60)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(b"}")
    writer.close()


async def test_a_refused_body_that_is_here_leaves_the_connection_to_the_next_request(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = b"POST /api/v1/notifications HTTP/1.1\r\nHost: push.example.com\r\nContent-Length: 2\r\n\r\n{}"
    for _ in range(2):
        writer.write(request)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).lower()
        assert head.startswith(b"http/1.1 401 ")
        assert b"connection: close" not in head
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET /livez HTTP/1.1\r\nHost: push.exa", b"GET /livez HTTP/1.1\r\n"])
async def test_a_head_that_never_comes_is_not_waited_for(
    port: int, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def dripped() -> None:
        writer.write(begun)
        while begun:
            writer.write(b"x")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(dripped())
    try:
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 60) == b""
    finally:
        dripping.cancel()
    writer.close()


async def test_a_connection_that_is_used_again_has_the_whole_time_for_each_head(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    timers: list[asyncio.TimerHandle] = []
    look = patience.Patient._look

    def seen(self: patience.Patient) -> None:
        look(self)
        timers.extend([self._waiting] if self._waiting else [])

    monkeypatch.setattr(patience.Patient, "_look", seen)
    for _ in range(3):
        for piece in (b"GET /livez HTTP/1.1\r\n", b"Host: push.example.com\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        await reader.read(1000)
    assert timers
    assert all(timer.cancelled() for timer in timers), "no head of these is waited for any more"
    writer.close()
