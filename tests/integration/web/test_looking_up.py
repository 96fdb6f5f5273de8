"""POST /users/lookup: who of many ids is known, what they are called, and on how many devices they are reached."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from tidings.domain.audit import SYSTEM
from tidings.domain.permission import Scope
from tidings.wiring import Container

LOOKUP = "/api/v1/users/lookup"


async def looked_up(api: httpx2.AsyncClient, *ids: str, **where: str) -> dict[str, Any]:
    answer = await api.post(LOOKUP, json={"ids": list(ids)}, params=where)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def subscribes(browser: httpx2.AsyncClient, vapid_key: str, user: str) -> dict[str, Any]:
    subscription = push_subscription()
    body = {"subscription": subscription, "vapid_key": vapid_key, "user": {"id": user}}
    answer = await browser.post("/push/subscribe", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return {"id": made["id"], "secret": made["secret"], "endpoint": subscription["endpoint"]}


async def test_known_and_unknown_are_told_apart_each_once_and_in_the_order_asked(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await api.put("/api/v1/users/anna", json={"attributes": {"name": " Anna Berger "}})
    await api.put("/api/v1/users/jo", json={"attributes": {"name": 7}})
    for _ in range(2):
        await subscribes(browser, vapid_key, "anna")
    await subscribes(browser, vapid_key, "only-a-device")
    found = await looked_up(api, "nobody", "only-a-device", "anna", "nobody", "jo", "anna", "ANNA")
    assert found == {
        "data": [
            {"id": "only-a-device", "name": None, "devices": 1},
            {"id": "anna", "name": "Anna Berger", "devices": 2},
            {"id": "jo", "name": None, "devices": 0},
        ],
        "unknown": ["nobody", "ANNA"],
    }


async def test_devices_are_counted_as_the_audience_is(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    first = await subscribes(browser, vapid_key, "anna")
    await subscribes(browser, vapid_key, "anna")
    gone = await browser.request("DELETE", "/push/subscribe", json=first)
    assert gone.status_code == 204, gone.text
    to = {"to": {"users": ["anna"]}}
    assert (await api.post("/api/v1/notifications/count", json=to)).json() == {"count": 1}
    assert (await looked_up(api, "anna"))["data"] == [{"id": "anna", "name": None, "devices": 1}]


async def test_people_of_another_app_are_unknown(
    container: Container, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    first = await container.apps.ensure_first()
    await api.put("/api/v1/users/anna", json={"attributes": {"name": "Anna"}})
    await subscribes(browser, vapid_key, "jo")
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()["id"]
    assert await looked_up(api, "anna", "jo", app=other) == {"data": [], "unknown": ["anna", "jo"]}
    assert (await looked_up(api, "anna", "jo", app=first.public_id))["unknown"] == []


async def test_a_thousand_ids_are_looked_up_at_once_and_no_more(api: httpx2.AsyncClient) -> None:
    await api.put("/api/v1/users/u-999", json={})
    ids = [f"u-{n}" for n in range(1_000)]
    found = await looked_up(api, *ids)
    assert [one["id"] for one in found["data"]] == ["u-999"]
    assert found["unknown"] == ids[:999]
    problem(await api.post(LOOKUP, json={"ids": [*ids, "u-1000"]}), 422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": []}, {"ids": "anna"}, {"ids": [""]}, {"ids": [7]}, {"ids": ["x" * 201]}, {"ids": ["a\x00b"]},
     {"ids": ["anna"], "more": 1}],
)  # fmt: skip
async def test_what_are_no_ids_is_refused(api: httpx2.AsyncClient, body: Any) -> None:
    problem(await api.post(LOOKUP, json=body), 422, "invalid_request")


async def test_it_needs_what_the_list_of_users_needs(app: FastAPI, container: Container) -> None:
    first = await container.apps.ensure_first()
    for scope, refused in ((Scope.READ, False), (Scope.SEND, True)):
        issued = await container.access.create_key(name=scope, scopes=[scope], app=first, by=SYSTEM)
        async with client_of(app, Authorization=f"Bearer {issued.text}") as client:
            for answer in (
                await client.get("/api/v1/users"),
                await client.post(LOOKUP, json={"ids": ["anna"]}),
            ):
                if refused:
                    problem(answer, 403, "forbidden")
                else:
                    assert answer.status_code == 200, answer.text
    async with client_of(app) as stranger:
        problem(await stranger.post(LOOKUP, json={"ids": ["anna"]}), 401, "unauthorized")


async def test_somebody_may_be_called_lookup(api: httpx2.AsyncClient) -> None:
    assert (await api.put("/api/v1/users/lookup", json={})).status_code == 201
    assert (await looked_up(api, "lookup"))["unknown"] == []
    assert (await api.get("/api/v1/users/lookup")).json()["id"] == "lookup"
