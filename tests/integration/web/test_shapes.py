"""One error shape everywhere, the documents, the scripts, and the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem

from tidings.domain.app import Heartbeat
from tidings.domain.errors import ErrorCode
from tidings.storage import StoreUnavailable
from tidings.web import dashboard
from tidings.web.app import create_app
from tidings.wiring import Container


class TestErrors:
    """application/problem+json, whoever raised it."""

    async def test_of_the_framework(self, api: httpx2.AsyncClient) -> None:
        problem(await api.get("/api/v1/nothing"), 404, "not_found")
        answer = await api.put("/api/v1/notifications", json={})
        problem(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]
        problem(await api.put("/push/subscribe", json={}), 405, "method_not_allowed")
        problem(await api.get("/push/nothing"), 404, "not_found")
        problem(await api.get("/v1/nothing"), 404, "not_found")
        problem(await api.get("/docs/nothing"), 404, "not_found")

    @pytest.mark.parametrize(
        ("content", "kind", "status", "code"),
        [
            (b"{", "application/json", 400, "invalid_json"),
            (b"", "application/json", 400, "invalid_json"),
            (b"[]", "application/json", 400, "invalid_json"),
            (b"{}", "text/plain", 415, "content_type_unsupported"),
            (b"a=1", "application/x-www-form-urlencoded", 415, "content_type_unsupported"),
            (b"\xff", "application/json", 400, "invalid_json"),
            (b"x" * (1024 * 1024 + 1), "application/json", 413, "body_too_large"),
        ],
    )
    async def test_of_a_body(self, api: httpx2.AsyncClient, content: bytes, kind: str, status: int, code: str) -> None:
        answer = await api.post("/api/v1/notifications", content=content, headers={"Content-Type": kind})
        problem(answer, status, code)

    async def test_of_a_body_that_is_no_json_says_where(self, api: httpx2.AsyncClient) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await api.post("/api/v1/notifications", content=b'{"title": }', headers=headers)
        assert problem(answer, 400, "invalid_json")["detail"].endswith(" at character 11.")

    @pytest.mark.parametrize(
        ("path", "body", "field", "near"),
        [
            ("notifications", {"to": {"all": True}, "title": "x", "bdoy": "x"}, "bdoy", "body"),
            ("notifications", {"to": {"user": ["u-42"]}, "title": "x"}, "to.user", "users"),
            (
                "notifications",
                {"to": {"all": True}, "title": "x", "actions": [{"id": "a", "titel": "b"}]},
                "actions.0.titel",
                "title",
            ),
            (
                "notifications",
                {"to": {"all": True}, "title": "x", "locales": {"de": {"tilte": "b"}}},
                "locales.de.tilte",
                "title",
            ),
            ("events", {"type": "a.b", "dta": {}}, "dta", "data"),
        ],
    )
    async def test_of_a_misspelt_field_name_the_one_that_was_meant(
        self, api: httpx2.AsyncClient, path: str, body: dict[str, Any], field: str, near: str
    ) -> None:
        told = problem(await api.post(f"/api/v1/{path}", json=body), 422, "invalid_request")["errors"]
        said = {one["field"]: one["message"] for one in told}
        assert said[field] == f"There is no such field here; did you mean `{near}`?"

    async def test_of_very_many_fields_are_told_without_comparing_all(self, api: httpx2.AsyncClient) -> None:
        body = {"to": {"all": True}, "title": "x", **{f"titl{number}": 1 for number in range(40)}, "y" * 10_000: 1}
        told = problem(await api.post("/api/v1/notifications", json=body), 422, "invalid_request")["errors"]
        assert sum("did you mean" in one["message"] for one in told) == 5

    async def test_of_a_field_that_is_like_none_name_none(self, api: httpx2.AsyncClient) -> None:
        body = {"to": {"all": True}, "title": "x", "qqqq": 1}
        told = problem(await api.post("/api/v1/notifications", json=body), 422, "invalid_request")["errors"]
        assert told == [{"field": "qqqq", "message": "There is no such field here."}]

    async def test_of_the_public_api_speak_the_same_words(self, browser: httpx2.AsyncClient) -> None:
        answer = await browser.put("/push/tags", json={"id": "sub_1", "tags": {}})
        assert problem(answer, 422, "invalid_request")["errors"] == [
            {"field": "secret", "message": "This field is required."}
        ]

    async def test_of_a_key_name_the_scopes_that_would_do(self, api: httpx2.AsyncClient, app: FastAPI) -> None:
        made = (await api.post("/api/v1/keys", json={"name": "x", "scopes": ["read"]})).json()
        async with client_of(app, Authorization=f"Bearer {made['key']}") as reader:
            answer = await reader.post("/api/v1/notifications", json={"to": {"all": True}, "title": "x"})
        assert "with the scope `send`, `admin` or `messages:send`" in problem(answer, 403, "forbidden")["detail"]

    async def test_of_a_database_that_takes_nothing(
        self,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        container: Container,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def away(*_: object) -> None:
            raise StoreUnavailable("disk full at /secret/place")

        monkeypatch.setattr(container.store, "read", away)
        for answer in (
            await api.get("/api/v1/apps"),
            await browser.get("/push/vapid-key"),
            await browser.get("/api/v1/apps", headers={"Authorization": "Bearer tdg_" + "0" * 64 + "_34b1e4cb"}),
        ):
            problem(answer, 503, "service_busy")
            assert answer.headers["retry-after"] == "2"
            assert "secret" not in answer.text
        assert (await browser.get("/readyz")).status_code == 503
        assert (await browser.get("/livez")).status_code == 200

    async def test_of_a_bug_shows_nothing_of_it(
        self, api: httpx2.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken() -> None:
            raise RuntimeError("password=hunter2")

        monkeypatch.setattr(container.system, "facts", broken)
        body = problem(await api.get("/api/v1/system"), 500, "internal_error")
        assert "hunter2" not in json.dumps(body)
        assert body["request_id"] in body["detail"]

    async def test_are_all_in_the_catalogue_page(self, browser: httpx2.AsyncClient) -> None:
        page = (await browser.get("/docs/errors")).text
        for code in ErrorCode:
            assert f'id="{code}"' in page


class TestOpenApi:
    """The document that clients are generated from."""

    @pytest.fixture
    def document(self, app: FastAPI) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
        return found

    def test_names_every_operation_in_words(self, document: dict[str, Any]) -> None:
        assert document["openapi"].startswith("3.1")
        ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z_]+", name) for name in ids)
        for path in document["paths"].values():
            for operation in path.values():
                assert operation["tags"]
                assert operation["summary"]
                assert operation["description"]
                assert "default" in operation["responses"]

    def test_refers_only_to_what_it_holds(self, document: dict[str, Any]) -> None:
        referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
        assert {"Problem", "SubscribeBody", "ReceiptBody", "NotificationBody"} <= referred
        assert referred <= set(document["components"]["schemas"])

    def test_holds_the_public_api(self, document: dict[str, Any]) -> None:
        for path in ("subscribe", "vapid-key", "receipts", "sdk.js", "service-worker.js"):
            assert f"/v1/{{app}}/push/{path}" in document["paths"]


class TestPages:
    """The dashboard's files and the reference."""

    async def test_carry_a_strict_policy(self, browser: httpx2.AsyncClient) -> None:
        for path in ("/", "/docs", "/docs/errors", "/docs/reference.js"):
            answer = await browser.get(path)
            assert answer.status_code == 200, path
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_answer_head_like_get(self, browser: httpx2.AsyncClient) -> None:
        for path in ("/docs", "/docs/errors", "/docs/reference.js"):
            got, head = await browser.get(path), await browser.head(path)
            assert head.status_code == 200, path
            assert head.headers["content-length"] == got.headers["content-length"]

    async def test_hold_no_inline_script_and_nothing_foreign(self, browser: httpx2.AsyncClient) -> None:
        for path in ("/docs", "/docs/errors"):
            page = (await browser.get(path)).text
            assert not re.search(r"<script(?![^>]*\bsrc=)", page)
            assert not re.search(r"\bstyle=|\bon\w+=", page)
            assert not re.search(r'(?:src|href)="(?:https?:)?//', page)

    @pytest.fixture
    async def built(self, container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
        folder = tmp_path / "dashboard"
        (folder / "assets").mkdir(parents=True)
        (folder / "index.html").write_text("<!doctype html>the dashboard")
        (folder / "assets" / "index-abc.js").write_text("1")
        (folder / "icon.svg").write_text("<svg/>")
        (tmp_path / "secret.txt").write_text("secret")
        monkeypatch.setattr(dashboard, "FOLDER", folder)
        return create_app(container)  # type: ignore[arg-type]

    async def test_serve_the_dashboard_on_each_of_its_addresses(self, built: FastAPI) -> None:
        transport = httpx2.ASGITransport(built)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="https://push.example.com") as client:
            for path in ("/", "/setup", "/notifications/ntf_1", "/event-types/topic.reply", "/users/anna@example.com"):
                answer = await client.get(path)
                assert "the dashboard" in answer.text
                assert answer.headers["cache-control"] == "no-cache"
            hashed = await client.get("/assets/index-abc.js")
            assert "immutable" in hashed.headers["cache-control"]
            assert (await client.get("/icon.svg")).headers["content-type"] == "image/svg+xml"
            for path in ("/assets/none.js", "/api/none", "/push/none", "/none.js", "/..%2fsecret.txt"):
                answer = await client.get(path)
                assert answer.status_code in (401, 404), path
                assert "secret" not in answer.text.replace("secret.txt", "")


async def test_it_is_ready_when_a_worker_beats(browser: httpx2.AsyncClient, container: Container) -> None:
    before = (await browser.get("/readyz")).json()
    assert (before["status"], before["database"], before["workers"]) == ("unavailable", "ok", 0)
    assert "tidings up" in before["problems"][0]
    now = container.clock.now()
    beat = Heartbeat(worker_id="w1", host="h", pid=1, senders=2, started_at=now, seen_at=now)
    await container.store.write(lambda tx: tx.instance.beat(beat))
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["workers"]) == (200, 1)


async def test_the_background_runs_as_long_as_the_application(container: Container) -> None:
    seen: list[str] = []

    class Background:
        async def __aenter__(self) -> None:
            seen.append("started")

        async def __aexit__(self, *_: object) -> None:
            seen.append("stopped")

    app = create_app(container, background=Background)  # type: ignore[arg-type]
    async with app.router.lifespan_context(app):
        assert seen == ["started"]
        assert not app.state.stopping.is_set()
    assert seen == ["started", "stopped"]
    assert app.state.stopping.is_set()
