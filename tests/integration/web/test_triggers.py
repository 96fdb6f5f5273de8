"""Triggers over HTTP: kept, checked when they are saved, shown with what came of them, and tried dry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import push_subscription

from tidings.bus.local import LocalBus
from tidings.lib.clock import FixedClock
from tidings.wiring import Container
from tidings.worker.eventing import Eventing

TYPE = {
    "name": "A visitor wants a person",
    "variables": {
        "properties": {
            "conversation": {"type": "object", "properties": {"id": {"type": "string"}}},
            "bot": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
        },
    },
    "examples": [{"conversation": {"id": "c-1"}, "bot": {"id": "b-1", "name": "Ada"}}],
}
TRIGGER: dict[str, Any] = {
    "name": "Call an operator",
    "event_type": "conversation.escalated",
    "conditions": 'event.bot.id == "b-1"',
    "audience": {"users_where": 'user.role == "operator" && user.available == true'},
    "template": {
        "title": "{{ bot.name }} needs you, {{ user.name }}",
        "url": "https://www.example.com/c/{{ conversation.id }}",
        "locales": {"de": {"title": "{{ bot.name }} braucht dich, {{ user.name }}"}},
    },
    "throttle": {"key": ["event.conversation.id"], "window": None},
    "urgency": "high",
    "ttl": 300,
}
EVENT = {"type": "conversation.escalated", "data": {"conversation": {"id": "c-9"}, "bot": {"id": "b-1", "name": "Ada"}}}


@pytest.fixture(autouse=True)
async def declared(api: httpx2.AsyncClient) -> None:
    for key in ("conversation.escalated", "conversation.answered"):
        answer = await api.put(f"/api/v1/event-types/{key}", json=TYPE)
        assert answer.status_code == 201, answer.text


async def made(api: httpx2.AsyncClient, **changes: Any) -> str:
    answer = await api.post("/api/v1/triggers", json={**TRIGGER, **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def serve(container: Container) -> None:
    worker = Eventing(
        store=container.store,
        bus=LocalBus(),
        clock=container.clock,
        ids=container.ids,
        tripwire=container.automation.tripwire,
        owner="test",
    )
    app = await container.apps.resolve(None)
    while await worker.turn(app.id):
        pass


async def people(api: httpx2.AsyncClient) -> None:
    for name, role, available, locale in (
        ("anna", "operator", True, "de"),
        ("ben", "operator", False, "en"),
        ("cleo", "guest", True, "en"),
    ):
        body = {"attributes": {"name": name.title(), "role": role, "available": available}, "locale": locale}
        assert (await api.put(f"/api/v1/users/{name}", json=body)).status_code == 201


class TestKeeping:
    async def test_one_is_made_shown_replaced_listed_and_deleted(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post("/api/v1/triggers", json=TRIGGER)
        assert answer.status_code == 201, answer.text
        trigger = answer.json()
        assert answer.headers["location"] == f"/api/v1/triggers/{trigger['id']}"
        assert trigger["id"].startswith("trg_")
        assert trigger["conditions_text"] == 'event.bot.id == "b-1"'
        assert (trigger["throttle"], trigger["urgency"], trigger["ttl"], trigger["enabled"]) == (
            {"key": ["event.conversation.id"], "count": 1, "window": None}, "high", 300, True,
        )  # fmt: skip
        shown = (await api.get(f"/api/v1/triggers/{trigger['id']}")).json()
        assert shown == trigger
        assert trigger["audience_text"] == {
            "users_where": 'user.role == "operator" && user.available == true', "except_actor": True,
        }  # fmt: skip
        again = {
            name: value
            for name, value in shown.items()
            if name not in ("id", "conditions_text", "audience_text", "activity", "created_at", "updated_at")
        }
        replaced = await api.put(f"/api/v1/triggers/{trigger['id']}", json={**again, "enabled": False})
        assert replaced.status_code == 200, replaced.text
        assert {**replaced.json(), "enabled": True, "updated_at": trigger["updated_at"]} == trigger
        listed = (await api.get("/api/v1/triggers", params={"event_type": "conversation.escalated"})).json()["data"]
        assert [row["id"] for row in listed] == [trigger["id"]]
        assert (await api.get("/api/v1/triggers", params={"event_type": "a.b"})).json()["data"] == []
        assert (await api.delete(f"/api/v1/triggers/{trigger['id']}")).status_code == 204
        for method in ("GET", "DELETE"):
            assert (await api.request(method, f"/api/v1/triggers/{trigger['id']}")).status_code == 404
        actions = [row["action"] for row in (await api.get("/api/v1/audit")).json()["data"]]
        assert actions[:3] == ["trigger.deleted", "trigger.changed", "trigger.created"]

    @pytest.mark.parametrize(
        ("changes", "code", "field"),
        [
            ({"event_type": "conversation.unknown"}, "event_type_unknown", None),
            ({"conditions": "event.bto.id == 1"}, "trigger_invalid", "conditions"),
            ({"conditions": "subscription.locale == 'de'"}, "filter_invalid", "conditions"),
            ({"conditions": "event.bot.id =="}, "filter_invalid", "conditions"),
            ({"audience": {"users_where": "user.role =="}}, "filter_invalid", "audience.users_where"),
            ({"audience": {"users": "everybody"}}, "audience_invalid", "audience"),
            ({"audience": {"followers": "topic:{{thread.id}}"}}, "trigger_invalid", "audience.followers"),
            ({"audience": {"followers": "topic:{{thread.id"}}, "audience_invalid", None),
            ({"audience": {"segment": "seg_none"}}, "trigger_invalid", "audience.segment"),
            ({"audience": {"union": []}}, "audience_invalid", None),
            ({"audience": {"users": "event", "everyone": True}}, "audience_invalid", None),
            ({"template": "tpl_none"}, "trigger_invalid", "template"),
            ({"template": {"title": "{{ bot.nmae }}"}}, "trigger_invalid", "template.title"),
            ({"template": {"title": "{% if %}"}}, "trigger_invalid", "template.title"),
            ({"template": {"title": "{{ digest.count }}"}}, "trigger_invalid", "template.title"),
            ({"throttle": {"key": ["conversation.id"]}}, "trigger_invalid", "throttle.key"),
            ({"throttle": {"key": ["event.thread"]}}, "trigger_invalid", "throttle.key"),
            ({"digest": {"window": 600}}, "trigger_invalid", "digest"),
            ({"unless": {"event_type": "conversation.answered", "key": []}}, "trigger_invalid", "unless"),
            (
                {"delay": 60, "unless": {"event_type": "conversation.gone", "key": []}},
                "trigger_invalid",
                "unless.event_type",
            ),
            ({"channels": ["pigeon"]}, "invalid_request", "channels"),
            ({"delay": -1}, "invalid_request", "delay"),
        ],
    )
    async def test_what_could_fail_later_is_refused_now(
        self, api: httpx2.AsyncClient, changes: dict[str, Any], code: str, field: str | None
    ) -> None:
        answer = await api.post("/api/v1/triggers", json={**TRIGGER, **changes})
        problem = answer.json()
        assert (answer.status_code // 100, problem["code"]) == (4, code), problem
        if field is not None:
            assert any(one["field"].startswith(field) for one in problem["errors"]), problem["errors"]
        assert (await api.get("/api/v1/triggers")).json()["data"] == []

    async def test_a_digests_words_may_count(self, api: httpx2.AsyncClient) -> None:
        words = {
            "title": "{{ digest.count }} things",
            "body": "{% for e in digest.events %}{{ e.bot.name }}{% endfor %}",
        }
        await made(api, throttle=None, digest={"window": 600}, template=words)

    async def test_a_type_that_a_trigger_reads_cannot_lose_it(self, api: httpx2.AsyncClient) -> None:
        trigger = await made(api)
        narrower = {"name": "x", "variables": {"properties": {"bot": {"type": "object"}}}}
        answer = await api.put("/api/v1/event-types/conversation.escalated", json=narrower)
        assert (answer.status_code, answer.json()["code"]) == (409, "event_type_in_use")
        assert trigger in answer.json()["detail"]
        for path in ("conversation.escalated", "conversation.escalated?dry_run=true"):
            answer = await api.delete(f"/api/v1/event-types/{path}")
            assert (answer.status_code, answer.json()["code"]) == (409, "event_type_in_use")
        await api.delete(f"/api/v1/triggers/{trigger}")
        assert (await api.delete("/api/v1/event-types/conversation.escalated?dry_run=true")).status_code == 204
        assert (await api.delete("/api/v1/event-types/conversation.escalated")).status_code == 204

    async def test_a_template_that_a_trigger_needs_cannot_be_taken_from_it(self, api: httpx2.AsyncClient) -> None:
        words = {"name": "Help", "title": "{{ bot.name }} needs you", "event_type": "conversation.escalated"}
        template = (await api.post("/api/v1/templates", json=words)).json()["id"]
        trigger = await made(api, template=template)
        other = {**words, "event_type": "conversation.answered"}
        unknown = {**words, "title": "{{ nothing }}", "event_type": None}
        for refused in (
            await api.delete(f"/api/v1/templates/{template}?dry_run=true"),
            await api.delete(f"/api/v1/templates/{template}"),
            await api.put(f"/api/v1/templates/{template}", json=other),
            await api.put(f"/api/v1/templates/{template}", json=unknown),
        ):
            assert (refused.status_code, refused.json()["code"]) == (409, "template_in_use")
            assert trigger in refused.json()["detail"]
        assert (await api.get(f"/api/v1/templates/{template}")).json()["title"] == words["title"]
        kept = {**words, "title": "{{ bot.name }} needs help", "event_type": None}
        assert (await api.put(f"/api/v1/templates/{template}", json=kept)).status_code == 200
        await api.put(f"/api/v1/triggers/{trigger}", json=TRIGGER)
        assert (await api.delete(f"/api/v1/templates/{template}?dry_run=true")).status_code == 204
        assert (await api.delete(f"/api/v1/templates/{template}")).status_code == 204


class TestWhatCame:
    async def test_it_is_shown_from_the_event_and_from_the_trigger(
        self, api: httpx2.AsyncClient, container: Container
    ) -> None:
        await people(api)
        trigger = await made(api)
        reported = [EVENT, EVENT, {**EVENT, "data": {"bot": {"id": "b-2"}}}]
        answer = (await api.post("/api/v1/events", json=reported)).json()
        first, second, other = (one["id"] for one in answer)
        await serve(container)
        rows = (await api.get(f"/api/v1/triggers/{trigger}/firings")).json()["data"]
        assert [(row["event"], row["outcome"], row["reason"]) for row in rows] == [
            (second, "suppressed", "throttled"), (first, "fired", ""),
        ]  # fmt: skip
        (sent,) = rows[1]["notifications"]
        notification = (await api.get(f"/api/v1/notifications/{sent}")).json()
        assert (notification["source"], notification["to"]) == ("trigger", {"users": ["anna"]})
        assert (notification["event_type"], notification["trigger"], notification["event"]) == (
            "conversation.escalated", trigger, first,
        )  # fmt: skip
        shown = (await api.get(f"/api/v1/events/{second}")).json()
        assert (shown["status"], [row["reason"] for row in shown["firings"]]) == ("done", ["throttled"])
        assert (await api.get(f"/api/v1/events/{other}")).json()["firings"] == []
        (listed,) = (await api.get("/api/v1/triggers")).json()["data"]
        lately = listed["activity"]
        assert (lately["fired"], lately["suppressed"], lately["waiting"]) == (1, 1, 0)
        assert lately["last_fired_at"] == rows[1]["at"]
        assert (await api.get(f"/api/v1/triggers/{trigger}")).json()["activity"] == lately


class TestDryRuns:
    async def test_it_says_who_would_be_told_what_and_why_others_would_not(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await people(api)
        trigger = await made(api)
        device = {"subscription": push_subscription(), "vapid_key": vapid_key, "locale": "de-AT"}
        assert (await browser.post("/push/subscribe", json={**device, "user": {"id": "dora"}})).status_code == 201
        await api.put(
            "/api/v1/users/dora", json={"attributes": {"name": "Dora", "role": "operator", "available": True}}
        )
        event = (await api.post("/api/v1/events", json={**EVENT, "actor": "zoe"})).json()["id"]
        answer = await api.post(f"/api/v1/triggers/{trigger}/dry-run", json={"event": event})
        assert answer.status_code == 200, answer.text
        run = answer.json()
        assert (run["conditions_hold"], run["throttled"], run["fault"]) == (True, False, None)
        others = {row["user"]: row for row in run["others"]}
        assert others["zoe"]["why"] == "actor"
        assert others["anna"]["why"] == "no_device"
        assert (others["ben"]["why"], "available" in others["ben"]["detail"]) == ("conditions", True)
        assert "role" in others["cleo"]["detail"]
        assert run["fires"]
        assert run["people"] == [
            {
                "user": "dora",
                "devices": 1,
                "language": "de",
                "title": "Ada braucht dich, Dora",
                "body": "",
                "url": "https://www.example.com/c/c-9",
                "put_off_until": None,
                "bell": {"language": "en", "title": "Ada needs you, Dora", "body": ""},
            }
        ]

    async def test_it_heeds_what_people_want_and_at_which_hours(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, clock: FixedClock
    ) -> None:
        for name in ("awake", "asleep", "off"):
            device = {"subscription": push_subscription(), "vapid_key": vapid_key, "user": {"id": name}}
            assert (await browser.post("/push/subscribe", json=device)).status_code == 201
        begins, ends = (f"{clock.now() + timedelta(hours=hours):%H:%M}" for hours in (-1, 2))
        quiet = {"quiet_hours": {"from": begins, "to": ends, "time_zone": "UTC"}}
        off = {"event_types": {"conversation.escalated": {"push": False}}}
        for name, wish in (("asleep", quiet), ("off", off)):
            answer = await api.put(f"/api/v1/users/{name}/preferences", json=wish)
            assert answer.status_code == 200, answer.text
        trigger = await made(api, audience={"users": "event"}, conditions=None, urgency="normal", ttl=86_400)
        given = {"data": EVENT["data"], "users": ["awake", "asleep", "off"]}
        run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=given)).json()
        (awake, asleep), (other,) = run["people"], run["others"]
        assert (awake["user"], awake["put_off_until"]) == ("awake", None)
        until = datetime.fromisoformat(asleep["put_off_until"])
        assert timedelta(hours=1, minutes=58) < until - clock.now() <= timedelta(hours=2, minutes=5)
        assert (other["user"], other["why"]) == ("off", "preference_off")
        short = {**TRIGGER, "audience": {"users": "event"}, "conditions": None, "urgency": "normal", "ttl": 600}
        await api.put(f"/api/v1/triggers/{trigger}", json=short)
        run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=given)).json()
        assert {row["user"]: row["why"] for row in run["others"]} == {"off": "preference_off", "asleep": "quiet_hours"}

    async def test_what_only_apple_has_goes_through_apns_alone(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        activity = {"event": "update", "timestamp": 1_798_761_600, "content_state": {"home": 2}}
        apns = {"push_type": "liveactivity", "live_activity": activity}
        words = {"title": "{{ bot.name }}", "platforms": {"apns": apns}}
        body = {**TRIGGER, "template": words, "channels": ["webpush", "apns"]}
        refused = await api.post("/api/v1/triggers", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "trigger_invalid")
        assert refused.json()["errors"][0]["field"] == "channels"
        device = {"subscription": push_subscription(), "vapid_key": vapid_key, "user": {"id": "anna"}}
        assert (await browser.post("/push/subscribe", json=device)).status_code == 201
        trigger = await made(api, template=words, audience={"users": "event"})
        body = {"data": EVENT["data"], "users": ["anna"]}
        ran = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=body)).json()
        assert ran["devices"] == 0
        assert "reached through apns" in str(ran["others"])

    async def test_devices_that_its_channels_do_not_reach_are_not_counted(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        device = {"subscription": push_subscription(), "vapid_key": vapid_key, "user": {"id": "dora"}}
        assert (await browser.post("/push/subscribe", json=device)).status_code == 201
        trigger = await made(api, audience={"users": "event"}, channels=["fcm", "feed"])
        given = {"data": EVENT["data"], "users": ["dora"]}
        run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=given)).json()
        assert (run["devices"], run["people"]) == (0, [])
        (other,) = run["others"]
        assert (other["user"], other["why"]) == ("dora", "no_device")
        assert "fcm, feed" in other["detail"]

    async def test_browsers_of_an_app_whose_web_push_is_off_say_so(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        device = {"subscription": push_subscription(), "vapid_key": vapid_key, "user": {"id": "dora"}}
        assert (await browser.post("/push/subscribe", json=device)).status_code == 201
        trigger = await made(api, audience={"users": "event"})
        app = await container.apps.ensure_first()
        given = {"data": EVENT["data"], "users": ["dora"]}
        for on in (False, True):
            await api.patch(f"/api/v1/apps/{app.public_id}", json={"web_push_enabled": on})
            run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=given)).json()
            assert [one["user"] for one in run["people"]] == (["dora"] if on else [])
            assert [one["why"] for one in run["others"]] == ([] if on else ["web_push_off"])

    async def test_data_that_do_not_meet_the_conditions_say_which_comparison(self, api: httpx2.AsyncClient) -> None:
        trigger = await made(api)
        run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json={"data": {"bot": {"id": "b-2"}}})).json()
        assert (run["fires"], run["conditions_hold"]) == (False, False)
        assert "event.bot.id" in run["because"][0]

    async def test_it_knows_that_it_has_fired_often_enough_and_counts_nothing(
        self, api: httpx2.AsyncClient, container: Container
    ) -> None:
        await people(api)
        trigger = await made(api)
        for throttled in (False, False):
            run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json={"data": EVENT["data"]})).json()
            assert run["throttled"] is throttled
        event = (await api.post("/api/v1/events", json=EVENT)).json()["id"]
        await serve(container)
        run = (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json={"event": event})).json()
        assert (run["throttled"], run["fires"]) == (True, False)
        assert len((await api.get("/api/v1/notifications")).json()["data"]) == 1

    async def test_without_anything_the_first_example_is_tried(self, api: httpx2.AsyncClient) -> None:
        trigger = await made(api)
        assert (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json={})).json()["conditions_hold"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"event": "evt_none"}, "not_found"),
            ({"data": {"bot": 7}}, "event_invalid"),
            ({"event": "evt_none", "users": []}, "invalid_request"),
        ],
    )
    async def test_what_cannot_be_tried_is_refused(
        self, api: httpx2.AsyncClient, body: dict[str, Any], code: str
    ) -> None:
        trigger = await made(api)
        assert (await api.post(f"/api/v1/triggers/{trigger}/dry-run", json=body)).json()["code"] == code
        assert (await api.post("/api/v1/triggers/trg_none/dry-run", json={})).json()["code"] == "not_found"
