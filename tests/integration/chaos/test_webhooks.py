"""Webhooks while workers are killed: everything is told, under ids that let a receiver skip what it knows."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.integration.chaos.test_workers import container, settings, worker

from support.calls import SILENCE, Call
from support.campaign import app_with_subscribers, to_everyone
from support.chaos import arrived, finished_in_the_end, moments, until
from support.hooks import Hooks, listening
from tidings.domain.webhook import NewWebhook, WebhookEvent
from tidings.settings import Settings
from tidings.simulator.run import Running
from tidings.wiring import Container

__all__ = ["container", "settings"]
"""Fixtures."""

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]
SUBSCRIBERS = 2_000
KINDS = (WebhookEvent.DELIVERY_SENT, WebhookEvent.NOTIFICATION_FINISHED)


def told(hooks: Hooks) -> set[str]:
    """Give the devices whose delivery was told."""
    return {one["data"]["subscription"] for one in hooks.events if one["type"] == "delivery.sent"}


async def test_killed_workers_leave_nothing_untold_and_nothing_under_two_ids(
    settings: Settings, container: Container, simulator: Running
) -> None:
    (killed,) = moments("kill a worker that tells webhooks", of=1, among=SUBSCRIBERS)
    app = await app_with_subscribers(container, simulator, SUBSCRIBERS)
    async with listening() as hooks:
        # The first call is left without an answer, so that the kill finds it under way.
        hooks.answer = lambda _call, n: SILENCE if n == 1 else 204
        await container.automation.webhooks.create(app.id, NewWebhook(hooks.url(), KINDS))
        with worker(settings) as first:
            accepted = await container.flow.accept(to_everyone(app))
            await until(lambda: bool(hooks.seen))
            await arrived(simulator, killed)
            first.kill()
        with worker(settings):
            await finished_in_the_end(container, accepted.notification)
            await until(lambda: len(told(hooks)) == SUBSCRIBERS)
            await until(lambda: any(one["type"] == "notification.finished" for one in hooks.events))
            # What the call said counts as told; that it comes again, after what was due before it, is waited for.
            await until(lambda: hooks.seen[0].id in {one.id for one in hooks.seen[1:]})
    cut_off, *others = hooks.seen
    assert any(one.id == cut_off.id for one in others), "what the kill cut off is told again under its id"
    assert _said(cut_off) <= {event for one in others if one.id == cut_off.id for event in _said(one)}
    ids: dict[str, set[str]] = {}
    for event in hooks.events:
        if event["type"] == "delivery.sent":
            ids.setdefault(event["data"]["subscription"], set()).add(event["id"])
    assert {len(one) for one in ids.values()} == {1}, "a delivery that is told twice has the same id both times"
    finished = Counter(event["id"] for event in hooks.events if event["type"] == "notification.finished")
    assert len(finished) == 1
    print(f"{SUBSCRIBERS} deliveries in {len(hooks.seen)} calls")
    assert len(hooks.seen) <= 60


def _said(call: Call) -> set[str]:
    return {event["id"] for event in call.events}
