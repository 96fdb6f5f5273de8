"""Personal data over REST: export, erasure with its receipt, and what is counted without anybody in it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from tidings.domain.delivery import DeliveryStatus, SettledDelivery, Settlement
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.lib.clock import FixedClock
from tidings.services import erasure as service
from tidings.services.identity import identity_token
from tidings.services.stats import NAMING
from tidings.storage import Transaction
from tidings.wiring import Container


async def subscribed(browser: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription(), **more})
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


async def settled(container: Container, notification: str, *, reason: str = "") -> None:
    """Let everybody have got a notification and clicked it; with a reason, let it have failed."""
    now = container.clock.now()

    def work(tx: Transaction) -> None:
        (app,) = tx.apps.all()
        found = tx.notifications.get(app.id, notification)
        assert found is not None
        (shard_id,) = tx.shards.ready(now=now, limit=9)
        shard = tx.shards.claim(shard_id, owner="test", now=now, lease=60)
        assert shard is not None
        people = tx.subscriptions.recipients(app.id, found.audience, after=0, high=found.ceiling, limit=99)
        status = DeliveryStatus.FAILED if reason else DeliveryStatus.SENT
        rows = tuple(SettledDelivery(one.subscription_id, status, reason or "sent", 1) for one in people)
        assert tx.shards.settle(Settlement(shard.id, shard.lease_token, 1, found.ceiling, rows), now=now)
        assert tx.shards.finish(shard.id, shard.lease_token)
        assert tx.notifications.finish_if_settled(found.id, now=now)
        for one in people if not reason else ():
            assert tx.receipts.add(Receipt(found.id, one.subscription_id, ReceiptEvent.CLICKED, "", now))

    await container.store.write(work)


async def anna(api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container) -> dict[str, Any]:
    """A person with a device that has got something, and another person."""
    device = await subscribed(browser, user={"id": "anna/1"}, tags={"plan": "pro"}, locale="de-AT")
    await subscribed(browser, user={"id": "berta"})
    await api.put("/api/v1/users/anna%2F1", json={"attributes": {"email": "anna@example.com"}, "locale": "de"})
    event = {"id": device["id"], "secret": device["secret"], "name": "viewed", "properties": {"page": 7}}
    assert (await browser.post("/push/events", json=event)).status_code == 202
    sent = await api.post("/api/v1/notifications", json={"to": {"users": ["anna/1"]}, "title": "Only for Anna"})
    await settled(container, sent.json()["id"])
    return device


async def test_everything_kept_of_a_person_is_in_one_document_and_no_secret(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    device = await anna(api, browser, container)
    answer = await api.get("/api/v1/users/anna%2F1/export")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["user"]["id"] == "anna/1"
    assert found["user"]["attributes"] == {"email": "anna@example.com"}
    (one,) = found["devices"]
    assert (one["id"], one["tags"], one["locale"]) == (device["id"], {"plan": "pro"}, "de-AT")
    (event,) = found["events"]
    assert (event["name"], event["properties"]) == ("viewed", {"page": 7})
    (delivery,), (receipt,), (message,) = found["deliveries"], found["receipts"], found["messages"]
    assert (delivery["device"], delivery["status"], delivery["title"]) == (device["id"], "sent", "Only for Anna")
    assert (receipt["event"], receipt["notification"]) == ("clicked", delivery["notification"])
    assert message["title"] == "Only for Anna"
    for secret in (device["secret"], "p256dh", "fcm/send", "berta"):
        assert secret not in answer.text
    same = (await api.get(f"/api/v1/subscriptions/{device['id']}/export")).json()
    assert same["devices"] == found["devices"]
    assert [one["name"] for one in same["events"]] == ["viewed"]
    assert same["deliveries"] == found["deliveries"]


async def test_what_somebody_chose_and_what_is_in_their_bell_is_exported(api: httpx2.AsyncClient) -> None:
    assert (await api.put("/api/v1/event-types/topic.reply", json={"name": "Replies"})).status_code == 201
    night = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Vienna"}
    wishes = {"event_types": {"topic.reply": {"push": False}}, "quiet_hours": night}
    for name in ("anna", "berta"):
        assert (await api.put(f"/api/v1/users/{name}/preferences", json=wishes)).status_code == 200
    found = (await api.get("/api/v1/users/anna/export")).json()
    assert found["preferences"] == [
        {"type": "topic.reply", "channel": "push", "enabled": False},
        {"quiet_hours": {"from": "22:00", "to": "07:00"}, "time_zone": "Europe/Vienna"},
    ]
    assert found["feed"] == []
    for users in (["anna"], ["anna", "berta"], ["berta"], ["cleo"]):
        body = {"to": {"users": users}, "title": f"To {' and '.join(users)}", "type": "topic.reply"}
        assert (await api.post("/api/v1/notifications", json=body)).status_code == 202
    answer = await api.get("/api/v1/users/anna/export")
    assert [one["title"] for one in answer.json()["feed"]] == ["To anna", "To anna and berta"]
    assert [(one["read_at"], one["archived_at"]) for one in answer.json()["feed"]] == [(None, None)] * 2
    of_cleo = (await api.get("/api/v1/users/cleo/export")).json()
    assert [one["title"] for one in of_cleo["feed"]] == ["To cleo"]
    assert of_cleo["preferences"] == []


async def test_many_rows_are_written_out_in_parts(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidings.services import export

    monkeypatch.setattr(export, "AT_ONCE", 2)
    devices = [await subscribed(browser, user={"id": "anna"}) for _ in range(5)]
    for n in range(5):
        body = {"id": devices[n % 2]["id"], "secret": devices[n % 2]["secret"], "name": f"event-{n}"}
        await browser.post("/push/events", json=body)
    found = (await api.get("/api/v1/users/anna/export")).json()
    assert {one["id"] for one in found["devices"]} == {one["id"] for one in devices}
    assert [one["name"] for one in found["events"]] == [f"event-{n}" for n in range(5)]
    of_one = (await api.get(f"/api/v1/subscriptions/{devices[0]['id']}/export")).json()
    assert sorted(one["name"] for one in of_one["events"]) == ["event-0", "event-2", "event-4"]


async def test_of_somebody_unknown_there_is_nothing_to_export(api: httpx2.AsyncClient) -> None:
    problem(await api.get("/api/v1/users/nobody/export"), 404, "not_found")
    problem(await api.get("/api/v1/subscriptions/sub_none/export"), 404, "not_found")


async def test_an_erased_person_is_gone_and_the_receipt_says_what_was_removed(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    device = await anna(api, browser, container)
    before = (await api.get("/api/v1/stats")).json()
    answer = await api.post("/api/v1/users/anna%2F1/erase")
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["status"], receipt["subject"], receipt["still_sending"]) == ("done", "user", 0)
    assert receipt["removed"] == {
        "users": 1, "subscriptions": 1, "events": 1, "deliveries": 1, "receipts": 1, "messages": 1,
        "feed": 1,
    }  # fmt: skip
    assert any("Backups" in sentence for sentence in receipt["kept"])
    assert "anna" not in answer.text
    assert (await api.post("/api/v1/users/anna%2F1/erase")).json() == receipt
    assert (await api.get(f"/api/v1/erasures/{receipt['id']}")).json() == receipt
    assert (await api.get("/api/v1/erasures")).json()["data"] == [receipt]
    problem(await api.get("/api/v1/users/anna%2F1/export"), 404, "not_found")
    problem(await api.get(f"/api/v1/subscriptions/{device['id']}"), 404, "not_found")
    assert [row["user"] for row in (await api.get("/api/v1/subscriptions")).json()["data"]] == ["berta"]
    (notification,) = (await api.get("/api/v1/notifications")).json()["data"]
    assert (notification["title"], notification["to"]) == ("(erased)", {"users": []})
    assert (notification["counts"]["sent"], notification["counts"]["clicked"]) == (1, 1)
    assert (await api.get("/api/v1/stats")).json() == before


async def test_a_browser_that_comes_back_is_a_new_device_that_knows_nothing(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    push = push_subscription()
    first = await browser.post(
        "/push/subscribe", json={"subscription": push, "user": {"id": "anna"}, "tags": {"a": "b"}}
    )
    await api.post("/api/v1/users/anna/erase")
    known = {"id": first.json()["id"], "secret": first.json()["secret"]}
    tags, event = {**known, "tags": {"a": "c"}}, {**known, "name": "viewed"}
    problem(await browser.put("/push/tags", json=tags), 403, "device_unknown")
    problem(await browser.post("/push/events", json=event), 403, "device_unknown")
    again = await browser.post("/push/subscribe", json={"subscription": push, **known})
    assert again.status_code == 201
    assert again.json()["id"] != known["id"]
    (row,) = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert (row["user"], row["tags"]) == (None, {})


async def test_a_device_is_erased_by_its_id(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    device = await anna(api, browser, container)
    receipt = (await api.post(f"/api/v1/subscriptions/{device['id']}/erase")).json()
    assert (receipt["subject"], receipt["removed"]["subscriptions"]) == ("subscription", 1)
    assert (await api.get("/api/v1/users/anna%2F1")).status_code == 200
    problem(await api.post("/api/v1/subscriptions/sub_none/erase"), 404, "not_found")


async def test_what_is_too_much_for_one_answer_goes_on_in_the_background(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    vapid_key: str,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await anna(api, browser, container)
    monkeypatch.setattr(service, "PATIENCE", 0.0)
    monkeypatch.setattr(service, "AT_ONCE", 1)
    answer = await api.post("/api/v1/users/anna%2F1/erase")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert [row["user"] for row in (await api.get("/api/v1/subscriptions?status=active")).json()["data"]] == ["berta"]
    assert await container.erasure.go_on() == 0
    done = (await api.get(f"/api/v1/erasures/{answer.json()['id']}")).json()
    assert (done["status"], done["removed"]["events"]) == ("done", 1)


async def test_an_app_is_erased_by_whoever_names_it(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    await anna(api, browser, container)
    first = (await container.apps.resolve(None)).public_id
    second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
    problem(await api.delete(f"/api/v1/apps/{first}", params={"confirm": "Second"}), 422, "invalid_request")
    answer = await api.delete(f"/api/v1/apps/{first}", params={"confirm": "My site"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["subject"], answer.json()["status"]) == ("app", "done")
    assert [row["id"] for row in (await api.get("/api/v1/apps")).json()["data"]] == [second]
    problem(
        await browser.post(f"/v1/{first}/push/subscribe", json={"subscription": push_subscription()}),
        404,
        "app_not_found",
    )


async def test_it_is_written_down_who_exported_and_erased_and_not_whose_data_it_was(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    device = await anna(api, browser, container)
    await api.get("/api/v1/users/anna%2F1/export")
    for _ in range(2):
        receipt = (await api.post("/api/v1/users/anna%2F1/erase")).json()
    app = await container.apps.resolve(None)
    await api.post(f"/api/v1/apps/{app.public_id}/identity-secret", json={"grace_hours": 3})
    entries = await container.store.read(lambda tx: tx.audit.page(app_id=app.id, limit=9))
    told = [(one.action, one.actor.kind, one.detail) for one in entries][:3]
    assert told == [
        ("app.identity_secret_shown", "operator", {"grace_hours": 3}),
        ("personal_data.erased", "operator", {"erasure": receipt["id"]}),
        ("personal_data.exported", "operator", {}),
    ]
    assert entries[1].subject == entries[2].subject
    for secret in ("anna", device["id"]):
        assert secret not in repr(entries)
    await api.delete(f"/api/v1/apps/{app.public_id}", params={"confirm": app.name})
    (last,) = await container.store.read(lambda tx: tx.audit.page(app_id=None, instance=True, limit=1))
    assert (last.action, last.subject.id) == ("app.deleted", app.public_id)
    assert (await container.store.read(lambda tx: tx.audit.page(app_id=app.id, limit=9)))[:3] == entries[:3]


class TestStats:
    async def test_counts_by_day_service_browser_and_reason(
        self,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        vapid_key: str,
        container: Container,
        clock: FixedClock,
    ) -> None:
        agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
        for host in ("fcm.googleapis.com", "updates.push.services.mozilla.com"):
            body = {"subscription": push_subscription(host=host)}
            assert (await browser.post("/push/subscribe", json=body, headers=agent)).status_code == 201
        for n, reason in enumerate(("", "gone")):
            sent = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": f"Number {n}"})
            await settled(container, sent.json()["id"], reason=reason)
            clock.at += timedelta(days=1)
        for _ in range(2):
            answer = (await api.get("/api/v1/stats", params={"from": "2026-11-20", "to": "2026-11-23"})).json()
            assert (answer["from"], answer["to"], answer["by"]) == ("2026-11-20", "2026-11-23", "day")
            shown = {line["key"]: (line["sent"], line["failed"], line["clicked"]) for line in answer["data"]}
            assert shown == {
                "2026-11-20": (0, 0, 0), "2026-11-21": (2, 0, 2), "2026-11-22": (0, 2, 0), "2026-11-23": (0, 0, 0),
            }  # fmt: skip
            assert answer["totals"]["sent"] == 2
            by = {
                name: {line["key"]: line["sent"] + line["failed"] for line in (await api.get(
                    "/api/v1/stats", params={"by": name})).json()["data"]}
                for name in ("service", "browser", "reason", "source")
            }  # fmt: skip
            assert by == {
                "service": {"google": 2, "mozilla": 2}, "browser": {"Firefox": 4}, "reason": {"gone": 2},
                "source": {"api": 4},
            }  # fmt: skip
            await container.stats.roll_up()

    async def test_a_table_for_spreadsheets_has_no_formula(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
    ) -> None:
        await subscribed(browser)
        sent = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "One"})
        await settled(container, sent.json()["id"], reason='=HYPERLINK("https://evil.example")')
        answer = await api.get("/api/v1/stats", params={"by": "reason", "format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        head, line = csv.reader(io.StringIO(answer.text))
        assert head == ["reason", "sent", "failed", "expired", "skipped", "shown", "clicked", "closed", "answered"]
        assert line == ['\'=HYPERLINK("https://evil.example")', "0", "1", "0", "0", "0", "0", "0", "0"]

    @pytest.mark.parametrize(
        "asked",
        [
            {"from": "2026-11-22", "to": "2026-11-21"},
            {"from": "2020-01-01", "to": "2026-11-21"},
            {"from": "yesterday"},
            {"by": "moon"},
            {"format": "xls"},
        ],
    )
    async def test_what_makes_no_sense_is_refused(self, api: httpx2.AsyncClient, asked: dict[str, str]) -> None:
        problem(await api.get("/api/v1/stats", params=asked), 422, "invalid_request")

    async def test_of_one_notification(self, api: httpx2.AsyncClient, vapid_key: str, container: Container) -> None:
        problem(await api.get("/api/v1/stats", params={"notification": "ntf_none"}), 404, "not_found")
        sent = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "One"})
        found = await api.get("/api/v1/stats", params={"notification": sent.json()["id"]})
        assert found.json()["totals"]["sent"] == 0
        assert NAMING.service("", "") == "unknown"


class TestTheIdentitySecret:
    async def test_is_shown_when_it_is_made_and_never_again(
        self, api: httpx2.AsyncClient, vapid_key: str, container: Container
    ) -> None:
        app = await container.apps.resolve(None)
        path = f"/api/v1/apps/{app.public_id}/identity-secret"
        made = (await api.post(path)).json()
        assert len(made["identity_secret"]) == 64
        facts = await api.get(path)
        assert set(facts.json()) == {"since", "earlier_until"}
        assert made["identity_secret"] not in facts.text
        problem(await api.post(path, json={"grace_hours": 721}), 422, "invalid_request")

    async def test_is_changed_while_both_hold(
        self,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        vapid_key: str,
        container: Container,
        clock: FixedClock,
    ) -> None:
        app = await container.apps.resolve(None)
        path = f"/api/v1/apps/{app.public_id}/identity-secret"
        old = (await api.post(path, json={"grace_hours": 0})).json()["identity_secret"]
        new = (await api.post(path, json={"grace_hours": 2})).json()["identity_secret"]

        async def answer(secret: str) -> int:
            expires = int(clock.now().timestamp()) + 600
            user = {"id": "anna", "token": identity_token(secret.encode(), "anna", expires=expires)}
            body = {"subscription": push_subscription(), "user": user}
            return (await browser.post("/push/subscribe", json=body)).status_code

        assert (await answer(old), await answer(new)) == (201, 201)
        clock.at += timedelta(hours=2)
        assert (await answer(old), await answer(new)) == (403, 201)
        newest = (await api.post(path)).json()["identity_secret"]
        assert (await answer(new), await answer(newest)) == (201, 201)
        assert (await api.delete(f"{path}/earlier")).status_code == 204
        assert (await answer(new), await answer(newest)) == (403, 201)
