"""Clients of APNs and FCM that nobody here wrote get from our simulator what ours gets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from support.apple import BUNDLE_ID, KEY_ID, TEAM_ID, key_credential, p8, push_certificate
from support.peers import node
from tidings.domain.app import Credential
from tidings.domain.message import Message
from tidings.lib.egress import AddressGuard, HostPolicy
from tidings.lib.exchange import Reply, Request
from tidings.lib.http import Client
from tidings.lib.http2.connection import STREAMS
from tidings.pipeline.render import render
from tidings.providers import Draft, Envelope
from tidings.providers.apns.provider import Apns
from tidings.providers.apns.reading import reason_in
from tidings.providers.apns.token import ProviderTokens
from tidings.providers.fcm.provider import Fcm
from tidings.simulator import answers as simulated
from tidings.simulator.apns.devices import Fault
from tidings.simulator.apns.senders import Certificate, Key
from tidings.simulator.run import Running, SimulatorConfig, serve

pytestmark = pytest.mark.node

NODE_APN = """
const apn = require('@parse/node-apn');
const options = JSON.parse(process.argv[1]);
const provider = new apn.Provider({ ...options.provider, address: 'localhost', requestTimeout: 20000 });
(async () => {
  const said = {};
  for (const token of options.tokens) {
    const note = new apn.Notification({ alert: { title: 'Tide' }, topic: options.topic, pushType: 'alert' });
    note.expiry = Math.floor(Date.now() / 1000) + 60;
    const { failed } = await provider.send(note, token);
    said[token] = failed.length ? failed[0].response?.reason ?? String(failed[0].error) : null;
  }
  console.log(JSON.stringify(said));
  await provider.shutdown();
  process.exit(0);
})();
"""

APNS2 = """
const { ApnsClient, Notification } = require('apns2');
const { Pool } = require('undici');
const options = JSON.parse(process.argv[1]);
const client = new ApnsClient({ ...options.client, host: 'localhost', requestTimeout: 20000 });
// It knows port 443 alone; all else stays its own.
client.client = new Pool(options.url, { connections: 1, allowH2: true, connect: { ca: options.ca } });
(async () => {
  const said = {};
  for (const token of options.tokens) {
    const note = new Notification(token, { alert: { title: 'Tide' }, topic: options.topic });
    said[token] = await client.send(note).then(() => null, (error) => error.reason ?? String(error));
  }
  console.log(JSON.stringify(said));
  process.exit(0);
})();
"""


@dataclass(frozen=True)
class World:
    """A simulator with one device for each way to answer, and a key that it knows."""

    simulator: Running
    key: str
    tokens: dict[str, str | None]
    """Token -> the reason that is answered."""

    @property
    def port(self) -> int:
        return urlsplit(self.simulator.apns_sandbox).port or 0


# Without those of 5xx, for which node-apn has words of its own.
REASONS = (
    "Unregistered",
    "BadPriority",
    "TopicDisallowed",
    "TooManyRequests",
    "ExpiredToken",
    "PayloadTooLarge",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator")) as running:
        private = ec.generate_private_key(ec.SECP256R1())
        running.apple.senders.add_key(Key(TEAM_ID, KEY_ID, private.public_key()))
        tokens: dict[str, str | None] = {"0" * 64: "BadDeviceToken"}
        for number, reason in enumerate((None, *REASONS)):
            token = f"{number:02}" * 32
            running.apple.devices.add(
                token if number else "ab" * 32,
                topic=BUNDLE_ID,
                environment="sandbox",
                fault=Fault(reason) if reason else None,
            )
            tokens[token if number else "ab" * 32] = reason
        yield World(running, p8(private), tokens)


async def asked(script: str, options: dict[str, Any]) -> dict[str, str | None]:
    said: dict[str, str | None] = json.loads(await asyncio.to_thread(node, script, json.dumps(options)))
    return said


async def ours(world: World) -> dict[str, str | None]:
    via, credential = Apns(), key_credential(world.key)
    draft = via.draft(render(Message(title="Tide"), None))
    assert isinstance(draft, Draft)
    requests: list[tuple[str, Request]] = []
    for token in world.tokens:
        to, _ = via.address_from({"token": token, "environment": "sandbox"}, policy=HostPolicy(frozenset(), ()))
        envelope = Envelope("0123456789abcdef0123456789abcdef", "A" * 16, 60)
        request = via.request(draft, to, envelope, credential=credential, now=time.time())
        assert isinstance(request, Request)
        requests.append((token, request))

    def send() -> dict[str, str | None]:
        leading = {"api.sandbox.push.apple.com": f"127.0.0.1:{world.port}"}
        guard = AddressGuard(allow_loopback=True)
        with Client(guard=guard, insecure=True, connect_to=leading, in_flight=100) as client:
            answers = dict(client.exchange(requests))
        return {token: reason_in(answer) or None for token, answer in answers.items() if isinstance(answer, Reply)}

    return await asyncio.to_thread(send)


async def test_node_apn_and_apns2_get_the_answers_that_we_get(world: World) -> None:
    assert await ours(world) == world.tokens
    ca = world.simulator.ca.read_text()
    provider = {"token": {"key": world.key, "keyId": KEY_ID, "teamId": TEAM_ID}, "port": world.port, "ca": ca}
    common = {"tokens": list(world.tokens), "topic": BUNDLE_ID}
    assert await asked(NODE_APN, {**common, "provider": provider}) == world.tokens
    client = {"team": TEAM_ID, "keyId": KEY_ID, "signingKey": world.key}
    url = f"https://localhost:{world.port}"
    assert await asked(APNS2, {**common, "client": client, "url": url, "ca": ca}) == world.tokens


async def test_node_apn_shows_a_certificate_and_is_let_in(world: World, tmp_path: Path) -> None:
    made = push_certificate(BUNDLE_ID)
    pem = made.certificate.public_bytes(Encoding.PEM).decode()
    world.simulator.apple.senders.add_certificate(pem, Certificate((BUNDLE_ID,)))
    key, certificate = made.files(tmp_path)
    provider = {
        "key": key.read_text(),
        "cert": certificate.read_text(),
        "port": world.port,
        "ca": world.simulator.ca.read_text(),
    }
    options = {"tokens": list(world.tokens), "topic": BUNDLE_ID, "provider": provider}
    assert await asked(NODE_APN, options) == world.tokens


async def loaded(url: str, headers: list[str], body: Path, *, streams: int) -> str:
    """Let h2load send 600 requests over two connections; give what it says."""
    arguments = ["h2load", "-n", "600", "-c", "2", "-m", str(streams), "-d", str(body)]
    for header in headers:
        arguments += ["-H", header]
    done = await asyncio.to_thread(
        subprocess.run, [*arguments, url], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


WELL = "600 total, 600 started, 600 done, 600 succeeded, 0 failed, 0 errored, 0 timeout"


@pytest.mark.parametrize("streams", [1, STREAMS])
async def test_h2load_finds_no_fault_in_how_the_simulator_speaks_as_apple(
    world: World, tmp_path: Path, streams: int
) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"aps":{"alert":"Tide"}}')
    token = ProviderTokens().value(key_credential(world.key), now=time.time())
    good = next(one for one, reason in world.tokens.items() if reason is None)
    headers = [f"authorization: {token}", f"apns-topic: {BUNDLE_ID}", "apns-push-type: alert"]
    url = f"https://127.0.0.1:{world.port}/3/device/{good}"
    assert WELL in (said := await loaded(url, headers, body, streams=streams)), said
    device = world.simulator.apple.devices.find("sandbox", good)
    assert device is not None
    assert device.tally.accepted == 600


async def test_h2load_finds_no_fault_in_how_the_simulator_speaks_as_google(world: World, tmp_path: Path) -> None:
    fcm, via = world.simulator.fcm, Fcm()
    made = via.credential_from({"service_account": json.dumps(fcm.oauth.project("my-app").file())})
    credential = Credential(1, 1, 1, "fcm", made.fingerprint, made.secret, made.settings)
    asking = via.grant_request(credential, now=time.time())
    granted = json.loads(fcm.oauth.token(simulated.Request("POST", "/token", "", {}, asking.body)).body)
    (phone,) = fcm.make("my-app", 1, seed="h2load")
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"message": {"token": phone, "notification": {"title": "Tide"}}}))
    url = f"{world.simulator.push}/v1/projects/my-app/messages:send".replace("localhost", "127.0.0.1")
    headers = [f"authorization: Bearer {granted['access_token']}", "content-type: application/json"]
    assert WELL in (said := await loaded(url, headers, body, streams=STREAMS)), said
    assert fcm.phones[phone].tally.accepted == 600
