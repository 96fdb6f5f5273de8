"""A project's quota at the wire: FCM sees no more than that in any minute, others go on, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from support.campaign import app_with_subscribers, finished, seen, to_everyone, working
from support.phones import PROJECT, account, with_phones
from tidings.simulator.run import Running
from tidings.wiring import Container

A_MINUTE, PHONES, BROWSERS, CAMPAIGNS = 80, 60, 30, 2
LATE = 5.0
"""Seconds that a message may take from a sender to the service on a busy machine."""


def most_within(seconds: float, moments: list[float]) -> int:
    """The most of these moments, oldest first, that lie within any so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.timeout(400)  # it waits for real minutes: the limit counts them
async def test_a_project_gets_its_quota_a_minute_while_browsers_are_reached_and_nothing_is_lost(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, BROWSERS)
    fields = {"service_account": account(simulator), "messages_per_minute": str(A_MINUTE)}
    added = await container.phones.integrations.add(app.id, "fcm", label=PROJECT, fields=fields)
    assert added.integration is not None
    await with_phones(container, simulator, app, added.integration.public_id, PHONES)
    async with working(container):
        campaigns = [(await container.flow.accept(to_everyone(app))).notification for _ in range(CAMPAIGNS)]
        async with asyncio.timeout(50):
            while seen(simulator, "none")["distinct"] < CAMPAIGNS * BROWSERS:
                await asyncio.sleep(0.05)
        assert seen(simulator, "fcm none")["distinct"] <= A_MINUTE, "browsers did not wait for phones"
        done = [await finished(container, one, seconds=300) for one in campaigns]
    for one in done:
        counts = one.counts
        assert (counts.sent, counts.failed, counts.expired, counts.skipped) == (PHONES + BROWSERS, 0, 0, 0), one
    phones = seen(simulator, "fcm none")
    assert (phones["distinct"], phones["doubled"]) == (CAMPAIGNS * PHONES, 0)
    arrived = sorted(float(str(one["at"])) for one in simulator.journal.messages(limit=500) if one["flavour"] == "fcm")
    assert len(arrived) == CAMPAIGNS * PHONES
    assert A_MINUTE / 2 <= most_within(60 - LATE, arrived) <= A_MINUTE
