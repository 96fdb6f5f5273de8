from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tidings.simulator.run import Running

if TYPE_CHECKING:
    from tests.integration.simulator.conftest import AppServer

CHANNEL = "0a1b2c3d-0000-4000-8000-000000000001"


class Firefox:
    """The browser's end of the socket, as Firefox speaks it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.uaid = ""

    async def say(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
        return heard

    async def hello(self, uaid: str = "") -> Self:
        await self.say(
            {"messageType": "hello", "broadcasts": {}, "use_webpush": True, **({"uaid": uaid} if uaid else {})}
        )
        heard = await self.hear()
        assert (heard["messageType"], heard["status"], heard["use_webpush"]) == ("hello", 200, True)
        self.uaid = heard["uaid"]
        return self

    async def register(self, key: str, channel: str = CHANNEL) -> dict[str, Any]:
        await self.say({"messageType": "register", "channelID": channel, "key": key + "="})
        heard = await self.hear()
        assert (heard["messageType"], heard["channelID"], heard["status"]) == ("register", channel, 200)
        return {"endpoint": heard["pushEndpoint"], "keys": {}}

    async def ack(self, *messages: dict[str, Any], code: int = 100) -> None:
        updates = [{"channelID": one["channelID"], "version": one["version"], "code": code} for one in messages]
        await self.say({"messageType": "ack", "updates": updates})

    async def silent(self) -> bool:
        """Whether nothing more was on its way: a ping is answered in order."""
        await self.socket.send("{}")
        return await self.hear() == {}


@asynccontextmanager
async def firefox(simulator: Running, uaid: str = "") -> AsyncIterator[Firefox]:
    async with connect(simulator.autopush, subprotocols=["push-notification"], proxy=None) as socket:  # type: ignore[list-item]
        yield await Firefox(socket).hello(uaid)


async def test_a_message_reaches_the_browser_byte_for_byte(simulator: Running, app_server: AppServer) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
        [simulated] = simulator.subscribers.make(1, vapid_key=app_server.public, seed="k")
        body = app_server.sealed(simulated, b"hello")
        answer = await app_server.push(to, body=body, topic="abc")
        assert answer.status == 201
        heard = await browser.hear()
    assert heard["messageType"] == "notification"
    assert heard["channelID"] == CHANNEL
    assert heard["version"] == answer.headers["location"].rpartition("/")[2]
    assert heard["headers"] == {"encoding": "aes128gcm"}
    assert heard["topic"] == "abc"
    assert base64.urlsafe_b64decode(heard["data"] + "==") == body


async def test_the_key_of_the_registration_is_the_only_one_that_may_push(
    simulator: Running, app_server: AppServer
) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
        assert (await app_server.push(to, body=b"", content_encoding=None, authorization=None)).status == 401
        assert (await app_server.push(to, body=b"", content_encoding=None)).status == 201
        heard = await browser.hear()
    assert "data" not in heard


async def test_what_is_not_acknowledged_comes_again_after_a_reconnect(
    simulator: Running, app_server: AppServer
) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
        for _ in range(2):
            await app_server.push(to, body=b"", content_encoding=None)
        first, second = await browser.hear(), await browser.hear()
        await browser.ack(first)
        assert await browser.silent()
    async with firefox(simulator, browser.uaid) as again:
        assert again.uaid == browser.uaid
        assert (await again.hear())["version"] == second["version"]
        assert await again.silent()


async def test_a_topic_replaces_what_waits_and_time_to_live_zero_does_not_wait(
    simulator: Running, app_server: AppServer
) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
    empty: dict[str, Any] = {"body": b"", "content_encoding": None}
    await app_server.push(to, topic="t", **empty)
    latest = await app_server.push(to, topic="t", **empty)
    other = await app_server.push(to, topic="other", **empty)
    assert (await app_server.push(to, ttl="0", **empty)).status == 201
    async with firefox(simulator, browser.uaid) as again:
        heard = [(await again.hear())["version"] for _ in range(2)]
        assert await again.silent()
    assert heard == [answer.headers["location"].rpartition("/")[2] for answer in (latest, other)]


async def test_a_stored_message_can_be_taken_back_once(simulator: Running, app_server: AppServer) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
    answer = await app_server.push(to, body=b"", content_encoding=None)
    statuses = []
    for _ in range(2):
        [deleted] = await app_server.send([(answer.headers["location"], {}, b"")], method="DELETE")
        statuses.append(deleted.status)
    assert statuses == [204, 404]
    async with firefox(simulator, browser.uaid) as again:
        assert await again.silent()


async def test_an_unregistered_channel_is_gone(simulator: Running, app_server: AppServer) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
        await browser.say({"messageType": "unregister", "channelID": CHANNEL, "code": 200})
        heard = await browser.hear()
        assert heard == {"messageType": "unregister", "channelID": CHANNEL, "status": 200}
        assert (await app_server.push(to, body=b"", content_encoding=None)).status == 410


async def test_registering_a_channel_again_with_its_key_gives_the_same_endpoint(
    simulator: Running, app_server: AppServer
) -> None:
    async with firefox(simulator) as browser:
        first = await browser.register(app_server.key)
        assert await browser.register(app_server.key) == first
        assert await browser.register(app_server.key, str(uuid.uuid4())) != first


async def test_a_device_nobody_knows_gets_a_new_name(simulator: Running) -> None:
    async with firefox(simulator, "f" * 32) as browser:
        assert browser.uaid != "f" * 32


async def test_a_service_that_forgets_ends_every_subscription(simulator: Running, app_server: AppServer) -> None:
    async with firefox(simulator) as browser:
        to = await browser.register(app_server.key)
        assert simulator.sockets.close_sockets(forget=True) == 1
        with pytest.raises(ConnectionClosed):
            await browser.hear()
    assert (await app_server.push(to, body=b"", content_encoding=None)).status == 410
    async with firefox(simulator, browser.uaid) as again:
        assert again.uaid != browser.uaid


async def test_sockets_are_closed_with_the_code_asked_for(simulator: Running) -> None:
    async with firefox(simulator) as browser:
        assert simulator.sockets.close_sockets(code=4774) == 1
        with pytest.raises(ConnectionClosed) as closed:
            await browser.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4774


async def test_a_second_socket_of_a_device_takes_over_from_the_first(simulator: Running, app_server: AppServer) -> None:
    async with firefox(simulator) as first, firefox(simulator, first.uaid) as second:
        with pytest.raises(ConnectionClosed):
            await first.hear()
        to = await second.register(app_server.key)
        await app_server.push(to, body=b"", content_encoding=None)
        assert (await second.hear())["messageType"] == "notification"
        assert simulator.sockets.state()["online"] == [first.uaid]


@pytest.mark.parametrize(
    "frame",
    [
        "nonsense",
        "[]",
        '{"messageType":"register","channelID":"not-a-uuid"}',
        '{"messageType":"teapot"}',
        '{"messageType":"register","channelID":"0a1b2c3d-0000-4000-8000-000000000001"}',
        b"\x00\xff",
        "[" * 100_000,
    ],
)
async def test_a_frame_that_breaks_the_protocol_closes_this_socket_alone(
    simulator: Running, frame: str | bytes
) -> None:
    async with (
        firefox(simulator) as witness,
        connect(simulator.autopush, subprotocols=["push-notification"], proxy=None) as socket,  # type: ignore[list-item]
    ):
        await socket.send(frame)  # before any hello: even a good `register` is out of order
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 30)
        assert await witness.silent()


async def test_a_client_of_another_subprotocol_is_turned_away(simulator: Running) -> None:
    with pytest.raises(InvalidHandshake):
        async with connect(simulator.autopush, subprotocols=["chat"], proxy=None):  # type: ignore[list-item]
            pass
