"""What operators watch: probes that say what is wrong, and metrics in the format that Prometheus reads."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.web.instance import push_subscription

from support.chaos import locked
from support.stored import Given
from tidings.domain.app import Heartbeat
from tidings.domain.audit import SYSTEM
from tidings.domain.outcome import Accepted, Held, Throttled, ThrottleScope, Unmapped
from tidings.domain.safety import GlobalPause
from tidings.domain.webhook import (
    DisabledBecause,
    MessageStatus,
    NewWebhook,
    Verdict,
    Webhook,
    WebhookAttempt,
    WebhookEvent,
)
from tidings.lib.clock import FixedClock
from tidings.storage import StoreUnavailable, Transaction
from tidings.storage.open import DATABASE_FILE
from tidings.web.app import create_app
from tidings.web.health import worker_probes
from tidings.wiring import Container
from tidings.worker.signs import Meters

GOOGLE = "https://fcm.googleapis.com"


async def told(client: httpx2.AsyncClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read /metrics as Prometheus does."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_database_is_told_of_with_every_look(
    browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    given = Given(container.store, clock.now())
    app = await given.app()
    key = await given.credential(app)
    notification = await given.notification(app)
    ready, left, dead = [await given.shard(notification, n, high=n + 1) for n in range(3)]
    shard = await given.claimed(left, lease=1)
    await container.store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=9))
    lost = await given.claimed(dead)
    await container.store.write(
        lambda tx: tx.shards.bury(lost.id, lost.lease_token, because="worker_died", now=clock.at)
    )
    await container.store.write(lambda tx: tx.credentials.pause(key.id, GOOGLE, reason="x", now=clock.at))
    beat = Heartbeat(worker_id="w", host="h", pid=1, senders=1, started_at=clock.at, seen_at=clock.at)
    await container.store.write(lambda tx: tx.instance.beat(beat))
    clock.at += timedelta(seconds=10)
    found = await told(browser)
    assert ready
    assert {
        name: found[name, ()]
        for name in (
            "tidings_database_up",
            "tidings_workers",
            "tidings_queue_lag_seconds",
            "tidings_chunks_in_doubt",
            "tidings_notifications_held",
            "tidings_paused",
            "tidings_store_waiting",
        )
    } == {
        "tidings_database_up": 1,
        "tidings_workers": 1,
        "tidings_queue_lag_seconds": 10,
        "tidings_chunks_in_doubt": 1,
        "tidings_notifications_held": 0,
        "tidings_paused": 0,
        "tidings_store_waiting": 0,
    }
    shards = {status: found["tidings_shards", (("status", status),)] for status in ("ready", "leased", "dead")}
    assert shards == {"ready": 1, "leased": 1, "dead": 1}
    assert found["tidings_paused_keys", (("service", "google"),)] == 1
    assert found["tidings_paused_keys", (("service", "apple"),)] == 0
    await container.store.write(lambda tx: tx.instance.pause(GlobalPause(clock.at, "me")))
    assert (await told(browser))["tidings_paused", ()] == 1


async def test_what_webhooks_wait_for_is_told(
    browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    given = Given(container.store, clock.now())
    app = await given.app()
    device = await given.device(app, await given.credential(app))

    def prepare(tx: Transaction) -> None:
        for number in range(2):
            new = NewWebhook(f"https://www.example.com/{number}", (WebhookEvent.SUBSCRIPTION_CREATED,), "", True)
            tx.webhooks.add(app.id, new, public_id=f"whk_{number}", secret=bytes(32), now=clock.at)
        tx.outbox.device(app.id, device.id, WebhookEvent.SUBSCRIPTION_CREATED, "", now=clock.at)

    await container.store.write(prepare)
    names = ("messages_waiting", "untold", "lag_seconds")

    async def figures() -> list[float]:
        found = await told(browser)
        states = [found["tidings_webhooks", (("status", one),)] for one in ("failing", "turned_off")]
        return [*(found[f"tidings_webhook_{one}", ()] for one in names), *states]

    assert await figures() == [0, 1, 0, 0, 0]
    names_of, now = iter("ab"), clock.at
    await container.store.write(lambda tx: tx.webhook_messages.gather(new_id=names_of.__next__, limit=9, now=now))
    clock.at += timedelta(seconds=40)
    assert await figures() == [2, 0, 40, 0, 0]
    one, other = await container.store.read(lambda tx: tx.webhooks.all(app.id))

    async def ends(webhook: Webhook, verdict: Verdict) -> None:
        def end(tx: Transaction) -> None:
            job = tx.webhook_messages.take(webhook.id, now=clock.at, lease=30)
            assert job is not None
            tx.webhook_messages.settle(job, WebhookAttempt(clock.at, 500, "", 0.1, ""), verdict, now=clock.at)

        await container.store.write(end)

    again = clock.at + timedelta(seconds=60)
    await ends(one, Verdict(MessageStatus.WAITING, again, again))
    assert await figures() == [2, 0, 40, 1, 0]
    await ends(other, Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE))
    assert await figures() == [1, 0, 0, 1, 1]


async def test_a_database_that_does_not_answer_is_told_and_nothing_old_beside_it(
    browser: httpx2.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await told(browser))["tidings_database_up", ()] == 1

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(container.store, "read", away)
    found = await told(browser)
    assert found["tidings_database_up", ()] == 0
    assert math.isnan(found["tidings_workers", ()])
    assert not any(name == "tidings_shards" for name, _ in found)
    assert "does not answer" in (await browser.get("/readyz")).json()["problems"][0]


async def test_a_database_that_is_read_and_takes_nothing_makes_the_server_unready_until_it_does_again(
    browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    def prepare(tx: Transaction) -> None:
        tx.instance._scope.connection.exec_driver_sql("PRAGMA busy_timeout = 50")  # type: ignore[attr-defined]
        tx.instance.beat(Heartbeat("w", "h", 1, senders=1, started_at=clock.at, seen_at=clock.at))

    async def answers(status: int) -> None:
        async with asyncio.timeout(30):
            while (await browser.get("/readyz")).status_code != status:
                await asyncio.sleep(0.02)

    await container.store.write(prepare)
    assert (await browser.get("/readyz")).status_code == 200
    with locked(container.settings.data / DATABASE_FILE):
        with pytest.raises(StoreUnavailable):
            await container.store.write(lambda tx: tx.instance.set_value("a", b""))
        for _ in range(9):  # also while it is tried again
            answer = await browser.get("/readyz")
            assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")
            await asyncio.sleep(0.02)
        assert "has room" in answer.json()["problems"][0]
        assert (await told(browser))["tidings_database_up", ()] == 0
        assert (await told(browser))["tidings_workers", ()] == 1, "what can be read is told"
    await answers(200)
    assert (await told(browser))["tidings_database_up", ()] == 1


async def test_outcomes_are_counted_by_a_few_services_whatever_origins_there_are(
    browser: httpx2.AsyncClient, container: Container
) -> None:
    meters = Meters(container.metrics)
    before = await told(browser)
    assert before["tidings_outcomes_total", (("outcome", "unmapped"), ("service", "other"))] == 0
    strangers = [("webpush", f"https://push-{number}.example.com", Accepted()) for number in range(500)]
    held = Throttled(1.0, ThrottleScope.ORIGIN, Held.RESTS)
    meters.count([*strangers, ("webpush", GOOGLE, Unmapped(299, "odd")), ("webpush", GOOGLE, held)])
    after = await told(browser)
    assert {
        key: value - before[key] for key, value in after.items() if key[0].startswith("tidings_outcomes_total")
    } == {
        key: {"accepted": 500, "unmapped": 1}[labels["outcome"]]
        if (labels["outcome"], labels["service"]) in {("accepted", "other"), ("unmapped", "google")}
        else 0
        for key in before
        if key[0].startswith("tidings_outcomes_total") and (labels := dict(key[1]))
    }
    assert after["tidings_unsent_total", (("reason", "origin_rests"), ("service", "google"))] == 1


async def test_requests_are_measured_by_route_and_not_by_address(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    for number in range(3):
        await api.get(f"/api/v1/notifications/ntf_{number}")
        await browser.get(f"/nothing/{number}")
    await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    found = await told(browser)
    counts = {key[1]: value for key, value in found.items() if key[0] == "tidings_request_seconds_count"}
    one = (("method", "GET"), ("route", "/api/v1/notifications/{notification_id}"), ("status", "4xx"))
    assert counts[one] == 3
    assert not any("nothing" in route for _, (_, route), _ in counts), "an address is no route"
    assert sum(value for labels, value in counts.items() if ("route", "/{path}") in labels) == 3
    assert counts[("method", "POST"), ("route", "/push/subscribe"), ("status", "2xx")] == 1


async def test_the_event_loop_and_the_process_are_watched_while_the_application_runs(app: FastAPI) -> None:
    async with app.router.lifespan_context(app), asyncio.timeout(60):
        transport = httpx2.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="https://push.example.com") as client:
            while not (found := await told(client))["tidings_event_loop_lag_seconds_count", ()]:
                await asyncio.sleep(0.05)
    assert found["process_resident_memory_bytes", ()] > 1e6
    assert found["process_open_fds", ()] > 1


async def test_a_worker_without_a_server_tells_of_itself(container: Container) -> None:
    Meters(container.metrics)
    transport = httpx2.ASGITransport(worker_probes(container.metrics))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/livez")).json() == {"status": "ok"}
        assert ("tidings_sender_deaths_total", ()) in await told(client)


async def test_a_database_that_is_behind_makes_the_server_unready(
    browser: httpx2.AsyncClient, container: Container, tmp_path: Path, clock: FixedClock
) -> None:
    beat = Heartbeat(worker_id="w", host="h", pid=1, senders=1, started_at=clock.at, seen_at=clock.at)
    await container.store.write(lambda tx: tx.instance.beat(beat))
    assert (await browser.get("/readyz")).json() == {
        "status": "ok", "database": "ok", "schema": "ok", "workers": 1, "sending": "on",
    }  # fmt: skip
    await container.safety.pause(by=SYSTEM)
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["sending"]) == (200, "paused")
    with closing(sqlite3.connect(tmp_path / "tidings.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["schema"]) == (503, "behind")
    assert "tidings migrate" in answer.json()["problems"][0]


async def test_the_application_is_built_twice_over_one_registry(container: Container) -> None:
    for _ in range(2):
        transport = httpx2.ASGITransport(create_app(container))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="https://push.example.com") as client:
            assert (await client.get("/livez")).status_code == 200
