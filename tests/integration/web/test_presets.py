"""Presets over HTTP: each is made whole, found again, left alone where it was changed, and refused in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem

from tidings.presets import NAMES, document
from tidings.web.api.triggers import TriggerBody

every = pytest.mark.parametrize("preset", NAMES)


async def applied(api: httpx2.AsyncClient, preset: str) -> dict[str, Any]:
    answer = await api.post(f"/api/v1/presets/{preset}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["made"] == sum(one["outcome"] == "made" for one in body["parts"])
    return body


async def test_the_list_says_what_each_makes(api: httpx2.AsyncClient) -> None:
    listed = (await api.get("/api/v1/presets")).json()["data"]
    assert [one["name"] for one in listed] == list(NAMES)
    for one in listed:
        written = document(one["name"])
        assert one["event_types"] == list(written["event_types"])
        # People read these beside their switches.
        for kind in written["event_types"].values():
            for said in (kind, kind["locales"]["de"]):
                assert all(said[part] and "`" not in said[part] for part in ("name", "description", "category"))
        assert len(one["templates"]) == len(written["templates"])
        assert len(one["triggers"]) == len(written["triggers"])
        assert len(one["segments"]) == len(written.get("segments", {}))
        assert one["title"]
        assert one["description"]


@every
async def test_all_is_made_once(api: httpx2.AsyncClient, preset: str) -> None:
    first, second = await applied(api, preset), await applied(api, preset)
    written = document(preset)
    kinds = Counter(one["kind"] for one in first["parts"])
    assert kinds["event_type"] == len(written["event_types"])
    assert kinds["template"] == len(written["templates"])
    assert kinds["trigger"] == len(written["triggers"])
    assert kinds["segment"] == len(written.get("segments", {}))
    assert {one["outcome"] for one in first["parts"]} == {"made"}
    assert {one["outcome"] for one in second["parts"]} == {"there"}
    assert [one["id"] for one in second["parts"]] == [one["id"] for one in first["parts"]]
    triggers = (await api.get("/api/v1/triggers")).json()["data"]
    assert len(triggers) == len(written["triggers"])
    for part in first["parts"]:
        if part["kind"] != "event_type":
            assert (await api.get(f"/api/v1/{part['kind']}s/{part['id']}")).json()["name"] == part["name"]


@every
async def test_each_template_fits_the_examples_of_its_event_type_in_every_language(
    api: httpx2.AsyncClient, preset: str
) -> None:
    for part in (await applied(api, preset))["parts"]:
        if part["kind"] == "template":
            shown = (await api.post(f"/api/v1/templates/{part['id']}/preview", json={})).json()
            assert shown["variables"], part
            assert [one["language"] for one in shown["languages"]] == ["en", "de"], part
            for one in shown["languages"]:
                assert (one["error"], one["warnings"]) == (None, []), part
                assert one["title"], part
                # A question leads nowhere, so that it is asked on a page where there are no buttons.
                assert one["url"].startswith("https://") if one["url"] else one["actions"], part


@every
async def test_each_trigger_holds_for_the_examples_of_its_event_type(api: httpx2.AsyncClient, preset: str) -> None:
    for part in (await applied(api, preset))["parts"]:
        if part["kind"] == "trigger":
            run = (await api.post(f"/api/v1/triggers/{part['id']}/dry-run", json={})).json()
            assert (run["conditions_hold"], run["fault"], run["enabled"]) == (True, None, True), run


async def test_what_was_changed_or_renamed_is_left_alone_and_what_was_deleted_is_made_again(
    api: httpx2.AsyncClient,
) -> None:
    made = {(one["kind"], one["name"]): one["id"] for one in (await applied(api, "live_chat"))["parts"]}
    trigger = made["trigger", "New lead to owners and admins"]
    template = made["template", "Widget error"]
    gone = made["trigger", "Widget errors to super admins"]
    own = (await api.get(f"/api/v1/triggers/{trigger}")).json()
    mine = {name: own[name] for name in TriggerBody.model_fields}
    answer = await api.put(f"/api/v1/triggers/{trigger}", json={**mine, "name": "Leads", "enabled": False})
    assert answer.status_code == 200, answer.text
    words = {"name": "Oh no", "event_type": "widget.error", "title": "{{ error.type }}"}
    assert (await api.put(f"/api/v1/templates/{template}", json=words)).status_code == 200
    assert (await api.put("/api/v1/users/x", json={})).status_code in (200, 201)
    assert (await api.delete(f"/api/v1/triggers/{gone}")).status_code == 204

    again = await applied(api, "live_chat")
    differing = {one["id"]: (one["name"], one["outcome"]) for one in again["parts"] if one["outcome"] != "there"}
    assert differing == {
        trigger: ("Leads", "changed"),
        template: ("Oh no", "changed"),
        gone: ("Widget errors to super admins", "made"),
    }
    assert (await api.get(f"/api/v1/triggers/{trigger}")).json()["enabled"] is False
    assert (await api.get(f"/api/v1/templates/{template}")).json()["title"] == "{{ error.type }}"


async def test_an_event_type_of_ones_own_that_does_not_go_with_it_is_named_and_nothing_is_made(
    api: httpx2.AsyncClient,
) -> None:
    own = {"name": "Leads", "variables": {"properties": {"who": {"type": "string"}}}}
    assert (await api.put("/api/v1/event-types/lead.captured", json=own)).status_code == 201
    refused = problem(await api.post("/api/v1/presets/live_chat"), 409, "preset_in_the_way")
    assert "The template 'New lead' cannot be made" in refused["detail"]
    assert refused["errors"]
    assert [one["key"] for one in (await api.get("/api/v1/event-types")).json()["data"]] == ["lead.captured"]
    assert (await api.get("/api/v1/triggers")).json()["data"] == []


async def test_each_app_has_its_own(api: httpx2.AsyncClient) -> None:
    second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
    (first,) = [one["id"] for one in (await api.get("/api/v1/apps")).json()["data"] if one["id"] != second]
    ids = []
    for app in (first, second):
        answer = await api.post("/api/v1/presets/live_chat", params={"app": app})
        assert answer.json()["made"] == len(answer.json()["parts"])
        ids.append({one["id"] for one in answer.json()["parts"] if one["kind"] != "event_type"})
    assert not ids[0] & ids[1]


async def test_there_is_no_preset_of_another_name(api: httpx2.AsyncClient) -> None:
    problem(await api.post("/api/v1/presets/shop"), 422, "invalid_request")


async def test_all_of_them_go_into_one_app(api: httpx2.AsyncClient) -> None:
    outcomes = set()
    for preset in NAMES:
        outcomes |= {one["outcome"] for one in (await applied(api, preset))["parts"]}
    assert outcomes == {"made", "there"}, "an event type of two presets is the same in both"
