"""Where a secret is shown or replaced, or data begins to flow out, a member shows again who they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.integration.web.instance import base64url, client_of, problem

from support.members import member_of, sign_in
from tidings.domain.permission import Role
from tidings.web.callers import API, asks_again
from tidings.wiring import Container

PASSWORD = "eleven red herrings"
SECRET = f"whsec_{base64url(bytes(32))}="
HOOK = {"url": "https://hooks.example.com/x", "events": ["delivery.failed"]}
GATEWAY = {
    "provider": "webhook",
    "label": "Kiosks",
    "credentials": {"url": "https://gateway.example.com/hook", "secret": SECRET},
}

ALWAYS = {
    "DELETE /apps/{app_id}",
    "POST /apps/{app_id}/identity-secret",
    "DELETE /apps/{app_id}/identity-secret/earlier",
    "GET /audit/export",
    "POST /integrations",
    "POST /invitations",
    "POST /keys",
    "DELETE /keys/{key_id}",
    "DELETE /me/oidc/{provider_id}",
    "POST /me/oidc/{provider_id}",
    "POST /me/passkeys",
    "POST /me/passkeys/options",
    "DELETE /me/passkeys/{passkey_id}",
    "POST /me/recovery-codes",
    "DELETE /me/totp",
    "POST /me/totp",
    "POST /me/totp/confirm",
    "DELETE /members/{member_id}",
    "PATCH /members/{member_id}",
    "POST /members/{member_id}/reset-link",
    "DELETE /members/{member_id}/second-factor",
    "DELETE /sign-in/oidc/{provider_id}",
    "PUT /sign-in/oidc/{provider_id}",
    "GET /subscriptions/export",
    "POST /subscriptions/{subscription_id}/erase",
    "GET /subscriptions/{subscription_id}/export",
    "POST /users/{external_id:path}/erase",
    "GET /users/{external_id:path}/export",
    "POST /webhooks",
    "POST /webhooks/{webhook_id}/secret",
}
"""A new route that shows or replaces a secret, or sends data elsewhere, belongs here."""


@pytest.fixture
async def owner(app: FastAPI, container: Container) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of an owner."""
    site = await container.apps.ensure_first()
    async with client_of(app) as client:
        member = await member_of(container, {site.id: Role.OWNER}, password=PASSWORD, email="owner@example.com")
        yield await sign_in(client, container, member)


def test_routes_that_always_ask(app: FastAPI) -> None:
    found = {
        f"{method} {(route.path or '').removeprefix(API)}"
        for route in iter_route_contexts(app.routes)
        if (route.path or "").startswith(API) and asks_again(route)
        for method in route.methods or ()
    }
    assert found == ALWAYS


async def test_what_sends_data_elsewhere_or_replaces_a_secret_asks_who_one_is(
    owner: httpx2.AsyncClient, container: Container
) -> None:
    hook = (await owner.post("/api/v1/webhooks", json=HOOK)).json()["id"]
    gateway = (await owner.post("/api/v1/integrations", json=GATEWAY)).json()["id"]
    (site,) = (await owner.get("/api/v1/apps")).json()["data"]
    signed = {"require_signed_identity": True}
    assert (await owner.patch(f"/api/v1/apps/{site['id']}", json=signed)).status_code == 200
    made = await owner.post("/api/v1/integrations/webpush/keys", json={"subject": "mailto:ops@example.com"})
    assert made.status_code == 201, made.text
    container.clock.at += timedelta(minutes=16)  # type: ignore[attr-defined]
    elsewhere = {"credentials": {"url": "https://evil.example.com/hook", "secret": SECRET}}
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/webhooks", HOOK),
        ("PATCH", f"/webhooks/{hook}", {"url": "https://evil.example.com/x"}),
        ("PATCH", f"/webhooks/{hook}", {"events": [*HOOK["events"], "notification.finished"]}),
        ("POST", f"/webhooks/{hook}/secret", {"keep_seconds": 0}),
        ("POST", "/integrations", {**GATEWAY, "label": "More"}),
        ("PATCH", f"/integrations/{gateway}", elsewhere),
        ("POST", "/integrations/webpush/keys", {"action": "rotate"}),
        ("POST", "/integrations/webpush/keys", {"action": "import", "private_key": "x"}),
        ("POST", "/integrations/webpush/keys", {"action": "generate", "force": True}),
        ("DELETE", f"/integrations/{gateway}?force=true", None),
        ("PATCH", f"/apps/{site['id']}", {"require_signed_identity": False}),
    ]
    shown = ("/webhooks", "/integrations", "/apps")
    before = [(await owner.get(f"/api/v1{path}")).json() for path in shown]
    for method, path, body in asked:
        answer = await owner.request(method, f"/api/v1{path}", json=body)
        problem(answer, 403, "reauthentication_required")
    assert [(await owner.get(f"/api/v1{path}")).json() for path in shown] == before
    for method, path, body in (
        ("PATCH", f"/webhooks/{hook}", {**HOOK, "description": "Our CRM", "enabled": False}),
        ("PATCH", f"/integrations/{gateway}", {"label": "Kiosks in the hall"}),
        ("POST", "/integrations/webpush/keys", {"action": "generate"}),
        ("PATCH", f"/apps/{site['id']}", {"name": "My site", **signed}),
    ):
        assert (await owner.request(method, f"/api/v1{path}", json=body)).status_code == 200, path
    assert (await owner.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    for method, path, body in asked:
        answer = await owner.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code != 403, (path, answer.text)


async def test_programs_are_not_asked(api: httpx2.AsyncClient, container: Container) -> None:
    container.clock.at += timedelta(minutes=16)  # type: ignore[attr-defined]
    assert (await api.post("/api/v1/webhooks", json=HOOK)).status_code == 201
