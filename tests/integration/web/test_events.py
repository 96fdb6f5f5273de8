"""Event types and events over HTTP: declared, checked, stored once, shown and replayed."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem

from tidings.bus import Bell
from tidings.wiring import Container

TYPE = {
    "name": "A visitor wants a person",
    "category": "Live chat",
    "variables": {
        "properties": {
            "conversation": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
            "waited": {"type": "integer", "minimum": 0},
        },
        "required": ["conversation"],
        "additionalProperties": False,
    },
    "examples": [{"conversation": {"id": "c-1"}, "waited": 3}],
}
EVENT = {"type": "conversation.escalated", "data": {"conversation": {"id": "c-9"}}, "users": ["u-1"], "actor": "u-2"}


@pytest.fixture
async def declared(api: httpx2.AsyncClient) -> None:
    answer = await api.put("/api/v1/event-types/conversation.escalated", json=TYPE)
    assert answer.status_code == 201, answer.text


class TestTypes:
    async def test_a_type_is_declared_changed_shown_listed_and_deleted(self, api: httpx2.AsyncClient) -> None:
        made = await api.put("/api/v1/event-types/conversation.escalated", json=TYPE)
        assert (made.status_code, made.json()["defaults"]) == (201, {"push": True, "feed": True})
        changed = await api.put("/api/v1/event-types/conversation.escalated", json={**TYPE, "mandatory": True})
        assert (changed.status_code, changed.json()["mandatory"]) == (200, True)
        shown = await api.get("/api/v1/event-types/conversation.escalated")
        assert shown.json() == changed.json()
        assert shown.json()["variables"] == TYPE["variables"]
        listed = (await api.get("/api/v1/event-types")).json()["data"]
        assert [row["key"] for row in listed] == ["conversation.escalated"]
        assert (await api.delete("/api/v1/event-types/conversation.escalated")).status_code == 204
        assert (await api.get("/api/v1/event-types/conversation.escalated")).json()["code"] == "not_found"
        assert (await api.delete("/api/v1/event-types/conversation.escalated")).status_code == 404
        actions = [row["action"] for row in (await api.get("/api/v1/audit")).json()["data"]]
        assert actions[:3] == ["event_type.removed", "event_type.set", "event_type.set"]

    @pytest.mark.parametrize("key", ["escalated", "Conversation.escalated", "a..b", "1a.b", "a.b" + "c" * 100, "a.b-c"])
    async def test_a_key_is_dotted_and_in_lower_case(self, api: httpx2.AsyncClient, key: str) -> None:
        answer = await api.put(f"/api/v1/event-types/{key}", json=TYPE)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_what_people_see_it_as_is_kept_in_every_language(self, api: httpx2.AsyncClient) -> None:
        path = "/api/v1/event-types/conversation.escalated"
        locales = {"en": {"name": "A visitor waits", "description": "", "category": None}, "pt-BR": {"name": "Espera"}}
        made = (await api.put(path, json={**TYPE, "language": "de", "locales": locales})).json()
        assert made["language"] == "de"
        nothing = {"description": None, "category": None}
        assert made["locales"] == {"en": locales["en"], "pt-BR": {"name": "Espera", **nothing}}
        assert (await api.get(path)).json()["locales"] == made["locales"]
        assert (await api.get("/api/v1/event-types")).json()["data"][0]["locales"] == made["locales"]
        changed = (await api.put(path, json=TYPE)).json()
        assert (changed["language"], changed["locales"]) == ("en", {})

    @pytest.mark.parametrize(
        "changes",
        [
            {"language": "german"},
            {"locales": {"d": {"name": "x"}}},
            {"locales": {"de": {"name": ""}}},
            {"locales": {"de": {"name": "two\nlines"}}},
            {"locales": {"de": {"title": "x"}}},
            {"locales": {f"a{chr(97 + n // 26)}{chr(97 + n % 26)}": {"name": "x"} for n in range(51)}},
        ],
    )
    async def test_what_is_no_language_or_no_name_is_refused(
        self, api: httpx2.AsyncClient, changes: dict[str, Any]
    ) -> None:
        problem(await api.put("/api/v1/event-types/a.b", json={**TYPE, **changes}), 422, "invalid_request")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"variables": {"type": "array"}}, "variables.type"),
            ({"variables": {"properties": {"a": {"$ref": "https://evil.example/x"}}}}, "variables.properties.a.$ref"),
            ({"variables": {"properties": {"a": {"type": "text"}}}}, "variables.properties.a.type"),
            ({"variables": {"properties": {"a": {"pattern": "(a"}}}}, "variables.properties.a.pattern"),
            ({"examples": [{"conversation": {"id": "x"}}, {"waited": -1}]}, "examples.1.waited"),
            ({"locales": {"en": {"name": "Again"}}}, "locales.en"),
            ({"locales": {"pt-BR": {"name": "Um"}, "pt_br": {"name": "Dois"}}}, "locales.pt_br"),
        ],
    )
    async def test_what_is_wrong_with_a_type_is_said_with_its_place(
        self, api: httpx2.AsyncClient, changes: dict[str, Any], field: str
    ) -> None:
        answer = (await api.put("/api/v1/event-types/a.b", json={**TYPE, **changes})).json()
        assert answer["code"] == "event_type_invalid"
        assert field in [one["field"] for one in answer["errors"]]


@pytest.mark.usefixtures("declared")
class TestReporting:
    async def test_an_event_is_stored_and_shown(self, api: httpx2.AsyncClient, container: Container) -> None:
        bells = container.bus.listen()
        answer = await api.post("/api/v1/events", json={**EVENT, "occurred_at": "2026-11-26T10:00:00+01:00"})
        assert answer.status_code == 202
        assert set(answer.json()) == {"id"}
        assert (await anext(bells)).bell is Bell.EVENT
        shown = (await api.get(f"/api/v1/events/{answer.json()['id']}")).json()
        assert {name: shown[name] for name in ("type", "data", "users", "actor", "status", "key", "occurred_at")} == {
            **EVENT, "status": "queued", "key": None, "occurred_at": "2026-11-26T09:00:00Z",
        }  # fmt: skip

    async def test_its_id_makes_it_one_and_another_under_it_is_refused(self, api: httpx2.AsyncClient) -> None:
        first = (await api.post("/api/v1/events", json={**EVENT, "id": "k-1"})).json()
        again = await api.post("/api/v1/events", json={**EVENT, "id": "k-1"})
        assert (again.status_code, again.json()) == (202, {"id": first["id"], "duplicate": True})
        other = await api.post("/api/v1/events", json={**EVENT, "id": "k-1", "users": ["u-9"]})
        assert (other.status_code, other.json()["code"]) == (409, "event_id_reused")
        assert len((await api.get("/api/v1/events")).json()["data"]) == 1

    @pytest.mark.parametrize(
        ("changes", "code", "field"),
        [
            ({"type": "conversation.unknown"}, "event_type_unknown", None),
            ({"data": {}}, "event_invalid", "data"),
            ({"data": {"conversation": {"id": 7}}}, "event_invalid", "data.conversation.id"),
            ({"data": {"conversation": {"id": "x" * 17_000}}}, "event_too_large", None),
            ({"users": [""]}, "invalid_request", "users.0"),
            ({"user": "u-1"}, "invalid_request", "user"),
            ({"occurred_at": "2026-11-26T10:00:00"}, "invalid_request", "occurred_at"),
            ({"data": {"conversation": {"id": "a\x00b"}}}, "invalid_request", None),
            ({"id": ""}, "invalid_request", "id"),
        ],
    )
    async def test_what_is_wrong_is_said_alone_and_in_an_array(
        self, api: httpx2.AsyncClient, changes: dict[str, Any], code: str, field: str | None
    ) -> None:
        alone = await api.post("/api/v1/events", json={**EVENT, **changes})
        assert (alone.status_code // 100, alone.json()["code"]) == (4, code)
        assert alone.headers["content-type"] == "application/problem+json"
        if field:
            assert field in [one["field"] for one in alone.json()["errors"]]
        answer = await api.post("/api/v1/events", json=[EVENT, {**EVENT, **changes}, EVENT])
        assert answer.status_code == 202
        first, wrong, last = answer.json()
        assert (set(first), wrong["code"], set(last)) == ({"id"}, code, {"id"})
        assert len((await api.get("/api/v1/events")).json()["data"]) == 2

    async def test_a_thousand_are_taken_at_once_and_not_one_more(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post("/api/v1/events", json=[{**EVENT, "id": str(n % 999)} for n in range(1_000)])
        assert answer.status_code == 202
        ids = [one["id"] for one in answer.json()]
        assert (len(ids), len(set(ids)), answer.json()[999]["duplicate"]) == (1_000, 999, True)
        for wrong in ([], [EVENT] * 1_001):
            refused = await api.post("/api/v1/events", json=wrong)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")

    @pytest.mark.parametrize("body", ["7", '"x"', "null", "[7]", "[[]]"])
    async def test_what_is_no_event_is_no_event(self, api: httpx2.AsyncClient, body: str) -> None:
        answer = await api.post("/api/v1/events", content=body, headers={"Content-Type": "application/json"})
        found = answer.json()
        assert (found[0] if isinstance(found, list) else found)["code"] in {"invalid_request", "invalid_json"}

    async def test_an_event_is_replayed_as_a_new_one(self, api: httpx2.AsyncClient) -> None:
        first = (await api.post("/api/v1/events", json={**EVENT, "id": "k-1"})).json()["id"]
        again = await api.post(f"/api/v1/events/{first}/replay")
        assert again.status_code == 202
        shown = (await api.get(f"/api/v1/events/{again.json()['id']}")).json()
        assert (shown["replay_of"], shown["data"], shown["key"]) == (first, EVENT["data"], None)
        assert (await api.post("/api/v1/events/evt_none/replay")).json()["code"] == "not_found"
        narrower = {**TYPE, "variables": {"properties": {}, "additionalProperties": False}, "examples": []}
        await api.put("/api/v1/event-types/conversation.escalated", json=narrower)
        refused = await api.post(f"/api/v1/events/{first}/replay")
        assert (refused.status_code, refused.json()["code"]) == (422, "event_invalid")

    async def test_the_history_has_filters_and_pages(self, api: httpx2.AsyncClient) -> None:
        await api.put("/api/v1/event-types/widget.failed", json={"name": "An error"})
        await api.post("/api/v1/events", json=[EVENT, EVENT, {"type": "widget.failed", "users": ["u-7"]}])
        one = (await api.get("/api/v1/events", params={"type": "widget.failed"})).json()["data"]
        assert [row["users"] for row in one] == [["u-7"]]
        assert len((await api.get("/api/v1/events", params={"user": "u-2"})).json()["data"]) == 2
        first = (await api.get("/api/v1/events", params={"limit": 2})).json()
        rest = (await api.get("/api/v1/events", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert (len(first["data"]), len(rest["data"]), rest["next_cursor"]) == (2, 1, None)

    async def test_they_are_in_what_is_exported_of_a_person_without_the_others(self, api: httpx2.AsyncClient) -> None:
        await api.post("/api/v1/events", json={**EVENT, "users": ["u-1", "u-5"]})
        answer = await api.get("/api/v1/users/u-1/export")
        assert answer.status_code == 200, answer.text
        (event,) = json.loads(answer.text)["reported"]
        assert event["data"] == EVENT["data"]
        assert "u-5" not in answer.text


async def test_a_key_for_events_sends_and_sees_nothing(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, declared: None
) -> None:
    key = (await api.post("/api/v1/keys", json={"name": "shop", "scopes": ["events:write"]})).json()["key"]
    browser.headers["Authorization"] = f"Bearer {key}"
    assert (await browser.post("/api/v1/events", json=EVENT)).status_code == 202
    for path in ("/api/v1/events", "/api/v1/event-types", "/api/v1/notifications"):
        assert (await browser.get(path)).json()["code"] == "forbidden"
