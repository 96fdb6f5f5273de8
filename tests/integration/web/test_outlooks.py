"""POST /notifications/outlook: what is in the way of a notification, decided before it is sent as sending decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from support.service_account import account_file
from tidings.domain.audience import Everyone
from tidings.domain.audit import SYSTEM
from tidings.domain.delivery import SkipReason
from tidings.domain.message import Urgency
from tidings.domain.permission import Scope
from tidings.lib.clock import FixedClock
from tidings.services import outlooks
from tidings.services.wishes import heeded
from tidings.storage import Transaction
from tidings.wiring import Container

LOOK = "/api/v1/notifications/outlook"
ALL = {"to": {"all": True}}
NIGHT = {"from": "22:00", "to": "07:00"}
NEVER = {"devices": 0, "later": 0, "never": 0, "until": None}
FAR, HERE = "Pacific/Auckland", "Europe/Vienna"
"""It is noon in UTC: one in the morning in one, one in the afternoon in the other."""


async def looked(api: httpx2.AsyncClient, **of: Any) -> dict[str, Any]:
    answer = await api.post(LOOK, json={**ALL, **of})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    counted = await api.post("/api/v1/notifications/count", json={"to": of.get("to", ALL["to"])})
    assert found["devices"] == counted.json()["count"]
    return found


async def subscribes(browser: httpx2.AsyncClient, vapid_key: str, user: str | None, zone: str = HERE) -> str:
    body = {"subscription": push_subscription(), "vapid_key": vapid_key, "time_zone": zone}
    answer = await browser.post("/push/subscribe", json=body | ({"user": {"id": user}} if user else {}))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def has_phone(api: httpx2.AsyncClient, user: str = "phone") -> str:
    """Give the id of an integration of FCM through which somebody has a phone."""
    body = {"provider": "fcm", "label": "Our app", "credentials": {"service_account": account_file()}}
    made = await api.post("/api/v1/integrations", json=body)
    assert made.status_code == 201, made.text
    device = {"provider": "fcm", "token": "dHIoDxE7Hdg:APA91bH1Zj0kNa8kq", "user": user}
    assert (await api.post("/api/v1/subscriptions", json=device)).status_code == 201
    return str(made.json()["id"])


async def declared(api: httpx2.AsyncClient, key: str = "topic.reply", **more: Any) -> None:
    answer = await api.put(f"/api/v1/event-types/{key}", json={"name": "Replies", **more})
    assert answer.status_code == 201, answer.text


async def prefers(api: httpx2.AsyncClient, user: str, **what: Any) -> None:
    answer = await api.put(f"/api/v1/users/{user}/preferences", json=what)
    assert answer.status_code == 200, answer.text


async def night(api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str) -> None:
    """Have four devices of whom two are asleep: one by their own hours, one by those of the App."""
    await declared(api)
    await declared(api, "account.locked", mandatory=True)
    await subscribes(browser, vapid_key, "anna", FAR)
    await subscribes(browser, vapid_key, "bo", HERE)
    await subscribes(browser, vapid_key, None, FAR)
    await subscribes(browser, vapid_key, "cy", FAR)
    await prefers(api, "anna", quiet_hours={**NIGHT, "to": "08:30"})
    await prefers(api, "cy", quiet_hours=None)
    assert (await api.put("/api/v1/quiet-hours", json=NIGHT)).status_code == 200


async def test_nothing_is_in_the_way_of_what_reaches_everybody(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await subscribes(browser, vapid_key, "anna", FAR)
    way = {"provider": "webpush", "service": "https://fcm.googleapis.com", "devices": 1}
    quiet = {"obstacles": [], "quiet_hours": NEVER, "turned_off": 0}
    assert await looked(api) == {"devices": 1, "reached": [way], **quiet}
    assert (await looked(api, to={"users": ["nobody"]}))["devices"] == 0


async def test_what_tells_of_no_event_is_sent_also_in_quiet_hours(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await night(api, browser, vapid_key)
    assert (await looked(api))["quiet_hours"] == {**NEVER, "devices": 2}
    # So does what is urgent or mandatory.
    assert (await looked(api, type="topic.reply", urgency="high"))["quiet_hours"] == {**NEVER, "devices": 2}
    assert (await looked(api, type="account.locked"))["quiet_hours"] == {**NEVER, "devices": 2}


async def test_what_tells_of_an_event_waits_or_is_left_out_by_its_time_to_live(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await night(api, browser, vapid_key)
    waits = {"devices": 2, "later": 2, "never": 0, "until": "2026-11-21T19:30:00Z"}
    assert (await looked(api, type="topic.reply"))["quiet_hours"] == waits
    # Seven hours: the App's hours are over by then, hers are not.
    some = {"devices": 2, "later": 1, "never": 1, "until": "2026-11-21T18:00:00Z"}
    assert (await looked(api, type="topic.reply", ttl=7 * 3600))["quiet_hours"] == some
    assert (await looked(api, type="topic.reply", ttl=60))["quiet_hours"] == {**NEVER, "devices": 2, "never": 2}
    only_her = {"devices": 1, "later": 1, "never": 0, "until": "2026-11-21T19:30:00Z"}
    assert (await looked(api, type="topic.reply", to={"users": ["anna", "bo"]}))["quiet_hours"] == only_her


async def test_who_turned_the_event_off_is_told_of(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await night(api, browser, vapid_key)
    for user in ("anna", "bo"):
        await prefers(api, user, event_types={"topic.reply": {"push": False}})
    found = await looked(api, type="topic.reply")
    assert (found["turned_off"], found["quiet_hours"]["devices"]) == (2, 1)
    assert (await looked(api))["turned_off"] == 0


@pytest.mark.parametrize("event_type", [None, "topic.reply", "account.locked", "not.declared"])
@pytest.mark.parametrize("urgency", ["normal", "high"])
@pytest.mark.parametrize("ttl", [60, 7 * 3600, 86_400])
async def test_it_decides_as_sending_does(
    container: Container, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, clock: FixedClock,
    event_type: str | None, urgency: str, ttl: int,
) -> None:  # fmt: skip
    await night(api, browser, vapid_key)
    await prefers(api, "bo", event_types={"topic.reply": {"push": False}})
    found = await looked(api, urgency=urgency, ttl=ttl, **({"type": event_type} if event_type else {}))
    app = await container.apps.ensure_first()

    def sent(tx: Transaction) -> tuple[int, int, int]:
        there = tx.subscriptions.recipients(app.id, Everyone(), after=0, high=99, limit=99)
        ids = [one.subscription_id for one in there]
        ends = clock.now() + timedelta(seconds=ttl)
        by = heeded(tx, app.id, event_type, ids, urgency=Urgency(urgency), expires_at=ends, now=clock.now())
        reasons = list(by.skipped.values())
        return len(by.put_off), reasons.count(SkipReason.QUIET_HOURS), reasons.count(SkipReason.PREFERENCE_OFF)

    quiet = found["quiet_hours"]
    assert (quiet["later"], quiet["never"], found["turned_off"]) == await container.store.read(sent)


async def test_a_pause_a_switch_and_an_integration_that_is_gone_are_in_the_way(
    container: Container, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, clock: FixedClock
) -> None:
    await subscribes(browser, vapid_key, "anna")
    app = await container.apps.ensure_first()
    integration = await has_phone(api)

    def pause(tx: Transaction) -> None:
        (key,) = [one for one in tx.credentials.integrations(app.id) if one.provider == "fcm"]
        (credential,) = tx.credentials.of_integration(key.id)
        tx.credentials.pause(credential.id, "", reason="SENDER_ID_MISMATCH", now=clock.now())

    await container.store.write(pause)
    paused = {
        "matter": "integration_paused", "provider": "fcm", "integration": integration, "label": "Our app",
        "reason": "SENDER_ID_MISMATCH", "devices": 1,
    }  # fmt: skip
    assert (await looked(api))["obstacles"] == [paused]
    # Whom it does not concern is not told of it.
    assert (await looked(api, to={"users": ["anna"]}))["obstacles"] == []
    assert (await looked(api, to={"users": ["phone"]}))["obstacles"] == [paused]
    await api.patch(f"/api/v1/apps/{app.public_id}", json={"web_push_enabled": False})
    (off,) = (await looked(api, to={"users": ["anna"]}))["obstacles"]
    assert (off["matter"], off["provider"], off["devices"]) == ("web_push_off", "webpush", 1)
    await api.delete(f"/api/v1/integrations/{integration}?force=true")
    found = await looked(api, to={"users": ["anna", "phone"]})
    gone = {"matter": "integration_removed", "provider": "fcm", "integration": None, "label": "", "reason": ""}
    assert found["obstacles"] == [off, {**gone, "devices": 1}]
    assert found["devices"] == 1
    assert (await api.post(LOOK, json={**ALL, "channels": ["webpush"]})).json()["obstacles"] == [off]


async def test_one_push_service_may_be_paused_alone(
    container: Container, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, clock: FixedClock
) -> None:
    for host in ("fcm.googleapis.com", "updates.push.services.mozilla.com", "updates.push.services.mozilla.com"):
        body = {"subscription": push_subscription(host=host), "vapid_key": vapid_key}
        assert (await browser.post("/push/subscribe", json=body)).status_code == 201
    app = await container.apps.ensure_first()

    def pause(tx: Transaction) -> None:
        credential = tx.credentials.current(app.id, "webpush")
        assert credential is not None
        origin = "https://updates.push.services.mozilla.com"
        tx.credentials.pause(credential.id, origin, reason="bad_jwt", now=clock.now())

    await container.store.write(pause)
    (one,) = (await looked(api))["obstacles"]
    assert (one["matter"], one["devices"], one["reason"]) == ("integration_paused", 2, "bad_jwt")


async def test_of_a_large_audience_nobody_is_asked(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlooks, "MOST_ASKED", 1)
    for _ in range(2):
        await subscribes(browser, vapid_key, "anna", FAR)
    assert (await looked(api))["quiet_hours"] == NEVER
    assert (await api.put("/api/v1/quiet-hours", json=NIGHT)).status_code == 200
    found = await looked(api)
    assert found["quiet_hours"] is None
    assert found["reached"] == [{"provider": "webpush", "service": None, "devices": 2}]


async def test_it_needs_what_counting_needs_and_checks_what_it_is_given(
    app: FastAPI, container: Container, api: httpx2.AsyncClient
) -> None:
    first = await container.apps.ensure_first()
    for scope, allowed in ((Scope.READ, True), (Scope.USERS_WRITE, False)):
        issued = await container.access.create_key(name=scope, scopes=[scope], app=first, by=SYSTEM)
        async with client_of(app, Authorization=f"Bearer {issued.text}") as client:
            answer = await client.post(LOOK, json=ALL)
            assert (answer.status_code == 200) is allowed
    problem(await api.post(LOOK, json={"to": {}}), 422, "audience_invalid")
    problem(await api.post(LOOK, json={**ALL, "ttl": 1}), 422, "invalid_request")
    problem(await api.post(LOOK, json={**ALL, "title": "x"}), 422, "invalid_request")
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()["id"]
    assert (await api.post(f"{LOOK}?app={other}", json=ALL)).json()["devices"] == 0
