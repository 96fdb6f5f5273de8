"""Integrations with uploaded credentials and devices with apps, over the API."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem

from support.service_account import account_file
from tidings.lib.clock import FixedClock
from tidings.services.identity import identity_token
from tidings.wiring import Container

TOKEN = "dHIoDxE7Hdg:APA91bH1Zj0kNa8kq"


async def added(api: httpx2.AsyncClient, label: str = "Firebase Production", project: str = "my-app-1a2b3") -> str:
    answer = await api.post(
        "/api/v1/integrations",
        json={"provider": "fcm", "label": label, "credentials": {"service_account": account_file(project)}},
    )
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    assert body["configured"]
    assert body["settings"]["project_id"] == project
    assert "PRIVATE" not in answer.text
    return str(body["id"])


async def test_credentials_are_uploaded_listed_replaced_and_taken_away(api: httpx2.AsyncClient) -> None:
    one, two = await added(api), await added(api, "Firebase Staging", "my-staging-9z8y7")
    listed = (await api.get("/api/v1/integrations")).json()["data"]
    assert [(row["provider"], row["label"]) for row in listed] == [
        ("webpush", "webpush"),
        ("fcm", "Firebase Production"),
        ("fcm", "Firebase Staging"),
    ]
    changed = await api.patch(
        f"/api/v1/integrations/{one}", json={"credentials": {"service_account": account_file(which=1)}, "label": "P"}
    )
    assert (changed.json()["label"], [key["fingerprint"] for key in changed.json()["keys"]]) == ("P", [f"{1:040x}"])
    assert (await api.get(f"/api/v1/integrations/{one}")).json()["unseen"] == 0
    assert (await api.delete(f"/api/v1/integrations/{two}")).json() == {"expired": 0}
    problem(await api.get(f"/api/v1/integrations/{two}"), 404, "not_found")


async def test_a_label_is_given_once_and_another_file_is_called_by_its_name(api: httpx2.AsyncClient) -> None:
    await added(api)
    body = {"provider": "fcm", "label": "Firebase Production", "credentials": {"service_account": account_file()}}
    problem(await api.post("/api/v1/integrations", json=body), 409, "integration_label_taken")
    wrong = body | {"label": "x", "credentials": {"service_account": '{"project_info": {}}'}}
    said = problem(await api.post("/api/v1/integrations", json=wrong), 422, "credentials_invalid")
    assert "google-services.json" in said["detail"]
    assert said["errors"][0]["field"] == "service_account"
    listed = (await api.get("/api/v1/integrations")).json()["data"]
    assert len(listed) == 2


async def test_credentials_of_another_account_would_lose_the_devices_and_are_refused(api: httpx2.AsyncClient) -> None:
    integration = await added(api)
    await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": TOKEN})
    other = {"credentials": {"service_account": account_file("another-app-2b3c4")}}
    said = problem(
        await api.patch(f"/api/v1/integrations/{integration}", json=other), 409, "integration_account_differs"
    )
    assert "my-app-1a2b3" in said["detail"]
    assert (await api.patch(f"/api/v1/integrations/{integration}", json=other | {"force": True})).status_code == 200
    problem(await api.delete(f"/api/v1/integrations/{integration}"), 409, "integration_in_use")
    assert (await api.delete(f"/api/v1/integrations/{integration}?force=true")).json() == {"expired": 1}
    (row,) = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert (row["status"], row["status_reason"]) == ("expired", "integration_removed")


async def test_a_server_registers_a_device_and_refreshes_it(api: httpx2.AsyncClient) -> None:
    integration = await added(api)
    device = {"provider": "fcm", "token": TOKEN, "user": "u-42", "locale": "de-AT", "device": "Pixel 10"}
    made = await api.post("/api/v1/subscriptions", json=device | {"app_version": "4.2.0", "tags": {"plan": "pro"}})
    assert (made.status_code, made.json()["status"]) == (201, "active")
    assert made.json()["secret"]
    again = await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": TOKEN, "app_version": "4.3.0"})
    assert (again.status_code, again.json()["id"], again.json()["secret"]) == (200, made.json()["id"], None)
    (row,) = (await api.get(f"/api/v1/integrations/{integration}/subscriptions")).json()["data"]
    assert (row["user"], row["app_version"], row["device"], row["tags"]) == (
        "u-42",
        "4.3.0",
        "Pixel 10",
        {"plan": "pro"},
    )
    assert TOKEN not in json.dumps(row)


async def test_an_app_registers_itself_and_its_new_token_moves_the_row(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await added(api)
    made = await browser.post("/push/devices", json={"provider": "fcm", "token": TOKEN, "tags": {"plan": "pro"}})
    assert made.status_code == 201, made.text
    mine = {"id": made.json()["id"], "secret": made.json()["secret"]}
    moved = await browser.post("/push/devices", json={"provider": "fcm", "token": f"{TOKEN}new", **mine})
    assert (moved.status_code, moved.json()["id"]) == (200, mine["id"])
    (row,) = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert (row["id"], row["tags"], row["status"]) == (mine["id"], {"plan": "pro"}, "active")
    left = await browser.request("DELETE", "/push/devices", json=mine)
    assert left.status_code == 204
    (row,) = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert (row["status"], row["status_reason"]) == ("unsubscribed", "by_device")


async def test_a_device_changes_hands_with_a_signed_identity_and_not_without(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    await added(api)
    app = await container.apps.resolve(None)
    await browser.post("/push/devices", json={"provider": "fcm", "token": TOKEN, "user": {"id": "u-1"}})
    stranger = {"provider": "fcm", "token": TOKEN, "user": {"id": "u-2"}}
    problem(await browser.post("/push/devices", json=stranger), 403, "subscription_secret_required")
    token = identity_token(app.identity_secret, "u-2", expires=int(clock.now().timestamp()) + 3600)
    signed = {"provider": "fcm", "token": TOKEN, "user": {"id": "u-2", "token": token}}
    taken = await browser.post("/push/devices", json=signed)
    assert (taken.status_code, bool(taken.json()["secret"])) == (200, True)
    (row,) = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert row["user"] == "u-2"


async def test_which_integration_a_device_belongs_to_is_clear_or_asked_for(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    device = {"provider": "fcm", "token": TOKEN}
    problem(await browser.post("/push/devices", json=device), 409, "integration_missing")
    one = await added(api)
    two = await added(api, "Firebase Staging", "my-staging-9z8y7")
    said = problem(await browser.post("/push/devices", json=device), 422, "integration_unclear")
    assert one in said["detail"]
    assert (await browser.post("/push/devices", json=device | {"integration": two})).status_code == 201
    assert len((await api.get(f"/api/v1/integrations/{two}/subscriptions")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("device", "code"),
    [
        ({"provider": "fcm"}, "device_token_invalid"),
        ({"provider": "fcm", "token": "a b"}, "device_token_invalid"),
        ({"provider": "fcm", "token": "0a" * 32}, "device_token_invalid"),
        ({"provider": "fcm", "token": "a", "fid": "b"}, "device_token_invalid"),
        ({"provider": "webpush", "token": "a"}, "invalid_request"),
        ({"provider": "fake", "token": "a"}, "invalid_request"),
        ({"provider": "\u0000", "token": "a"}, "invalid_request"),
    ],
)
async def test_what_is_no_device_is_refused_by_code(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, device: dict[str, str], code: str
) -> None:
    await added(api)
    problem(await browser.post("/push/devices", json=device), 422, code)


async def test_channels_and_platforms_are_stored_shown_and_checked(api: httpx2.AsyncClient) -> None:
    await added(api)
    await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": TOKEN})
    body = {
        "to": {"all": True},
        "title": "Tide",
        "channels": ["fcm"],
        "platforms": {"android": {"channel_id": "tides", "badge": 0}, "apns": {"subtitle": "High water"}},
    }
    sent = await api.post("/api/v1/notifications", json=body)
    assert (sent.status_code, sent.json()["audience"]) == (202, 1), sent.text
    shown = (await api.get(f"/api/v1/notifications/{sent.json()['id']}")).json()
    assert (shown["channels"], shown["platforms"]) == (["fcm"], body["platforms"])
    assert (
        await api.post("/api/v1/notifications/count", json={"to": {"all": True}, "channels": ["webpush"]})
    ).json() == {"count": 0}
    wrong = body | {"platforms": {"android": {"color": "red"}}}
    said = problem(await api.post("/api/v1/notifications", json=wrong), 422, "invalid_request")
    assert said["errors"][0]["field"] == "platforms.android.color"
    kept = body | {"data": {"from": "me"}}
    said = problem(await api.post("/api/v1/notifications", json=kept), 422, "invalid_request")
    assert said["errors"][0]["field"] == "data.from"


async def test_a_key_that_may_only_read_changes_no_integration(api: httpx2.AsyncClient, app: FastAPI) -> None:
    integration = await added(api)
    made = (await api.post("/api/v1/keys", json={"name": "reader", "scopes": ["read"]})).json()
    async with client_of(app, Authorization=f"Bearer {made['key']}") as reader:
        assert (await reader.get(f"/api/v1/integrations/{integration}")).status_code == 200
        problem(await reader.delete(f"/api/v1/integrations/{integration}"), 403, "forbidden")
