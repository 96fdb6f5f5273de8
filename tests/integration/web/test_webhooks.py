"""Webhooks at the wire: made over the API, told by the worker, and what a receiver can do to both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import Names, problem, push_subscription

from support.calls import SILENCE, Call
from support.chaos import until
from support.hooks import Hooks, listening
from support.stored import Given
from tidings.bus import bus_from
from tidings.domain.audit import Action
from tidings.domain.webhook import WebhookEvent
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.services.webhook_delivery import BORNE
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.wiring import Container, assembled
from tidings.worker import webhooks
from tidings.worker.webhooks import OF_APP, PLACES, Lane, Telling

WEBHOOKS = "/api/v1/webhooks"
CREATED = ["subscription.created"]


@pytest.fixture
async def container(tmp_path: Path, clock: FixedClock, names: Names) -> AsyncIterator[Container]:
    """An instance that may call this machine."""
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    settings = Settings(data=tmp_path, public_url="https://push.example.com", allow_insecure_endpoints=True)
    made = assembled(settings, store=store, bus=bus_from(None), clock=clock, resolve=names)
    await made.apps.ensure_first()
    yield made
    await store.close()


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with listening() as found:
        yield found


@pytest.fixture
def telling(container: Container) -> Telling:
    return Telling(
        store=container.store,
        clock=container.clock,
        ids=container.ids,
        delivery=container.automation.telling,
        metrics=container.metrics,
    )


async def made(api: httpx2.AsyncClient, hooks: Hooks, **changes: Any) -> dict[str, Any]:
    answer = await api.post(WEBHOOKS, json={"url": hooks.url(), "events": CREATED, **changes})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def subscribed(browser: httpx2.AsyncClient, times: int = 1) -> list[str]:
    ids = []
    for _ in range(times):
        answer = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def stopped(telling: Telling) -> None:
    """Give up whoever is being told."""
    tasks = list(telling._serving.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def served(telling: Telling) -> None:
    """Look, and let everybody who is being told come to their end."""
    await telling.look()
    while telling._serving:
        await asyncio.wait(list(telling._serving.values()))


async def log_of(api: httpx2.AsyncClient, hook: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    answer = await api.get(f"{WEBHOOKS}/{hook['id']}/messages", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_what_happens_is_told_signed_and_in_one_request(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    hook = await made(api, hooks, description="Our CRM")
    ids = await subscribed(browser, 3)
    await served(telling)
    (call,) = hooks.seen
    assert call.signed_with(hook["secret"])
    assert call.headers["content-type"] == "application/json"
    assert [one["data"]["subscription"] for one in call.events] == ids
    assert [one["id"] for one in call.events] == [f"{call.id}.{n}" for n in range(3)]
    assert "secret" not in (await api.get(f"{WEBHOOKS}/{hook['id']}")).json()
    (logged,) = await log_of(api, hook)
    assert (logged["id"], logged["status"], logged["events"], logged["tries"]) == (call.id, "delivered", 3, 1)
    await served(telling)
    assert len(hooks.seen) == 1


async def test_a_failure_is_tried_again_under_the_same_id_and_said_in_the_log(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    clock: FixedClock,
    vapid_key: str,
) -> None:
    hook = await made(api, hooks)
    hooks.answer = lambda _call, n: 500 if n == 1 else 204
    hooks.said = b"<b>down\x1b[0m</b>" + b"x" * 1_000_000
    await subscribed(browser)
    await served(telling)
    clock.at += timedelta(seconds=4)
    await served(telling)
    assert len(hooks.seen) == 1, "half of the first delay is ten seconds' half at least"
    clock.at += timedelta(seconds=7)
    await served(telling)
    first, second = hooks.seen
    assert (first.id, first.body.partition(b'"data"')[2]) == (second.id, second.body.partition(b'"data"')[2])
    shown = (await api.get(f"{WEBHOOKS}/{hook['id']}/messages/{first.id}")).json()
    assert [one["status"] for one in shown["attempts"]] == [204, 500]
    answer = shown["attempts"][1]["answer"]
    assert answer.startswith("<b>down\\x1b[0m</b>xxx")
    assert len(answer) <= 500
    assert shown["attempts"][0]["answer"] == ""
    assert shown["content"] == second.events


async def test_retry_after_is_respected_for_all_of_a_receivers_messages(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    clock: FixedClock,
    vapid_key: str,
) -> None:
    await made(api, hooks)
    hooks.answer = lambda _call, n: (429, "retry-after: 600\r\n") if n == 1 else 204
    await subscribed(browser)
    await served(telling)
    await subscribed(browser)
    clock.at += timedelta(seconds=599)
    await served(telling)
    assert len(hooks.seen) == 1
    clock.at += timedelta(seconds=2)
    await served(telling)
    assert len(hooks.seen) == 3


async def test_a_dead_receiver_is_asked_once_an_hour_at_last_and_turned_off_after_days(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    clock: FixedClock,
    vapid_key: str,
) -> None:
    hook = await made(api, hooks)
    hooks.answer = lambda _call, _n: 503
    begin = clock.at
    calls_by_day = []
    for day in range(6):
        before = len(hooks.seen)
        while clock.at < begin + timedelta(days=day + 1):
            await subscribed(browser)
            await served(telling)
            clock.at += timedelta(minutes=20)
        calls_by_day.append(len(hooks.seen) - before)
    assert max(calls_by_day[1:]) <= 50, calls_by_day  # one message alone would be tried once in eight hours
    found = (await api.get(f"{WEBHOOKS}/{hook['id']}")).json()
    assert (found["enabled"], found["disabled_because"]) == (False, "failing")
    (item,) = (await api.get("/api/v1/stats/overview")).json()["attention"]
    assert (item["matter"], item["integration"]) == ("webhook_disabled", hook["id"])
    statuses = {one["status"] for one in await log_of(api, hook, limit="200")}
    assert statuses == {"failed", "waiting"}
    on = await api.patch(f"{WEBHOOKS}/{hook['id']}", json={"enabled": True})
    assert (on.json()["failures"], on.json()["disabled_because"]) == (0, None)
    hooks.answer = lambda _call, _n: 200
    again = await api.post(f"{WEBHOOKS}/{hook['id']}/replay", json={"since": begin.isoformat()})
    assert again.status_code == 202, again.text
    assert again.json()["messages"] > 0
    for _ in range(40):
        await served(telling)
        clock.at += timedelta(minutes=5)
    assert {one["status"] for one in await log_of(api, hook, limit="200")} == {"delivered"}


async def test_gone_turns_it_off_at_once(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    hook = await made(api, hooks)
    hooks.answer = lambda _call, _n: 410
    await subscribed(browser)
    await served(telling)
    assert (await api.get(f"{WEBHOOKS}/{hook['id']}")).json()["disabled_because"] == "gone"
    (entry,) = (await api.get("/api/v1/audit", params={"action": "webhook.turned_off"})).json()["data"]
    assert (entry["actor"]["kind"], entry["subject"]["id"]) == ("system", hook["id"])
    assert entry["detail"] == {"because": "gone"}


async def test_no_redirect_is_followed(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    hook = await made(api, hooks)
    hooks.answer = lambda _call, _n: (302, f"location: {hooks.url('elsewhere')}\r\n")
    await subscribed(browser)
    await served(telling)
    assert [one.path for one in hooks.seen] == ["/hook"]
    assert (await log_of(api, hook))[0]["last_status"] == 302


async def test_receivers_that_hang_hold_up_no_other(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    vapid_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More receivers hang than may hang at once; whoever answers is told all the same."""
    monkeypatch.setitem(webhooks.OF_APP, Lane.DOUBTFUL, 2)
    for number in range(5):
        await made(api, hooks, url=hooks.url(f"hangs-{number}"))
    hooks.answer = lambda call, _n: 500 if "hangs" in call.path else 204
    await subscribed(browser)
    await served(telling)  # each has failed once by now, and is in doubt
    hooks.answer = lambda call, _n: SILENCE if "hangs" in call.path else 204
    await made(api, hooks, url=hooks.url("answers"))
    assert isinstance(telling._clock, FixedClock)
    telling._clock.at += timedelta(seconds=60)
    await subscribed(browser)
    await telling.look()
    await until(lambda: any(one.path == "/answers" for one in hooks.seen))
    assert sum("hangs" in one.path for one in hooks.seen[5:]) <= 2
    assert [one.lane for one in telling._places.values()].count(Lane.DOUBTFUL) == 2
    await stopped(telling)


async def test_an_app_with_many_slow_receivers_holds_up_no_other_app(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    """None of them has ever failed: each is healthy, and has not answered yet."""
    hooks.answer = lambda call, _n: SILENCE if "slow" in call.path else 204
    for number in range(PLACES[Lane.QUICK] + 2):
        await made(api, hooks, url=hooks.url(f"slow-{number}"))
    await subscribed(browser)
    await telling.look()
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()
    answer = await api.post(WEBHOOKS, params={"app": other["id"]}, json={"url": hooks.url("quick"), "events": CREATED})
    assert answer.status_code == 201, answer.text
    given = Given(telling._store, telling._clock.now())
    app = await telling._store.read(lambda tx: tx.apps.get(other["id"]))
    assert app is not None
    device = await given.device(app, await given.credential(app))
    kind, now = WebhookEvent.SUBSCRIPTION_CREATED, telling._clock.now()
    await telling._store.write(lambda tx: tx.outbox.device(app.id, device.id, kind, "", now=now))
    await telling.look()
    await until(lambda: any(one.path == "/quick" for one in hooks.seen))
    await until(lambda: all(one.app_id != app.id for one in telling._places.values()))
    assert sum(one.lane is Lane.QUICK for one in telling._places.values()) == OF_APP[Lane.QUICK]
    await stopped(telling)


async def test_a_receiver_that_was_slow_takes_no_place_of_a_quick_one(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    vapid_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(OF_APP[Lane.QUICK]):
        await made(api, hooks, url=hooks.url(f"slow-{number}"))
    monkeypatch.setattr(webhooks, "SLOW", -1.0)
    await subscribed(browser)
    await served(telling)
    monkeypatch.undo()
    hooks.answer = lambda call, _n: SILENCE if "slow" in call.path else 204
    await made(api, hooks, url=hooks.url("quick"))
    assert isinstance(telling._clock, FixedClock)
    telling._clock.at += timedelta(seconds=2)
    await subscribed(browser)
    await telling.look()
    await until(lambda: any(one.path == "/quick" for one in hooks.seen))
    await until(lambda: {one.lane for one in telling._places.values()} == {Lane.SLOW})
    assert len(telling._places) == OF_APP[Lane.SLOW]
    await stopped(telling)


async def test_what_is_there_is_told_before_all_that_happened_is_gathered(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    vapid_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "GATHERED", 1)
    monkeypatch.setattr(webhooks, "GATHERINGS", 2)
    await made(api, hooks)
    ids = await subscribed(browser, 3)
    await served(telling)
    assert [one["data"]["subscription"] for one in hooks.events] == ids[:2]
    assert telling._rung.is_set(), "the rest is not waited for"
    await served(telling)
    assert [one["data"]["subscription"] for one in hooks.events] == ids


async def test_two_secrets_sign_for_a_while(
    api: httpx2.AsyncClient, hooks: Hooks, clock: FixedClock, vapid_key: str
) -> None:
    hook = await made(api, hooks)
    rotated = (await api.post(f"{WEBHOOKS}/{hook['id']}/secret", json={"keep_seconds": 3_600})).json()
    assert rotated["secret"] != hook["secret"]
    for later, both in ((0, True), (3_601, False)):
        clock.at += timedelta(seconds=later)
        tested = (await api.post(f"{WEBHOOKS}/{hook['id']}/test")).json()
        assert tested["delivered"], tested
        assert hooks.seen[-1].signed_with(rotated["secret"])
        assert hooks.seen[-1].signed_with(hook["secret"]) is both


async def test_a_test_event_says_at_once_how_it_went(
    api: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    hook = await made(api, hooks, enabled=False)
    tested = (await api.post(f"{WEBHOOKS}/{hook['id']}/test")).json()
    (call,) = hooks.seen
    assert (tested["message"], tested["delivered"], tested["status"]) == (call.id, True, 204)
    assert [(one["type"], one["data"]["webhook"]) for one in call.events] == [("webhook.test", hook["id"])]
    hooks.answer = lambda _call, _n: 404
    hooks.said = b"no such route"
    failed = (await api.post(f"{WEBHOOKS}/{hook['id']}/test")).json()
    assert (failed["delivered"], failed["status"], failed["answer"]) == (False, 404, "no such route")
    closed = (await api.post(WEBHOOKS, json={"url": "http://127.0.0.1:9/x", "events": CREATED})).json()
    unreached = (await api.post(f"{WEBHOOKS}/{closed['id']}/test")).json()
    assert (unreached["status"], unreached["failure"]) == (None, "connect")
    await served(telling)
    assert len(hooks.seen) == 2, "a test is not tried again"
    assert [one["test"] for one in await log_of(api, hook)] == [True, True]


async def test_one_message_is_sent_again_under_its_id(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, hooks: Hooks, telling: Telling, vapid_key: str
) -> None:
    hook = await made(api, hooks)
    await subscribed(browser)
    await served(telling)
    first = hooks.seen[0]
    again = await api.post(f"{WEBHOOKS}/{hook['id']}/messages/{first.id}/replay")
    assert (again.status_code, again.json()["status"]) == (202, "waiting")
    await served(telling)
    assert [one.id for one in hooks.seen] == [first.id, first.id]
    assert hooks.seen[1].events == first.events


async def test_what_is_told_again_names_nobody_who_got_the_device_since(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    hooks: Hooks,
    telling: Telling,
    vapid_key: str,
    clock: FixedClock,
) -> None:
    hook = await made(api, hooks)
    device = push_subscription()
    body = {"subscription": device, "user": {"id": "anna"}}
    kept = (await browser.post("/push/subscribe", json=body)).json()
    await served(telling)
    assert hooks.events[-1]["data"]["user"] == "anna"
    for user, told in (("anna", "anna"), ("bert", None)):
        clock.at += timedelta(seconds=1)
        again = {"subscription": device, "user": {"id": user}, "id": kept["id"], "secret": kept["secret"]}
        assert (await browser.post("/push/subscribe", json=again)).status_code in (200, 201)
        await api.post(f"{WEBHOOKS}/{hook['id']}/messages/{hooks.seen[0].id}/replay")
        await served(telling)
        assert hooks.seen[-1].id == hooks.seen[0].id
        assert (hooks.events[-1]["id"], hooks.events[-1]["data"]["user"]) == (hooks.events[0]["id"], told)


async def test_everything_that_is_done_to_a_webhook_is_written_down(
    api: httpx2.AsyncClient, hooks: Hooks, container: Container
) -> None:
    hook = await made(api, hooks)
    at = f"{WEBHOOKS}/{hook['id']}"
    changed = await api.patch(at, json={"events": ["delivery.failed", "delivery.failed"], "description": "New"})
    assert (changed.json()["events"], changed.json()["description"]) == (["delivery.failed"], "New")
    await api.post(f"{at}/secret", json={})
    await api.post(f"{at}/test")
    await api.post(f"{at}/replay", json={"since": "2026-01-01T00:00:00Z"})
    assert [one["id"] for one in (await api.get(WEBHOOKS)).json()["data"]] == [hook["id"]]
    assert (await api.delete(at)).status_code == 204
    problem(await api.get(at), 404, "not_found")
    entries = (await api.get("/api/v1/audit")).json()["data"]
    assert [one["action"] for one in entries if one["action"].startswith("webhook.")] == [
        Action.WEBHOOK_DELETED, Action.WEBHOOK_REPLAYED, Action.WEBHOOK_TESTED, Action.WEBHOOK_SECRET_ROTATED,
        Action.WEBHOOK_CHANGED, Action.WEBHOOK_CREATED,
    ]  # fmt: skip
    assert hook["secret"] not in str(entries)
    assert BORNE > 1


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/x", "https://169.254.169.254/latest", "https://user@hooks.example.com/x", "ftp://h.example.com/",
        "https://hooks.internal/x", "https://hooks.example.com/#x", "https://intranet/x",
    ],
)  # fmt: skip
async def test_urls_that_may_not_be_called_are_refused(api: httpx2.AsyncClient, url: str) -> None:
    answer = await api.post(WEBHOOKS, json={"url": url, "events": CREATED})
    found = problem(answer, 422, "invalid_request")
    assert [one["field"] for one in found["errors"]] == ["url"]


async def test_a_name_that_leads_inside_is_not_called(
    api: httpx2.AsyncClient, hooks: Hooks, container: Container, app: FastAPI
) -> None:
    """The address is judged when it is connected to, whatever the name promised when it was stored."""
    guard = container.guard
    hook = await made(api, hooks)
    allowed, guard._allow_loopback = guard._allow_loopback, False
    tested = (await api.post(f"{WEBHOOKS}/{hook['id']}/test")).json()
    guard._allow_loopback = allowed
    assert (tested["delivered"], tested["failure"]) == (False, "forbidden_address")
    assert hooks.seen == []


async def test_an_app_has_at_most_twenty(api: httpx2.AsyncClient, hooks: Hooks) -> None:
    for _ in range(20):
        await made(api, hooks)
    problem(await api.post(WEBHOOKS, json={"url": hooks.url(), "events": CREATED}), 409, "webhooks_too_many")


def test_a_call_is_checked_as_the_standard_says() -> None:
    """The example of the Standard Webhooks specification, to know that the receiver here checks the same."""
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert Call("/", headers, body).signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
