"""Segments at the wire: kept in both forms, counted, sent to, and held on to while something needs them."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription
from tests.integration.web.test_triggers import EVENT, TYPE, serve

from tidings.domain.audience import Matching
from tidings.domain.audit import SYSTEM
from tidings.domain.filters import filter_from
from tidings.domain.permission import Scope
from tidings.wiring import Container

PRO = 'user.plan == "pro"'
PRO_JSON = {"v": 1, "field": "user.plan", "op": "equals", "value": "pro"}


async def segment(api: httpx2.AsyncClient, conditions: Any = PRO, name: str = "Pro") -> dict[str, Any]:
    answer = await api.post("/api/v1/segments", json={"name": name, "conditions": conditions})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/segments/{made['id']}"
    return made


@pytest.fixture
async def people(api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str) -> None:
    """Anna and Ben pay and have three browsers between them, Cleo does not pay, and one browser is nobody's."""
    for name, plan in (("anna", "pro"), ("ben", "pro"), ("cleo", "free")):
        body = {"attributes": {"plan": plan, "name": name.title()}}
        assert (await api.put(f"/api/v1/users/{name}", json=body)).status_code == 201
    for owner in ("anna", "anna", "ben", "cleo", None):
        told = {"subscription": push_subscription(), "vapid_key": vapid_key}
        answer = await browser.post("/push/subscribe", json=told | ({"user": {"id": owner}} if owner else {}))
        assert answer.status_code == 201, answer.text


async def test_the_same_request_is_answered_the_same_when_its_segment_is_gone(
    api: httpx2.AsyncClient, people: None
) -> None:
    made = await segment(api)
    body, headers = {"title": "x", "to": {"segment": made["id"]}}, {"Idempotency-Key": "k1"}
    first = await api.post("/api/v1/notifications", json=body, headers=headers)
    assert first.status_code == 202, first.text
    assert (await api.post(f"/api/v1/notifications/{first.json()['id']}/cancel")).status_code == 200
    assert (await api.delete(f"/api/v1/segments/{made['id']}")).status_code == 204
    again = await api.post("/api/v1/notifications", json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["idempotency-replayed"] == "true"
    other = await api.post("/api/v1/notifications", json={**body, "title": "y"}, headers=headers)
    assert other.is_client_error, other.text


async def count(api: httpx2.AsyncClient, conditions: Any) -> int:
    answer = await api.post("/api/v1/segments/count", json={"conditions": conditions})
    assert answer.status_code == 200, answer.text
    assert answer.json()["exact"] is True
    return int(answer.json()["count"])


async def test_a_segment_is_kept_in_both_forms_found_changed_and_deleted(api: httpx2.AsyncClient) -> None:
    made = await segment(api)
    assert (made["conditions"], made["conditions_text"]) == (PRO_JSON, PRO)
    path = f"/api/v1/segments/{made['id']}"
    tree = {"any": [PRO_JSON | {"v": 1}, {"field": "user.topics", "op": "contains", "value": "beta"}]}
    tree["any"][0] = {name: value for name, value in PRO_JSON.items() if name != "v"}
    changed = await api.patch(path, json={"conditions": tree})
    assert changed.status_code == 200, changed.text
    assert changed.json()["conditions_text"] == f'{PRO} || user.topics.contains("beta")'
    assert changed.json()["name"] == "Pro"
    assert (await api.patch(path, json={"name": "Payers"})).json()["name"] == "Payers"
    assert (await api.get(path)).json()["conditions"] == {"v": 1, **tree}
    other = await segment(api, "true", "All")
    listed = (await api.get("/api/v1/segments", params={"limit": 1})).json()
    assert [one["name"] for one in listed["data"]] == ["All"]
    rest = (await api.get("/api/v1/segments", params={"limit": 1, "cursor": listed["next_cursor"]})).json()
    assert ([one["name"] for one in rest["data"]], rest["next_cursor"]) == (["Payers"], None)
    named = (await api.get("/api/v1/segments", params={"name": "Payers"})).json()
    assert [one["id"] for one in named["data"]] == [made["id"]]
    problem(await api.patch(path, json={"name": "All"}), 409, "segment_name_taken")
    answer = await api.post("/api/v1/segments", json={"name": "All", "conditions": PRO})
    assert problem(answer, 409, "segment_name_taken")["errors"][0]["field"] == "name"
    assert (await api.delete(path)).status_code == 204
    problem(await api.get(path), 404, "not_found")
    problem(await api.get(f"{path}/count"), 404, "not_found")
    log = [one["action"] for one in (await api.get("/api/v1/audit")).json()["data"] if "segment" in one["action"]]
    assert log == ["segment.deleted", "segment.created", "segment.changed", "segment.changed", "segment.created"]
    assert other["conditions"] == {"v": 1, "all": []}


@pytest.mark.parametrize(
    ("conditions", "field", "words"),
    [
        ('user.plan = "pro"', "conditions", "Character 11"),
        ('user.plan == "pro" and user.age > 3', "conditions", "Character 20: Write `&&`."),
        ("event.total > 3", "conditions.field", "`event` is not known here"),
        ("user.plan == subscription.locale", "conditions.value.field", "Here a field is compared with a value"),
        ({"all": [PRO_JSON | {"v": 1}]}, "conditions.all[0].v", "A condition has"),
        (
            {"all": [{"field": "user.age", "op": "less", "value": 3}, {"field": "user.x", "op": "in", "value": 3}]},
            "conditions.all[1].value",
            "list",
        ),
        ({"any": [{"not": {"field": "subscription.colour", "op": "exists"}}]}, "conditions.any[0].field", "has id"),
        ({"field": "user.topics", "op": "equals", "value": "x"}, "conditions.value", "Topics are asked for by name"),
        ({"field": "user.x", "op": "equals"}, "conditions.value", "nothing to compare with"),
        ({}, "conditions.op", "One of"),
        (f'user.x == "{"y" * 1_025}"', "conditions.value", "1024"),
    ],
)
async def test_a_refusal_names_the_place_in_the_conditions(
    api: httpx2.AsyncClient, conditions: Any, field: str, words: str
) -> None:
    made = await segment(api)
    for answer in (
        await api.post("/api/v1/segments", json={"name": "Wrong", "conditions": conditions}),
        await api.post("/api/v1/segments/count", json={"conditions": conditions}),
        await api.post("/api/v1/conditions", json={"conditions": conditions}),
        await api.patch(f"/api/v1/segments/{made['id']}", json={"conditions": conditions}),
    ):
        found = problem(answer, 422, "filter_invalid")
        assert found["errors"][0]["field"] == field, found
        assert words in found["errors"][0]["message"], found
    assert len((await api.get("/api/v1/segments")).json()["data"]) == 1


async def test_conditions_are_read_into_both_forms_for_where_they_are_to_stand(api: httpx2.AsyncClient) -> None:
    text = 'event.severity == "error" && (has(user.on_call) || user.role == event.role)'
    refused = await api.post("/api/v1/conditions", json={"conditions": text})
    problem(refused, 422, "filter_invalid")
    read = await api.post("/api/v1/conditions", json={"conditions": text, "place": "trigger"})
    assert (read.status_code, read.json()["conditions_text"]) == (200, text)
    again = await api.post("/api/v1/conditions", json={"conditions": read.json()["conditions"], "place": "trigger"})
    assert again.json() == read.json()


@pytest.mark.usefixtures("people")
async def test_devices_are_counted_for_what_is_kept_and_for_what_is_not(api: httpx2.AsyncClient) -> None:
    assert await count(api, PRO) == 3
    assert await count(api, {"field": "user.id", "op": "in", "value": ["anna", "cleo", "nobody"]}) == 3
    assert await count(api, 'user.id == "anna" && user.plan == "free"') == 0
    assert await count(api, f"!({PRO})") == 2
    assert await count(api, "true") == 5
    for person in ("anna", "cleo"):
        assert (await api.put(f"/api/v1/users/{person}/topics/product:22")).status_code == 201
    assert await count(api, 'user.topics.contains("product:22")') == 3
    assert await count(api, f'user.topics.contains("product:22") && {PRO}') == 2
    assert await count(api, 'user.topics.contains("product:23")') == 0
    made = await segment(api)
    answer = await api.get(f"/api/v1/segments/{made['id']}/count")
    assert answer.json() == {"count": 3, "exact": True}
    to = {"to": {"segment": made["id"]}}
    assert (await api.post("/api/v1/notifications/count", json=to)).json() == {"count": 3}
    none = await api.post("/api/v1/notifications/count", json={**to, "channels": ["fcm"]})
    assert none.json() == {"count": 0}


@pytest.mark.usefixtures("people")
async def test_a_notification_goes_to_whom_a_segment_means_when_it_is_accepted(
    api: httpx2.AsyncClient, container: Container
) -> None:
    made = await segment(api)
    body = {"to": {"segment": made["id"]}, "title": "Thank you", "expect_audience": 3}
    sent = await api.post("/api/v1/notifications", json=body)
    assert sent.status_code == 202, sent.text
    path = f"/api/v1/notifications/{sent.json()['id']}"
    shown = (await api.get(path)).json()
    assert (shown["to"], shown["counts"]["audience"]) == ({"segment": made["id"]}, 3)
    await api.patch(f"/api/v1/segments/{made['id']}", json={"conditions": "false"})
    app = await container.apps.resolve(None)
    stored = await container.notifications.get(app.id, sent.json()["id"])
    assert isinstance(stored.audience, Matching)
    assert stored.audience.filter == filter_from(PRO), "what is being sent has the conditions it began with"
    assert await container.notifications.count(app.id, stored.audience) == 3
    refused = problem(await api.post("/api/v1/notifications", json=body), 409, "audience_changed")
    assert "0 devices" in refused["detail"]


async def test_a_segment_that_is_not_there_is_named(api: httpx2.AsyncClient) -> None:
    for path, more in (("/api/v1/notifications", {"title": "x"}), ("/api/v1/notifications/count", {})):
        found = problem(await api.post(path, json={"to": {"segment": "seg_gone"}, **more}), 422, "audience_invalid")
        assert found["errors"][0]["field"] == "to.segment"
        both = {"to": {"segment": "seg_gone", "all": True}, **more}
        problem(await api.post(path, json=both), 422, "audience_invalid")
        problem(await api.post(path, json={"to": {"segment": None}, **more}), 422, "audience_invalid")


@pytest.mark.usefixtures("people")
async def test_a_segment_stays_while_a_trigger_or_an_unfinished_notification_needs_it(api: httpx2.AsyncClient) -> None:
    made = await segment(api)
    path = f"/api/v1/segments/{made['id']}"
    assert (await api.put("/api/v1/event-types/conversation.escalated", json=TYPE)).status_code == 201
    rule = {"union": [{"users": "event"}, {"segment": made["id"]}]}
    body = {"name": "Tell payers", "event_type": EVENT["type"], "audience": rule, "template": {"title": "Hello"}}
    trigger = (await api.post("/api/v1/triggers", json=body)).json()["id"]
    sent = await api.post("/api/v1/notifications", json={"to": {"segment": made["id"]}, "title": "x"})
    notification = sent.json()["id"]
    used = problem(await api.delete(path), 409, "segment_in_use")
    assert "'Tell payers'" in used["detail"]
    assert trigger in used["detail"]
    assert notification in used["detail"]
    assert problem(await api.delete(f"{path}?dry_run=true"), 409, "segment_in_use") == used
    assert (await api.delete(f"/api/v1/triggers/{trigger}")).status_code == 204
    assert notification in problem(await api.delete(path), 409, "segment_in_use")["detail"]
    assert (await api.post(f"/api/v1/notifications/{notification}/cancel")).status_code == 200
    assert (await api.delete(f"{path}?dry_run=true")).status_code == 204
    assert (await api.get(path)).status_code == 200, "it was only asked"
    assert (await api.delete(path)).status_code == 204
    shown = (await api.get(f"/api/v1/notifications/{notification}")).json()
    assert shown["to"] == {"segment": made["id"]}, "what was sent says to whom, also when that is gone"


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("rule", ["segment", "followers"])
async def test_a_trigger_tells_who_is_in_a_segment_or_follows_a_topic(
    api: httpx2.AsyncClient, container: Container, rule: str
) -> None:
    assert (await api.put("/api/v1/event-types/conversation.escalated", json=TYPE)).status_code == 201
    for person in ("anna", "ben"):
        assert (await api.put(f"/api/v1/users/{person}/topics/conversation:c-9")).status_code == 201
    audience = (
        {"segment": (await segment(api))["id"]}
        if rule == "segment"
        else {"followers": "conversation:{{conversation.id}}"}
    )
    body = {"name": "Tell", "event_type": EVENT["type"], "audience": audience, "template": {"title": "{{ bot.name }}"}}
    made = await api.post("/api/v1/triggers", json=body)
    assert made.status_code == 201, made.text
    happened = await api.post("/api/v1/events", json=[{**EVENT, "actor": "ben"}])
    assert happened.status_code == 202, happened.text
    await serve(container)
    (fired,) = (await api.get(f"/api/v1/triggers/{made.json()['id']}/firings")).json()["data"]
    assert fired["outcome"] == "fired", fired
    (sent,) = [(await api.get(f"/api/v1/notifications/{one}")).json() for one in fired["notifications"]]
    assert (sent["to"], sent["counts"]["audience"], sent["title"]) == ({"users": ["anna"]}, 2, "{{ bot.name }}")


async def test_a_key_for_segments_keeps_and_counts_them_and_does_nothing_else(
    api: httpx2.AsyncClient, container: Container
) -> None:
    app = await container.apps.resolve(None)
    key = await container.access.create_key(name="segments", scopes=[Scope.SEGMENTS_WRITE], app=app, by=SYSTEM)
    mine = {"Authorization": f"Bearer {key.text}"}
    body = {"name": "Mine", "conditions": PRO}
    assert (await api.post("/api/v1/segments", json=body, headers=mine)).status_code == 201
    assert (await api.post("/api/v1/segments/count", json={"conditions": PRO}, headers=mine)).status_code == 200
    problem(await api.get("/api/v1/users", headers=mine), 403, "forbidden")
    send = await container.access.create_key(name="send", scopes=[Scope.SEND], app=app, by=SYSTEM)
    theirs = {"Authorization": f"Bearer {send.text}"}
    assert (await api.get("/api/v1/segments", headers=theirs)).status_code == 200
    problem(await api.post("/api/v1/segments/count", json={"conditions": PRO}, headers=theirs), 403, "forbidden")


async def test_an_app_has_a_thousand_segments_and_no_more(api: httpx2.AsyncClient, container: Container) -> None:
    app, tree, now = await container.apps.resolve(None), filter_from(PRO), container.clock.now()
    await container.store.write(
        lambda tx: [
            tx.segments.add(app.id, public_id=f"seg_{n}", name=f"S {n}", conditions=tree, now=now) for n in range(1_000)
        ]
    )
    answer = await api.post("/api/v1/segments", json={"name": "One more", "conditions": PRO})
    problem(answer, 409, "segments_too_many")
