from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tidings.simulator.run import Running

if TYPE_CHECKING:
    from tests.integration.simulator.conftest import AppServer

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def call(
    simulator: Running, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Call the control port with a client that knows nothing of it."""

    def asked() -> tuple[int, bytes]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(simulator.control + path, data=data, method=method, headers=headers)
        try:
            with OPENER.open(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    status, content = await asyncio.to_thread(asked)
    return status, json.loads(content or b"{}")


async def test_subscribers_are_made_with_their_faults_and_summed_up(simulator: Running, app_server: AppServer) -> None:
    wish = {
        "count": 20,
        "vapid_key": app_server.key,
        "faults": {"gone": 0.1, "throttled": {"share": 0.25, "tries": 2, "retry_after": 0}},
        "seed": 1,
    }
    status, made = await call(simulator, "POST", "/subscribers", wish)
    assert status == 201
    assert set(made["subscriptions"][0]) == {"endpoint", "expirationTime", "keys"}
    assert made["seed"] == "1"
    subscriptions = made["subscriptions"]
    for round_number in range(3):
        answers = await app_server.send(
            [
                (to["endpoint"], app_server.headers(to, Topic="a" * 32), app_server.sealed(to, b"{}"))
                for to in subscriptions
            ]
        )
        throttled = 0 if round_number == 2 else 5
        assert sorted(answer.status for answer in answers) == sorted(
            [410] * 2 + [429] * throttled + [201] * (18 - throttled)
        )
    _, summary = await call(simulator, "GET", "/subscribers/summary")
    assert summary["kinds"]["gone"]["refused"] == 6
    assert (
        summary["kinds"]["throttled"] | {"subscribers": 5, "accepted": 5, "refused": 10}
        == summary["kinds"]["throttled"]
    )
    assert summary["kinds"]["none"]["doubled"] == 26
    assert summary["total"]["accepted"] == 44
    assert summary["total"]["decrypted"] == 44


async def test_messages_are_listed_newest_first_and_after_a_number(simulator: Running, app_server: AppServer) -> None:
    _, made = await call(simulator, "POST", "/subscribers", {"count": 1, "vapid_key": app_server.key})
    [to] = made["subscriptions"]
    for title in ("one", "two", "three"):
        await app_server.push(to, json.dumps({"notification": {"title": title}}).encode())
    _, listed = await call(simulator, "GET", "/messages?limit=2")
    assert [message["title"] for message in listed["messages"]] == ["three", "two"]
    _, newer = await call(simulator, "GET", f"/messages?after={listed['messages'][1]['n']}")
    assert [message["title"] for message in newer["messages"]] == ["three"]


async def test_the_next_answers_can_be_scripted_and_forgotten(simulator: Running, app_server: AppServer) -> None:
    _, made = await call(simulator, "POST", "/subscribers", {"count": 1, "vapid_key": app_server.key})
    [to] = made["subscriptions"]
    assert (await call(simulator, "POST", "/faults", {"kind": "unavailable", "times": 3}))[0] == 204
    assert (await app_server.push(to)).status == 503
    assert await call(simulator, "DELETE", "/faults") == (200, {"cleared": 2})
    assert (await app_server.push(to)).status == 201


async def test_the_log_tells_every_push_and_keeps_secrets_out(simulator: Running, app_server: AppServer) -> None:
    _, made = await call(simulator, "POST", "/subscribers", {"count": 1, "vapid_key": app_server.key})
    [to] = made["subscriptions"]
    await app_server.push(to)
    await app_server.push(to, ttl=None)
    _, log = await call(simulator, "GET", "/log")
    assert [(event["kind"], event["status"]) for event in log["log"]] == [("push", 201), ("push", 400)]
    assert log["log"][1]["why"].startswith("ttl:")
    assert log["online"] == []
    assert to["endpoint"].rpartition("/")[2] not in json.dumps(log)
    assert "authorization" not in json.dumps(log)


async def test_the_sample_site_can_be_pointed_at_a_server(simulator: Running) -> None:
    assert (await call(simulator, "POST", "/site", {"tidings": "http://localhost:9999", "app": "app_1"}))[0] == 204

    def worker() -> bytes:
        with OPENER.open(simulator.site + "/tidings-sw.js", timeout=20) as answer:
            content: bytes = answer.read()
            return content

    assert (
        await asyncio.to_thread(worker) == b'importScripts("http://localhost:9999/v1/app_1/push/service-worker.js");\n'
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/subscribers", {"count": 0, "vapid_key": "x"}, 400),
        ("POST", "/subscribers", {"count": 1, "vapid_key": "BAAA"}, 400),
        ("POST", "/subscribers", {"count": 1, "vapid_key": "!"}, 400),
        ("POST", "/subscribers", {"count": 1, "vapid_key": "x", "faults": {"flood": 1}}, 400),
        ("POST", "/subscribers", {"count": 1, "vapid_key": "x", "colour": "red"}, 400),
        ("POST", "/subscribers", b"not json", 400),
        ("POST", "/subscribers", b"\xff\xfe", 400),
        ("POST", "/faults", {"kind": "flood"}, 400),
        ("POST", "/faults", b"", 400),
        ("POST", "/site", {"tidings": "nowhere"}, 400),
        ("POST", "/close", {"code": 3}, 400),
        ("GET", "/messages?limit=all", None, 400),
        ("GET", "/subscribers", None, 405),
        ("DELETE", "/log", None, 405),
        ("GET", "/nothing", None, 404),
    ],
)
async def test_a_callers_mistake_is_said_in_words(
    simulator: Running, method: str, path: str, body: object, status: int
) -> None:
    found, said = await call(simulator, method, path, body)
    assert found == status
    assert said["error"]


async def test_faults_that_are_more_than_all_are_refused(simulator: Running, app_server: AppServer) -> None:
    wish = {"count": 4, "vapid_key": app_server.key, "faults": {"gone": 0.7, "slow": 0.7}}
    status, said = await call(simulator, "POST", "/subscribers", wish)
    assert status == 400
    assert "at most 1" in said["error"]


async def test_pages_of_other_sites_and_rebound_names_are_kept_out(simulator: Running) -> None:
    assert (await call(simulator, "POST", "/close", {}, Origin="https://evil.example.com"))[0] == 403
    assert (await call(simulator, "GET", "/messages", Host="evil.example.com"))[0] == 403
    own = simulator.control
    assert (await call(simulator, "POST", "/close", {}, Origin=own))[0] == 200


@pytest.mark.parametrize("path", ["/", "/style.css", "/page.js", "/icon.svg"])
async def test_the_page_and_its_parts_are_served_under_a_strict_policy(simulator: Running, path: str) -> None:
    def fetched() -> tuple[int, str]:
        with OPENER.open(simulator.control + path, timeout=20) as answer:
            answer.read()
            return answer.status, answer.headers["content-security-policy"]

    status, policy = await asyncio.to_thread(fetched)
    assert status == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
