"""Who calls too often is told when to come back, and nobody else notices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import OPERATOR, problem, push_subscription

from tidings.lib.networks import network_of
from tidings.lib.ratelimit import Rate
from tidings.web import limits
from tidings.web.app import create_app
from tidings.web.limits import FIELDS, RATES
from tidings.wiring import Container

ELSEWHERE = "198.51.100.7"
SITE = {"Origin": "http://localhost:3000"}
REAL = dict(RATES)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RATES:
        monkeypatch.setitem(RATES, name, Rate(3, 60))


@asynccontextmanager
async def calling(app: FastAPI, address: str = ELSEWHERE, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="https://push.example.com", headers=headers) as client:
        yield client


@pytest.fixture
async def key(api: httpx2.AsyncClient) -> str:
    return str((await api.post("/api/v1/keys", json={"name": "x", "scopes": ["read"]})).json()["key"])


def told(answer: httpx2.Response) -> list[int]:
    return [int(answer.headers[name]) for name in FIELDS]


def refused(answer: httpx2.Response, after: int = 20) -> dict[str, Any]:
    found = problem(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == str(after)
    assert told(answer) == [3, 0, 60]
    return found


async def test_a_key_is_told_how_many_are_left_and_then_when_to_come_back(app: FastAPI, key: str) -> None:
    async with calling(app, Authorization=f"Bearer {key}") as client:
        assert [told(await client.get("/api/v1/apps")) for _ in range(3)] == [[3, 2, 20], [3, 1, 40], [3, 0, 60]]
        assert "key" in refused(await client.get("/api/v1/apps"))["detail"]
        assert "no-store" in (await client.get("/api/v1/apps")).headers["cache-control"]


async def test_each_key_has_its_own_and_it_counts_from_wherever_it_is_used(
    app: FastAPI, api: httpx2.AsyncClient, key: str
) -> None:
    other = (await api.post("/api/v1/keys", json={"name": "y", "scopes": ["read"]})).json()["key"]
    for number in range(3):
        async with calling(app, f"203.0.113.{number}", Authorization=f"Bearer {key}") as client:
            assert (await client.get("/api/v1/apps")).status_code == 200
    async with calling(app, Authorization=f"Bearer {key}") as client:
        refused(await client.get("/api/v1/apps"))
    async with calling(app, Authorization=f"Bearer {other}") as client:
        assert (await client.get("/api/v1/apps")).status_code == 200


async def test_a_key_is_the_same_key_however_its_header_is_written(app: FastAPI, key: str) -> None:
    async with calling(app) as client:
        for form in ("Bearer {}", "bearer {}", "BEARER  {}"):
            answer = await client.get("/api/v1/apps", headers={"Authorization": form.format(key)})
            assert answer.status_code == 200
        refused(await client.get("/api/v1/apps", headers={"Authorization": f"bEaReR   {key}"}))


async def test_the_operator_on_this_machine_has_no_limit(api: httpx2.AsyncClient) -> None:
    for _ in range(20):
        answer = await api.get("/api/v1/apps")
        assert answer.status_code == 200
        assert FIELDS[0] not in answer.headers


async def test_guessing_keys_ends_soon_and_shuts_out_no_key_in_use(app: FastAPI, key: str) -> None:
    async with calling(app, Authorization=f"Bearer {key}") as good, calling(app) as bad:
        assert (await good.get("/api/v1/apps")).status_code == 200
        for number in range(3):
            answer = await bad.get("/api/v1/apps", headers={"Authorization": f"Bearer guess-{number}"})
            problem(answer, 401, "unauthorized")
        refused(await bad.get("/api/v1/apps", headers={"Authorization": "Bearer guess-4"}))
        refused(await bad.get("/api/v1/apps"))
        assert (await good.get("/api/v1/apps")).status_code == 200


async def test_what_is_open_to_strangers_is_counted_by_address(app: FastAPI) -> None:
    async with calling(app) as client, calling(app, "203.0.113.5") as other:
        for _ in range(3):
            assert (await client.get("/api/v1/session")).status_code == 200
        assert ELSEWHERE in refused(await client.get("/api/v1/session"))["detail"]
        assert (await other.get("/api/v1/session")).status_code == 200


async def test_registering_reporting_and_reading_are_counted_apart_by_address_and_app(
    app: FastAPI, api: httpx2.AsyncClient, vapid_key: str
) -> None:
    first = (await api.get("/api/v1/apps")).json()["data"][0]["id"]
    async with calling(app, **SITE) as client:
        for _ in range(3):
            answer = await client.post(f"/v1/{first}/push/subscribe", json={"subscription": push_subscription()})
            assert answer.status_code == 201
        refused(await client.post(f"/v1/{first}/push/subscribe", json={"subscription": push_subscription()}))
        receipt = {"delivery": "dlv_x", "token": "x", "event": "shown"}
        answer = await client.post(f"/v1/{first}/push/receipts", json=receipt)
        problem(answer, 422, "receipt_invalid")
        assert told(answer) == [3, 2, 20]
        assert (await client.get(f"/v1/{first}/push/vapid-key")).status_code == 200
        second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
        answer = await client.post(f"/v1/{second}/push/subscribe", json={"subscription": push_subscription()})
        problem(answer, 404, "vapid_key_missing")
    async with calling(app, "203.0.113.5", **SITE) as other:
        answer = await other.post(f"/v1/{first}/push/subscribe", json={"subscription": push_subscription()})
        assert answer.status_code == 201


async def test_the_steps_of_the_funnel_are_counted_by_themselves(
    app: FastAPI, api: httpx2.AsyncClient, vapid_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with calling(app, **SITE) as client, calling(app, "203.0.113.5", **SITE) as other:
        for step in ("seen", "banner", "asked"):
            assert (await client.post(f"/push/funnel/{step}")).status_code == 204
        refused(await client.post("/push/funnel/granted"))
        counted = (await api.get("/api/v1/stats/funnel")).json()["totals"]
        assert (counted["asked"], counted["granted"]) == (1, 0)
        # Whoever sees a banner very often registers all the same, and others are counted.
        answer = await client.post("/push/subscribe", json={"subscription": push_subscription()})
        assert answer.status_code == 201
        assert (await other.post("/push/funnel/granted")).status_code == 204
    monkeypatch.setitem(RATES, "funnel", REAL["funnel"])
    async with calling(app, "192.0.2.9", **SITE) as third:
        assert told(await third.post("/push/funnel/seen")) == [1_200, 1_199, 1]


async def test_turning_a_device_off_does_not_wait_for_those_that_register(app: FastAPI, vapid_key: str) -> None:
    async with calling(app, **SITE) as client:
        made = {}
        for _ in range(4):
            body = {"subscription": push_subscription()}
            answer = await client.post("/push/subscribe", json=body)
            made = answer.json() if answer.status_code == 201 else made
        assert answer.status_code == 429
        answer = await client.request("DELETE", "/push/subscribe", json={"id": made["id"], "secret": made["secret"]})
        assert answer.status_code == 204


async def test_asking_for_apps_that_are_not_there_ends_soon(app: FastAPI, vapid_key: str) -> None:
    async with calling(app) as client:
        for number in range(3):
            problem(await client.get(f"/v1/app_{number}/push/vapid-key"), 404, "app_not_found")
        refused(await client.get("/v1/app_4/push/vapid-key"))


async def test_a_page_can_read_that_it_is_one_too_many_and_when_to_come_back(app: FastAPI, vapid_key: str) -> None:
    async with calling(app, **SITE) as client:
        for _ in range(4):
            answer = await client.get("/push/vapid-key")
            exposed = answer.headers["access-control-expose-headers"]
            assert answer.headers["access-control-allow-origin"] in ("*", SITE["Origin"])
            assert {"Retry-After", *FIELDS} == set(exposed.split(", "))
        refused(answer)


async def test_the_addresses_of_one_connection_are_one_caller(app: FastAPI, vapid_key: str) -> None:
    for number in range(3):
        async with calling(app, f"2001:db8:0:1::{number:x}") as client:
            assert (await client.get("/push/vapid-key")).status_code == 200
    async with calling(app, "2001:db8:0:1:ffff:ffff:ffff:ffff") as client:
        refused(await client.get("/push/vapid-key"))
    async with calling(app, "2001:db8:0:2::1") as client:
        assert (await client.get("/push/vapid-key")).status_code == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("_hidden", None),
        ("", None),
    ],
)
def test_an_address_is_counted_as_its_network(address: str, network: str | None) -> None:
    assert network_of(address) == network


async def test_visitors_whom_a_proxy_does_not_tell_apart_do_not_shut_out_each_other(
    app: FastAPI, vapid_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    limits._warn_once.cache_clear()
    monkeypatch.setattr(limits.log, "warning", lambda event, **_: said.append(event))
    for headers in ({}, {"Host": "localhost:8080", "Origin": "https://push.example.com"}):
        async with calling(app, "127.0.0.1", **headers) as client:
            for _ in range(5):
                assert (await client.get("/push/vapid-key")).status_code == 200
    assert said == ["proxy_tells_no_client_address"]
    async with calling(app, "127.0.0.1", Host="localhost:8080") as client:
        for _ in range(3):
            assert (await client.get("/push/vapid-key")).status_code == 200
        refused(await client.get("/push/vapid-key"))


async def test_probes_pages_and_metrics_have_no_limit(app: FastAPI) -> None:
    async with calling(app) as client:
        for path in ("/livez", "/", "/docs", "/metrics"):
            for _ in range(5):
                assert (await client.get(path)).status_code == 200, path


async def test_limits_can_be_turned_off(container: Container, vapid_key: str) -> None:
    from dataclasses import replace

    app = create_app(replace(container, limiter=None), operator_token=OPERATOR)
    async with calling(app) as client:
        for _ in range(10):
            answer = await client.get("/push/vapid-key")
            assert (answer.status_code, FIELDS[0] in answer.headers) == (200, False)
