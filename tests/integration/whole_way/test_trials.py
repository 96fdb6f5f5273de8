"""Test Connection and Send Test Notification against the simulator, with a reason for each failure."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem

from support.campaign import working
from support.phones import PROJECT, account
from support.vapid import new_keys
from tidings.simulator.fcm_oauth import Project
from tidings.simulator.run import Running
from tidings.storage import Transaction
from tidings.wiring import Container


async def added(api: httpx2.AsyncClient, simulator: Running) -> str:
    fields = {"service_account": account(simulator)}
    answer = await api.post("/api/v1/integrations", json={"provider": "fcm", "label": "F", "credentials": fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def proof_of(api: httpx2.AsyncClient, integration: str) -> dict[str, Any]:
    answer = await api.post(f"/api/v1/integrations/{integration}/test")
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    return proof


async def test_a_connection_is_proved_before_and_after_it_is_saved(api: httpx2.AsyncClient, simulator: Running) -> None:
    fields = {"service_account": account(simulator)}
    tried = (await api.post("/api/v1/integrations/test", json={"provider": "fcm", "credentials": fields})).json()
    assert (tried["ok"], [one["name"] for one in tried["findings"]]) == (True, ["access_token", "send"])
    assert (await proof_of(api, await added(api, simulator)))["ok"]
    assert simulator.fcm.validated == 2
    assert simulator.fcm.to_topics == 0, "nothing is delivered by a test"


async def test_the_last_test_is_kept_with_what_was_wrong_until_there_are_other_credentials(
    api: httpx2.AsyncClient, simulator: Running
) -> None:
    integration = await added(api, simulator)
    path = f"/api/v1/integrations/{integration}"
    assert (await api.get(path)).json()["tested"] is None
    await proof_of(api, integration)
    tested = (await api.get(path)).json()["tested"]
    assert (tested["ok"], tested["detail"]) == (True, "")
    simulator.fcm.oauth.project(PROJECT).api_enabled = False
    await proof_of(api, integration)
    shown = (await api.get(path)).json()
    assert (shown["tested"]["ok"], "switched off" in shown["tested"]["detail"]) == (False, True)
    assert not [name for name in shown["settings"] if "tested" in name]
    fields = {"service_account": account(simulator)}
    assert (await api.patch(path, json={"credentials": fields})).json()["tested"] is None


async def test_web_push_is_proved_at_every_push_service(api: httpx2.AsyncClient, simulator: Running) -> None:
    pair = {"private_key": new_keys().private, "subject": "ops@example.com"}
    tried = await api.post("/api/v1/integrations/test", json={"provider": "webpush", "credentials": pair})
    assert tried.status_code == 200, tried.text
    looks = ["pair", "contact", "google", "mozilla", "apple", "microsoft"]
    assert [(one["name"], one["ok"]) for one in tried.json()["findings"]] == [(name, True) for name in looks]
    assert (await api.get("/api/v1/integrations")).json()["data"][0]["id"] is None, "nothing is stored"
    await api.post("/api/v1/integrations/webpush/keys", json={"subject": "mailto:ops@example.com"})
    stored = (await api.get("/api/v1/integrations")).json()["data"][0]["id"]
    assert (await proof_of(api, stored))["ok"]
    assert (await api.get(f"/api/v1/integrations/{stored}")).json()["tested"]["ok"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"private_key": "AAAA"}, "vapid_key_invalid"),
        ({"public_key": new_keys().public}, "vapid_key_mismatch"),
        ({"subject": "ops@localhost"}, "contact_invalid"),
        ({"subject": ""}, "contact_invalid"),
    ],
)
async def test_a_pair_that_cannot_be_is_refused_before_anybody_is_asked(
    api: httpx2.AsyncClient, simulator: Running, changes: dict[str, str], code: str
) -> None:
    pair = {"private_key": new_keys().private, "subject": "ops@example.com", **changes}
    problem(await api.post("/api/v1/integrations/test", json={"provider": "webpush", "credentials": pair}), 422, code)
    assert simulator.journal.refusals(limit=5, after=0) == []


async def test_devices_of_an_integration_are_found_by_their_names(api: httpx2.AsyncClient, simulator: Running) -> None:
    integration = await added(api, simulator)
    for number, device in enumerate(("Pixel 10", "Galaxy S26", "100% Fairphone")):
        (token,) = simulator.fcm.make(PROJECT, 1, seed=f"device {number}")
        body = {"provider": "fcm", "token": token, "device": device, "user": f"u-{number}"}
        assert (await api.post("/api/v1/subscriptions", json=body)).status_code == 201
    path = f"/api/v1/integrations/{integration}/subscriptions"

    async def found(search: str) -> list[str]:
        return [one["device"] for one in (await api.get(path, params={"search": search})).json()["data"]]

    assert await found("pix") == ["Pixel 10"]
    assert await found("U-1") == ["Galaxy S26"]
    assert await found("%") == ["100% Fairphone"]
    assert await found("nothing") == []
    assert len(await found(" ")) == 3


@pytest.mark.parametrize(
    ("switch", "value", "look", "words"),
    [
        ("api_enabled", False, "send", "switched off"),
        ("permitted", False, "send", "may not send messages"),
        ("key_revoked", True, "access_token", "deleted or disabled"),
        ("account_deleted", True, "access_token", "does not know this service account"),
    ],
)
async def test_each_fault_of_an_account_has_its_own_words(
    api: httpx2.AsyncClient, simulator: Running, switch: str, value: bool, look: str, words: str
) -> None:
    integration = await added(api, simulator)
    project: Project = simulator.fcm.oauth.project(PROJECT)
    setattr(project, switch, value)
    proof = await proof_of(api, integration)
    bad = proof["findings"][-1]
    assert (proof["ok"], bad["name"], bad["ok"]) == (False, look, False)
    assert words in bad["detail"]
    assert bad["mend"]


async def test_a_test_notification_goes_to_the_chosen_device_and_says_what_became_of_it(
    api: httpx2.AsyncClient, container: Container, simulator: Running
) -> None:
    integration = await added(api, simulator)
    (token,) = simulator.fcm.make(PROJECT, 1, seed="one")
    device = (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()["id"]
    path = f"/api/v1/integrations/{integration}/test-notification"
    sent = await api.post(path, json={"subscription": device, "title": "Hello", "body": "World"})
    assert sent.status_code == 202, sent.text
    looked = (await api.get(f"{path}/{sent.json()['id']}")).json()
    assert (looked["status"], [hint["ok"] for hint in looked["hints"]]) == ("waiting", [True, True, True])
    async with working(container):
        while (looked := (await api.get(f"{path}/{sent.json()['id']}")).json())["status"] == "waiting":
            pass
    assert looked["status"] == "sent"
    (arrived,) = simulator.journal.messages(limit=5)
    assert (arrived["title"], arrived["body"]) == ("Hello", "World")


async def test_whoever_watches_a_test_asks_the_vendor_once_and_not_with_each_look(
    api: httpx2.AsyncClient, simulator: Running
) -> None:
    integration = await added(api, simulator)
    (token,) = simulator.fcm.make(PROJECT, 1, seed="one")
    device = (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()["id"]
    path = f"/api/v1/integrations/{integration}"
    sent = (await api.post(f"{path}/test-notification", json={"subscription": device})).json()["id"]
    for _ in range(5):
        assert (await api.get(f"{path}/test-notification/{sent}")).json()["hints"][-1]["ok"]
    assert (simulator.fcm.oauth.given, simulator.fcm.validated) == (1, 1)
    fields = {"service_account": account(simulator)}
    del simulator.fcm.oauth.projects[PROJECT]
    new = {"service_account": account(simulator)}
    assert new != fields
    assert (await api.patch(path, json={"credentials": new})).status_code == 200
    assert (await api.get(f"{path}/test-notification/{sent}")).json()["hints"][-1]["ok"]
    assert (simulator.fcm.oauth.given, simulator.fcm.validated) == (2, 2), "another key is looked at anew"
    limited = {"credentials": new | {"messages_per_minute": "1200"}}
    assert (await api.patch(path, json=limited)).status_code == 200
    assert (await api.get(f"{path}/test-notification/{sent}")).json()["hints"][-1]["ok"]
    assert simulator.fcm.validated == 3, "and so is the same key with other settings"


async def test_a_test_to_a_device_of_another_project_says_so_and_shows_it_with_the_integration(
    api: httpx2.AsyncClient, container: Container, simulator: Running
) -> None:
    integration = await added(api, simulator)
    path = f"/api/v1/integrations/{integration}"
    (mine,) = simulator.fcm.make(PROJECT, 1, seed="one")
    (foreign,) = simulator.fcm.make("somebody-else", 1, seed="two")
    made = [
        (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()["id"]
        for token in (mine, foreign)
    ]
    async with working(container):
        for device in made:
            sent = (await api.post(f"{path}/test-notification", json={"subscription": device})).json()["id"]
            while (looked := (await api.get(f"{path}/test-notification/{sent}")).json())["status"] == "waiting":
                pass
    assert (looked["status"], looked["reason"]) == ("failed", "address_foreign")
    hint = looked["hints"][1]
    assert (hint["name"], hint["ok"]) == ("subscription", False)
    assert "belongs to another project" in hint["detail"]
    shown = (await api.get(f"/api/v1/subscriptions/{made[1]}")).json()
    assert (shown["status"], shown["suspected"]["reason"], shown["suspected"]["times"]) == (
        "active",
        "address_foreign",
        1,
    )
    assert shown["suspected"]["rests_until"] is None
    assert (await api.get(f"/api/v1/subscriptions/{made[0]}")).json()["suspected"] is None
    assert (await api.get(path)).json()["suspected"] == 1
    listed = (await api.get(f"{path}/subscriptions")).json()["data"]
    assert [one["suspected"] is not None for one in listed] == [True, False]
    (matter,) = (await api.get("/api/v1/stats/overview")).json()["attention"]
    assert (matter["matter"], matter["integration"]) == ("devices_suspected", integration)


async def test_a_look_at_a_test_ends_no_pause(
    api: httpx2.AsyncClient, container: Container, simulator: Running
) -> None:
    integration = await added(api, simulator)
    (token,) = simulator.fcm.make(PROJECT, 1, seed="one")
    device = (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()["id"]
    path = f"/api/v1/integrations/{integration}"
    sent = (await api.post(f"{path}/test-notification", json={"subscription": device})).json()["id"]

    def pause(tx: Transaction) -> None:
        tx.credentials.pause(1, "", reason="permission_missing", now=container.clock.now())

    await container.store.write(pause)
    looked = (await api.get(f"{path}/test-notification/{sent}")).json()
    assert looked["hints"][-1]["ok"]
    assert (await api.get(path)).json()["paused_because"] == "permission_missing"
    assert (await proof_of(api, integration))["ok"]
    assert (await api.get(path)).json()["paused_because"] is None


async def test_the_hints_say_what_is_wrong_with_the_device_and_the_credentials(
    api: httpx2.AsyncClient, container: Container, simulator: Running
) -> None:
    integration = await added(api, simulator)
    (token,) = simulator.fcm.make(PROJECT, 1, seed="one")
    made = (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()
    path = f"/api/v1/integrations/{integration}/test-notification"
    sent = (await api.post(path, json={"subscription": made["id"]})).json()
    del simulator.fcm.phones[token]
    simulator.fcm.oauth.project(PROJECT).key_revoked = True
    body = {"id": made["id"], "secret": made["secret"], "reason": "permission_revoked"}
    left = await api.request("DELETE", "/push/devices", json=body)
    assert left.status_code == 204
    hints = {hint["name"]: hint for hint in (await api.get(f"{path}/{sent['id']}")).json()["hints"]}
    assert [hint["ok"] for hint in hints.values()] == [False, False, False]
    assert "permission" in hints["permission"]["detail"]
    assert "unsubscribed" in hints["subscription"]["detail"]
    assert "deleted or disabled" in hints["credentials"]["detail"]
    problem(await api.post(path, json={"subscription": made["id"]}), 409, "no_subscription")
    problem(await api.post(path, json={"subscription": "sub_nobody"}), 404, "not_found")


async def test_a_device_tells_what_was_sent_to_it_and_why_not(
    api: httpx2.AsyncClient, container: Container, simulator: Running
) -> None:
    await added(api, simulator)
    (token,) = simulator.fcm.make(PROJECT, 1, seed="timeline")
    device = (await api.post("/api/v1/subscriptions", json={"provider": "fcm", "token": token})).json()["id"]
    path = f"/api/v1/subscriptions/{device}/deliveries"
    assert (await api.get(path)).json() == {"data": [], "next_cursor": None}
    async with working(container):
        for title in ("First", "Second", "Third"):
            if title == "Third":
                del simulator.fcm.phones[token]
            body = {"to": {"subscriptions": [device]}, "title": title}
            sent = (await api.post("/api/v1/notifications", json=body)).json()["id"]
            while (await api.get(f"/api/v1/notifications/{sent}")).json()["status"] != "done":
                pass
    first = (await api.get(path, params={"limit": 2})).json()
    assert [(one["title"], one["status"], one["reason"]) for one in first["data"]] == [
        ("Third", "failed", "address_invalid"),
        ("Second", "sent", "sent"),
    ]
    rest = (await api.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([one["title"] for one in rest["data"]], rest["next_cursor"]) == (["First"], None)
    problem(await api.get("/api/v1/subscriptions/sub_nobody/deliveries"), 404, "not_found")
