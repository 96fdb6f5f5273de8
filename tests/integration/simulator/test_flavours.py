"""The push services of the world by the names they have, and a connection that is shut down in the middle."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest

from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Reply, Request
from tidings.lib.http import Client
from tidings.simulator import http2 as simulated_http2
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.flavours import FLAVOURS, FlavourName
from tidings.simulator.http2 import Http2Session
from tidings.simulator.run import Running

if TYPE_CHECKING:
    from tests.integration.simulator.conftest import AppServer, Subscription

GOAWAY = 7
"""The type of the frame (RFC 9113 §6.8)."""

NAMES = [FlavourName.GOOGLE, FlavourName.MOZILLA, FlavourName.APPLE, FlavourName.MICROSOFT]


def subscribed(simulator: Running, app_server: AppServer, name: FlavourName, *, real: bool = False) -> Subscription:
    [made] = simulator.subscribers.make(
        1, vapid_key=app_server.public, seed=f"a {name}", flavours=[(FLAVOURS[name], 1.0)], real_hosts=real
    )
    return made


@pytest.mark.parametrize("name", NAMES)
async def test_by_its_real_name_each_service_is_found_here_and_its_certificate_fits(
    simulator: Running, app_server: AppServer, name: FlavourName
) -> None:
    to = subscribed(simulator, app_server, name, real=True)
    host = urlsplit(to["endpoint"]).hostname or ""
    headers = tuple(f"{name}: {value}" for name, value in app_server.headers(to).items())
    request = Request(to["endpoint"], headers, app_server.sealed(to, b"{}"))

    def pushed() -> list[Any]:
        place = f"127.0.0.1:{urlsplit(simulator.push).port}"
        guard = AddressGuard(allow_loopback=True)
        with Client(guard=guard, connect_to={host: place}, ca_file=str(simulator.ca), insecure=False) as client:
            return [answer for _, answer in client.exchange([("one", request)])]

    [answer] = await asyncio.to_thread(pushed)
    assert isinstance(answer, Reply), answer
    assert answer.status == 201, answer.body
    [message] = simulator.journal.messages(limit=5)
    assert (message["flavour"], message["reading"]) == (name, "decrypted")
    assert message["headers"]["content-encoding"] == "aes128gcm"
    assert "authorization" not in message["headers"]


@pytest.mark.parametrize(
    ("name", "changed", "status", "said"),
    [
        (FlavourName.APPLE, {"ttl": "0"}, 400, "BadTtl"),
        (FlavourName.APPLE, {"topic": "a" * 13}, 400, "BadWebPushTopic"),
        (FlavourName.MICROSOFT, {"ttl": "0"}, 400, "X-WNS-Cache-Policy"),
        (FlavourName.MICROSOFT, {"ttl": "0", "x_wns_cache_policy": "no-cache"}, 201, "received"),
        (FlavourName.GOOGLE, {"ttl": "0"}, 201, "fcm.googleapis.com/0:"),
        (FlavourName.GOOGLE, {"authorization": "vapid t=a.b.c, k=BA"}, 403, "invalid JWT provided"),
        (FlavourName.MOZILLA, {"authorization": "Bearer x"}, 401, "109"),
    ],
)
async def test_each_has_rules_of_its_own(
    simulator: Running,
    app_server: AppServer,
    name: FlavourName,
    changed: dict[str, str | None],
    status: int,
    said: str,
) -> None:
    answer = await app_server.push(subscribed(simulator, app_server, name), **changed)
    assert answer.status == status
    assert said in answer.body.decode() + str(answer.headers)


@pytest.mark.parametrize(("name", "status"), [(FlavourName.APPLE, 403), (FlavourName.GOOGLE, 201)])
async def test_only_apple_minds_the_contact(
    simulator: Running, app_server: AppServer, name: FlavourName, status: int
) -> None:
    to = subscribed(simulator, app_server, name)
    token = app_server.token(to["endpoint"], sub="mailto:ops@localhost")
    assert (await app_server.push(to, authorization=token)).status == status
    refusals = simulator.journal.refusals(limit=5)
    assert [(one["flavour"], one["status"]) for one in refusals] == ([("apple", 403)] if status == 403 else [])


@pytest.mark.parametrize(("name", "largest"), [(FlavourName.MOZILLA_ANDROID, 3015), (FlavourName.APPLE, 4096)])
async def test_the_largest_body_is_its_own(
    simulator: Running, app_server: AppServer, name: FlavourName, largest: int
) -> None:
    to = subscribed(simulator, app_server, name)
    room = largest - 86 - 17
    assert (await app_server.push(to, b"x" * room)).status == 201
    answer = await app_server.push(to, b"x" * (room + 1))
    assert answer.status == 413
    if name is FlavourName.MOZILLA_ANDROID:
        assert "constrained device" in json.loads(answer.body)["message"]


async def test_a_scripted_outage_names_the_time_its_service_really_names(
    simulator: Running, app_server: AppServer
) -> None:
    to = subscribed(simulator, app_server, FlavourName.MOZILLA)
    simulator.service.script.add(Fault(FaultKind.UNAVAILABLE, retry_after="real"), times=1)
    answer = await app_server.push(to)
    assert (answer.status, answer.headers["retry-after"]) == (503, "120")


async def test_too_many_in_a_minute_are_429_with_the_rest_of_the_minute(
    simulator: Running, app_server: AppServer
) -> None:
    to = subscribed(simulator, app_server, FlavourName.GOOGLE)
    simulator.service.limits.put(FlavourName.GOOGLE, 0)
    answer = await app_server.push(to)
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_goaway_answers_what_came_before_and_leaves_the_rest_to_another_connection(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    for seconds in (0.3, 0.05):
        simulator.service.script.add(Fault(FaultKind.SLOW, seconds=seconds), times=1)
    simulator.service.script.add(Fault(FaultKind.GOAWAY), times=1)
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    tls = ssl.create_default_context(cafile=str(simulator.ca))
    tls.set_alpn_protocols(["h2"])
    port = urlsplit(simulator.push).port
    reader, writer = await asyncio.open_connection("localhost", port, ssl=tls)
    connection.initiate_connection()
    for stream in (1, 3, 5, 7):
        post(connection, stream, app_server, subscription)
    writer.write(connection.data_to_send())
    statuses, last = await read_all(connection, reader, writer)
    assert last == 3
    assert statuses == {1: "201", 3: "201"}
    assert simulator.subscribers.summary()["total"]["accepted"] == 2  # type: ignore[index]


async def test_a_connection_that_was_shut_down_takes_what_is_on_its_way(
    simulator: Running, app_server: AppServer, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Closed with something unread it would be reset, and a client may lose the GOAWAY that says what to repeat.
    monkeypatch.setattr(simulated_http2, "LINGER", 600.0)
    arrived: asyncio.Queue[int] = asyncio.Queue()
    receive = Http2Session.receive

    def noted(session: Http2Session, data: bytes) -> None:
        receive(session, data)
        arrived.put_nowait(len(data))

    monkeypatch.setattr(Http2Session, "receive", noted)
    simulator.service.script.add(Fault(FaultKind.GOAWAY), times=1)
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    tls = ssl.create_default_context(cafile=str(simulator.ca))
    tls.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection("localhost", urlsplit(simulator.push).port, ssl=tls)
    connection.initiate_connection()
    post(connection, 1, app_server, subscription)
    expected = written(connection, writer)
    async with asyncio.timeout(60):
        raw = b""
        while not frames_in(raw, GOAWAY):
            raw += await reader.read(65_536)
        for stream in (3, 5, 7):
            post(connection, stream, app_server, subscription)
            expected += written(connection, writer)
        [still_open] = simulator.listener.open_connections
        while expected > 0:
            expected -= await arrived.get()
        writer.close()
        await still_open.gone
    assert simulator.subscribers.summary()["total"]["accepted"] == 0  # type: ignore[index]


async def test_libcurl_takes_what_goaway_left_to_another_connection(simulator: Running, app_server: AppServer) -> None:
    crowd = simulator.subscribers.make(20, vapid_key=app_server.public, seed="many")
    simulator.service.script.add(Fault(FaultKind.GOAWAY), times=1)
    posts: list[Any] = [(to["endpoint"], app_server.headers(to), app_server.sealed(to, b"{}")) for to in crowd]
    answers = await app_server.send(posts)
    assert [answer.status for answer in answers] == [201] * 20
    assert simulator.listener.accepted > 1


def written(connection: h2.connection.H2Connection, writer: asyncio.StreamWriter) -> int:
    """Send what is to be sent, and give how many bytes that was."""
    data = connection.data_to_send()
    writer.write(data)
    return len(data)


def frames_in(raw: bytes, kind: int) -> int:
    """Count the whole frames of a kind."""
    found = 0
    while len(raw) >= 9 and len(raw) >= 9 + (size := int.from_bytes(raw[:3], "big")):
        found += raw[3] == kind
        raw = raw[9 + size :]
    return found


def post(connection: h2.connection.H2Connection, stream: int, app_server: AppServer, to: Subscription) -> None:
    parts = urlsplit(to["endpoint"])
    pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", parts.netloc), (":path", parts.path)]
    fields = [(name.lower(), value) for name, value in app_server.headers(to).items() if value]
    connection.send_headers(stream, [*pseudo, *fields])
    connection.send_data(stream, app_server.sealed(to, b"{}"), end_stream=True)


async def read_all(
    connection: h2.connection.H2Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[dict[int, str], int | None]:
    """Read until the server closes; give the status by stream, and the last stream its GOAWAY names."""
    statuses: dict[int, str] = {}
    last: int | None = None
    raw = b""
    while data := await asyncio.wait_for(reader.read(65_536), 60):
        raw += data
    writer.close()
    # By hand: for h2 the connection is over with the GOAWAY, for RFC 9113 it is not.
    while len(raw) >= 9:
        size, kind, stream = int.from_bytes(raw[:3], "big"), raw[3], int.from_bytes(raw[5:9], "big")
        payload, frame, raw = raw[9 : 9 + size], raw[: 9 + size], raw[9 + size :]
        if kind == GOAWAY:
            last = int.from_bytes(payload[:4], "big")
            continue
        for event in connection.receive_data(frame):
            if isinstance(event, h2.events.ResponseReceived) and event.stream_id == stream:
                statuses[stream] = next(str(value) for name, value in event.headers or [] if name == ":status")
    return statuses, last
