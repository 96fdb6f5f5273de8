"""The answers to a notification's question, counted as they come."""

from __future__ import annotations

import json

import httpx2
from tests.integration.web.instance import push_subscription

from tidings.domain.campaign import NotificationStatus
from tidings.wiring import Container


async def test_answers_are_told_while_they_come_and_the_first_of_a_device_stands(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    for _ in range(3):
        body = {"subscription": push_subscription()}
        assert (await browser.post("/push/subscribe", json=body)).status_code == 201
    actions = [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]
    sent = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Open?", "actions": actions})
    found = await container.store.read(lambda tx: tx.notifications.get(1, sent.json()["id"]))
    assert found is not None
    pairs = container.deliveries.encode_many([(found.id, device) for device in (1, 2, 3)])
    for (delivery, token), action in zip([*pairs, pairs[0]], ("yes", "no", "yes", "no"), strict=True):
        report = {"delivery": delivery, "token": token, "event": "answered", "action": action}
        assert (await browser.post("/push/receipts", json=report)).status_code == 202

    end = NotificationStatus.CANCELLED
    await container.store.write(
        lambda tx: tx.notifications.set_status(found.id, end, allowed_from=[found.status], now=container.clock.now())
    )
    told = (await api.get(f"/api/v1/notifications/{found.public_id}/progress")).text
    (line,) = [one for one in told.splitlines() if one.startswith("data:")]
    progress = json.loads(line.removeprefix("data:"))
    assert (progress["answers"], progress["counts"]["answered"]) == ({"yes": 2, "no": 1}, 3)
