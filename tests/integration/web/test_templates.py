"""Templates over REST: kept, checked, shown, and sent by their id."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from tidings.wiring import Container

PATH = "/api/v1/templates"
REPLY: dict[str, Any] = {
    "name": "New reply",
    "title": "{{ author.name }} replied",
    "body": "in {{ topic.title | default: 'a topic' }}, {{ user.name | default: 'dear reader' }}",
    "url": "https://www.example.com/t/{{ topic.id }}",
    "actions": [{"id": "open", "title": "Open"}],
    "collapse_id": "topic-{{ topic.id }}",
    "locales": {"de": {"title": "{{ author.name }} hat geantwortet", "actions": {"open": "Öffnen"}}},
}
VARIABLES = {"author": {"name": "Grace"}, "topic": {"id": "a b", "title": "Tides"}}


async def kept(api: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await api.post(PATH, json=REPLY | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_template_is_kept_listed_replaced_and_deleted(api: httpx2.AsyncClient) -> None:
    made = await kept(api)
    assert (made["version"], made["language"], made["title"]) == (1, "en", REPLY["title"])
    assert made["locales"]["de"] == {
        "title": "{{ author.name }} hat geantwortet",
        "body": None,
        "url": None,
        "actions": {"open": "Öffnen"},
    }
    other = await kept(api, name="Other")
    listed = (await api.get(PATH, params={"limit": 1})).json()
    assert [one["id"] for one in listed["data"]] == [other["id"]]
    rest = (await api.get(PATH, params={"cursor": listed["next_cursor"]})).json()
    assert (rest["data"], rest["next_cursor"]) == ([made], None)

    same = (await api.put(f"{PATH}/{made['id']}", json=REPLY)).json()
    assert same["version"] == 1, "nothing has changed"
    changed = (await api.put(f"{PATH}/{made['id']}", json=REPLY | {"body": "now"})).json()
    assert (changed["version"], changed["body"]) == (2, "now")
    assert (await api.get(f"{PATH}/{made['id']}")).json() == changed

    assert (await api.delete(f"{PATH}/{made['id']}")).status_code == 204
    problem(await api.get(f"{PATH}/{made['id']}"), 404, "not_found")
    audit = (await api.get("/api/v1/audit")).json()["data"]
    actions = [one["action"] for one in audit if one["action"].startswith("template.")]
    assert sorted(actions) == ["template.changed", "template.created", "template.created", "template.deleted"]


async def test_a_name_is_used_once(api: httpx2.AsyncClient) -> None:
    await kept(api)
    other = await kept(api, name="Other")
    problem(await api.post(PATH, json=REPLY), 409, "template_name_taken")
    problem(await api.put(f"{PATH}/{other['id']}", json=REPLY), 409, "template_name_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "{{ a | nope }}"}, "title"),
        ({"body": "{% include 'x' %}"}, "body"),
        ({"url": "https://x.y/{{ a"}, "url"),
        ({"actions": [{"id": "open", "title": "{% for %}"}]}, "actions.0.title"),
        ({"data": {"deep": {"x": "{{"}}}, "data.deep.x"),
        ({"locales": {"de": {"title": "{{ a | date: 'x' }}"}}}, "locales.de.title"),
        ({"locales": {"de": {"actions": {"gone": "x"}}}}, "locales"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_its_field(
    api: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    for path in (PATH, f"{PATH}/preview"):
        body = REPLY | change
        words = {name: value for name, value in body.items() if name != "name"}
        answer = await api.post(path, json=body if path == PATH else {"template": words})
        problem(answer, 422, "template_invalid")
        assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_preview_shows_each_language_as_a_person_would_see_it(api: httpx2.AsyncClient) -> None:
    made = await kept(api)
    await api.put("/api/v1/users/u-1", json={"attributes": {"name": "Ada"}})
    answer = await api.post(f"{PATH}/{made['id']}/preview", json={"variables": VARIABLES, "user": "u-1"})
    assert answer.status_code == 200, answer.text
    own, german = answer.json()["languages"]
    assert (own["language"], own["title"], own["body"]) == ("en", "Grace replied", "in Tides, Ada")
    assert (own["url"], own["collapse_id"]) == ("https://www.example.com/t/a%20b", "topic-a b")
    assert (german["language"], german["title"]) == ("de", "Grace hat geantwortet")
    assert german["actions"] == [{"id": "open", "title": "Öffnen", "url": None}]
    assert own["error"] is german["error"] is None
    problem(await api.post(f"{PATH}/{made['id']}/preview", json={"user": "nobody"}), 404, "not_found")


async def test_a_preview_tells_what_is_cut_and_what_cannot_be_filled(api: httpx2.AsyncClient) -> None:
    words = {"title": "{{ long }}", "body": "{{ n | plus: 1 }}", "locales": {"de": {"title": "x", "body": "y"}}}
    given = {"long": "ab " * 100, "n": "many"}
    answer = await api.post(f"{PATH}/preview", json={"template": words, "variables": given})
    own, german = answer.json()["languages"]
    assert (own["error"]["field"], own["title"]) == ("body", None)
    assert (german["error"], german["warnings"]) == (None, [])
    answer = await api.post(f"{PATH}/preview", json={"template": words, "variables": given | {"n": 1}})
    warned = {one["field"] for one in answer.json()["languages"][0]["warnings"]}
    assert warned == {"title"}


TYPE: dict[str, Any] = {
    "name": "Reply",
    "variables": {
        "type": "object",
        "properties": {"author": {"type": "object", "properties": {"name": {}}}, "topic": {"type": "object"}},
    },
    "examples": [VARIABLES],
}


async def test_variables_are_those_of_the_event(api: httpx2.AsyncClient) -> None:
    declared = await api.put("/api/v1/event-types/topic.replied", json=TYPE)
    assert declared.status_code in (200, 201), declared.text
    made = await kept(api, event_type="topic.replied")
    shown = (await api.post(f"{PATH}/{made['id']}/preview", json={})).json()
    assert shown["variables"] == VARIABLES
    assert shown["languages"][0]["title"] == "Grace replied"

    wrong = await api.put(
        f"{PATH}/{made['id']}", json=REPLY | {"event_type": "topic.replied", "title": "{{ author.nam }}"}
    )
    problem(wrong, 422, "template_invalid")
    assert wrong.json()["errors"] == [
        {"field": "title", "message": "There is no variable 'author.nam'; did you mean 'author.name'?"}
    ]
    unknown = await api.post(PATH, json=REPLY | {"name": "Other", "event_type": "topic.gone"})
    problem(unknown, 422, "template_invalid")

    event = await api.post("/api/v1/events", json={"type": "topic.replied", "data": {"author": {"name": "Past"}}})
    assert event.status_code == 202, event.text
    past = await api.post(f"{PATH}/{made['id']}/preview", json={"event": event.json()["id"]})
    assert past.json()["languages"][0]["title"] == "Past replied"
    problem(await api.post(f"{PATH}/{made['id']}/preview", json={"event": "evt_404"}), 404, "not_found")


async def test_a_notification_takes_its_words_from_a_template_and_keeps_them(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    assert (await browser.post("/push/subscribe", json={"subscription": push_subscription()})).status_code == 201
    made = await kept(api)
    await api.patch(f"/api/v1/apps/{(await api.get('/api/v1/apps')).json()['data'][0]['id']}", json={"language": "de"})
    body = {"to": {"all": True}, "template": made["id"], "variables": VARIABLES, "ttl": 600}
    sent = await api.post("/api/v1/notifications", json=body)
    assert sent.status_code == 202, sent.text
    await api.put(f"{PATH}/{made['id']}", json=REPLY | {"title": "Changed"})
    await api.delete(f"{PATH}/{made['id']}")
    shown = (await api.get(f"/api/v1/notifications/{sent.json()['id']}")).json()
    assert (shown["title"], shown["ttl"]) == (REPLY["title"], 600)
    assert (shown["template"]["id"], shown["template"]["version"]) == (made["id"], 1)
    assert shown["template"]["variables"]["topic"] == VARIABLES["topic"]
    stored = await container.store.read(lambda tx: tx.notifications.get(1, sent.json()["id"]))
    assert stored is not None
    assert stored.message.templated is not None
    assert stored.message.templated.otherwise == "de"


async def test_variables_must_be_those_of_the_templates_event(api: httpx2.AsyncClient) -> None:
    kind = TYPE | {"variables": {**TYPE["variables"], "required": ["author"], "additionalProperties": False}}
    assert (await api.put("/api/v1/event-types/topic.replied", json=kind)).status_code == 201
    made = await kept(api, event_type="topic.replied")
    body = {"to": {"all": True}, "template": made["id"]}
    for variables, field in (
        ({}, "variables"),
        (VARIABLES | {"author": 7}, "variables.author"),
        (VARIABLES | {"auhtor": {}}, "variables"),
    ):
        answer = await api.post("/api/v1/notifications", json=body | {"variables": variables})
        problem(answer, 422, "invalid_request")
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    given = VARIABLES | {"actor": {"id": "u-1"}}
    assert (await api.post("/api/v1/notifications", json=body | {"variables": given})).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"template": "tpl_404"}, "not_found"),
        ({"template": "OWN", "title": "Own words"}, "invalid_request"),
        ({"template": "OWN", "actions": []}, "invalid_request"),
        ({"title": "x", "variables": {"a": 1}}, "invalid_request"),
        ({}, "invalid_request"),
        ({"template": "OWN", "variables": {"a": "x" * 20_000}}, "invalid_request"),
        ({"template": "OWN"}, None),
    ],
)
async def test_words_come_from_one_place(api: httpx2.AsyncClient, body: dict[str, Any], code: str | None) -> None:
    made = await kept(api, title="{{ author.name | default: 'Somebody' }} replied")
    named = body | ({"template": made["id"]} if body.get("template") == "OWN" else {})
    answer = await api.post("/api/v1/notifications", json={"to": {"users": ["u"]}, **named})
    if code is None:
        assert answer.status_code == 202, answer.text
    else:
        assert answer.json()["code"] == code
