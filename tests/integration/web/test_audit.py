"""The audit log at the wire: every change has its entry, nobody sees more than theirs, and tampering shows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.integration.web.instance import client_of, problem, push_subscription

from support.members import member_of, sign_in
from tidings.domain.permission import Role
from tidings.storage.transaction import SqlTransaction
from tidings.wiring import Container


async def entries(api: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await api.get("/api/v1/audit", params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


async def test_every_change_of_a_member_is_written_down_with_who_where_and_what(
    browser: httpx2.AsyncClient, container: Container, vapid_key: str, api: httpx2.AsyncClient
) -> None:
    site = await container.apps.ensure_first()
    anna = await member_of(container, {site.id: Role.OWNER})
    await sign_in(browser, container, anna)
    device = (await browser.post("/push/subscribe", json={"subscription": push_subscription()})).json()["id"]
    origin = {"origins": ["https://www.example.org"]}
    sent = (await browser.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Fish"})).json()["id"]
    named = {"to": {"subscriptions": [device]}, "title": "Dear Ben"}
    to_one = (await browser.post("/api/v1/notifications", json=named)).json()["id"]
    key = (await browser.post("/api/v1/keys", json={"name": "CI", "scopes": ["send"]})).json()
    steps = [
        ("PATCH", f"/apps/{site.public_id}", origin, "app.changed"),
        ("POST", f"/notifications/{sent}/pause", None, "notification.paused"),
        ("POST", f"/notifications/{sent}/resume", None, "notification.resumed"),
        ("POST", f"/notifications/{sent}/cancel", None, "notification.cancelled"),
        ("PUT", "/users/u-42", {"locale": "de"}, "user.written"),
        ("DELETE", "/users/u-42", None, "user.deleted"),
        ("PATCH", f"/subscriptions/{device}", {"tags": {"plan": "pro"}}, "subscription.changed"),
        ("GET", "/subscriptions/export", None, "subscriptions.exported"),
        ("DELETE", f"/subscriptions/{device}", None, "subscription.deleted"),
        ("POST", "/integrations/webpush/keys", {"action": "rotate"}, "credential.added"),
        ("PATCH", "/integrations/webpush", {"settings": {"subject": "mailto:x@example.com"}}, "integration.changed"),
        ("DELETE", f"/keys/{key['id']}", None, "key.revoked"),
    ]
    for method, path, body, action in steps:
        answer = await browser.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code < 300, (path, answer.text)
        newest = (await entries(browser))[0]
        assert (newest["action"], newest["actor"]) == (
            action, {"kind": "member", "id": anna.public_id, "name": anna.name},
        )  # fmt: skip
        assert newest["address"] == "127.0.0.1"
    rows = await entries(browser)
    assert rows[0]["subject"] == {"kind": "key", "id": key["id"], "name": "CI"}
    created = {row["subject"]["id"]: row["subject"]["name"] for row in rows if row["action"] == "notification.created"}
    assert created == {sent: "Fish", to_one: None}
    told = json.dumps(rows)
    for secret in ("u-42", key["key"], key["key"][12:40], "x@example.com", "Dear Ben"):
        assert secret not in told
    verdict = (await api.get("/api/v1/audit/verify")).json()
    assert verdict["ok"] is True
    assert verdict["entries"] == len(await entries(api))


async def test_what_a_program_sends_to_people_by_name_is_its_daily_work(
    app: FastAPI, api: httpx2.AsyncClient, vapid_key: str, browser: httpx2.AsyncClient
) -> None:
    device = (await browser.post("/push/subscribe", json={"subscription": push_subscription()})).json()["id"]
    key = (await api.post("/api/v1/keys", json={"name": "Shop", "scopes": ["send"]})).json()
    async with client_of(app, Authorization=f"Bearer {key['key']}") as shop:
        named, everyone = {"to": {"subscriptions": [device]}}, {"to": {"all": True}}
        for body in (named, {**named, "channels": ["webpush"]}, everyone):
            assert (await shop.post("/api/v1/notifications", json={**body, "title": "x"})).status_code == 202
        await shop.put("/api/v1/users/u-42", json={})
        assert (await shop.delete("/api/v1/users/u-42")).status_code == 204
    mine = [row["action"] for row in await entries(api, actor=key["id"])]
    assert mine == ["user.deleted", "notification.created"]


async def test_nobody_reads_more_than_theirs(app: FastAPI, api: httpx2.AsyncClient, container: Container) -> None:
    site = await container.apps.ensure_first()
    second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
    await api.put(f"/api/v1/users/a?app={site.public_id}", json={})
    async with client_of(app) as admin, client_of(app) as viewer:
        await sign_in(admin, container, await member_of(container, {site.id: Role.ADMIN}))
        await sign_in(viewer, container, await member_of(container, {site.id: Role.VIEWER}))
        assert {row["action"] for row in await entries(admin)} == {"user.written"}
        problem(await admin.get("/api/v1/audit", params={"app": second}), 403, "forbidden")
        assert (await admin.get("/api/v1/audit/verify")).json()["entries"] == 1
        assert len((await admin.get("/api/v1/audit/export")).text.splitlines()) == 2
        for path in ("", "/export", "/verify"):
            problem(await viewer.get(f"/api/v1/audit{path}"), 403, "forbidden")


async def test_is_exported_whole_as_lines_and_for_spreadsheets(api: httpx2.AsyncClient) -> None:
    # The other name is two cells, for spreadsheets that split a table at semicolons.
    for name in ("=HYPERLINK(1)", "Anna;=HYPERLINK(1)"):
        await api.post("/api/v1/apps", json={"name": name})
    lines = [json.loads(line) for line in (await api.get("/api/v1/audit/export")).text.splitlines()]
    assert [line["action"] for line in lines] == ["audit.exported", "app.created", "app.created"]
    assert len(lines[0]["hash"]) == 64
    answer = await api.get("/api/v1/audit/export", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["subject_name"] for row in rows[-2:]] == ["Anna;'=HYPERLINK(1)", "'=HYPERLINK(1)"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entries SET actor_name = 'Eve' WHERE n = 2",
        "UPDATE audit_entries SET detail = '{}' WHERE n = 3",
        "UPDATE audit_entries SET at = at + 1 WHERE n = 2",
        "DELETE FROM audit_entries WHERE n = 2",
        "UPDATE audit_entries SET hash = (SELECT hash FROM audit_entries WHERE n = 1) WHERE n = 2",
    ],
)
async def test_shows_that_an_entry_was_changed_or_taken_away(
    api: httpx2.AsyncClient, container: Container, change: str
) -> None:
    for reason in ("one", "two", "three"):
        await api.post("/api/v1/system/pause", json={"reason": reason})
        await api.post("/api/v1/system/resume")
    whole = (await api.get("/api/v1/audit/verify")).json()
    assert whole["ok"] is True

    def tamper(tx: Any) -> None:
        assert isinstance(tx, SqlTransaction)
        tx.audit._run(text(change))  # type: ignore[attr-defined]

    await container.store.write(tamper)
    broken = (await api.get("/api/v1/audit/verify")).json()
    assert broken["ok"] is False
    assert broken["broken_at"] in (2, 3)


async def rewritten(container: Container, statement: str) -> None:
    def tamper(tx: Any) -> None:
        assert isinstance(tx, SqlTransaction)
        tx.audit._run(text(statement))  # type: ignore[attr-defined]

    await container.store.write(tamper)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM audit_entries WHERE n = 1", True),
        (
            "INSERT INTO audit_entries (chain, n, at, actor_kind, actor_name, action, subject_kind, subject_id,"
            " subject_name, detail, previous, hash) SELECT chain, n + 1, at, actor_kind, 'nobody', action,"
            " subject_kind, subject_id, subject_name, detail, hash, hash FROM audit_entries"
            " WHERE n = (SELECT max(n) FROM audit_entries)",
            True,
        ),
        ("DELETE FROM audit_entries WHERE n > 4", False),
    ],
    ids=["the beginning", "one slipped in", "the end"],
)
async def test_what_is_cut_off_at_the_end_is_seen_by_the_noted_hash_alone(
    api: httpx2.AsyncClient, container: Container, statement: str, found: bool
) -> None:
    """What docs/how-to/members.md says is not found out by the chain: if it is one day, say so there."""
    for reason in ("one", "two", "three"):
        await api.post("/api/v1/system/pause", json={"reason": reason})
        await api.post("/api/v1/system/resume")
    noted = (await api.get("/api/v1/audit/verify")).json()
    await rewritten(container, statement)
    after = (await api.get("/api/v1/audit/verify")).json()
    assert after["ok"] is not found
    assert (after["entries"], after.get("head")) != (noted["entries"], noted["head"])
