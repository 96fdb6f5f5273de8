"""Enable Web Push, turned off and on again: nobody is sent to or taken in meanwhile, and nothing is lost."""

from __future__ import annotations

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from support.stored import Given
from tidings.domain.delivery import SkipReason
from tidings.lib.clock import FixedClock
from tidings.wiring import Container
from tidings.worker.load import load


async def turned(api: httpx2.AsyncClient, app: str, on: bool) -> None:
    answer = await api.patch(f"/api/v1/apps/{app}", json={"web_push_enabled": on})
    assert answer.json()["web_push_enabled"] is on


@pytest.mark.usefixtures("vapid_key")
async def test_turned_off_nobody_is_sent_to_or_taken_in_and_nothing_is_lost(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    app = await container.apps.ensure_first()
    assert (await api.get(f"/api/v1/apps/{app.public_id}")).json()["web_push_enabled"] is True
    made = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    assert made.status_code == 201
    given = Given(container.store, clock.now())
    phone = await given.device(app, None, provider="fcm", origin="https://fcm.googleapis.com")

    async def sorted_out() -> tuple[int, dict[str, int]]:
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        batch = await container.store.read(lambda tx: load(tx, shard, cursor=0, number=1, now=clock.now()))
        assert batch is not None
        skipped = {one.reason: one.subscription_id for one in batch.settled}
        return len(batch.recipients), skipped

    assert (await sorted_out())[0] == 1
    await turned(api, app.public_id, on=False)
    told, skipped = await sorted_out()
    assert told == 0
    assert set(skipped) == {SkipReason.WEB_PUSH_OFF}
    assert phone.id not in skipped.values()
    problem(await browser.get("/push/vapid-key"), 409, "web_push_off")
    again = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    problem(again, 409, "web_push_off")
    line = (await browser.get("/push/sdk.js")).text.partition("\n")[0]
    assert '"off":true' in line
    assert '"key"' not in line
    await turned(api, app.public_id, on=True)
    assert (await sorted_out())[0] == 1
    assert (await browser.get("/push/vapid-key")).status_code == 200
    assert '"off"' not in (await browser.get("/push/sdk.js")).text.partition("\n")[0]
    entries = (await api.get("/api/v1/audit", params={"app": app.public_id})).json()["data"]
    changed = [one["detail"].get("web_push_enabled") for one in entries if one["action"] == "app.changed"]
    assert changed == [True, False]


@pytest.mark.usefixtures("vapid_key")
async def test_one_app_turned_off_is_not_another(api: httpx2.AsyncClient, container: Container) -> None:
    first = await container.apps.ensure_first()
    other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()
    await turned(api, other["id"], on=False)
    assert (await api.get(f"/api/v1/apps/{first.public_id}")).json()["web_push_enabled"] is True
