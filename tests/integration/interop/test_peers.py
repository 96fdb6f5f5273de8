"""Senders and receivers nobody here wrote: theirs reach our simulator, ours reach their receiver, headers agree."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest

from support.peers import installed, node, program
from support.vapid import Keys, new_keys
from tidings.domain.message import Message, Rendered
from tidings.domain.outcome import Accepted, Gone
from tidings.domain.subscription import Address
from tidings.lib.egress import AddressGuard, HostPolicy
from tidings.lib.exchange import Reply, Request
from tidings.lib.http import Client
from tidings.pipeline.render import render
from tidings.providers import Draft, Envelope, provider
from tidings.simulator.run import Running

pytestmark = pytest.mark.node
DEVELOPMENT = HostPolicy(hosts=frozenset({"localhost"}), suffixes=(), allow_insecure=True)
ENVELOPE = Envelope(delivery_id="0123456789abcdef0123456789abcdef", receipt_token="A" * 16, ttl=3600)
RENDERED: Rendered = render(
    Message(title="Tide", body="High water at 14:02 — grüße", url="https://example.com/tides"), None
)


def ours(subscription: dict[str, Any], keys: Keys) -> tuple[Address, Request]:
    webpush = provider("webpush")
    address, _ = webpush.address_from(subscription, policy=DEVELOPMENT)
    draft = webpush.draft(RENDERED)
    assert isinstance(draft, Draft)
    request = webpush.request(draft, address, ENVELOPE, credential=keys.credential(), now=time.time())
    assert isinstance(request, Request)
    return address, request


def send(request: Request, *, ca: Path | None = None) -> Reply:
    with Client(guard=AddressGuard(allow_loopback=True), insecure=True, ca_file=str(ca) if ca else None) as client:
        ((_, answer),) = list(client.exchange([(1, request)]))
    assert isinstance(answer, Reply), answer
    return answer


def headers_of(request: Request) -> dict[str, str]:
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in request.headers)}


def claims(authorization: str) -> dict[str, Any]:
    token = authorization.split("t=")[1].split(",")[0]
    body = token.split(".")[1]
    parsed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return parsed


def subscriber(simulator: Running, keys: Keys) -> dict[str, Any]:
    public = base64.urlsafe_b64decode(keys.public + "=")
    (made,) = simulator.subscribers.make(1, vapid_key=public, seed="peer")
    return made


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """web-push-testing: a push service that decrypts with http_ece and checks the token with jsonwebtoken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = installed() / "node_modules/web-push-testing/src/bin/server.js"
    process = subprocess.Popen(
        [program(), script, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        assert "running" in process.stdout.readline()
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def call(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = UrlRequest(url, data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read())["data"])


async def test_what_node_web_push_sends_is_accepted_and_decrypted_by_the_simulator(simulator: Running) -> None:
    keys = new_keys()
    subscription = subscriber(simulator, keys)
    script = """
      const webpush = require('web-push');
      const [subscription, pub, priv] = process.argv.slice(1);
      webpush.setVapidDetails('mailto:ops@example.com', pub, priv);
      webpush.sendNotification(JSON.parse(subscription), 'from node', {TTL: 60, urgency: 'high', topic: 'tides'})
        .then(
          answer => console.log(answer.statusCode),
          fault => { console.error(fault.statusCode, fault.body || fault.message); process.exit(1) });
    """
    status = await asyncio.to_thread(
        node,
        script,
        json.dumps(subscription),
        keys.public,
        keys.private,
        environment={"NODE_EXTRA_CA_CERTS": str(simulator.ca)},
    )
    assert status == "201"
    (message,) = simulator.journal.messages(limit=10)
    assert (message["payload"], message["urgency"], message["topic"]) == ("from node", "high", "tides")


def test_what_we_send_is_accepted_and_decrypted_by_web_push_testing(receiver: str) -> None:
    keys = new_keys()
    subscription = call(f"{receiver}/subscribe", {"userVisibleOnly": "true", "applicationServerKey": keys.public})
    address, request = ours(subscription, keys)
    answer = send(request)
    assert provider("webpush").outcome(address, answer, now=time.time()) == Accepted(answer.headers.get("location", ""))
    received = call(f"{receiver}/get-notifications", {"clientHash": subscription["clientHash"]})
    payload = json.loads(received["messages"][0])
    assert payload["notification"]["title"] == "Tide"
    assert payload["notification"]["body"] == "High water at 14:02 — grüße"
    assert payload["tidings"]["d"] == ENVELOPE.delivery_id


def test_a_subscription_that_web_push_testing_expired_is_gone(receiver: str) -> None:
    keys = new_keys()
    subscription = call(f"{receiver}/subscribe", {"userVisibleOnly": "true", "applicationServerKey": keys.public})
    with urlopen(
        UrlRequest(f"{receiver}/expire-subscription/{subscription['clientHash']}", data=b"", method="POST"), timeout=10
    ):
        pass
    address, request = ours(subscription, keys)
    assert isinstance(provider("webpush").outcome(address, send(request), now=time.time()), Gone)


def test_our_headers_equal_those_of_node_web_push_where_the_rfcs_fix_them() -> None:
    keys = new_keys()
    user = new_keys()
    subscription = {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "keys": {"p256dh": user.public, "auth": base64.urlsafe_b64encode(b"0123456789abcdef").decode().rstrip("=")},
    }
    script = """
      const webpush = require('web-push');
      const [subscription, pub, priv] = process.argv.slice(1);
      const details = webpush.generateRequestDetails(JSON.parse(subscription), 'x', {
        vapidDetails: {subject: 'mailto:ops@example.com', publicKey: pub, privateKey: priv},
        TTL: 3600, urgency: 'normal', topic: '0123456789abcdef0123456789abcdef', contentEncoding: 'aes128gcm'});
      console.log(JSON.stringify({...details, body: details.body.toString('base64')}));
    """
    theirs = json.loads(node(script, json.dumps(subscription), keys.public, keys.private))
    wanted = {name.lower(): str(value) for name, value in theirs["headers"].items()}
    webpush = provider("webpush")
    policy = HostPolicy(hosts=frozenset({"updates.push.services.mozilla.com"}), suffixes=())
    address, origin = webpush.address_from(subscription, policy=policy)
    draft = webpush.draft(RENDERED)
    assert isinstance(draft, Draft)
    request = webpush.request(draft, address, ENVELOPE, credential=keys.credential(), now=time.time())
    assert isinstance(request, Request)
    got = headers_of(request)
    for name in ("ttl", "content-encoding", "content-type", "urgency", "topic"):
        assert got[name] == wanted[name], name
    assert request.url == theirs["endpoint"] == subscription["endpoint"]
    assert got["authorization"].split(", k=")[1] == wanted["authorization"].split(", k=")[1] == keys.public
    mine, others = claims(got["authorization"]), claims(wanted["authorization"])
    assert mine["aud"] == others["aud"] == origin
    assert mine["sub"] == others["sub"]
    body = base64.b64decode(theirs["body"])
    assert request.body[16:21] == body[16:21], "record size and the length of the key id"


async def test_what_we_send_is_accepted_and_decrypted_by_the_simulator(simulator: Running) -> None:
    keys = new_keys()
    _, request = ours(subscriber(simulator, keys), keys)
    answer = await asyncio.to_thread(send, request, ca=simulator.ca)
    assert answer.status == 201
    (message,) = simulator.journal.messages(limit=10)
    assert (message["title"], message["delivery"], message["ttl"]) == ("Tide", ENVELOPE.delivery_id, ENVELOPE.ttl)
