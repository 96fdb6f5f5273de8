"""HTTP/2 of the simulated push services, byte by byte: clients that leave in the middle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from tidings.simulator.answers import Answer, Later, Request, Response
from tidings.simulator.http2 import Http2Session

HEADERS = [(":method", "POST"), (":scheme", "https"), (":authority", "push.example.com"), (":path", "/one")]


class Wire:
    """The transport's end that a session writes to."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        pass


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after a while"])
async def test_a_client_that_asks_and_leaves_in_one_breath_gets_no_answer_and_breaks_nothing(later: bool) -> None:
    asked: list[Request] = []
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    def handler(request: Request) -> Answer:
        asked.append(request)
        answer = Response(201, body=b"made")
        return Later(0.01, lambda: answer) if later else answer

    wire: Any = Wire()
    session = Http2Session(wire, handler, date=lambda: "now", max_streams=100)
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    session.receive(client.data_to_send())
    before = wire.written
    client.send_headers(1, HEADERS, end_stream=True)
    client.close_connection()
    session.receive(client.data_to_send())
    await asyncio.sleep(0.05)
    assert ([one.path for one in asked], faults) == (["/one"], [])
    heard = H2Connection(H2Configuration(client_side=True))
    heard.initiate_connection()
    events = heard.receive_data(before) + heard.receive_data(wire.written[len(before) :])
    assert "ResponseReceived" not in {type(one).__name__ for one in events}
