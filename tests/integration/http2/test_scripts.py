"""What servers do at the wrong moment, at the wire: each request gets one answer, and none is sent twice in vain."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import trustme

from support.http2 import NewClient, Scripted
from tidings.lib.exchange import Answer, ClientIdentity, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.http2 import frames as h2
from tidings.lib.http2.client import MOST_TRIES, SPARE

CREATED = b"\x48\x03201"
FORBIDDEN = b"\x48\x03403"
Start = Callable[..., Scripted]


def asked(server: Scripted, **given: object) -> Request:
    return Request(f"https://localhost:{server.port}/x", ("TTL: 60",), b"sealed", **given)  # type: ignore[arg-type]


def answers(client: object, *requests: Request) -> list[Answer]:
    found = dict(client.exchange(enumerate(requests)))  # type: ignore[attr-defined]
    return [found[number] for number in range(len(requests))]


def kinds(found: list[Answer]) -> list[FailureKind | int]:
    return [answer.kind if isinstance(answer, NetworkFailure) else answer.status for answer in found]


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **settings: int) -> None:
    await reader.readexactly(len(h2.MAGIC))
    writer.write(h2.settings({getattr(h2, name): value for name, value in settings.items()}))


async def requests(reader: asyncio.StreamReader, count: int) -> list[int]:
    """Read until so many requests have come; give their streams."""
    streams: list[int] = []
    while len(streams) < count:
        word, flags, stream = h2.HEAD.unpack(await reader.readexactly(h2.HEAD_SIZE))
        await reader.readexactly(word >> 8)
        if word & 0xFF == h2.DATA and flags & h2.END_STREAM:
            streams.append(stream)
    return streams


def answered(stream: int, block: bytes = CREATED) -> bytes:
    return h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, block)


def goaway(last: int) -> bytes:
    return h2.frame(h2.GOAWAY, 0, 0, last.to_bytes(4, "big") + bytes(4))


def test_what_a_goodbye_left_out_goes_over_another_connection(script: Start, new_client: NewClient) -> None:
    seen: list[list[int]] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await greeting(reader, writer)
        streams = await requests(reader, 10 if number == 0 else 5)
        seen.append(streams)
        taken = streams if number else streams[:5]
        if number == 0:
            writer.write(goaway(taken[-1]))
        writer.write(b"".join(map(answered, taken)))
        await reader.read()

    server = script(play)
    with new_client() as client:
        assert kinds(answers(client, *[asked(server)] * 10)) == [201] * 10
    assert [len(streams) for streams in seen] == [10, 5]


@pytest.mark.parametrize("how", ["goaway", "refused"])
def test_a_server_that_works_on_nothing_is_not_asked_for_ever(script: Start, new_client: NewClient, how: str) -> None:
    seen = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await greeting(reader, writer)
        while True:
            [stream] = await requests(reader, 1)
            seen.append(stream)
            writer.write(goaway(0) if how == "goaway" else h2.rst_stream(stream, h2.Code.REFUSED_STREAM))

    server = script(play)
    with new_client() as client:
        assert kinds(answers(client, asked(server))) == [FailureKind.RESET]
    assert len(seen) == MOST_TRIES


def test_a_limit_that_comes_late_and_changes_is_kept(script: Start, new_client: NewClient) -> None:
    most = 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        nonlocal most
        await reader.readexactly(len(h2.MAGIC))
        open_now, limit = 0, 1  # before our SETTINGS one at most is sent
        waiting: list[int] = []
        for number in range(40):
            waiting += await requests(reader, 1)
            open_now = len(waiting)
            most = max(most, open_now)
            assert open_now <= limit
            if number == 0:
                limit = 3
                writer.write(h2.settings({h2.MAX_CONCURRENT_STREAMS: limit}))
            if len(waiting) == limit or number >= 37:
                writer.write(b"".join(map(answered, waiting)))
                waiting.clear()
        await reader.read()

    server = script(play)
    with new_client(max_host_connections=1) as client:
        assert kinds(answers(client, *[asked(server)] * 40)) == [201] * 40
    assert most == 3


def test_a_cautious_request_goes_alone_until_one_was_let_in(script: Start, new_client: NewClient) -> None:
    together: list[int] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await greeting(reader, writer)
        for block in (FORBIDDEN, CREATED):
            [stream] = await requests(reader, 1)
            writer.write(h2.frame(h2.PING, 0, 0, b"anymore?"))
            word, _, _ = h2.HEAD.unpack(await reader.readexactly(h2.HEAD_SIZE))
            while word & 0xFF != h2.PING:  # what stands before our ping's answer was sent without waiting
                await reader.readexactly(word >> 8)
                together.append(word & 0xFF == h2.HEADERS)
                word, _, _ = h2.HEAD.unpack(await reader.readexactly(h2.HEAD_SIZE))
            await reader.readexactly(word >> 8)
            writer.write(answered(stream, block))
        writer.write(b"".join(map(answered, await requests(reader, 8))))
        await reader.read()

    server = script(play)
    with new_client() as client:
        found = kinds(answers(client, *[asked(server, cautious=True)] * 10))
    assert sorted(map(str, found)) == ["201"] * 9 + ["403"]
    assert not any(together)
    assert server.accepted == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FailureKind.PROTOCOL),
        (h2.frame(h2.PING, 0, 0, bytes(8)), FailureKind.PROTOCOL),
        (h2.settings({}) + h2.frame(h2.PUSH_PROMISE, 4, 1, bytes(4)), FailureKind.PROTOCOL),
        (h2.settings({}) + h2.frame(h2.HEADERS, 5, 1, b"\xbe"), FailureKind.PROTOCOL),
        (h2.settings({}) + h2.frame(h2.HEADERS, 4, 1, CREATED), FailureKind.RESET),
        (b"", FailureKind.RESET),
    ],
)
def test_a_server_that_says_the_wrong_thing_and_goes_is_a_failure_of_its_kind(
    script: Start, new_client: NewClient, said: bytes, kind: FailureKind
) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 0:
            await reader.readexactly(len(h2.MAGIC))
            await requests(reader, 1)
            writer.write(said)
            await writer.drain()
            return
        await greeting(reader, writer)
        writer.write(answered(*await requests(reader, 1)))
        await reader.read()

    server = script(play)
    with new_client() as client:
        assert kinds(answers(client, asked(server))) == [kind]
        assert kinds(answers(client, asked(server))) == [201]
    assert server.accepted == 2


def test_a_connection_that_went_silent_is_not_used_again(script: Start, new_client: NewClient) -> None:
    asked_in_vain = Event()
    waited = 0.0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await greeting(reader, writer)
        writer.write(answered(*await requests(reader, 1)))
        again = await requests(reader, 1)
        if number == 0:
            asked_in_vain.set()
            await reader.read()  # and never says a word again
        writer.write(answered(*again))
        await reader.read()

    server = script(play)
    with new_client(now=lambda: time.monotonic() + waited) as client:
        assert kinds(answers(client, asked(server))) == [201]
        client.submit("in vain", asked(server))
        while not asked_in_vain.is_set():
            assert client.poll(0.01) == []
        waited = 60.0
        [(_, answer)] = client.poll(1.0)
        assert kinds([answer]) == [FailureKind.TIMEOUT]
        assert [kinds(answers(client, asked(server))) for _ in range(2)] == [[201], [201]]
    assert server.accepted == 2


def test_an_identity_shows_its_certificate_over_connections_of_its_own(
    script: Start, new_client: NewClient, authority: trustme.CA, files: Path
) -> None:
    names = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        names.append(writer.get_extra_info("peercert")["subjectAltName"][0][1])
        await greeting(reader, writer)
        while True:
            writer.write(answered(*await requests(reader, 1)))

    def identity(name: str) -> ClientIdentity:
        leaf = authority.issue_cert(name)
        chain = b"".join(certificate.bytes() for certificate in leaf.cert_chain_pems)
        return ClientIdentity(name, chain, leaf.private_key_pem.bytes())

    server = script(play, client_ca=files / "ca.pem")
    one, other = identity("one.example.com"), identity("other.example.com")
    assert "PRIVATE" not in repr(one)
    with new_client() as client:
        asks = [asked(server, identity=who) for who in (one, other, one, other)]
        assert kinds(answers(client, *asks)) == [201] * 4
        assert kinds(answers(client, asked(server, identity=ClientIdentity("bad", b"no PEM", b"")))) == [
            FailureKind.TLS
        ]
        [nobody] = answers(client, asked(server))
    assert isinstance(nobody, NetworkFailure)
    assert sorted(names) == ["one.example.com", "other.example.com"]


def test_identities_without_certificates_still_share_no_connection(script: Start, new_client: NewClient) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await greeting(reader, writer)
        while True:
            writer.write(answered(*await requests(reader, 1)))

    server = script(play)
    with new_client() as client:
        teams = [ClientIdentity(name) for name in ("A", "B")]
        asks = [asked(server, identity=teams[number % 2]) for number in range(20)]
        assert kinds(answers(client, *asks)) == [201] * 20
    assert server.accepted == 2


def test_a_port_that_accepts_and_says_nothing_is_given_up_in_time(new_client: NewClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, new_client(connect_timeout=0.3) as client:
        ask = Request(f"https://localhost:{listener.getsockname()[1]}/x", (), b"")
        assert kinds(answers(client, ask, ask)) == [FailureKind.TIMEOUT] * 2


def test_a_reply_has_the_time_it_took(script: Start, new_client: NewClient) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await greeting(reader, writer)
        writer.write(answered(*await requests(reader, 1)))
        await reader.read()

    with new_client() as client:
        [answer] = answers(client, asked(script(play)))
    assert isinstance(answer, Reply)
    assert answer.seconds > 0


def test_calls_with_an_answer_do_not_pile_up_behind_a_slow_one(script: Start, new_client: NewClient) -> None:
    many = 6 * SPARE

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await greeting(reader, writer)
        slow = await requests(reader, 1)
        for _ in range(many):
            writer.write(answered(*await requests(reader, 1)))
        writer.write(answered(*slow))
        await reader.read()

    most, found = 0, []
    server = script(play)
    with new_client(max_host_connections=1) as client:
        for key, answer in client.exchange((number, asked(server)) for number in range(many + 1)):
            found.append(key)
            assert isinstance(answer, Reply)
            most = max(most, client._http2.kept)
    assert sorted(found) == list(range(many + 1))
    assert most <= SPARE + 3 * 100, "a hundred are in flight at most, and as many may be answered in one turn"
