"""Whether a push service is reached, at the wire."""

from __future__ import annotations

import ssl
from asyncio import StreamReader, StreamWriter, start_server

import trustme

from tidings.cli.egress import reached


async def test_a_host_that_never_answers_costs_its_limit_and_is_named() -> None:
    async def silent(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await reached(["localhost"], port=port, limit=0.3)
    assert found[0].fault


async def test_a_certificate_nobody_vouches_for_is_no_answer() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)

    async def close(reader: StreamReader, writer: StreamWriter) -> None:
        writer.close()

    server = await start_server(close, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await reached(["localhost"], port=port, limit=3)
    assert "certificate" in found[0].fault.lower()
