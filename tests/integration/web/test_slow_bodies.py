"""A body that does not come in time is not waited for; one that comes in pieces, and a stream of ours, go on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from tidings.cli.serving import served
from tidings.web import bodies

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
