"""Google's push service as Chromium speaks to it, byte by byte; the browser itself is in tests/browser."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tidings.simulator import mcs, protobuf
from tidings.simulator.run import Running

if TYPE_CHECKING:
    from tests.integration.simulator.conftest import AppServer, Subscription

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SUBTYPE = "wp:https://www.example.com/#A"


async def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    def posted() -> tuple[int, bytes]:
        request = urllib.request.Request(url, data=body, method="POST", headers=headers)
        try:
            with OPENER.open(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(posted)


class Profile:
    """What Chromium keeps: its number and secret, and the endpoints it was given."""

    def __init__(self, simulator: Running, number: int, secret: int) -> None:
        self.simulator = simulator
        self.number = number
        self.secret = secret

    @classmethod
    async def checked_in(cls, simulator: Running) -> Profile:
        status, answer = await post(f"{simulator.gcm}/checkin", protobuf.message((14, 3)))
        assert status == 200
        fields = protobuf.fields_of(answer)
        return cls(simulator, protobuf.number_in(fields, 7), protobuf.number_in(fields, 8))

    async def registered(self, sender: str, *, secret: int | None = None, **more: str) -> str:
        form = {"app": "org.chromium.linux", "X-subtype": SUBTYPE, "device": str(self.number), "sender": sender, **more}
        signed = f"AidLogin {self.number}:{self.secret if secret is None else secret}"
        status, answer = await post(f"{self.simulator.gcm}/register3", urlencode(form).encode(), Authorization=signed)
        assert status == 200
        return answer.decode()

    async def subscribed(self, app_server: AppServer) -> Subscription:
        token = (await self.registered(app_server.key)).removeprefix("token=")
        [keys] = self.simulator.subscribers.make(1, vapid_key=app_server.public, seed="any keys")
        # The name it has in real life is for a client that is led here; this one just comes.
        return {"endpoint": f"{self.simulator.push}/fcm/send/{token}", "keys": keys["keys"]}

    @asynccontextmanager
    async def online(self, *received: str) -> AsyncIterator[Socket]:
        tls = ssl.create_default_context(cafile=str(self.simulator.ca))
        port = urlsplit(self.simulator.mcs).port
        reader, writer = await asyncio.open_connection("localhost", port, ssl=tls)
        socket = Socket(reader, writer)
        writer.write(bytes([mcs.VERSION]))
        names: list[tuple[int, int | str | bytes]] = [(10, one) for one in received]
        name = str(self.number)
        socket.send(
            mcs.Tag.LOGIN,
            protobuf.message(
                (1, "chrome-1"), (2, "mcs.android.com"), (3, name), (4, name), (5, str(self.secret)), *names
            ),
        )
        assert await reader.readexactly(1) == bytes([mcs.VERSION])
        tag, fields = await socket.receive()
        assert tag == mcs.Tag.LOGGED_IN
        socket.error = protobuf.number_in(protobuf.fields_of(bytes(fields.get(3, [b""])[0])), 1)
        try:
            yield socket
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


class Socket:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link = mcs.Link(reader, writer)
        self.error = 0

    def send(self, tag: mcs.Tag, body: bytes = b"") -> None:
        self._link.write(tag, body)

    async def receive(self) -> tuple[int, dict[int, list[Any]]]:
        frame = await asyncio.wait_for(self._link.read(), 30)
        return frame.tag, frame.fields

    async def message(self) -> str:
        tag, fields = await self.receive()
        assert tag == mcs.Tag.DATA
        return protobuf.texts_in(fields, 9)[0]

    async def settled(self) -> None:
        """Come back when everything sent so far has been read."""
        self.send(mcs.Tag.PING)
        tag, _ = await self.receive()
        assert tag == mcs.Tag.PING_ACK


@pytest.fixture
async def profile(simulator: Running) -> Profile:
    return await Profile.checked_in(simulator)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def waiting(simulator: Running) -> int:
    [state] = simulator.google.state().values()
    stored = state["stored"]
    assert isinstance(stored, int)
    return stored


async def test_a_message_comes_with_all_that_chromium_needs_to_decrypt_it(
    profile: Profile, app_server: AppServer
) -> None:
    to = await profile.subscribed(app_server)
    body = app_server.sealed(to, b'{"notification": {"title": "Ferry"}}')
    async with profile.online() as socket:
        answer = await app_server.push(to, body=body)
        assert answer.status == 201
        assert answer.headers["location"].startswith("https://fcm.googleapis.com/0:")
        tag, fields = await socket.receive()
    assert tag == mcs.Tag.DATA
    pairs = [
        protobuf.texts_in(protobuf.fields_of(pair), 1) + protobuf.texts_in(protobuf.fields_of(pair), 2)
        for pair in fields[7]
    ]
    assert pairs == [["subtype", SUBTYPE], ["content-encoding", "aes128gcm"]]
    assert protobuf.texts_in(fields, 3) == [app_server.key]
    assert protobuf.texts_in(fields, 5) == ["org.chromium.linux"]
    assert fields[21] == [body]
    assert protobuf.number_in(fields, 17) == 60


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(
    simulator: Running, profile: Profile, app_server: AppServer
) -> None:
    to = await profile.subscribed(app_server)
    async with profile.online() as socket:
        await app_server.push(to)
        first = await socket.message()
    await until(lambda: "False" in str(simulator.google.state()))
    async with profile.online() as socket:
        assert await socket.message() == first
        await app_server.push(to)
        second = await socket.message()
        # The login's answer was 1, the first message 2: so much has come, the second message has not.
        socket.send(mcs.Tag.IQ, protobuf.message((2, 1), (7, protobuf.message((1, 13))), (10, 2)))
        await socket.settled()
        assert waiting(simulator) == 1
    async with profile.online(second) as socket:
        await socket.settled()
    assert waiting(simulator) == 0


async def test_a_selective_acknowledgement_names_messages(
    simulator: Running, profile: Profile, app_server: AppServer
) -> None:
    to = await profile.subscribed(app_server)
    async with profile.online() as socket:
        await app_server.push(to)
        await app_server.push(to)
        [_, second] = [await socket.message(), await socket.message()]
        chosen = protobuf.message((1, 12), (2, protobuf.message((1, second))))
        socket.send(mcs.Tag.IQ, protobuf.message((2, 1), (7, chosen)))
        await socket.settled()
        assert waiting(simulator) == 1


async def test_while_it_is_away_a_topic_replaces_and_no_ttl_is_never(
    simulator: Running, profile: Profile, app_server: AppServer
) -> None:
    to = await profile.subscribed(app_server)
    async with profile.online():
        pass
    await until(lambda: "False" in str(simulator.google.state()))
    await app_server.push(to, topic="tide")
    await app_server.push(to, ttl="0")
    await app_server.push(to, topic="tide")
    assert waiting(simulator) == 1


async def test_deleting_ends_the_endpoint_and_the_same_sender_keeps_it(profile: Profile, app_server: AppServer) -> None:
    to = await profile.subscribed(app_server)
    assert (await profile.subscribed(app_server))["endpoint"] == to["endpoint"]
    assert (await app_server.push(to)).status == 201
    assert (await profile.registered(app_server.key, delete="true")).startswith("token=")
    assert (await app_server.push(to)).status == 410
    assert (await profile.subscribed(app_server))["endpoint"] != to["endpoint"]


async def test_a_wrong_secret_is_refused_everywhere(
    simulator: Running, profile: Profile, app_server: AppServer
) -> None:
    assert await profile.registered(app_server.key, secret=1) == "Error=AUTHENTICATION_FAILED"
    other = Profile(simulator, profile.number, 1)
    async with other.online() as socket:
        assert socket.error == 401
    fields = protobuf.message((2, profile.number)) + protobuf.fixed64(13, 1)
    assert (await post(f"{simulator.gcm}/checkin", fields))[0] == 401


async def test_a_profile_from_before_a_restart_of_the_simulator_is_taken_as_it_is(
    simulator: Running, app_server: AppServer
) -> None:
    profile = Profile(simulator, 12345, 67890)
    fields = protobuf.message((2, profile.number)) + protobuf.fixed64(13, profile.secret)
    status, answer = await post(f"{simulator.gcm}/checkin", fields)
    assert status == 200
    assert protobuf.number_in(protobuf.fields_of(answer), 7) == 12345
    to = await profile.subscribed(app_server)
    async with profile.online() as socket:
        await app_server.push(to)
        await socket.message()


async def test_registrations_can_be_refused(simulator: Running, profile: Profile, app_server: AppServer) -> None:
    simulator.google.refuse_registrations(1)
    assert (await profile.registered(app_server.key)).startswith("Error=")
    assert (await profile.registered(app_server.key)).startswith("token=")


@pytest.mark.parametrize(
    "junk", [b"\x29\x08\x00", b"\x29\x02\x05aaaaa", b"\x29\x02\xff\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n"]
)
async def test_whoever_speaks_otherwise_is_cut_off(simulator: Running, junk: bytes) -> None:
    tls = ssl.create_default_context(cafile=str(simulator.ca))
    reader, writer = await asyncio.open_connection("localhost", urlsplit(simulator.mcs).port, ssl=tls)
    writer.write(junk)
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
