"""The simulator's APNs as its clients see it: over TLS and HTTP/2, one connection at a time."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RemoteSettingsChanged, ResponseReceived, StreamEnded
from h2.settings import SettingCodes

from support.apple import BUNDLE_ID, KEY_ID, TEAM_ID, TOKEN, push_certificate
from tidings.simulator.apns.reasons import STATUSES
from tidings.simulator.run import Running

ALERT = b'{"aps":{"alert":{"title":"Tide"}}}'


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def reason(self) -> str | None:
        return json.loads(self.body)["reason"] if self.body else None


@dataclass
class Connection:
    """One HTTP/2 connection of a client that obeys nothing but what a test tells it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    h2: H2Connection = field(default_factory=lambda: H2Connection(H2Configuration(header_encoding="utf-8")))
    answers: dict[int, Answered] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    most: int | None = None
    ended: ConnectionTerminated | None = None
    closed: bool = False

    async def listen(self, until: Any) -> None:
        async with asyncio.timeout(10):
            while not until() and not self.closed:
                data = await self.reader.read(65_536)
                self.closed = not data
                for event in self.h2.receive_data(data) if data else ():
                    self._on(event)
                self.writer.write(self.h2.data_to_send())

    def _on(self, event: object) -> None:
        if isinstance(event, RemoteSettingsChanged):
            changed = event.changed_settings.get(SettingCodes.MAX_CONCURRENT_STREAMS)
            self.most = changed.new_value if changed else self.most
        elif isinstance(event, ResponseReceived):
            headers = dict(event.headers)
            self.answers[event.stream_id] = Answered(int(headers[":status"]), headers)
        elif isinstance(event, DataReceived):
            self.answers[event.stream_id].body += event.data
        elif isinstance(event, StreamEnded):
            self.done.add(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self.ended = event

    def start(self, path: str, headers: dict[str, str], body: bytes, *, method: str, host: str) -> int:
        stream = self.h2.get_next_available_stream_id()
        first = [(":method", method), (":path", path), (":scheme", "https"), (":authority", host)]
        self.h2.send_headers(stream, [*first, *headers.items()], end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.writer.write(self.h2.data_to_send())
        return stream

    async def push(
        self,
        headers: dict[str, str],
        body: bytes = ALERT,
        *,
        path: str = f"/3/device/{TOKEN}",
        method: str = "POST",
        host: str = "localhost",
    ) -> Answered:
        stream = self.start(path, headers, body, method=method, host=host)
        await self.listen(lambda: stream in self.done)
        assert stream in self.done, self.ended
        return self.answers[stream]

    async def close(self) -> None:
        self.writer.close()


class Sender:
    """A provider with a key that the simulator knows."""

    def __init__(self, simulator: Running) -> None:
        self.simulator = simulator
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.open: list[Connection] = []
        self.usual = self.token()

    @property
    def public(self) -> str:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, *, key_id: str = KEY_ID, team_id: str = TEAM_ID, age: float = 60, key: Any = None) -> str:
        claims = {"iss": team_id, "iat": int(time.time() - age)}
        return "bearer " + jwt.encode(claims, key or self.private, algorithm="ES256", headers={"kid": key_id})

    def headers(self, **changed: str | None) -> dict[str, str]:
        good: dict[str, str | None] = {
            "authorization": self.usual,
            "apns-topic": BUNDLE_ID,
            "apns-push-type": "alert",
            "apns-id": str(uuid.uuid4()),
        }
        merged = good | {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in merged.items() if value is not None}

    async def connect(
        self, *, environment: str = "sandbox", files: tuple[Path, Path] | None = None, hears: bool = True
    ) -> Connection:
        url = self.simulator.apns_sandbox if environment == "sandbox" else self.simulator.apns
        context = ssl.create_default_context(cafile=str(self.simulator.ca))
        context.set_alpn_protocols(["h2"])
        if files:
            context.load_cert_chain(files[1], files[0])
        reader, writer = await asyncio.open_connection("localhost", int(url.rpartition(":")[2]), ssl=context)
        made = Connection(reader, writer)
        made.h2.initiate_connection()
        writer.write(made.h2.data_to_send())
        if hears:
            await made.listen(lambda: made.most is not None)
        self.open.append(made)
        return made


@pytest.fixture
async def sender(simulator: Running) -> AsyncIterator[Sender]:
    made = Sender(simulator)
    control(simulator, "/apns/keys", team_id=TEAM_ID, key_id=KEY_ID, public_key=made.public)
    control(simulator, "/apns/devices", token=TOKEN)
    yield made
    for connection in made.open:
        await connection.close()


def control(simulator: Running, path: str, *, method: str = "POST", **body: Any) -> dict[str, Any]:
    from tidings.simulator.answers import Request
    from tidings.simulator.apns.control import ApnsControl

    request = Request(method, path, "", {}, json.dumps(body).encode())
    answer = ApnsControl(simulator.apple).routes[path][method](request)
    return json.loads(answer.body) if answer.body else {}


async def test_a_good_push_arrives_with_its_id(simulator: Running, sender: Sender) -> None:
    connection = await sender.connect()
    headers = sender.headers()
    answer = await connection.push(headers)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["apns-id"] == headers["apns-id"]
    assert "apns-unique-id" in answer.headers
    (arrived,) = simulator.journal.messages(limit=5)
    assert (arrived["title"], arrived["flavour"], arrived["to"]) == ("Tide", "apns_sandbox", TOKEN[:8])
    assert "authorization" not in str(arrived)


async def test_one_stream_until_the_sender_has_proved_itself_then_a_thousand(sender: Sender) -> None:
    connection = await sender.connect()
    assert connection.most == 1
    await connection.push(sender.headers(authorization=None))
    await connection.push(sender.headers(authorization="bearer nonsense"))
    assert connection.most == 1
    await connection.push(sender.headers(), path="/3/device/" + "00" * 32)
    await connection.listen(lambda: connection.most == 1000)
    assert connection.most == 1000


async def test_who_has_not_heard_of_the_limit_yet_is_held_to_none(sender: Sender) -> None:
    connection = await sender.connect(hears=False)
    streams = {
        connection.start(f"/3/device/{TOKEN}", sender.headers(), ALERT, method="POST", host="localhost")
        for _ in range(3)
    }
    await connection.listen(lambda: streams <= connection.done)
    assert [connection.answers[stream].status for stream in sorted(streams)] == [200, 200, 200], connection.ended


async def test_who_opens_two_streams_too_early_is_cut_off(sender: Sender) -> None:
    connection = await sender.connect()
    connection.h2.remote_settings._settings[SettingCodes.MAX_CONCURRENT_STREAMS].appendleft(100)
    for _ in range(3):
        connection.start(f"/3/device/{TOKEN}", sender.headers(), ALERT, method="POST", host="localhost")
    await connection.listen(lambda: connection.ended is not None)
    assert connection.ended is not None
    assert connection.ended.error_code != 0


GOOD = "0" * 64
CASES: dict[str, tuple[dict[str, str | None], dict[str, Any]]] = {
    "BadCollapseId": ({"apns_collapse_id": "x" * 65}, {}),
    "BadDeviceToken": ({}, {"path": "/3/device/" + "ab" * 32}),
    "BadExpirationDate": ({"apns_expiration": "soon"}, {}),
    "BadMessageId": ({"apns_id": "7"}, {}),
    "BadPriority": ({"apns_priority": "10", "apns_push_type": "background"}, {}),
    "BadTopic": ({"apns_topic": f"{BUNDLE_ID}.voip"}, {}),
    "DeviceTokenNotForTopic": ({"apns_topic": "com.example.other"}, {}),
    "InvalidPushType": ({"apns_push_type": "toast"}, {}),
    "MissingDeviceToken": ({}, {"path": "/3/device/"}),
    "MissingTopic": ({"apns_topic": None}, {}),
    "PayloadEmpty": ({}, {"body": b""}),
    "PayloadTooLarge": ({}, {"body": b'{"x":"%s"}' % (b"y" * 4096)}),
    "MissingProviderToken": ({"authorization": None}, {}),
    "BadPath": ({}, {"path": "/2/device"}),
    "MethodNotAllowed": ({}, {"method": "GET", "body": b""}),
    "MissingChannelId": ({"apns_push_type": "liveactivity"}, {"path": f"/4/broadcasts/apps/{BUNDLE_ID}"}),
    "ChannelNotRegistered": (
        {"apns_push_type": "liveactivity", "apns_channel_id": "none"},
        {"path": f"/4/broadcasts/apps/{BUNDLE_ID}"},
    ),
}


@pytest.mark.parametrize("reason", CASES)
async def test_each_mistake_has_its_reason(sender: Sender, reason: str) -> None:
    changed, call = CASES[reason]
    answer = await (await sender.connect()).push(sender.headers(**changed), **call)
    assert (answer.reason, answer.status) == (reason, STATUSES[reason])


@pytest.mark.parametrize("reason", STATUSES)
async def test_every_documented_reason_can_be_asked_for(simulator: Running, sender: Sender, reason: str) -> None:
    control(simulator, "/apns/faults", kind=reason)
    connection = await sender.connect()
    answer = await connection.push(sender.headers())
    assert (answer.reason, answer.status) == (reason, STATUSES[reason])
    assert ("timestamp" in json.loads(answer.body)) is (answer.status == 410)
    assert (await connection.push(sender.headers())).status == 200


async def test_provider_tokens_are_looked_at_closely(simulator: Running, sender: Sender) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    wrong = {
        sender.token(age=3700): "ExpiredProviderToken",
        sender.token(age=-900): "InvalidProviderToken",
        sender.token(team_id="OTHERTEAM1"): "InvalidProviderToken",
        sender.token(key_id="OTHERKEY12"): "InvalidProviderToken",
        sender.token(key=stranger): "InvalidProviderToken",
    }
    for token, reason in wrong.items():
        answer = await (await sender.connect()).push(sender.headers(authorization=token))
        assert answer.reason == reason
    connection = await sender.connect()
    assert (await connection.push(sender.headers(authorization=sender.token(age=2000)))).status == 200
    assert (await connection.push(sender.headers(authorization=sender.token(age=1000)))).reason == (
        "TooManyProviderTokenUpdates"
    )
    assert (await connection.push(sender.headers(authorization=sender.token(age=700)))).status == 200
    for key_id, team_id, reason in (
        ("SECONDKEY1", TEAM_ID, "UnrelatedKeyIdInToken"),
        ("THIRDKEY12", "OTHERTEAM1", "Forbidden"),
    ):
        control(simulator, "/apns/keys", team_id=team_id, key_id=key_id, public_key=sender.public)
        other = sender.token(key_id=key_id, team_id=team_id)
        assert (await connection.push(sender.headers(authorization=other))).reason == reason
    control(simulator, "/apns/revoked", name=KEY_ID)
    assert (await connection.push(sender.headers())).reason == "InvalidProviderToken"


async def test_a_key_may_be_for_one_environment_and_some_topics(simulator: Running, sender: Sender) -> None:
    control(
        simulator,
        "/apns/keys",
        team_id=TEAM_ID,
        key_id=KEY_ID,
        public_key=sender.public,
        environments=["production"],
        topics=["com.example.other"],
    )
    assert (await (await sender.connect()).push(sender.headers())).reason == "BadEnvironmentKeyInToken"
    production = await sender.connect(environment="production")
    assert (await production.push(sender.headers())).reason == "TopicDisallowed"


async def test_environments_know_nothing_of_each_other(sender: Sender) -> None:
    production = await sender.connect(environment="production")
    assert (await production.push(sender.headers())).reason == "BadDeviceToken"
    by_name = await production.push(sender.headers(), host="api.sandbox.push.apple.com")
    assert by_name.status == 200


async def test_a_dead_token_says_since_when_until_it_registers_again(simulator: Running, sender: Sender) -> None:
    control(simulator, "/apns/ended", token=TOKEN, at=1_790_000_000.5)
    connection = await sender.connect()
    answer = await connection.push(sender.headers())
    assert json.loads(answer.body) == {"reason": "Unregistered", "timestamp": 1_790_000_000_500}
    control(simulator, "/apns/ended", token=TOKEN, expired=True)
    assert (await connection.push(sender.headers())).reason == "ExpiredToken"
    control(simulator, "/apns/devices", token=TOKEN)
    assert (await connection.push(sender.headers())).status == 200


class TestCertificate:
    async def test_a_known_certificate_needs_no_token(self, simulator: Running, sender: Sender, tmp_path: Path) -> None:
        made = push_certificate(BUNDLE_ID)
        pem = made.certificate.public_bytes(Encoding.PEM).decode()
        name = control(simulator, "/apns/certificates", certificate=pem, topics=[BUNDLE_ID], environments=["sandbox"])
        files = made.files(tmp_path)
        connection = await sender.connect(files=files)
        assert (await connection.push(sender.headers(authorization=None))).status == 200
        assert (await connection.push(sender.headers(authorization=None, apns_topic=None))).status == 200
        other = sender.headers(authorization=None, apns_topic="com.example.other")
        assert (await connection.push(other)).reason == "TopicDisallowed"
        production = await sender.connect(files=files, environment="production")
        assert (await production.push(sender.headers(authorization=None))).reason == "BadCertificateEnvironment"
        control(simulator, "/apns/revoked", name=name["name"])
        assert (await connection.push(sender.headers(authorization=None))).reason == "BadCertificate"

    async def test_an_unknown_certificate_does_not_get_in(self, sender: Sender, tmp_path: Path) -> None:
        files = push_certificate(BUNDLE_ID).files(tmp_path)
        try:
            connection = await sender.connect(files=files)
        except (ssl.SSLError, ConnectionError):
            return
        assert connection.closed


async def test_a_key_can_be_made_here_to_be_uploaded(simulator: Running, sender: Sender) -> None:
    made = control(simulator, "/apns/keys", team_id=TEAM_ID, key_id="MADEHERE01", topics=[BUNDLE_ID])
    token = sender.token(key_id="MADEHERE01", key=made["key"])
    connection = await sender.connect()
    assert (await connection.push(sender.headers(authorization=token))).status == 200
    other = sender.headers(authorization=token, apns_topic="com.example.other")
    assert (await connection.push(other)).reason == "TopicDisallowed"


async def test_devices_have_faults_in_exact_shares(simulator: Running, sender: Sender) -> None:
    made = control(
        simulator,
        "/apns/devices",
        count=8,
        faults={"Unregistered": 0.25, "TooManyRequests": {"share": 0.25, "tries": 1}},
    )["devices"]
    connection = await sender.connect()
    first = [await connection.push(sender.headers(), path=f"/3/device/{one['token']}") for one in made]
    assert (
        sorted(str(answer.reason) for answer in first) == ["None"] * 4 + ["TooManyRequests"] * 2 + ["Unregistered"] * 2
    )
    summary = control(simulator, "/apns/summary", method="GET")
    assert summary["total"]["accepted"] == 4
    assert summary["total"]["refused"] == 4


async def test_a_channel_that_keeps_nothing_takes_only_what_is_for_now(simulator: Running, sender: Sender) -> None:
    control(simulator, "/apns/channels", channel="dHN0LWNobmw=")
    headers = sender.headers(apns_push_type="liveactivity", apns_channel_id="dHN0LWNobmw=", apns_topic=None)
    path = f"/4/broadcasts/apps/{BUNDLE_ID}"
    connection = await sender.connect()
    assert (await connection.push(headers, path=path)).status == 200
    assert (await connection.push(headers | {"apns-expiration": "4000000000"}, path=path)).reason == "BadExpirationDate"


async def test_what_is_no_http2_is_not_spoken_to(simulator: Running) -> None:
    context = ssl.create_default_context(cafile=str(simulator.ca))
    port = int(simulator.apns.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    writer.write(b"POST /3/device/ab HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
