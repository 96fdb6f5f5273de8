"""Every route there is, walked with what is another App's and by everybody who may not: a new route is walked too."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.integration.web.instance import OPERATOR, client_of, push_subscription

from support.members import member_of, sign_in
from support.pictures import picture
from tidings.domain.app import App
from tidings.domain.audit import SYSTEM
from tidings.domain.permission import OF_APP, ROLES, Permission, Role, Scope, of_scopes
from tidings.storage import Transaction
from tidings.web.callers import API, permission_of
from tidings.wiring import Container

MESSAGE = {"to": {"all": True}, "title": "x"}
WEBHOOK = {"url": "https://hooks.example.com/x", "events": ["delivery.failed"]}
TOLD: dict[str, Any] = {"audience": {"everyone": True}, "template": {"title": "x"}}
BODIES: dict[str, Any] = {
    "update_app": {"name": "Mine"},
    "update_integration": {"label": "Mine"},
    "update_subscription": {"tags": {"mine": "yes"}},
    "update_member": {"role": "viewer"},
    "send_notification": MESSAGE,
    "count_audience": {"to": {"all": True}},
    "look_ahead": {"to": {"all": True}},
    "settle_held": {"action": "send"},
    "invite": {"email": "x@example.com", "role": "viewer"},
    "put_event_type": {"name": "Mine"},
    "lookup_users": {"ids": ["anna", "u-1"]},
    "put_user": {"attributes": {"mine": True}},
    "create_key": {"name": "x"},
    "update_segment": {"name": "Mine"},
    "change_followers": {"follow": ["u-1"], "unfollow": ["u-2"]},
    "create_webhook": WEBHOOK,
    "change_webhook": {"enabled": False},
    "rotate_webhook_secret": {"keep_seconds": 0},
    "replay_webhook": {"since": "2026-01-01T00:00:00Z"},
    "create_template": {"name": "Mine", "title": "x"},
    "replace_template": {"name": "Mine", "title": "x"},
    "preview_template": {},
    "create_trigger": {"name": "Mine", "event_type": "ferry.late", **TOLD},
    "replace_trigger": {"name": "Mine", "event_type": "ferry.late", **TOLD},
    "dry_run_trigger": {},
    "report_events": {"type": "ferry.late"},
    "replay_event": {},
    "requeue_dead_shard": {},
    "drop_dead_shard": {},
}
"""Bodies that would do something; routes without one here get `{}`, and what does not fit it is refused as well."""

REFUSED = {401, 403, 404}
OWN = {
    "put_user", "erase_user", "put_event_type", "get_preferences", "put_preferences", "list_user_topics",
    "follow_topic", "unfollow_topic", "list_followers", "change_followers", "get_topic",
}  # fmt: skip
"""Whoever names a user or an event type of their own App by a name that another App uses too means something else."""


@dataclass(frozen=True)
class Walk:
    """One operation of the document."""

    name: str
    method: str
    path: str
    permission: Permission
    parameters: tuple[str, ...]

    @property
    def placeholders(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


@dataclass
class Two:
    """Two Apps; everything that has an id is in the second, and everybody who calls belongs to the first."""

    first: App
    second: App
    folder: Path
    ids: dict[str, str] = field(default_factory=dict)
    callers: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def of_second(self) -> dict[str, list[Any]]:
        """Give every row of the second App, of every table that has an App."""
        with sqlite3.connect(self.folder / "tidings.db") as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            columns = {name: [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')] for name in tables}
            found = {
                name: database.execute(f'SELECT * FROM "{name}" WHERE app_id = ?', (self.second.id,)).fetchall()
                for name in tables
                if "app_id" in columns[name]
            }
            found["apps"] = database.execute("SELECT * FROM apps WHERE id = ?", (self.second.id,)).fetchall()
            return found


def walks(app: FastAPI) -> list[Walk]:
    document = app.openapi()
    asked = {
        (route.path, method): permission_of(route)
        for route in iter_route_contexts(app.routes)
        if (route.path or "").startswith(API)
        for method in route.methods or ()
    }
    return [
        Walk(
            operation["operationId"],
            method.upper(),
            path,
            next(found for (where, how), found in asked.items() if how == method.upper() and _same(where or "", path)),
            tuple(one["name"] for one in operation.get("parameters", ())),
        )
        for path, operations in document["paths"].items()
        if path.startswith(API)
        for method, operation in operations.items()
    ]


def _same(route: str, documented: str) -> bool:
    return route.replace(":path}", "}") == documented


def given_up(tx: Transaction, *, now: datetime) -> int:
    """Give up the only shard there is."""
    (shard_id,) = tx.shards.ready(now=now, limit=9)
    shard = tx.shards.claim(shard_id, owner="w", now=now, lease=60)
    assert shard is not None
    tx.shards.bury(shard.id, shard.lease_token, because="worker_died", now=now)
    return shard_id


def told(tx: Transaction, app_id: int, *, now: datetime) -> str:
    """Leave a message to the App's webhook in its log."""
    (hook,) = tx.webhooks.all(app_id)
    return tx.webhook_messages.add_test(hook, public_id="msg_theirs", now=now, lease=60).message.public_id


MADE_UP = {
    "channel": "of the integration before it",
    "preset": "of the product, the same for all",
    "session_id": "of a member",
    "passkey_id": "of a member",
    "provider_id": "of the instance",
}
"""What a path names that is no App's."""


async def test_whatever_a_path_names_is_there_in_the_other_app(app: FastAPI, two: Two) -> None:
    """Else the walk would go to made-up ids, which are refused whoever asks."""
    named = {name for walk in walks(app) for name in walk.placeholders}
    assert named - set(MADE_UP) == set(two.ids)
    at = {"app": two.second.public_id}
    async with client_of(app, Authorization=f"Bearer {OPERATOR}") as operator:
        for walk in walks(app):
            if walk.method != "GET" or not walk.placeholders or set(walk.placeholders) & set(MADE_UP):
                continue
            if walk.name in ("follow_notification", "get_test_notification", "list_channels"):
                continue  # one does not end, one is of a test, one is for APNs
            path = walk.path
            for name in walk.placeholders:
                path = path.replace(f"{{{name}}}", two.ids[name])
            answer = await operator.get(path, params=at if "app" in walk.parameters else {})
            assert answer.status_code == 200, (walk.name, answer.text)


@pytest.fixture
async def two(app: FastAPI, container: Container, api: httpx2.AsyncClient, tmp_path: Path) -> AsyncIterator[Two]:
    first = await container.apps.ensure_first()
    second = (await container.apps.create("Second")).app
    found = Two(first, second, tmp_path)
    at = {"app": second.public_id}
    for one in (first, second):
        made = await api.post(
            "/api/v1/integrations/webpush/keys",
            params={"app": one.public_id},
            json={"subject": "mailto:a@example.com"},
        )
        assert made.status_code == 201, made.text
    tagged = {"subscription": push_subscription(), "tags": {"pier": "3"}, "user": {"id": "u-2"}}
    device = await api.post(f"/v1/{second.public_id}/push/subscribe", json=tagged)
    assert device.status_code == 201, device.text
    assert (await api.put("/api/v1/users/u-2", params=at, json={"locale": "de"})).status_code == 201
    assert (await api.put("/api/v1/users/u-2/topics/ferries", params=at)).status_code == 201
    sent = await api.post("/api/v1/notifications", params=at, json=MESSAGE)
    kind = await api.put("/api/v1/event-types/ferry.late", params=at, json={"name": "A ferry is late"})
    assert kind.status_code in (200, 201), kind.text
    segment = await api.post("/api/v1/segments", params=at, json={"name": "All", "conditions": "true"})
    assert segment.status_code == 201, segment.text
    template = await api.post("/api/v1/templates", params=at, json={"name": "Theirs", "title": "A secret of theirs"})
    assert template.status_code == 201, template.text
    image = await api.post("/api/v1/images", params=at, content=picture())
    assert image.status_code == 201, image.text
    rule = {"name": "Theirs", "event_type": "ferry.late", **TOLD}
    trigger = await api.post("/api/v1/triggers", params=at, json=rule)
    assert trigger.status_code == 201, trigger.text
    event = await api.post("/api/v1/events", params=at, json={"type": "ferry.late", "data": {"secret": "of theirs"}})
    assert event.status_code == 202, event.text
    elsewhere = await member_of(container, {second.id: Role.OWNER}, email="elsewhere@example.com")
    invited = await api.post("/api/v1/invitations", params=at, json={"email": "i@example.com", "role": "viewer"})
    key = await container.access.create_key(name="theirs", scopes=[Scope.READ], app=second, by=SYSTEM)
    integration = (await api.get("/api/v1/integrations", params=at)).json()["data"][0]["id"]
    gone = await api.post(f"/v1/{second.public_id}/push/subscribe", json={"subscription": push_subscription()})
    erased = await api.post(f"/api/v1/subscriptions/{gone.json()['id']}/erase", params=at)
    hook = await api.post("/api/v1/webhooks", params=at, json=WEBHOOK)
    assert hook.status_code == 201, hook.text
    found.ids = {
        "app_id": second.public_id,
        "subscription_id": device.json()["id"],
        "notification_id": sent.json()["id"],
        "external_id": "u-2",
        "member_id": elsewhere.public_id,
        "invitation_id": invited.json()["id"],
        "key_id": key.api_key.public_id,
        "integration": integration,
        "provider": "webpush",
        "key": "ferry.late",
        "topic": "ferries",
        "segment_id": segment.json()["id"],
        "erasure_id": erased.json()["id"],
        "webhook_id": hook.json()["id"],
        "message_id": await container.store.write(lambda tx: told(tx, second.id, now=container.clock.now())),
        "template_id": template.json()["id"],
        "image_id": image.json()["id"],
        "trigger_id": trigger.json()["id"],
        "event_id": event.json()["id"],
        "shard_id": str(await container.store.write(lambda tx: given_up(tx, now=container.clock.now()))),
    }
    for role in Role:
        member = await member_of(container, {first.id: role}, email=f"{role}@example.com")
        found.callers[role] = await sign_in(client_of(app), container, member)
    whole = await container.access.create_key(name="all", scopes=list(Scope), app=first, by=SYSTEM)
    found.callers["key"] = client_of(app, Authorization=f"Bearer {whole.text}")
    yield found
    for client in found.callers.values():
        await client.aclose()


def calls(walk: Walk, two: Two) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the addresses that name what is the second App's: by its own id in the query, and by ids in the path."""
    ids = {name: two.ids.get(name, "xyz_01jd8k3v5x0000000000000000") for name in walk.placeholders}
    path = walk.path
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    if "app" in walk.parameters:
        yield path, {"app": two.second.public_id}
    if set(walk.placeholders) - {"provider"} and walk.name not in OWN:
        yield path, {}


async def test_another_apps_ids_open_nothing_and_change_nothing(app: FastAPI, two: Two) -> None:
    walked = [one for one in walks(app) if one.permission in OF_APP]
    assert len(walked) >= 55
    before, wrong, tried = two.of_second(), [], 0
    assert {"subscriptions", "notifications", "memberships", "api_keys", "integrations", "apps"} <= set(before)
    for walk in walked:
        for path, query in calls(walk, two):
            for who in ("owner", "key"):
                tried += 1
                body = BODIES.get(walk.name, {}) if walk.method in ("POST", "PUT", "PATCH") else None
                answer = await two.callers[who].request(walk.method, path, params=query, json=body)
                refused = REFUSED if query or walk.name in BODIES or body is None else REFUSED | {422}
                if answer.status_code not in refused:
                    wrong.append((who, walk.name, query, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert tried >= 150
    assert two.of_second() == before


async def test_a_route_is_refused_to_every_role_that_lacks_its_permission(app: FastAPI, two: Two) -> None:
    wrong, tried, before = [], 0, two.of_second()
    for walk in walks(app):
        if walk.permission in (Permission.OPEN, Permission.SELF):
            continue
        path = walk.path
        for name in walk.placeholders:
            path = path.replace(f"{{{name}}}", two.ids.get(name, "x"))
        for role in Role:
            if walk.permission in ROLES[role]:
                continue
            tried += 1
            answer = await two.callers[role].request(walk.method, path, json=BODIES.get(walk.name, {}))
            code = answer.json().get("code") if answer.content else None
            if (answer.status_code, code) != (403, "forbidden"):
                wrong.append((role.value, walk.name, answer.status_code, code))
    assert wrong == []
    assert tried >= 100
    assert two.of_second() == before


async def test_a_route_is_refused_to_a_key_of_every_scope_that_lacks_its_permission(
    app: FastAPI, two: Two, container: Container
) -> None:
    """With an App's own key of one scope each: none opens what it does not say, and none an account."""
    wrong, tried, before = [], 0, two.of_second()
    for scope in Scope:
        issued = await container.access.create_key(name=scope, scopes=[scope], app=two.first, by=SYSTEM)
        async with client_of(app, Authorization=f"Bearer {issued.text}") as program:
            for walk in walks(app):
                if walk.permission is Permission.OPEN or walk.permission in of_scopes([scope]):
                    continue
                path = walk.path
                for name in walk.placeholders:
                    path = path.replace(f"{{{name}}}", two.ids.get(name, "x"))
                tried += 1
                answer = await program.request(walk.method, path, json=BODIES.get(walk.name, {}))
                code = answer.json().get("code") if answer.content else None
                if (answer.status_code, code) != (403, "forbidden"):
                    wrong.append((scope.value, walk.name, answer.status_code, code))
    assert wrong == []
    assert tried >= 1_000
    assert two.of_second() == before


async def test_a_stranger_is_refused_everywhere_but_at_the_doors(app: FastAPI, browser: httpx2.AsyncClient) -> None:
    doors = {
        "get_session", "sign_in", "sign_out", "show_second_factor", "ask_sign_in", "sign_in_by_passkey", "get_setup",
        "set_up", "look_at_invitation", "accept_invitation", "reset_password", "start_oidc", "finish_oidc",
    }  # fmt: skip
    opened = set()
    for walk in walks(app):
        if walk.permission is Permission.OPEN:
            opened.add(walk.name)
            continue
        path = walk.path.replace("{", "").replace("}", "")
        answer = await browser.request(walk.method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (walk, answer.text)
    assert opened == doors


OF_ANOTHER: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/notifications", {"to": {"all": True}, "template": "{template_id}"}, "template"),
    ("POST", "/notifications", {"to": {"segment": "{segment_id}"}, "title": "x"}, "segment"),
    ("POST", "/notifications/count", {"to": {"segment": "{segment_id}"}}, "segment"),
    ("POST", "/triggers", {"audience": {"everyone": True}, "template": "{template_id}"}, "template"),
    ("POST", "/triggers", {"audience": {"segment": "{segment_id}"}, "template": {"title": "x"}}, "segment"),
    (
        "POST",
        "/triggers",
        {"audience": {"union": [{"everyone": True}, {"segment": "{segment_id}"}]}, "template": {"title": "x"}},
        "segment",
    ),
    ("POST", "/triggers/{mine}/dry-run", {"event": "{event_id}"}, "event"),
    ("POST", "/templates/{words}/preview", {"event": "{event_id}"}, "event"),
    ("POST", "/integrations/webpush/test-notification", {"subscription": "{subscription_id}"}, "subscription"),
]
"""Bodies that name by its id what is another App's."""


async def test_a_body_cannot_name_what_is_another_apps(two: Two, api: httpx2.AsyncClient) -> None:
    before, wrong = two.of_second(), []
    at = {"app": two.first.public_id}
    assert (await api.put("/api/v1/event-types/tide.high", params=at, json={"name": "High tide"})).status_code == 201
    rule = {"name": "Mine", "event_type": "tide.high", **TOLD}
    mine = (await api.post("/api/v1/triggers", params=at, json=rule)).json()["id"]
    words = (await api.post("/api/v1/templates", params=at, json={"name": "Mine", "title": "x"})).json()["id"]
    ids = {**two.ids, "mine": mine, "words": words}
    for who in ("owner", "key"):
        for method, path, body, what in OF_ANOTHER:
            asked = json.loads(_filled(json.dumps(body), ids))
            if path == "/triggers":
                asked |= {"name": f"By {who}", "event_type": "tide.high"}
            answer = await two.callers[who].request(method, f"/api/v1{_filled(path, ids)}", json=asked)
            if answer.status_code not in (404, 422) or "theirs" in answer.text:
                wrong.append((who, path, what, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert two.of_second() == before


def _filled(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


NAMED: list[tuple[str, dict[str, Any]]] = [
    ("devices", {"to": {"subscriptions": ["{subscription_id}"]}, "title": "x"}),
    ("tags", {"to": {"tags": {"pier": "3"}}, "title": "x"}),
    ("people", {"to": {"users": ["u-2"]}, "title": "x"}),
]


@pytest.mark.parametrize("body", [one[1] for one in NAMED], ids=[one[0] for one in NAMED])
async def test_a_body_that_names_what_is_another_apps_reaches_nobody(two: Two, body: dict[str, Any]) -> None:
    to = json.loads(_filled(json.dumps(body["to"]), two.ids))
    before = two.of_second()
    for who in ("owner", "key"):
        client = two.callers[who]
        counted = await client.post("/api/v1/notifications/count", json={"to": to})
        assert (counted.status_code, counted.json()["count"]) == (200, 0), counted.text
        sent = await client.post("/api/v1/notifications", json={**body, "to": to})
        if sent.status_code == 202:
            shown = (await client.get(f"/api/v1/notifications/{sent.json()['id']}")).json()
            assert shown["counts"]["audience"] == 0
        else:
            assert sent.status_code in (404, 409, 422), sent.text
    assert two.of_second() == before


async def test_conditions_count_nobody_of_another_app(two: Two, api: httpx2.AsyncClient) -> None:
    at = {"app": two.second.public_id}
    for text in (
        'user.topics.contains("ferries")',
        'user.id == "u-2"',
        'subscription.tags.pier == "3"',
        'user.locale == "de"',
    ):
        theirs = await api.post("/api/v1/segments/count", params=at, json={"conditions": text})
        assert (theirs.status_code, theirs.json()["count"]) == (200, 1), theirs.text
        for who in ("owner", "key"):
            ours = await two.callers[who].post("/api/v1/segments/count", json={"conditions": text})
            assert (ours.status_code, ours.json()["count"]) == (200, 0), (text, ours.text)


async def test_a_segment_of_another_app_is_none_to_send_to(two: Two) -> None:
    to = {"segment": two.ids["segment_id"]}
    before = two.of_second()
    for who in ("owner", "key"):
        for path, more in (("", {"title": "x"}), ("/count", {})):
            answer = await two.callers[who].post(f"/api/v1/notifications{path}", json={"to": to, **more})
            assert (answer.status_code, answer.json()["code"]) == (422, "audience_invalid"), answer.text
    assert two.of_second() == before
