"""What people and programs try that they may not: each attempt is refused, with the code that says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from support.members import member_of, sign_in
from tidings.domain.app import App
from tidings.domain.audit import SYSTEM
from tidings.domain.member import Member
from tidings.domain.permission import Role, Scope
from tidings.services.identity import identity_token
from tidings.storage import Transaction
from tidings.wiring import Container

PASSWORD = "eleven red herrings"


@dataclass
class Stage:
    """Two Apps, a member of each role in the first, and keys."""

    app: FastAPI
    container: Container
    first: App
    second: App
    people: dict[str, Member] = field(default_factory=dict)
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def attempt(self, who: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        path = path.format(first=self.first.public_id, second=self.second.public_id, **self.ids)
        return await self.clients[who].request(method, f"/api/v1{path}", json=body)


@pytest.fixture
async def stage(app: FastAPI, container: Container, api: httpx2.AsyncClient) -> AsyncIterator[Stage]:
    first = await container.apps.ensure_first()
    second = (await container.apps.create("Second")).app
    stage = Stage(app, container, first, second)
    for role in Role:
        stage.people[role] = await member_of(
            container, {first.id: role}, password=PASSWORD, email=f"{role}@example.com"
        )
        stage.clients[role] = await sign_in(client_of(app), container, stage.people[role])
        stage.ids[role] = stage.people[role].public_id
    stage.people["elsewhere"] = await member_of(container, {second.id: Role.OWNER})
    stage.ids["elsewhere"] = stage.people["elsewhere"].public_id
    for name, scopes, where in (
        ("reader", [Scope.READ], first),
        ("sender", [Scope.SEND], first),
        ("manager", [Scope.ADMIN], first),
        ("of_messages", [Scope.MESSAGES_SEND], first),
    ):
        issued = await container.access.create_key(name=name, scopes=scopes, app=where, by=SYSTEM)
        stage.clients[name] = client_of(app, Authorization=f"Bearer {issued.text}")
        stage.keys[name] = issued.api_key.public_id
    other = await container.access.create_key(name="other", scopes=[Scope.READ], app=second, by=SYSTEM)
    stage.ids["key_elsewhere"] = other.api_key.public_id
    stage.clients["stranger"] = client_of(app)
    yield stage
    for client in stage.clients.values():
        await client.aclose()


MESSAGE = {"to": {"all": True}, "title": "x"}
ATTEMPTS: list[tuple[str, str, str, Any, int, str]] = [
    # What is another App's, by its id on every kind of address.
    ("owner", "GET", "/users?app={second}", None, 403, "forbidden"),
    ("owner", "POST", "/users/lookup?app={second}", {"ids": ["anna"]}, 403, "forbidden"),
    ("owner", "GET", "/notifications?app={second}", None, 403, "forbidden"),
    ("owner", "POST", "/notifications?app={second}", MESSAGE, 403, "forbidden"),
    ("owner", "GET", "/subscriptions?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/subscriptions/export?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/apps/{second}", None, 403, "forbidden"),
    ("owner", "PATCH", "/apps/{second}", {"name": "Mine"}, 403, "forbidden"),
    ("owner", "POST", "/apps/{second}/identity-secret", None, 403, "forbidden"),
    ("owner", "DELETE", "/apps/{second}?confirm=Second", None, 403, "forbidden"),
    ("owner", "GET", "/apps/{second}/snippets", None, 403, "forbidden"),
    ("owner", "GET", "/integrations?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/members?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/invitations?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/audit?app={second}", None, 403, "forbidden"),
    ("owner", "GET", "/stats/overview?app={second}", None, 403, "forbidden"),
    ("owner", "POST", "/keys", {"name": "x", "app": "{second}"}, 403, "forbidden"),
    ("owner", "DELETE", "/keys/{key_elsewhere}", None, 404, "not_found"),
    ("owner", "PATCH", "/members/{elsewhere}", {"role": "viewer"}, 404, "not_found"),
    ("owner", "DELETE", "/members/{elsewhere}", None, 404, "not_found"),
    ("owner", "POST", "/members/{elsewhere}/reset-link", None, 403, "forbidden"),
    ("owner", "GET", "/users?app=app_none", None, 403, "forbidden"),
    # A viewer, at what editors may.
    ("viewer", "POST", "/notifications", MESSAGE, 403, "forbidden"),
    ("viewer", "POST", "/test", None, 403, "forbidden"),
    ("viewer", "POST", "/notifications/ntf_x/cancel", None, 403, "forbidden"),
    ("viewer", "PUT", "/users/anna", {}, 403, "forbidden"),
    ("viewer", "DELETE", "/users/anna", None, 403, "forbidden"),
    ("viewer", "PATCH", "/subscriptions/sub_x", {"tags": {}}, 403, "forbidden"),
    ("viewer", "GET", "/keys", None, 403, "forbidden"),
    ("viewer", "GET", "/members", None, 403, "forbidden"),
    ("viewer", "GET", "/audit", None, 403, "forbidden"),
    # An editor, at what admins may.
    ("editor", "POST", "/keys", {"name": "x"}, 403, "forbidden"),
    ("editor", "POST", "/integrations/webpush/keys", {}, 403, "forbidden"),
    ("editor", "DELETE", "/subscriptions/sub_x", None, 403, "forbidden"),
    ("editor", "POST", "/invitations", {"email": "a@example.com", "role": "viewer"}, 403, "forbidden"),
    ("editor", "PATCH", "/members/{editor}", {"role": "admin"}, 403, "forbidden"),
    ("editor", "PATCH", "/apps/{first}", {"name": "x"}, 403, "forbidden"),
    # An admin, at what owners may.
    ("admin", "PATCH", "/members/{admin}", {"role": "owner"}, 403, "forbidden"),
    ("admin", "DELETE", "/members/{owner}", None, 403, "forbidden"),
    ("admin", "POST", "/members/{owner}/reset-link", None, 403, "forbidden"),
    ("admin", "POST", "/invitations", {"email": "a@example.com", "role": "owner"}, 403, "forbidden"),
    ("admin", "GET", "/subscriptions/export", None, 403, "forbidden"),
    ("admin", "POST", "/users/anna/erase", None, 403, "forbidden"),
    ("admin", "DELETE", "/apps/{first}?confirm=My site", None, 403, "forbidden"),
    ("admin", "POST", "/keys", {"name": "x", "scopes": ["subscriptions:export"]}, 403, "forbidden"),
    # An owner, at what is the instance's.
    ("owner", "POST", "/apps", {"name": "Third"}, 403, "forbidden"),
    ("owner", "POST", "/system/pause", None, 403, "forbidden"),
    ("owner", "PATCH", "/members/{owner}", {"super_admin": True}, 403, "forbidden"),
    ("owner", "PATCH", "/members/{editor}", {"disabled": True}, 403, "forbidden"),
    ("owner", "PATCH", "/members/{owner}", {"role": "viewer"}, 409, "last_owner"),
    # Keys, beyond their scopes, their App, and what keys may at all.
    ("sender", "GET", "/users", None, 403, "forbidden"),
    ("sender", "POST", "/users/lookup", {"ids": ["anna"]}, 403, "forbidden"),
    ("sender", "GET", "/subscriptions", None, 403, "forbidden"),
    ("reader", "POST", "/notifications", MESSAGE, 403, "forbidden"),
    ("of_messages", "GET", "/notifications", None, 403, "forbidden"),
    ("of_messages", "PUT", "/users/anna", {}, 403, "forbidden"),
    ("manager", "POST", "/apps", {"name": "Third"}, 403, "forbidden"),
    ("manager", "POST", "/system/pause", None, 403, "forbidden"),
    ("manager", "GET", "/users?app={second}", None, 403, "forbidden"),
    ("manager", "POST", "/keys", {"name": "x", "app": "{second}"}, 403, "forbidden"),
    ("manager", "POST", "/keys", {"name": "x", "scopes": ["members:manage"]}, 403, "forbidden"),
    ("manager", "GET", "/members", None, 403, "forbidden"),
    ("manager", "DELETE", "/apps/{first}?confirm=My site", None, 403, "forbidden"),
    ("manager", "GET", "/me", None, 403, "forbidden"),
    ("manager", "POST", "/me/password", {"current": "", "new": "x"}, 403, "forbidden"),
    # Nobody at all.
    ("stranger", "GET", "/apps", None, 401, "unauthorized"),
    ("stranger", "GET", "/me", None, 401, "unauthorized"),
    ("stranger", "POST", "/session/confirm", {"password": "x"}, 401, "unauthorized"),
    ("stranger", "POST", "/session/second-factor", {"code": "000000"}, 401, "unauthorized"),
    ("stranger", "POST", "/session", {"email": "owner@example.com", "password": "x"}, 401, "sign_in_refused"),
    ("stranger", "POST", "/session", {"setup_token": "x"}, 403, "setup_link_invalid"),
    ("stranger", "POST", "/invitations/accept", {"token": "x"}, 403, "invitation_invalid"),
    ("stranger", "POST", "/password-reset", {"token": "x", "new": PASSWORD}, 403, "reset_link_invalid"),
    ("stranger", "GET", "/metrics", None, 401, "unauthorized"),
]


async def test_each_attempt_is_refused(stage: Stage) -> None:
    assert len(ATTEMPTS) >= 30
    wrong = []
    for who, method, path, body, status, code in ATTEMPTS:
        if isinstance(body, dict) and body.get("app") == "{second}":
            body = {**body, "app": stage.second.public_id}
        answer = await stage.attempt(who, method, path, body)
        found = (answer.status_code, answer.json().get("code") if answer.content else None)
        if found != (status, code):
            wrong.append((who, method, path, found, (status, code)))
    assert wrong == []


async def test_words_and_triggers_show_a_key_nothing_that_it_may_not_read(
    stage: Stage, api: httpx2.AsyncClient
) -> None:
    """Whoever writes words could let them say everything that is kept of somebody, and look at them."""
    at = {"app": stage.first.public_id}
    await api.put("/api/v1/users/anna", params=at, json={"attributes": {"email": "anna@secret.example"}})
    await api.put("/api/v1/event-types/paid.late", params=at, json={"name": "Late"})
    event = (await api.post("/api/v1/events", params=at, json={"type": "paid.late", "data": {"sum": "secret"}})).json()
    told = {"title": "{{ user.email }}{{ sum }}"}
    rule = {"name": "x", "event_type": "paid.late", "audience": {"everyone": True}, "template": told}
    trigger = (await api.post("/api/v1/triggers", params=at, json=rule)).json()["id"]
    kept = (await api.post("/api/v1/templates", params=at, json={"name": "x", **told})).json()["id"]
    words = {"template": told}
    attempts = [
        ("/templates/preview", {**words, "user": "anna"}, "app.read"),
        ("/templates/preview", {**words, "event": event["id"]}, "event.read"),
        (f"/templates/{kept}/preview", {"user": "anna"}, "app.read"),
        (f"/templates/{kept}/preview", {"event": event["id"]}, "event.read"),
        (f"/triggers/{trigger}/dry-run", {"users": ["anna"]}, "app.read"),
        (f"/triggers/{trigger}/dry-run", {"event": event["id"]}, "app.read"),
    ]
    for scope in (Scope.SEND, Scope.TEMPLATES_WRITE, Scope.TRIGGERS_WRITE, Scope.EVENTS_READ):
        key = await stage.container.access.create_key(name=scope, scopes=[scope], app=stage.first, by=SYSTEM)
        async with client_of(stage.app, Authorization=f"Bearer {key.text}") as program:
            for path, body, _ in attempts:
                answer = await program.post(f"/api/v1{path}", json=body)
                problem(answer, 403, "forbidden")
                assert "secret" not in answer.text
    for path, body, missing in attempts:
        scopes = [Scope.TEMPLATES_WRITE, Scope.TRIGGERS_WRITE]
        key = await stage.container.access.create_key(name="both", scopes=scopes, app=stage.first, by=SYSTEM)
        async with client_of(stage.app, Authorization=f"Bearer {key.text}") as program:
            answer = await program.post(f"/api/v1{path}", json=body)
            assert f"`{missing}`" in problem(answer, 403, "forbidden")["detail"]
        assert (await stage.clients["viewer"].post(f"/api/v1{path}", json=body)).status_code == 200
        assert (await stage.clients["reader"].post(f"/api/v1{path}", json=body)).status_code == 200
    for path, body in (("/templates/preview", words), (f"/templates/{kept}/preview", {})):
        assert (await stage.clients["sender"].post(f"/api/v1{path}", json=body)).status_code == 200


async def test_what_was_sent_shows_a_key_no_person_and_no_words_that_it_may_not_read(
    stage: Stage, api: httpx2.AsyncClient
) -> None:
    """A title is filled for its person, so whoever writes one could let it say everything that is kept of them."""
    at = {"app": stage.first.public_id}
    await api.put("/api/v1/users/anna", params=at, json={"attributes": {"email": "anna@secret.example"}})
    kept = (await api.post("/api/v1/templates", params=at, json={"name": "x", "title": "{{ user.email }}"})).json()[
        "id"
    ]
    fit = ("POST", "/notifications/fit", {"to": {"all": True}, "template": kept}, "template.read")
    person = ("GET", "/users/anna/deliveries", None, "app.read")
    nobody = ("GET", "/users/nobody/deliveries", None, "app.read")
    one = ("GET", "/users/anna/deliveries/ntf_none", None, "app.read")
    device = ("GET", "/subscriptions/sub_none/deliveries", None, "app.read")
    for scopes, refused, allowed in (
        ([Scope.MESSAGES_READ], [fit, person, one, nobody, device], []),
        ([Scope.SEND, Scope.TEMPLATES_WRITE], [person, one, nobody, device], [fit]),
        ([Scope.READ], [], [fit, person]),
    ):
        key = await stage.container.access.create_key(name="x", scopes=scopes, app=stage.first, by=SYSTEM)
        async with client_of(stage.app, Authorization=f"Bearer {key.text}") as program:
            for method, path, body, missing in refused:
                answer = await program.request(method, f"/api/v1{path}", json=body)
                assert f"`{missing}`" in problem(answer, 403, "forbidden")["detail"]
                assert "secret" not in answer.text
            for method, path, body, _ in allowed:
                assert (await program.request(method, f"/api/v1{path}", json=body)).status_code == 200, path


def standing(tx: Transaction) -> dict[str, object]:
    """Give all that a refused attempt could have changed; when somebody was seen last is no such thing."""
    members = [replace(one, last_seen_at=None) for one in tx.members.all()]
    apps, issued = tx.apps.all(), tx.access.keys()
    return {
        "apps": apps,
        "keys": [replace(one, last_used_at=None) for one in issued],
        "members": members,
        "roles": {one.public_id: tx.members.roles(one.id) for one in members},
        "invitations": [tx.members.invitations(app.id, now=app.created_at) for app in apps],
        "passkeys": [tx.factors.passkeys(one.id) for one in members],
        "providers": tx.oidc.all(),
    }


async def test_what_was_refused_changed_nothing(stage: Stage, api: httpx2.AsyncClient) -> None:
    before = await stage.container.store.read(standing)
    assert before["roles"][stage.ids["editor"]] == {stage.first.id: Role.EDITOR}  # type: ignore[index]
    for who, method, path, body, _, _ in ATTEMPTS:
        await stage.attempt(who, method, path, body)
    assert await stage.container.store.read(standing) == before


class TestAnotherPersonsDevice:
    """What a visitor of a site tries with what they got hold of."""

    async def test_replayed_identity_tokens_and_anothers_endpoint_open_nothing(
        self, stage: Stage, api: httpx2.AsyncClient
    ) -> None:
        first, second = (f"/v1/{one.public_id}/push" for one in (stage.first, stage.second))
        for one in (stage.first, stage.second):
            at = {"app": one.public_id}
            keys = {"subject": "mailto:a@example.com"}
            assert (await api.post("/api/v1/integrations/webpush/keys", params=at, json=keys)).status_code == 201
        now = int(stage.container.clock.now().timestamp())
        secret = (await stage.container.apps.resolve(stage.first.public_id)).identity_secret
        token = identity_token(secret, "anna", expires=now + 600)
        annas = push_subscription("annas")
        body = {"subscription": annas, "user": {"id": "anna", "token": token}}
        made = (await stage.clients["stranger"].post(f"{first}/subscribe", json=body)).json()
        id, own = made["id"], made["secret"]
        late = identity_token(secret, "mallory", expires=now - 1)
        distant = identity_token(secret, "mallory", expires=now + 32 * 86_400)
        mallory = {"id": "mallory", "token": identity_token(secret, "mallory", expires=now + 600)}
        other = push_subscription("mallorys")
        halved = {**annas, "keys": other["keys"]}
        attempts: list[tuple[str, str, dict[str, Any], int, str]] = [
            # Anna's token for somebody else, in another App, too late, for too long, cut, and with another's time.
            ("POST", f"{first}/subscribe", {"subscription": other, "user": {"id": "mallory", "token": token}}, 403,
             "identity_invalid"),
            ("POST", f"{second}/subscribe", {"subscription": other, "user": {"id": "anna", "token": token}}, 403,
             "identity_invalid"),
            ("POST", f"{first}/subscribe", {"subscription": other, "user": {"id": "mallory", "token": late}}, 403,
             "identity_invalid"),
            ("POST", f"{first}/subscribe", {"subscription": other, "user": {"id": "mallory", "token": distant}}, 403,
             "identity_invalid"),
            ("POST", f"{first}/subscribe", {"subscription": other, "user": {"id": "anna", "token": token[:-1]}}, 403,
             "identity_invalid"),
            ("POST", f"{first}/subscribe",
             {"subscription": other, "user": {"id": "anna", "token": f"{now + 900}.{token.partition('.')[2]}"}}, 403,
             "identity_invalid"),
            ("POST", f"{first}/subscribe", {"subscription": other, "user": {"id": "ANNA", "token": token}}, 403,
             "identity_invalid"),
            # Her endpoint with keys of one's own, with a signed identity of one's own, by its id with another's secret.
            ("POST", f"{first}/subscribe", {"subscription": halved, "user": mallory}, 403,
             "subscription_secret_required"),
            ("PUT", f"{first}/tags", {"id": id, "secret": "x" * len(own), "tags": {"vip": "yes"}}, 403,
             "device_unknown"),
            ("POST", f"{first}/events", {"id": id, "secret": "x" * len(own), "name": "bought"}, 403, "device_unknown"),
            ("PUT", f"{second}/tags", {"id": id, "secret": own, "tags": {"vip": "yes"}}, 403, "device_unknown"),
            ("POST", f"{second}/events", {"id": id, "secret": own, "name": "bought"}, 403, "device_unknown"),
        ]  # fmt: skip
        before = (await api.get(f"/api/v1/subscriptions/{id}", params={"app": stage.first.public_id})).json()
        wrong = []
        for method, path, sent, status, code in attempts:
            answer = await stage.clients["stranger"].request(method, path, json=sent)
            found = (answer.status_code, answer.json().get("code"))
            if found != (status, code):
                wrong.append((method, path, sent, found))
        assert wrong == []
        after = (await api.get(f"/api/v1/subscriptions/{id}", params={"app": stage.first.public_id})).json()
        assert after == before
        assert after["user"] == "anna"
        # The same token again is the same person's: it is good until it ends, and for them alone.
        again = await stage.clients["stranger"].post(f"{first}/subscribe", json=body)
        assert (again.status_code, again.json()["id"]) == (200, id)


class TestWhatHasEnded:
    async def test_a_key_that_expired(self, stage: Stage, api: httpx2.AsyncClient) -> None:
        end = (stage.container.clock.now() + timedelta(days=1)).isoformat()
        body = {"name": "x", "scopes": ["read"], "app": stage.first.public_id, "expires_at": end}
        made = (await api.post("/api/v1/keys", json=body)).json()
        assert (made["created_by"], made["expires_at"]) == ("operator", "2026-11-22T12:00:00Z")
        async with client_of(stage.app, Authorization=f"Bearer {made['key']}") as client:
            assert (await client.get("/api/v1/users")).status_code == 200
            stage.container.clock.at += timedelta(days=1)  # type: ignore[attr-defined]
            problem(await client.get("/api/v1/users"), 401, "key_expired")
        past = {**body, "expires_at": end}
        problem(await api.post("/api/v1/keys", json=past), 422, "invalid_request")

    async def test_a_key_that_was_revoked(self, stage: Stage, api: httpx2.AsyncClient) -> None:
        assert (await api.delete(f"/api/v1/keys/{stage.keys['reader']}")).status_code == 204
        problem(await stage.attempt("reader", "GET", "/users"), 401, "unauthorized")

    async def test_a_session_of_a_disabled_member(self, stage: Stage, api: httpx2.AsyncClient) -> None:
        await api.patch(f"/api/v1/members/{stage.ids['editor']}", json={"disabled": True})
        problem(await stage.attempt("editor", "GET", "/users"), 401, "unauthorized")

    async def test_a_session_after_the_password_was_changed_elsewhere(self, stage: Stage) -> None:
        async with client_of(stage.app) as other:
            await sign_in(other, stage.container, stage.people["owner"])
            body = {"current": PASSWORD, "new": "twelve green bottles"}
            assert (await other.post("/api/v1/me/password", json=body)).status_code == 204
        problem(await stage.attempt("owner", "GET", "/users"), 401, "unauthorized")

    async def test_a_role_that_was_taken_is_gone_with_the_next_request(
        self, stage: Stage, api: httpx2.AsyncClient
    ) -> None:
        path = f"/api/v1/members/{stage.ids['editor']}?app={stage.first.public_id}"
        assert (await api.delete(path)).status_code == 204
        problem(await stage.attempt("editor", "GET", "/users"), 403, "forbidden")

    async def test_a_one_time_link_that_was_used(self, stage: Stage) -> None:
        token = await stage.container.access.new_setup_token(member=stage.people["viewer"])
        body = {"setup_token": token}
        assert (await stage.attempt("stranger", "POST", "/session", body)).status_code == 201
        problem(await stage.attempt("stranger", "POST", "/session", body), 403, "setup_link_invalid")

    async def test_a_session_whose_cookie_was_made_up(self, stage: Stage) -> None:
        async with client_of(stage.app) as client:
            client.cookies.set("__Host-tidings", "0" * 64)
            problem(await client.get("/api/v1/users"), 401, "unauthorized")
