"""Importing and exporting subscriptions."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

IMPORT = "/api/v1/subscriptions/import"
EXPORT = "/api/v1/subscriptions/export"


def table(*rows: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def parts() -> tuple[str, str, str]:
    one = push_subscription()
    return one["endpoint"], one["keys"]["p256dh"], one["keys"]["auth"]


def pushpad() -> str:
    endpoint, p256dh, auth = parts()
    return table({"endpoint": endpoint, "p256dh": p256dh, "auth": auth, "uid": "anna", "tags": "news, sport"})


def onesignal() -> str:
    endpoint, p256dh, auth = parts()
    row = {"id": "1", "identifier": endpoint, "language": "de", "timezone_id": "Europe/Vienna", "device_type": "5"}
    return table(
        {
            **row,
            "tags": '{"news": "true", "sport": "true"}',
            "external_user_id": "anna",
            "web_auth": auth,
            "web_p256": p256dh,
        }
    )


def django() -> str:
    endpoint, p256dh, auth = parts()
    row = {"id": "1", "name": "", "active": "True", "user_id": "anna", "registration_id": endpoint}
    return table({**row, "p256dh": p256dh, "auth": auth, "browser": "CHROME"})


def ndjson() -> str:
    return "\n".join(json.dumps({**push_subscription(), "user": "anna"}) for _ in range(1))


def array() -> str:
    return json.dumps([{**push_subscription(), "user": "anna"}], indent=2)


def named() -> str:
    return json.dumps({"subscriptions": [{"subscription": push_subscription(), "user": {"id": "anna"}}]})


@pytest.mark.parametrize("file", [pushpad, onesignal, django, ndjson, array, named])
async def test_a_file_from_elsewhere_is_understood(api: httpx2.AsyncClient, vapid_key: str, file: Any) -> None:
    content = file().encode()
    for added, known in ((1, 0), (0, 1)):
        answer = await api.post(IMPORT, content=content, headers={"Content-Type": "application/octet-stream"})
        assert answer.json() == {"added": added, "known": known, "refused": 0, "errors": []}
    rows = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert [(row["user"], row["status"]) for row in rows] == [("anna", "active")]
    if file in (pushpad, onesignal):
        assert rows[0]["tags"] == {"news": "true", "sport": "true"}


async def test_bad_rows_are_told_by_number_and_good_ones_stored(api: httpx2.AsyncClient, vapid_key: str) -> None:
    good = push_subscription()
    bad_host = {**push_subscription(), "endpoint": "https://evil.example/x"}
    off = {**push_subscription(), "active": False}
    lines = [json.dumps(good), "{broken", json.dumps(bad_host), json.dumps({"keys": {}}), json.dumps(off), "7"]
    result = (await api.post(IMPORT, content="\n".join(lines))).json()
    assert (result["added"], result["known"], result["refused"]) == (1, 0, 5)
    assert [error["row"] for error in result["errors"]] == [2, 3, 4, 5, 6]
    assert result["errors"][1]["message"].startswith("subscription_endpoint_forbidden: ")
    assert good["endpoint"] not in json.dumps(result)


async def test_more_rows_than_a_batch_are_stored(api: httpx2.AsyncClient, vapid_key: str) -> None:
    one = push_subscription()
    rows = [{**one, "endpoint": f"https://fcm.googleapis.com/fcm/send/{n}"} for n in range(1201)]
    result = (await api.post(IMPORT, content="\n".join(map(json.dumps, rows)))).json()
    assert result == {"added": 1201, "known": 0, "refused": 0, "errors": []}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"[{", 400, "invalid_json"),
        (b"name,age\nanna,7\n", 422, "invalid_request"),
        (b'{"people": []}', 422, "invalid_request"),
        (b"\xff\xfe\x00\x01", 422, "invalid_request"),
    ],
)
async def test_what_is_no_file_of_subscriptions_is_refused(
    api: httpx2.AsyncClient, vapid_key: str, content: bytes, status: int, code: str
) -> None:
    problem(await api.post(IMPORT, content=content), status, code)


async def test_importing_needs_a_key_first(api: httpx2.AsyncClient) -> None:
    problem(await api.post(IMPORT, json=[push_subscription()]), 404, "vapid_key_missing")


async def test_an_export_can_be_imported_again(api: httpx2.AsyncClient, vapid_key: str) -> None:
    originals = [push_subscription() for _ in range(3)]
    await api.post(IMPORT, json=[{**one, "user": "anna", "tags": {"plan": "pro"}} for one in originals])
    answer = await api.get(EXPORT)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    found = {row["endpoint"]: row["keys"] for row in rows}
    assert found == {one["endpoint"]: one["keys"] for one in originals}
    assert {(row["user"], row["vapid_key"], row["status"]) for row in rows} == {("anna", vapid_key, "active")}
    for row in (await api.get("/api/v1/subscriptions")).json()["data"]:
        assert (await api.delete(f"/api/v1/subscriptions/{row['id']}")).status_code == 204
    assert (await api.post(IMPORT, content=answer.content)).json()["added"] == 3
