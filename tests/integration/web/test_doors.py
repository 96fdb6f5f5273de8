"""Who gets in: nobody by default, each key as far as its scopes, each origin as far as its App."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from tests.integration.web.instance import client_of, problem, push_subscription

from support.members import member_of, sign_in
from tidings.domain.audit import SYSTEM
from tidings.domain.permission import Permission, Scope, of_scopes
from tidings.web.callers import guards_of, permission_of
from tidings.wiring import Container

SITE = "https://www.example.org"
OPEN = {
    ("GET", "/api/v1/session"),
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/setup"),
    ("POST", "/api/v1/setup"),
    ("POST", "/api/v1/session/second-factor"),
    ("POST", "/api/v1/session/passkey/options"),
    ("POST", "/api/v1/session/passkey"),
    ("GET", "/api/v1/session/oidc/{provider_id}/start"),
    ("GET", "/api/v1/session/oidc/{provider_id}/callback"),
    ("POST", "/api/v1/password-reset"),
    ("POST", "/api/v1/invitations/look"),
    ("POST", "/api/v1/invitations/accept"),
}
"""What needs no caller; a route is put here by hand, so that none is open by accident."""


def operations(app: FastAPI) -> list[tuple[str, str, Permission]]:
    """List every route under /api/v1 that the application really has: method, path, what it asks for."""
    found = [
        (method, route.path or "", permission_of(route))
        for route in iter_route_contexts(app.routes)
        if (route.path or "").startswith("/api/")
        for method in route.methods or ()
    ]
    assert len(found) >= 40
    return found


def filled(path: str) -> str:
    return re.sub(r"[{}]", "", path.replace(":path", ""))


async def test_every_route_of_the_api_is_closed_to_strangers(app: FastAPI, browser: httpx2.AsyncClient) -> None:
    assert {(method, path) for method, path, permission in operations(app) if permission is Permission.OPEN} == OPEN
    for method, path, permission in operations(app):
        if permission is Permission.OPEN:
            continue
        answer = await browser.request(method, filled(path), content=b"not even JSON")
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_every_route_is_refused_to_a_key_and_to_a_member_that_hold_nothing(
    app: FastAPI, container: Container
) -> None:
    key = await container.access.create_key(name="none", scopes=[], app=await container.apps.ensure_first(), by=SYSTEM)
    async with client_of(app, Authorization=f"Bearer {key.text}") as program, client_of(app) as dashboard:
        await sign_in(dashboard, container, await member_of(container))
        for method, path, permission in operations(app):
            if permission is Permission.OPEN:
                continue
            problem(await program.request(method, filled(path), content=b"{"), 403, "forbidden")
            if permission is not Permission.SELF:
                problem(await dashboard.request(method, filled(path), content=b"{"), 403, "forbidden")


def test_an_application_with_a_route_that_asks_for_nothing_does_not_start(
    app: FastAPI, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter(prefix="/api/v1")

    @router.get("/careless")
    async def careless() -> str:
        return "open to everybody"

    app.include_router(router)
    with pytest.raises(RuntimeError, match=r"/api/v1/careless \['GET'\] declares 0 permissions"):
        guards_of(app)


async def test_even_an_address_that_is_not_there_is_closed(browser: httpx2.AsyncClient) -> None:
    problem(await browser.get("/api/v1/nothing"), 401, "unauthorized")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic dGRnOng=", "Bearer tdg_" + "0" * 64 + "_00000000"])
async def test_a_wrong_key_is_refused(browser: httpx2.AsyncClient, header: str) -> None:
    problem(await browser.get("/api/v1/apps", headers={"Authorization": header}), 401, "unauthorized")


async def key_of(api: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post("/api/v1/keys", json={"name": "test", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


SHOWS_PEOPLE = ("/dry-run", "/deliveries", "/deliveries/{notification_id}")
"""What shows people beside what its route is for."""


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_reaches_as_far_as_its_scopes(app: FastAPI, api: httpx2.AsyncClient, scope: Scope) -> None:
    held = of_scopes([scope]) | ({Permission.INSTANCE_READ} if scope in ("read", "admin") else set())
    held |= {Permission.INSTANCE_MANAGE} if scope == "admin" else set()
    key = (await key_of(api, scopes=[scope]))["key"]
    async with client_of(app, Authorization=f"Bearer {key}") as client:
        for method, path, permission in operations(app):
            if permission is Permission.OPEN:
                continue
            answer = await client.request(method, filled(path), json={})
            if permission in held and path.endswith(SHOWS_PEOPLE) and Permission.APP_READ not in held:
                # A key that may only write triggers, or read messages, gets no further.
                assert "app.read" in problem(answer, 403, "forbidden")["detail"]
            elif permission in held:
                assert answer.status_code != 403, (method, path, answer.text)
            else:
                detail = problem(answer, 403, "forbidden")["detail"]
                assert permission is Permission.SELF or permission in detail, (method, path)


async def test_a_key_is_shown_once_and_ends_when_it_is_revoked(app: FastAPI, api: httpx2.AsyncClient) -> None:
    made = await key_of(api, name="Shop", scopes=["read"])
    listed = (await api.get("/api/v1/keys")).json()["data"]
    assert [(row["name"], row["prefix"]) for row in listed] == [("Shop", made["key"][:12])]
    assert made["key"] not in (await api.get("/api/v1/keys")).text
    async with client_of(app, Authorization=f"Bearer {made['key']}") as client:
        assert (await client.get("/api/v1/apps")).status_code == 200
        assert (await api.delete(f"/api/v1/keys/{made['id']}")).status_code == 204
        problem(await client.get("/api/v1/apps"), 401, "unauthorized")
    problem(await api.delete("/api/v1/keys/key_none"), 404, "not_found")


async def test_a_key_for_an_app_without_a_name_is_not_one_for_all(api: httpx2.AsyncClient) -> None:
    problem(await api.post("/api/v1/keys", json={"name": "Shop", "app": ""}), 404, "app_not_found")
    assert (await api.get("/api/v1/keys")).json()["data"] == []


async def test_a_key_of_one_app_reaches_no_other(app: FastAPI, api: httpx2.AsyncClient, container: Container) -> None:
    first = (await container.apps.ensure_first()).public_id
    second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
    problem(await api.get("/api/v1/users"), 400, "app_required")
    problem(await api.get("/api/v1/users", params={"app": "app_none"}), 404, "app_not_found")
    assert (await api.get("/api/v1/users", params={"app": second})).status_code == 200
    made = await key_of(api, app=second, scopes=["admin"])
    async with client_of(app, Authorization=f"Bearer {made['key']}") as client:
        await client.put("/api/v1/users/anna", json={})
        assert [row["id"] for row in (await client.get("/api/v1/apps")).json()["data"]] == [second]
        problem(await client.get("/api/v1/users", params={"app": first}), 403, "forbidden")
        problem(await client.get(f"/api/v1/apps/{first}"), 403, "forbidden")
        problem(await client.get(f"/api/v1/apps/{first}/identity-secret"), 403, "forbidden")
        problem(await client.patch(f"/api/v1/apps/{first}", json={"name": "x"}), 403, "forbidden")
        problem(await client.post("/api/v1/apps", json={"name": "Third"}), 403, "forbidden")
        assert (await key_of(client, scopes=["read"]))["app"] == second
    assert (await api.get("/api/v1/users", params={"app": first})).json()["data"] == []


class TestASession:
    """The dashboard's cookie."""

    @pytest.fixture
    async def dashboard(self, browser: httpx2.AsyncClient, container: Container) -> httpx2.AsyncClient:
        member = await member_of(container, super_admin=True)
        token = await container.access.new_setup_token(member=member)
        answer = await browser.post("/api/v1/session", json={"setup_token": token})
        assert answer.status_code == 201, answer.text
        cookie = answer.headers["set-cookie"]
        for part in ("__Host-tidings=", "HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert part in cookie
        problem(await browser.post("/api/v1/session", json={"setup_token": token}), 403, "setup_link_invalid")
        return browser

    async def test_opens_the_api_until_it_is_ended(self, dashboard: httpx2.AsyncClient) -> None:
        assert (await dashboard.get("/api/v1/session")).json()["signed_in"] is True
        assert (await dashboard.get("/api/v1/apps")).status_code == 200
        assert (await dashboard.delete("/api/v1/session")).status_code == 204
        assert (await dashboard.get("/api/v1/session")).json()["signed_in"] is False
        problem(await dashboard.get("/api/v1/apps"), 401, "unauthorized")

    @pytest.mark.parametrize(
        ("headers", "allowed"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": "same-site"}, False),
            ({"Origin": "https://push.example.com"}, True),
            ({"Origin": "https://evil.example"}, False),
            ({"Origin": "null"}, False),
        ],
    )
    async def test_changes_nothing_for_the_page_of_another_site(
        self, dashboard: httpx2.AsyncClient, headers: dict[str, str], allowed: bool
    ) -> None:
        answer = await dashboard.put("/api/v1/users/anna", json={}, headers=headers)
        if allowed:
            assert answer.status_code == 201
        else:
            problem(answer, 403, "origin_not_allowed")

    async def test_ends_by_itself(self, dashboard: httpx2.AsyncClient, container: Container) -> None:
        container.clock.at = container.clock.at.replace(year=2027)
        problem(await dashboard.get("/api/v1/apps"), 401, "unauthorized")


class TestOrigins:
    """CORS, and the same rule on the server for whoever has no browser."""

    async def test_without_any_set_only_pages_of_localhost_subscribe(
        self, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        for origin, allowed in (
            ("http://localhost:3000", True),
            ("http://127.0.0.1:8000", True),
            ("https://shop.localhost", True),
            ("https://push.example.com", True),
            (SITE, False),
            ("http://localhost.evil.example", False),
            ("null", False),
        ):
            body = {"subscription": push_subscription()}
            answer = await browser.post("/push/subscribe", json=body, headers={"Origin": origin})
            assert (answer.status_code == 201) == allowed, origin
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert "Origin" in answer.headers["vary"]
            if not allowed:
                problem(answer, 403, "origin_not_allowed")

    async def test_with_some_set_only_they_subscribe(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
    ) -> None:
        app = await container.apps.ensure_first()
        answer = await api.patch(f"/api/v1/apps/{app.public_id}", json={"origins": ["HTTPS://WWW.example.org:443/"]})
        assert answer.json()["origins"] == [SITE]
        for origin, allowed in ((SITE, True), ("http://localhost:3000", False), ("http://www.example.org", False)):
            answer = await browser.get(f"/v1/{app.public_id}/push/vapid-key", headers={"Origin": origin})
            assert (answer.status_code == 200) == allowed, origin
        assert (await browser.get("/push/vapid-key")).status_code == 200

    async def test_a_preflight_is_answered_for_an_allowed_origin_alone(self, browser: httpx2.AsyncClient) -> None:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        answer = await browser.options("/push/subscribe", headers={"Origin": "http://localhost:3000", **asked})
        assert answer.status_code == 204
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        assert (
            answer.headers["access-control-allow-headers"] == "Content-Type, Tidings-User, Tidings-Token, Last-Event-ID"
        )
        assert "access-control-allow-credentials" not in answer.headers
        answer = await browser.options("/push/subscribe", headers={"Origin": SITE, **asked})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    async def test_errors_can_be_read_by_the_page(self, browser: httpx2.AsyncClient) -> None:
        answer = await browser.get("/push/vapid-key", headers={"Origin": "http://localhost:3000"})
        problem(answer, 404, "vapid_key_missing")
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"

    @pytest.mark.parametrize(
        "origin",
        ["*", "https://*.example.com", "example.com", "https://example.com/shop", "http://example.com", "ftp://x"],
    )
    async def test_what_is_no_origin_is_refused_by_name(
        self, api: httpx2.AsyncClient, container: Container, origin: str
    ) -> None:
        app = await container.apps.ensure_first()
        answer = await api.patch(f"/api/v1/apps/{app.public_id}", json={"origins": ["https://a.example", origin]})
        assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "origins.1"

    async def test_with_several_apps_the_short_address_asks_which(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        await api.post("/api/v1/apps", json={"name": "Second"})
        problem(await browser.get("/push/vapid-key"), 400, "app_required")
        problem(await browser.get("/v1/app_none/push/vapid-key"), 404, "app_not_found")
