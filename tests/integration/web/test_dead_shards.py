"""Shards that were given up, over REST: listed, tried again, left; and messages too long for some."""

from __future__ import annotations

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, Notification
from tidings.domain.message import Message
from tidings.storage import OutcomeUnknown, Transaction
from tidings.wiring import Container

PATH = "/api/v1/system/dead-shards"


async def buried(container: Container, *, ttl: int = 3_600) -> tuple[Notification, int]:
    """Store a notification whose only shard was given up."""
    app = await container.apps.ensure_first()
    now = container.clock.now()
    new = NewNotification(app_id=app.id, message=Message(title="Tide", ttl=ttl), audience=Everyone())
    accepted = await container.flow.accept(new)

    def work(tx: Transaction) -> int:
        (shard_id,) = tx.shards.ready(now=now, limit=9)
        shard = tx.shards.claim(shard_id, owner="w", now=now, lease=60)
        assert shard is not None
        tx.shards.bury(shard.id, shard.lease_token, because="worker_died", now=now)
        tx.notifications.finish_if_settled(shard.notification_id, now=now)
        return shard_id

    return accepted.notification, await container.store.write(work)


async def test_a_dead_shard_is_listed_and_tried_again(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, vapid_key: str
) -> None:
    await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    notification, shard = await buried(container)
    (listed,) = (await api.get(PATH)).json()["data"]
    assert (listed["id"], listed["notification"], listed["title"]) == (shard, notification.public_id, "Tide")
    assert (listed["in_doubt"], listed["because"], listed["status"]) == (1, "worker_died", "done")
    answer = await api.post(f"{PATH}/{shard}/requeue")
    assert (answer.status_code, answer.json()["in_doubt"]) == (200, 1)
    assert (await api.get(PATH)).json()["data"] == []
    shown = (await api.get(f"/api/v1/notifications/{notification.public_id}")).json()
    assert (shown["status"], shown["counts"]["skipped"], shown["reasons"]) == ("sending", 0, {})
    problem(await api.post(f"{PATH}/{shard}/requeue"), 404, "not_found")


async def test_a_dead_shard_can_be_left(api: httpx2.AsyncClient, container: Container, vapid_key: str) -> None:
    _, shard = await buried(container)
    assert (await api.post(f"{PATH}/{shard}/drop")).status_code == 200
    assert (await api.get(PATH)).json()["data"] == []
    problem(await api.post(f"{PATH}/{shard}/drop"), 404, "not_found")


async def test_what_nobody_would_get_any_more_is_not_tried_again(
    api: httpx2.AsyncClient, container: Container, vapid_key: str
) -> None:
    notification, shard = await buried(container, ttl=60)
    container.clock.at = notification.expires_at  # type: ignore[attr-defined]
    problem(await api.post(f"{PATH}/{shard}/requeue"), 409, "notification_expired")


async def test_a_key_for_one_app_sees_its_own_alone(
    api: httpx2.AsyncClient, container: Container, vapid_key: str
) -> None:
    _, shard = await buried(container)
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()["id"]
    made = await api.post("/api/v1/keys", json={"name": "other", "scopes": ["admin"], "app": other})
    theirs = {"authorization": f"Bearer {made.json()['key']}"}
    assert (await api.get(PATH, headers=theirs)).json()["data"] == []
    problem(await api.post(f"{PATH}/{shard}/drop", headers=theirs), 404, "not_found")


async def test_a_message_too_long_for_mozilla_alone_is_taken_with_a_warning(
    api: httpx2.AsyncClient, vapid_key: str
) -> None:
    message = {"to": {"all": True}, "title": "Long", "body": "x" * 2_000}
    assert "warnings" not in (await api.post("/api/v1/notifications", json=message)).json()
    answer = await api.post("/api/v1/notifications", json={**message, "data": {"more": "x" * 1_000}})
    (warning,) = answer.json()["warnings"]
    assert (answer.status_code, warning["code"]) == (202, "too_large_for_mozilla")
    assert "bytes too long for the push service of Mozilla" in warning["message"]


async def test_a_commit_that_nobody_heard_the_end_of_is_told_as_that(
    api: httpx2.AsyncClient, container: Container, vapid_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object) -> None:
        raise OutcomeUnknown("The connection to the database was lost during the commit.")

    monkeypatch.setattr(container.store, "write", lost)
    answer = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Tide"})
    told = problem(answer, 503, "outcome_unknown")
    assert "Idempotency-Key" in told["mend"]
    assert answer.headers["retry-after"]
