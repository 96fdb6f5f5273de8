"""Notifications over REST: what is taken, what is refused, following them, and the test message."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from tidings.domain.campaign import NotificationStatus
from tidings.lib.clock import FixedClock
from tidings.storage import Transaction
from tidings.wiring import Container

PATH = "/api/v1/notifications"
GOOD = {"to": {"all": True}, "title": "The ferry is late"}


async def subscribed(browser: httpx2.AsyncClient, **more: Any) -> str:
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription(), **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_notification_is_stored_and_answered_with_its_audience(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await subscribed(browser)
    await subscribed(browser)
    body = {
        **GOOD,
        "body": "Pier 3",
        "url": "https://www.example.com/ferry",
        "icon": "https://www.example.com/i.png",
        "actions": [{"id": "yes", "title": "Yes", "url": "https://www.example.com/yes"}],
        "ttl": 600,
        "urgency": "high",
        "collapse_id": "ferry",
        "data": {"pier": 3},
        "locales": {"de": {"title": "Die Fähre verspätet sich"}},
        "channels": ["webpush"],
        "badge_count": 1,
    }
    answer = await api.post(PATH, json=body)
    assert answer.status_code == 202
    assert answer.json() == {"id": answer.json()["id"], "status": "queued", "audience": 2}
    shown = (await api.get(f"{PATH}/{answer.json()['id']}")).json()
    for name in ("title", "body", "url", "ttl", "urgency", "data", "to", "collapse_id"):
        assert shown[name] == body[name]
    assert shown["counts"]["audience"] == 2
    assert shown["locales"]["de"]["title"] == "Die Fähre verspätet sich"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"body": "x" * 2001}, "body"),
        ({"url": "http://www.example.com"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://a b"}, "url"),
        ({"url": "/relative"}, "url"),
        ({"url": "https://user:word@www.example.com"}, "url"),
        ({"url": "https://www.example.com\\@evil.example"}, "url"),
        ({"icon": "data:image/png;base64,AA"}, "icon"),
        ({"image": "http://example.com/i.png"}, "image"),
        ({"title": "invoice\u202efdp.exe"}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"body": "\u001b[31mred"}, "body"),
        ({"locales": {"de": {"body": "\u202d"}}}, "locales.de.body"),
        ({"actions": [{"id": "a", "title": "\u2066"}]}, "actions.0.title"),
        ({"ttl": 59}, "ttl"),
        ({"ttl": 2_419_201}, "ttl"),
        ({"urgency": "now"}, "urgency"),
        ({"badge_count": -1}, "badge_count"),
        ({"actions": [{"id": str(n), "title": "x"} for n in range(5)]}, "actions"),
        ({"actions": [{"id": "a", "title": "x", "url": "ftp://x"}]}, "actions.0.url"),
        ({"send_at": "2027-01-01T09:00:00"}, "send_at"),
        ({"locales": {"deutsch!": {}}}, "locales.deutsch!.[key]"),
        ({"tittle": "x"}, "tittle"),
        ({"to": {"all": True, "everyone": True}}, "to.everyone"),
        ({"to": {"users": []}}, "to.users"),
        ({"to": "all"}, "to"),
        ({"ttl": "an hour"}, "ttl"),
        ({"send_at": "soon"}, "send_at"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(
    api: httpx2.AsyncClient, vapid_key: str, change: dict[str, Any], field: str
) -> None:
    errors = problem(await api.post(PATH, json={**GOOD, **change}), 422, "invalid_request")["errors"]
    assert [error["field"] for error in errors] == [field]
    assert "Input should" not in errors[0]["message"], "the validator's words"
    assert (await api.get(PATH)).json()["data"] == []


@pytest.mark.parametrize("to", [{}, {"all": True, "users": ["a"]}, {"segment": "seg_1"}])
async def test_an_audience_is_exactly_one_of_those_there_are(
    api: httpx2.AsyncClient, vapid_key: str, to: dict[str, Any]
) -> None:
    problem(await api.post(PATH, json={**GOOD, "to": to}), 422, "audience_invalid")


@pytest.mark.parametrize("change", [{"data": {"x": "x" * 4100}}, {"channels": []}, {"channels": ["smoke"]}])
async def test_what_belongs_to_no_single_field_is_refused_in_words(
    api: httpx2.AsyncClient, vapid_key: str, change: dict[str, Any]
) -> None:
    problem(await api.post(PATH, json={**GOOD, **change}), 422, "invalid_request")


async def test_a_message_that_fits_no_push_is_refused(api: httpx2.AsyncClient, vapid_key: str) -> None:
    body = {**GOOD, "body": "ü" * 2000, "data": {"x": "y" * 2000}}
    problem(await api.post(PATH, json=body), 422, "message_too_large")


async def test_the_words_of_a_test_message_are_checked_too(api: httpx2.AsyncClient, vapid_key: str) -> None:
    problem(await api.post("/api/v1/test", json={"body": "\u202e"}), 422, "invalid_request")


async def test_links_to_this_machine_may_be_http(api: httpx2.AsyncClient, vapid_key: str) -> None:
    assert (await api.post(PATH, json={**GOOD, "url": "http://localhost:3000/x"})).status_code == 202


class TestTheIdempotencyKey:
    """The same key stores once, however often it is asked."""

    async def test_gives_the_same_notification_again(self, api: httpx2.AsyncClient, vapid_key: str) -> None:
        headers = {"Idempotency-Key": "order 17"}
        first = await api.post(PATH, json=GOOD, headers=headers)
        spaced = json.dumps({"title": GOOD["title"], "to": GOOD["to"]}, indent=4)
        second = await api.post(PATH, content=spaced, headers={**headers, "Content-Type": "application/json"})
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json() == second.json()
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert len((await api.get(PATH)).json()["data"]) == 1

    async def test_refuses_another_request(self, api: httpx2.AsyncClient, vapid_key: str) -> None:
        headers = {"Idempotency-Key": "order 17"}
        await api.post(PATH, json=GOOD, headers=headers)
        other = await api.post(PATH, json={**GOOD, "title": "Another"}, headers=headers)
        problem(other, 409, "idempotency_key_reused")

    @pytest.mark.parametrize("key", ["", "x" * 129, "tab\there"])
    async def test_is_short_and_printable(self, api: httpx2.AsyncClient, vapid_key: str, key: str) -> None:
        answer = await api.post(PATH, json=GOOD, headers={"Idempotency-Key": key})
        problem(answer, 400, "idempotency_key_invalid")


async def test_an_audience_is_counted_before_it_is_written_to(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await subscribed(browser, user={"id": "anna"}, tags={"plan": "pro"})
    await subscribed(browser)
    for to, count in (({"all": True}, 2), ({"users": ["anna"]}, 1), ({"tags": {"plan": "free"}}, 0)):
        assert (await api.post(f"{PATH}/count", json={"to": to})).json() == {"count": count}


async def test_lists_go_page_by_page(api: httpx2.AsyncClient, vapid_key: str) -> None:
    sent = [(await api.post(PATH, json=GOOD)).json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for expected in (2, 2, 1):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(PATH, params=query)).json()
        assert len(page["data"]) == expected
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == sent[::-1]


@pytest.mark.parametrize("cursor", ["x", "MA", "LTE", "9" * 30, "%%%"])
async def test_a_made_up_cursor_is_refused(api: httpx2.AsyncClient, cursor: str) -> None:
    for path in (PATH, "/api/v1/subscriptions", "/api/v1/users"):
        problem(await api.get(path, params={"cursor": cursor}), 400, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "201", "x"])
async def test_a_limit_is_between_1_and_200(api: httpx2.AsyncClient, limit: str) -> None:
    errors = problem(await api.get(PATH, params={"limit": limit}), 422, "invalid_request")["errors"]
    assert errors[0]["field"] == "limit"


async def test_it_can_be_paused_resumed_and_cancelled(api: httpx2.AsyncClient, vapid_key: str) -> None:
    path = f"{PATH}/{(await api.post(PATH, json=GOOD)).json()['id']}"
    for verb, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        answer = await api.post(f"{path}/{verb}")
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    problem(await api.post(f"{path}/pause"), 409, "notification_final")
    problem(await api.post(f"{PATH}/ntf_none/pause"), 404, "not_found")


async def test_its_progress_is_streamed_until_it_is_final(
    api: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    created = (await api.post(PATH, json=GOOD)).json()["id"]
    await api.post(f"{PATH}/{created}/cancel")
    answer = await api.get(f"{PATH}/{created}/progress")
    assert answer.headers["content-type"].startswith("text/event-stream")
    fields = dict(line.split(": ", 1) for line in answer.text.strip().splitlines())
    assert fields["event"] == "progress"
    progress = json.loads(fields["data"])
    assert progress["status"] == NotificationStatus.CANCELLED
    assert set(progress) == {"status", "counts", "answers", "rate", "eta_seconds"}


async def test_a_stream_ends_when_the_server_stops(app: FastAPI, api: httpx2.AsyncClient, vapid_key: str) -> None:
    created = (await api.post(PATH, json=GOOD)).json()["id"]
    app.state.stopping.set()
    answer = await api.get(f"{PATH}/{created}/progress")
    assert answer.text.count("event: progress") == 1


async def test_the_progress_of_nothing_is_not_a_stream(api: httpx2.AsyncClient) -> None:
    problem(await api.get(f"{PATH}/ntf_none/progress"), 404, "not_found")
    problem(await api.get(f"{PATH}/ntf_none/deliveries"), 404, "not_found")


class TestTheTestMessage:
    """ "Web Push is working", or loudly not."""

    async def test_fails_without_a_key(self, api: httpx2.AsyncClient) -> None:
        problem(await api.post("/api/v1/test", json={}), 404, "vapid_key_missing")

    async def test_fails_without_a_subscription(self, api: httpx2.AsyncClient, vapid_key: str) -> None:
        problem(await api.post("/api/v1/test"), 409, "no_subscription")
        await api.put("/api/v1/users/anna", json={})
        assert (
            "anna" in problem(await api.post("/api/v1/test", json={"user": "anna"}), 409, "no_subscription")["detail"]
        )

    async def test_goes_to_the_first_subscribed_user(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        await subscribed(browser)
        await subscribed(browser, user={"id": "anna"})
        await subscribed(browser, user={"id": "anna"})
        await subscribed(browser, user={"id": "berta"})
        answer = await api.post("/api/v1/test")
        assert (answer.status_code, answer.json()["audience"]) == (202, 2)
        shown = (await api.get(f"{PATH}/{answer.json()['id']}")).json()
        assert (shown["title"], shown["to"]) == ("Web Push is working", {"users": ["anna"]})

    async def test_goes_to_a_user_by_email_with_words_of_ones_own(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        await subscribed(browser, user={"id": "u-42"})
        await api.put("/api/v1/users/u-42", json={"attributes": {"email": "Anna@example.com"}})
        answer = await api.post("/api/v1/test", json={"user": "anna@example.com", "body": "Hello Anna"})
        shown = (await api.get(f"{PATH}/{answer.json()['id']}")).json()
        assert (shown["body"], shown["to"]) == ("Hello Anna", {"users": ["u-42"]})

    async def test_goes_to_the_newest_device_where_nobody_is_a_user(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        await subscribed(browser)
        newest = await subscribed(browser)
        answer = await api.post("/api/v1/test")
        shown = (await api.get(f"{PATH}/{answer.json()['id']}")).json()
        assert shown["to"] == {"subscriptions": [newest]}


async def test_receipts_count_once(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    device = await subscribed(browser)
    created = (await api.post(PATH, json=GOOD)).json()["id"]
    notification, subscription = await container.store.read(
        lambda tx: (tx.notifications.get(1, created), tx.subscriptions.get(1, device))
    )
    assert notification is not None
    assert subscription is not None
    ((delivery, token),) = container.deliveries.encode_many([(notification.id, subscription.id)])
    body = {"delivery": delivery, "token": token, "event": "clicked"}
    for _ in range(2):
        assert (await browser.post("/push/receipts", json=body)).status_code == 202
    shown = (await api.get(f"{PATH}/{created}")).json()
    assert shown["counts"]["clicked"] == 1
    course = (await api.get(f"{PATH}/{created}/timeline")).json()
    assert (course["step_seconds"], [point["clicked"] for point in course["data"]]) == (60, [1])
    problem(await api.get(f"{PATH}/ntf_none/timeline"), 404, "not_found")
    problem(await browser.post("/push/receipts", json={**body, "token": "A" * 16}), 422, "receipt_invalid")
    problem(await browser.post("/push/receipts", json={**body, "event": "eaten"}), 422, "invalid_request")


async def test_the_overview_counts_days_as_analytics_do_and_not_notifications(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    vapid_key: str,
    container: Container,
    clock: FixedClock,
) -> None:
    await subscribed(browser)
    await api.post(PATH, json=GOOD)
    clock.at += timedelta(days=31)
    ((delivery, token),) = container.deliveries.encode_many([(1, 1)])
    body = {"delivery": delivery, "token": token, "event": "clicked"}
    assert (await browser.post("/push/receipts", json=body)).status_code == 202
    month = (await api.get("/api/v1/stats/overview")).json()["last_30_days"]
    assert month == {"audience": 0, **(await api.get("/api/v1/stats")).json()["totals"]}
    assert month["clicked"] == 1, "it was made before, and clicked today"


async def test_the_key_of_a_send_only_caller_reads_notifications_and_nobody(
    app: FastAPI, api: httpx2.AsyncClient, vapid_key: str
) -> None:
    made = (await api.post("/api/v1/keys", json={"name": "shop", "scopes": ["send"]})).json()["key"]
    async with client_of(app, Authorization=f"Bearer {made}") as shop:
        created = (await shop.post(PATH, json=GOOD)).json()["id"]
        assert (await shop.get(f"{PATH}/{created}")).status_code == 200
        problem(await shop.get("/api/v1/subscriptions"), 403, "forbidden")


async def test_to_go_on_with_what_goes_on_already_changes_nothing(
    api: httpx2.AsyncClient, vapid_key: str, container: Container, clock: FixedClock
) -> None:
    created = (await api.post(PATH, json=GOOD)).json()["id"]

    def begin(tx: Transaction) -> bool:
        found = tx.notifications.get(1, created)
        assert found is not None
        return tx.notifications.set_status(
            found.id, NotificationStatus.SENDING, allowed_from=(NotificationStatus.QUEUED,), now=clock.now()
        )

    assert await container.store.write(begin)
    answer = await api.post(f"{PATH}/{created}/resume")
    assert (answer.status_code, answer.json()["status"]) == (200, "sending")
