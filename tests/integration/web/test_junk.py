"""What no honest caller sends: it is refused in the one shape, and nothing of it stays behind."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from tidings.wiring import Container

GOOD = {"to": {"all": True}, "title": "The ferry is late"}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (nested(300), "nested deeper than 32 levels"),
        (nested(33), "nested deeper than 32 levels"),
        ('"\\u0000"', "`{}.at` has a NUL character"),
        ('{"\\u0000": 1}', "`{}.at` has a NUL character"),
        ('"\\ud800"', "`{}.at` has half of a surrogate pair"),
        ("NaN", "`{}.at` is not a number that JSON has"),
        ("[1e999]", "`{}.at.0` is not a number that JSON has"),
    ],
)
async def test_json_that_could_not_be_shown_again_is_not_stored(
    api: httpx2.AsyncClient, vapid_key: str, value: str, words: str
) -> None:
    body = json.dumps({**GOOD, "data": {"at": 0}}).replace("0", value)
    headers = {"Content-Type": "application/json"}
    answer = await api.post("/api/v1/notifications", content=body, headers=headers)
    assert words.format("data") in problem(answer, 422, "invalid_request")["detail"]
    answer = await api.put("/api/v1/users/u", content=f'{{"attributes": {{"at": {value}}}}}', headers=headers)
    assert words.format("attributes") in problem(answer, 422, "invalid_request")["detail"]
    assert (await api.get("/api/v1/notifications")).json()["data"] == []
    assert (await api.get("/api/v1/users")).json()["data"] == []
    assert (await api.get("/api/v1/stats/overview")).status_code == 200


async def test_json_of_32_levels_is_shown_as_it_was_sent(api: httpx2.AsyncClient, vapid_key: str) -> None:
    attributes = {"at": json.loads(nested(30)), "name": "Zoë 🐟", "size": 1.5}
    assert (await api.put("/api/v1/users/u", json={"attributes": attributes})).status_code == 201
    assert (await api.get("/api/v1/users")).json()["data"][0]["attributes"] == attributes


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "9000-01-01T00:00:00Z"]
)
async def test_a_moment_at_the_end_of_the_calendar_is_refused(
    api: httpx2.AsyncClient, vapid_key: str, moment: str
) -> None:
    answer = await api.post("/api/v1/notifications", json={**GOOD, "send_at": moment})
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "send_at"


async def test_a_moment_so_long_ago_that_nobody_would_get_it_is_refused(
    api: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    past = container.clock.now() - timedelta(seconds=600)
    body = {**GOOD, "send_at": past.isoformat(), "ttl": 600}
    errors = problem(await api.post("/api/v1/notifications", json=body), 422, "invalid_request")["errors"]
    assert errors[0]["field"] == "send_at"
    assert (await api.post("/api/v1/notifications", json={**body, "ttl": 601})).status_code == 202


@pytest.mark.parametrize("name", ["", "t" * 65])
async def test_a_tag_has_the_name_that_a_browser_could_give_it(
    api: httpx2.AsyncClient, vapid_key: str, name: str
) -> None:
    made = await api.post("/push/subscribe", json={"subscription": push_subscription()})
    answer = await api.patch(f"/api/v1/subscriptions/{made.json()['id']}", json={"tags": {name: "x"}})
    problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/assets/%00",
        "/docs/%00",
        "/push/%00",
        "/v1/%00/push/vapid-key",
        "/api/v1/users/a%00b",
        "/assets/" + "a" * 300,
        "/push/" + "a/" * 3000,
    ],
)
async def test_an_address_that_no_file_and_no_id_has_is_not_found(api: httpx2.AsyncClient, path: str) -> None:
    problem(await api.get(path), 404, "not_found")


async def test_a_page_with_a_name_too_long_for_a_file_is_a_page(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/" + "a" * 300)).headers["content-type"].startswith("text/html")


async def test_a_nul_in_a_query_is_refused(api: httpx2.AsyncClient) -> None:
    problem(await api.get("/api/v1/subscriptions?user=a%00b"), 422, "invalid_request")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_where_there_is_nothing_no_method_is_promised(api: httpx2.AsyncClient, method: str) -> None:
    for path in ("/api/v1/nothing", "/api/v1/apps/", "/push/nothing", "/docs/a/b", "/v1/nothing"):
        problem(await api.request(method, path), 404, "not_found")
    answer = await api.request(method, "/api/v1/notifications/ntf_1")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/notifications", "GET, POST"),
        ("/api/v1/users/anna", "DELETE, GET, PUT"),
        ("/api/v1/session", "DELETE, GET, POST"),
        ("/push/subscribe", "DELETE, OPTIONS, POST"),
    ],
)
async def test_a_method_that_is_not_there_hears_of_all_that_are(
    api: httpx2.AsyncClient, path: str, methods: str
) -> None:
    answer = await api.patch(path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == methods


async def test_a_probe_by_head_hears_what_one_by_get_hears(app: FastAPI) -> None:
    async with client_of(app) as probe:
        for path in ("/livez", "/readyz"):
            by_get, by_head = await probe.get(path), await probe.head(path)
            assert by_head.status_code == by_get.status_code
            assert by_head.headers["content-type"] == "application/json"


async def test_what_is_wrong_with_a_whole_body_is_said_of_the_body(api: httpx2.AsyncClient) -> None:
    bodies: list[Any] = [None, 3, "x", ["x"]]
    for body in bodies:
        problem(await api.put("/api/v1/users/u", json=body), 400, "invalid_json")


async def test_a_body_with_two_lengths_ends_the_connection(api: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "4", "Transfer-Encoding": "chunked"}
    answer = await api.put("/api/v1/users/u", content=b"{}", headers=headers)
    problem(answer, 422, "invalid_request")
    assert answer.headers["connection"] == "close"
    assert (await api.get("/api/v1/users")).json()["data"] == []


@pytest.mark.parametrize("name", ["staff/anna", "https://id.example.com/u/42", "a b", "+1 555", "ä", "?x=1#y"])
async def test_any_id_of_a_user_can_be_kept_shown_and_forgotten(api: httpx2.AsyncClient, name: str) -> None:
    path = f"/api/v1/users/{quote(name, safe='')}"
    assert (await api.put(path, json={"locale": "de"})).status_code == 201
    assert (await api.get(path)).json()["id"] == name
    assert (await api.delete(path)).status_code == 204
    problem(await api.get(path), 404, "not_found")
    problem(await api.put("/api/v1/users/", json={}), 422, "invalid_request")
