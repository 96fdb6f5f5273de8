"""What a registered device may do with its id and secret, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from tidings.lib.clock import FixedClock
from tidings.services import tracking
from tidings.services.identity import identity_token
from tidings.wiring import Container


@dataclass
class Device:
    """A browser that has registered: what it keeps, and what it sends."""

    http: httpx2.AsyncClient
    vapid_key: str
    subscription: dict[str, Any]
    id: str = ""
    secret: str = ""

    async def subscribe(self, *, status: int = 200, **more: Any) -> dict[str, Any]:
        body = {"subscription": self.subscription, "vapid_key": self.vapid_key, **self.proof(), **more}
        answer = await self.http.post("/push/subscribe", json=body)
        assert answer.status_code == status, answer.text
        made: dict[str, Any] = answer.json()
        self.id, self.secret = made["id"], made.get("secret", self.secret)
        return made

    def proof(self, **instead: str) -> dict[str, Any]:
        return {"id": self.id, "secret": self.secret, **instead} if self.id else {}

    async def call(self, method: str, path: str, **body: Any) -> httpx2.Response:
        return await self.http.request(method, f"/push/{path}", json={**self.proof(), **body})


@pytest.fixture
async def device(browser: httpx2.AsyncClient, vapid_key: str) -> Device:
    made = Device(browser, vapid_key, push_subscription())
    await made.subscribe(status=201, tags={"plan": "pro"}, locale="de_at", time_zone="Asia/Calcutta")
    return made


async def row(api: httpx2.AsyncClient, device: Device) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/api/v1/subscriptions/{device.id}")).json()
    return found


async def audience(api: httpx2.AsyncClient, user: str) -> int:
    answer = await api.post("/api/v1/notifications/count", json={"to": {"users": [user]}})
    return int(answer.json()["count"])


class TestRegistering:
    """One row for one device."""

    async def test_with_a_new_endpoint_keeps_id_history_and_tags(self, api: httpx2.AsyncClient, device: Device) -> None:
        before = await row(api, device)
        device.subscription = push_subscription()
        again = await device.subscribe()
        assert again == {"id": before["id"], "secret": device.secret, "status": "active"}
        after = await row(api, device)
        assert (after["tags"], after["created_at"]) == ({"plan": "pro"}, before["created_at"])
        assert len((await api.get("/api/v1/subscriptions")).json()["data"]) == 1

    async def test_with_a_rotated_key_keeps_its_row(self, api: httpx2.AsyncClient, device: Device) -> None:
        before = device.id
        made = await api.post("/api/v1/integrations/webpush/keys", json={"action": "rotate"})
        device.vapid_key, device.subscription = made.json()["public_key"], push_subscription()
        assert (await device.subscribe())["id"] == before

    async def test_with_an_id_that_is_not_its_own_is_told_what_a_new_one_is(
        self, api: httpx2.AsyncClient, device: Device
    ) -> None:
        for wrong in ({"secret": "0" * 64}, {"id": "sub_nobody"}):
            stranger = Device(device.http, device.vapid_key, push_subscription(), **device.proof(**wrong))
            made = await stranger.subscribe(status=201)
            assert set(made) == {"id", "secret", "status"}
            assert made["id"] != device.id
        assert (await row(api, device))["status"] == "active"

    async def test_tells_language_and_time_zone_as_the_rest_writes_them(
        self, api: httpx2.AsyncClient, device: Device
    ) -> None:
        found = await row(api, device)
        assert (found["locale"], found["time_zone"]) == ("de-AT", "Asia/Kolkata")
        await device.subscribe(locale="C.UTF-8", time_zone="Etc/Unknown")
        found = await row(api, device)
        assert (found["locale"], found["time_zone"]) == ("de-AT", "Asia/Kolkata")

    async def test_is_seen_once_a_day(self, api: httpx2.AsyncClient, device: Device, clock: FixedClock) -> None:
        seen = []
        for hours in (0, 23, 1, 23):
            clock.at += timedelta(hours=hours)
            await device.subscribe()
            seen.append((await row(api, device))["last_seen_at"])
        assert seen[0] == seen[1] != seen[2] == seen[3]


async def test_a_user_has_a_language_and_a_time_zone_that_exist(api: httpx2.AsyncClient) -> None:
    answer = await api.put("/api/v1/users/anna", json={"locale": "DE_at", "time_zone": "Europe/Kiev"})
    assert (answer.json()["locale"], answer.json()["time_zone"]) == ("de-AT", "Europe/Kyiv")
    for field, wrong in (("locale", "C.UTF-8"), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd")):
        answer = await api.put("/api/v1/users/anna", json={field: wrong})
        assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == field


class TestTurningOff:
    """DELETE /subscribe."""

    async def test_keeps_the_reason_and_comes_alive_again(self, api: httpx2.AsyncClient, device: Device) -> None:
        for reason in (None, "turned_off", "permission_revoked"):
            told = {"reason": reason} if reason else {}
            answer = await device.call("DELETE", "subscribe", endpoint=device.subscription["endpoint"], **told)
            assert answer.status_code == 204
            found = await row(api, device)
            assert (found["status"], found["status_reason"]) == ("unsubscribed", reason or "by_device")
            device.subscription = push_subscription()
            assert (await device.subscribe())["status"] == "active"
            assert (await row(api, device))["status_reason"] is None

    async def test_needs_no_endpoint_where_there_is_none_any_more(
        self, api: httpx2.AsyncClient, device: Device
    ) -> None:
        for wrong in ({"id": "sub_nobody"}, {"secret": "0" * 64}):
            refused = await device.call("DELETE", "subscribe", **wrong)
            problem(refused, 403, "subscription_secret_required")
        assert (await device.call("DELETE", "subscribe", reason="permission_revoked")).status_code == 204
        assert (await row(api, device))["status"] == "unsubscribed"

    async def test_takes_no_other_reason_and_names_somebody(self, device: Device) -> None:
        problem(await device.call("DELETE", "subscribe", reason="bored"), 422, "invalid_request")
        answer = await device.http.request("DELETE", "/push/subscribe", json={"secret": device.secret})
        assert "endpoint" in problem(answer, 422, "invalid_request")["detail"]


class TestSignedInPeople:
    """The pushes of a person go to the devices that they use now."""

    async def test_leave_with_them_and_come_with_the_next(self, api: httpx2.AsyncClient, device: Device) -> None:
        await device.subscribe(user={"id": "anna"})
        assert (await audience(api, "anna"), await audience(api, "berta")) == (1, 0)
        device.subscription = push_subscription()
        await device.subscribe(user={"id": "anna"})
        assert await audience(api, "anna") == 1
        await device.subscribe()
        assert await audience(api, "anna") == 0
        await device.subscribe(user={"id": "berta"})
        assert (await audience(api, "anna"), await audience(api, "berta")) == (0, 1)

    async def test_sign_in_with_a_token_where_the_app_insists_and_out_without_one(
        self, api: httpx2.AsyncClient, device: Device, container: Container, clock: FixedClock
    ) -> None:
        app = await container.apps.resolve(None)
        await api.patch(f"/api/v1/apps/{app.public_id}", json={"require_signed_identity": True})
        expires = int(clock.now().timestamp()) + 600

        def signed(user: str) -> dict[str, str]:
            return {"id": user, "token": identity_token(app.identity_secret, user, expires=expires)}

        await device.subscribe(user=signed("anna"))
        # The same person on the same device, at a new endpoint and after the token has expired.
        clock.at += timedelta(hours=1)
        device.subscription = push_subscription()
        await device.subscribe(user={"id": "anna"})
        refused = await device.call(
            "POST", "subscribe", subscription=device.subscription, vapid_key=device.vapid_key, user={"id": "berta"}
        )
        problem(refused, 403, "identity_invalid")
        assert (await audience(api, "anna"), await audience(api, "berta")) == (1, 0)
        await device.subscribe()
        assert await audience(api, "anna") == 0
        expires += 3_600
        await device.subscribe(user=signed("berta"))
        assert await audience(api, "berta") == 1


class TestTags:
    """PUT /tags."""

    async def test_are_set_and_taken_away_and_the_others_stay(self, api: httpx2.AsyncClient, device: Device) -> None:
        answer = await device.call("PUT", "tags", tags={"team": "blue", "gone": None})
        assert (answer.status_code, answer.json()) == (200, {"tags": {"plan": "pro", "team": "blue"}})
        answer = await device.call("PUT", "tags", tags={"plan": None, "team": "grün"})
        assert answer.json() == {"tags": {"team": "grün"}}
        assert (await row(api, device))["tags"] == {"team": "grün"}

    async def test_that_do_not_fit_are_refused_by_name_and_nothing_changes(
        self, api: httpx2.AsyncClient, device: Device
    ) -> None:
        cases: list[tuple[dict[str, Any], str, list[str]]] = [
            ({"a" * 65: "x"}, "tag_invalid", [f"tags.{'a' * 64}"]),
            ({"": "x"}, "tag_invalid", ["tags."]),
            ({"plan": "x" * 257}, "tag_invalid", ["tags.plan"]),
            ({"plan": "\x00"}, "tag_invalid", ["tags.plan"]),
            ({"pl\x1ban": None}, "tag_invalid", ["tags.plan"]),
            ({"plan": 5}, "invalid_request", ["tags[...]"]),
            ({f"t{n}": "x" for n in range(50)}, "tags_too_many", []),
        ]
        for tags, code, fields in cases:
            errors = problem(await device.call("PUT", "tags", tags=tags), 422, code)["errors"]
            assert [one["field"] for one in errors] == fields, tags
        assert (await row(api, device))["tags"] == {"plan": "pro"}


class TestEvents:
    """POST /events, and the list of them."""

    async def test_are_stored_once_and_listed_with_whose_device_it_was(
        self, api: httpx2.AsyncClient, device: Device
    ) -> None:
        event = {"name": "Added to cart", "properties": {"price": 7.5, "sizes": [1, None]}, "event": "e-1"}
        answers = [await device.call("POST", "events", **event) for _ in range(2)]
        assert [one.status_code for one in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
        await device.subscribe(user={"id": "anna"})
        assert (await device.call("POST", "events", name="Signed in")).status_code == 202
        address = f"/api/v1/subscriptions/{device.id}/events"
        first = (await api.get(address, params={"limit": 1})).json()
        rest = (await api.get(address, params={"cursor": first["next_cursor"]})).json()
        assert [(one["name"], one["user"]) for one in first["data"]] == [("Signed in", "anna")]
        (cart,) = rest["data"]
        assert (cart["id"], cart["properties"], cart["user"]) == (answers[0].json()["id"], event["properties"], None)
        problem(await api.get("/api/v1/subscriptions/sub_nobody/events"), 404, "not_found")

    async def test_that_do_not_fit_are_refused_by_name(self, api: httpx2.AsyncClient, device: Device) -> None:
        cases: list[tuple[dict[str, Any], str, list[str]]] = [
            ({"name": ""}, "invalid_request", ["name"]),
            ({"name": "x" * 101}, "invalid_request", ["name"]),
            ({"name": "a\x00"}, "invalid_request", ["name"]),
            ({"name": "a\n"}, "invalid_request", ["name"]),
            ({"name": "a", "id": "sub_\x00"}, "invalid_request", ["id"]),
            ({"name": "x", "event": "e" * 65}, "invalid_request", ["event"]),
            ({"name": "x", "properties": []}, "invalid_request", ["properties"]),
            ({"name": "x", "properties": {"a": "\x00"}}, "invalid_request", ["properties"]),
            ({"name": "x", "properties": {"a": "ä" * 2_048}}, "event_too_large", []),
        ]
        for event, code, fields in cases:
            errors = problem(await device.call("POST", "events", **event), 422, code)["errors"]
            assert [one["field"] for one in errors] == fields, event
        assert (await api.get(f"/api/v1/subscriptions/{device.id}/events")).json()["data"] == []

    async def test_of_one_device_are_only_so_many_a_day(
        self, device: Device, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tracking, "MOST_EVENTS", 2)
        for n in range(2):
            assert (await device.call("POST", "events", name="x", event=f"{n}")).status_code == 202
        answer = await device.call("POST", "events", name="x")
        problem(answer, 429, "events_too_many")
        assert answer.headers["retry-after"]
        assert (await device.call("POST", "events", name="x", event="1")).status_code == 202
        clock.at += timedelta(days=1)
        assert (await device.call("POST", "events", name="x")).status_code == 202


async def test_who_does_not_show_the_secret_does_not_learn_whether_the_device_is_there(
    api: httpx2.AsyncClient, device: Device
) -> None:
    (app,) = (await api.get("/api/v1/apps")).json()["data"]
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()
    for method, path, body in (("PUT", "tags", {"tags": {}}), ("POST", "events", {"name": "x"})):
        told = []
        for where, proof in (
            (app, device.proof(id="sub_nobody")),
            (app, device.proof(secret="0" * 64)),
            (other, device.proof()),
        ):
            answer = await device.http.request(method, f"/v1/{where['id']}/push/{path}", json={**proof, **body})
            told.append(problem(answer, 403, "device_unknown"))
        assert told[0] == told[1] == told[2]


class TestTheDoor:
    """What a page of another origin may read."""

    async def test_allows_each_address_its_own_methods(self, browser: httpx2.AsyncClient) -> None:
        origin = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PUT"}
        for path, methods in (("tags", "PUT"), ("events", "POST"), ("subscribe", "POST, DELETE")):
            answer = await browser.options(f"/push/{path}", headers=origin)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-methods"] == methods
            allowed = answer.headers["access-control-allow-headers"]
            assert allowed == "Content-Type, Tidings-User, Tidings-Token, Last-Event-ID"

    async def test_lets_a_page_read_that_there_is_no_such_app(self, browser: httpx2.AsyncClient) -> None:
        origin = {"Origin": "https://www.example.com"}
        for method, name in (("PUT", "tags"), ("GET", "vapid-key")):
            path = f"/v1/app_nobody/push/{name}"
            assert (await browser.options(path, headers=origin)).status_code == 204
            answer = await browser.request(method, path, headers=origin)
            problem(answer, 404, "app_not_found")
            assert answer.headers["access-control-allow-origin"] == "https://www.example.com"

    async def test_lets_no_other_site_read_anything_of_an_app(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        app = (await api.get("/api/v1/apps")).json()["data"][0]["id"]
        await api.patch(f"/api/v1/apps/{app}", json={"origins": ["https://www.example.com"]})
        origin = {"Origin": "https://evil.example"}
        assert (await browser.options("/push/tags", headers=origin)).status_code == 403
        for answer in (
            await browser.put("/push/tags", headers=origin),
            await browser.get("/push/vapid-key", headers=origin),
        ):
            problem(answer, 403, "origin_not_allowed")
            assert "access-control-allow-origin" not in answer.headers
