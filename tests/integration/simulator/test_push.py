from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pycurl
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import webpush

from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running, SimulatorConfig, serve

if TYPE_CHECKING:
    from tests.integration.simulator.conftest import Answered, AppServer, Subscription

PAYLOAD = json.dumps({"notification": {"title": "Ferry"}, "tidings": {"d": "d" * 32, "t": "t" * 16}}).encode()


def total(simulator: Running) -> dict[str, int]:
    counted: Any = simulator.subscribers.summary()["total"]
    return dict(counted)


def refusal(answer: Answered) -> tuple[int, int | None]:
    said = json.loads(answer.body)
    assert said["code"] == answer.status
    assert said["message"]
    return answer.status, said["errno"]


async def test_pywebpush_is_accepted_and_its_message_decrypts(
    simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = Vapid()
    signer.generate_keys()
    public = signer.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    [to] = simulator.subscribers.make(1, vapid_key=public, seed="pywebpush")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(simulator.ca))
    answer = await asyncio.to_thread(
        webpush,
        {"endpoint": to["endpoint"], "keys": to["keys"]},
        PAYLOAD.decode(),
        vapid_private_key=signer,
        vapid_claims={"sub": "mailto:ops@example.com"},
        ttl=60,
    )
    answer.close()
    assert answer.status_code == 201
    assert total(simulator)["decrypted"] == 1
    [message] = simulator.journal.messages(limit=10)
    assert message["title"] == "Ferry"
    assert message["delivery"] == "d" * 32


@pytest.mark.parametrize("http2", [True, False])
async def test_a_good_push_is_accepted_on_both_versions_of_http(
    simulator: Running, app_server: AppServer, subscription: Subscription, http2: bool
) -> None:
    answer = await app_server.push(subscription, PAYLOAD, http2=http2)
    assert answer.status == 201
    assert answer.http_version == (pycurl.CURL_HTTP_VERSION_2_0 if http2 else pycurl.CURL_HTTP_VERSION_1_1)
    assert answer.headers["location"].startswith(f"{simulator.push}/m/")
    assert answer.headers["ttl"] == "60"
    assert "date" in answer.headers
    assert total(simulator)["decrypted"] == 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ttl": None}, (400, 111)),
        ({"ttl": "soon"}, (400, 111)),
        ({"urgency": "urgent"}, (400, 111)),
        ({"topic": "a" * 33}, (400, 113)),
        ({"content_encoding": "aesgcm"}, (400, 110)),
        ({"authorization": None}, (401, 109)),
        ({"authorization": "Bearer x"}, (401, 109)),
    ],
)
async def test_each_wrong_header_has_its_answer(
    simulator: Running,
    app_server: AppServer,
    subscription: Subscription,
    changed: dict[str, str | None],
    expected: tuple[int, int],
) -> None:
    assert refusal(await app_server.push(subscription, **changed)) == expected
    assert total(simulator) | {"subscribers": 0} == {
        "subscribers": 0,
        "reached": 0,
        "accepted": 0,
        "decrypted": 0,
        "unreadable": 0,
        "distinct": 0,
        "doubled": 0,
        "refused": 1,
    }


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://push.example.net"},
        {"exp": int(time.time()) - 10},
        {"exp": int(time.time()) + 90_000},
        {"sub": "mailto:ops@localhost"},
        {"sub": "ops@example.com"},
    ],
)
async def test_each_wrong_claim_is_401_with_109(
    app_server: AppServer, subscription: Subscription, claims: dict[str, object]
) -> None:
    token = app_server.token(subscription["endpoint"], **claims)
    answer = await app_server.push(subscription, authorization=token)
    assert refusal(answer) == (401, 109)
    assert answer.headers["www-authenticate"] == "vapid"


async def test_another_key_than_the_subscriptions_is_named(app_server: AppServer, simulator: Running) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = other.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    [to] = simulator.subscribers.make(1, vapid_key=point, seed="other")
    answer = await app_server.push(to)
    assert refusal(answer) == (401, 109)
    assert json.loads(answer.body)["message"] == "VAPID public key mismatch"


async def test_4096_bytes_are_taken_and_one_more_is_413(app_server: AppServer, subscription: Subscription) -> None:
    assert (await app_server.push(subscription, b"x" * 3993)).status == 201
    assert refusal(await app_server.push(subscription, b"x" * 3994)) == (413, 104)


@pytest.mark.parametrize("http2", [True, False])
async def test_a_body_without_end_is_answered_before_it_has_all_arrived(
    app_server: AppServer, subscription: Subscription, http2: bool
) -> None:
    answer = await app_server.push(subscription, body=b"x" * 3_000_000, http2=http2)
    assert answer.status == 413


async def test_two_records_are_refused(app_server: AppServer, subscription: Subscription) -> None:
    body = app_server.sealed(subscription, b"x" * 600, rs=400)
    answer = await app_server.push(subscription, body=body)
    assert refusal(answer) == (400, 110)
    assert "one record" in json.loads(answer.body)["message"]


async def test_an_unknown_token_is_404_and_an_ended_one_410(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    unknown = {**subscription, "endpoint": f"{simulator.push}/wpush/v2/nobody"}
    assert refusal(await app_server.push(unknown)) == (404, 102)
    simulator.service.end(subscription["endpoint"].rpartition("/")[2])
    assert refusal(await app_server.push(subscription)) == (410, 106)


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "POST", 404), ("/wpush/v2/a/b", "POST", 404), ("/m/x", "DELETE", 404)]
)
async def test_other_paths_are_404(
    simulator: Running, app_server: AppServer, path: str, method: str, status: int
) -> None:
    [answer] = await app_server.send([(simulator.push + path, {}, b"")], method=method)
    assert answer.status == status


async def test_only_post_pushes(app_server: AppServer, subscription: Subscription) -> None:
    [answer] = await app_server.send([(subscription["endpoint"], {}, b"")], method="PUT")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_what_does_not_decrypt_is_accepted_as_a_real_service_would_and_counted(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    wrong = {**subscription, "keys": {**subscription["keys"], "auth": "A" * 22}}
    assert (await app_server.push(wrong)).status == 201
    assert (total(simulator)["unreadable"], total(simulator)["decrypted"]) == (1, 0)


async def test_the_same_delivery_twice_is_visible(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    for _ in range(2):
        assert (await app_server.push(subscription, PAYLOAD)).status == 201
    assert (total(simulator)["accepted"], total(simulator)["distinct"], total(simulator)["doubled"]) == (2, 1, 1)


async def test_an_empty_message_is_taken(simulator: Running, app_server: AppServer, subscription: Subscription) -> None:
    assert (await app_server.push(subscription, body=b"", content_encoding=None)).status == 201
    assert total(simulator)["accepted"] == 1


async def test_two_hundred_streams_share_one_connection(simulator: Running, app_server: AppServer) -> None:
    crowd: list[Any] = simulator.subscribers.make(200, vapid_key=app_server.public, seed="crowd")
    answers = await app_server.send(
        [(to["endpoint"], app_server.headers(to), app_server.sealed(to, PAYLOAD)) for to in crowd]
    )
    assert [answer.status for answer in answers] == [201] * 200
    assert simulator.listener.accepted == 1
    assert total(simulator)["distinct"] == 200


async def test_connections_on_http_1_1_are_kept(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    post = (subscription["endpoint"], app_server.headers(subscription), app_server.sealed(subscription, PAYLOAD))
    answers = await app_server.send([post] * 5, http2=False)
    assert [answer.status for answer in answers] == [201] * 5
    assert simulator.listener.accepted == 1


@pytest.mark.parametrize("http2", [True, False])
async def test_slow_is_slow_and_does_not_hold_up_others(simulator: Running, app_server: AppServer, http2: bool) -> None:
    fault = Fault(FaultKind.SLOW, seconds=0.5)
    [slow] = simulator.subscribers.make(1, vapid_key=app_server.public, shares=[(fault, 1.0)], seed="slow")
    started = time.monotonic()
    first = await app_server.push(slow, http2=http2)
    waited = time.monotonic() - started
    second = await app_server.push(slow, http2=http2)
    assert (first.status, second.status) == (201, 201)
    assert waited >= 0.5


async def test_whoever_does_not_wait_for_a_slow_answer_was_not_served(
    simulator: Running, app_server: AppServer
) -> None:
    fault = Fault(FaultKind.SLOW, seconds=30)
    made: list[Any] = simulator.subscribers.make(1, vapid_key=app_server.public, shares=[(fault, 1.0)], seed="slow")
    post = (made[0]["endpoint"], app_server.headers(made[0]), app_server.sealed(made[0], PAYLOAD))
    [answer] = await app_server.send([post], limit=0.3)
    assert answer.error == pycurl.E_OPERATION_TIMEDOUT
    assert total(simulator)["accepted"] == 0
    [again] = await app_server.send([post])
    assert again.status == 201
    assert total(simulator)["accepted"] == 1


@pytest.mark.parametrize("http2", [True, False])
@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.RESET])
async def test_dropped_and_reset_give_no_answer_and_then_succeed(
    simulator: Running, app_server: AppServer, kind: FaultKind, http2: bool
) -> None:
    fault = Fault(kind, tries=2)
    [to] = simulator.subscribers.make(1, vapid_key=app_server.public, shares=[(fault, 1.0)], seed="cut")
    answers = [await app_server.push(to, PAYLOAD, http2=http2, topic="t") for _ in range(3)]
    assert [answer.status for answer in answers] == [0, 0, 201]
    assert all(answer.error for answer in answers[:2])
    assert (total(simulator)["refused"], total(simulator)["accepted"]) == (2, 1)


async def test_a_reset_stream_leaves_its_neighbours_alone(simulator: Running, app_server: AppServer) -> None:
    shares = [(Fault(FaultKind.RESET), 0.5)]
    crowd: list[Any] = simulator.subscribers.make(20, vapid_key=app_server.public, shares=shares, seed="half")
    answers = await app_server.send(
        [(to["endpoint"], app_server.headers(to), app_server.sealed(to, PAYLOAD)) for to in crowd]
    )
    assert sorted(answer.status for answer in answers) == [0] * 10 + [201] * 10
    assert simulator.listener.accepted == 1


async def test_the_next_answers_are_what_the_script_says(
    simulator: Running, app_server: AppServer, subscription: Subscription
) -> None:
    simulator.service.script.add(Fault(FaultKind.THROTTLED, retry_after=7), times=1)
    simulator.service.script.add(Fault(FaultKind.UNAVAILABLE), times=1)
    simulator.service.script.add(Fault(FaultKind.SLOW, seconds=0.01), times=1)
    answers = [await app_server.push(subscription) for _ in range(4)]
    assert [answer.status for answer in answers] == [429, 503, 201, 201]
    assert answers[0].headers["retry-after"] == "7"


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
async def test_bytes_that_are_no_http_close_the_connection_and_harm_nobody_else(
    simulator: Running, app_server: AppServer, subscription: Subscription, protocol: str
) -> None:
    context = ssl.create_default_context(cafile=str(simulator.ca))
    context.set_alpn_protocols([protocol])
    port = int(simulator.push.rpartition(":")[2])
    for junk in (
        b"\x00" * 100,
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        bytes(range(256)) * 8,
    ):
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        writer.write(junk)
        answer = await asyncio.wait_for(reader.read(), 10)
        assert not answer.startswith(b"HTTP/1.1 5")
        writer.close()
    assert (await app_server.push(subscription)).status == 201


async def test_a_thousand_subscribers_take_moments(simulator: Running, app_server: AppServer) -> None:
    started = time.process_time()
    made: list[Any] = simulator.subscribers.make(1_000, vapid_key=app_server.public, seed="many")
    assert time.process_time() - started < 5
    assert len({to["endpoint"] for to in made}) == 1_000
    assert made == simulator.subscribers.make(1_000, vapid_key=app_server.public, seed="many")
    assert total(simulator)["subscribers"] == 1_000


async def test_only_the_chosen_share_decrypts(tmp_path: Path, app_server_for: Callable[[Running], AppServer]) -> None:
    async with serve(SimulatorConfig(folder=tmp_path, reading=0)) as simulator:
        app_server = app_server_for(simulator)
        [to] = simulator.subscribers.make(1, vapid_key=app_server.public, seed="x")
        assert (await app_server.push(to, PAYLOAD, topic="abc")).status == 201
        assert (total(simulator)["distinct"], total(simulator)["decrypted"]) == (1, 0)
