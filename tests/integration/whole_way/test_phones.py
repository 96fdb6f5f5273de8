"""Phones on the whole way: mixed campaigns add up, and what is wrong with an account costs no device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from support.campaign import app_with_subscribers, finished, seen, to_everyone, working
from support.phones import PROJECT, account, integrated, with_phones
from tidings.domain import suspected
from tidings.domain.app import App
from tidings.domain.audience import Everyone, Through
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.message import Message
from tidings.domain.subscription import Subscription, SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.pipeline import settle
from tidings.services.grants import Grants
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.fcm_oauth import Project
from tidings.simulator.run import Running
from tidings.wiring import Container

SHARE = 0.1
FAULTS = tuple(
    (Fault(kind, tries=1, retry_after=1, seconds=1.0), SHARE)
    for kind in (
        FaultKind.NOT_FOUND,
        FaultKind.GONE,
        FaultKind.TOO_LARGE,
        FaultKind.THROTTLED,
        FaultKind.UNAVAILABLE,
        FaultKind.SLOW,
        FaultKind.RESET,
        FaultKind.GOAWAY,
    )
)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 2.0)
    monkeypatch.setattr(settle, "CONFIGURATION_DELAY", 0.3)


async def statuses(container: Container, app: App) -> dict[SubscriptionStatus, int]:
    return await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))


async def devices(container: Container, app: App, integration: str) -> list[Subscription]:
    return (await container.phones.integrations.devices(app.id, integration, cursor=None, limit=100)).data


async def paused_because(container: Container, app: App, integration: str) -> str | None:
    found = (await container.phones.integrations.get(app.id, integration)).integration
    assert found is not None
    return found.paused_because


async def until_paused(container: Container, app: App, integration: str) -> str:
    async with asyncio.timeout(60):
        while (because := await paused_because(container, app, integration)) is None:
            await asyncio.sleep(0.05)
    return because


async def test_a_campaign_to_browsers_and_phones_with_every_fault_adds_up(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 500, faults=FAULTS)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 500, faults=FAULTS)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        assert accepted.notification.counts.audience == 1_000
        done = await finished(container, accepted.notification)
    assert done.counts.settled == 1_000, done
    assert (done.counts.sent, done.counts.failed, done.counts.expired, done.counts.skipped) == (700, 300, 0, 0), done
    assert done.reasons["gone"] == 200
    assert done.reasons["payload_too_large"] == 100
    everyone = seen(simulator)
    assert (everyone["distinct"], everyone["unreadable"]) == (700, 0)
    assert simulator.fcm.oauth.given == 1, "one token is fetched for all senders"
    found = await statuses(container, app)
    assert (found[SubscriptionStatus.ACTIVE], found[SubscriptionStatus.EXPIRED]) == (800, 200)


async def test_channels_cut_an_audience_down_to_phones(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 30)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 20)
    new = NewNotification(app.id, Message(title="For phones"), Through(Everyone(), ("fcm",)))
    async with working(container):
        accepted = await container.flow.accept(new)
        assert accepted.notification.counts.audience == 20
        done = await finished(container, accepted.notification)
    assert done.counts.sent == 20
    assert seen(simulator, "fcm none")["distinct"] == 20
    assert seen(simulator, "none")["distinct"] == 0


async def test_a_token_that_google_forgets_is_renewed_once_and_nobody_notices(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 50)
    async with working(container):
        await finished(container, (await container.flow.accept(to_everyone(app))).notification)
        assert simulator.fcm.oauth.forget() == 1
        done = await finished(container, (await container.flow.accept(to_everyone(app))).notification)
    assert (done.counts.sent, done.counts.failed) == (51, 0)
    assert simulator.fcm.oauth.given == 2
    assert await paused_because(container, app, integration) is None


def api_off(project: Project) -> None:
    project.api_enabled = False


def not_permitted(project: Project) -> None:
    project.permitted = False


def key_gone(project: Project) -> None:
    project.key_revoked = True


def account_gone(project: Project) -> None:
    project.account_deleted = True


@pytest.mark.parametrize(
    ("broken", "because"),
    [
        (api_off, "fcm_api_disabled"),
        (not_permitted, "permission_missing"),
        (key_gone, "service_account_key_revoked"),
        (account_gone, "service_account_missing"),
    ],
)
async def test_what_is_wrong_with_the_account_pauses_it_and_costs_no_device(
    container: Container, simulator: Running, broken: Callable[[Project], None], because: str
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 40)
    project = simulator.fcm.oauth.project(PROJECT)
    async with working(container):
        # It has worked a moment ago: that must not make it look like a fault of the devices.
        await finished(container, (await container.flow.accept(to_everyone(app))).notification)
        broken(project)
        simulator.fcm.oauth.forget()
        held = (await container.flow.accept(to_everyone(app))).notification
        assert await until_paused(container, app, integration) == because
        proof = await container.phones.integrations.prove(app.id, integration)
        assert not proof.ok
        assert await paused_because(container, app, integration) == because
        project.api_enabled = project.permitted = True
        project.key_revoked = project.account_deleted = False
        assert (await container.phones.integrations.prove(app.id, integration)).ok
        done = await finished(container, held)
    assert (done.counts.sent, done.counts.failed, done.counts.skipped) == (41, 0, 0), done
    assert (await statuses(container, app))[SubscriptionStatus.ACTIVE] == 41


async def test_devices_of_another_project_are_not_lost_by_the_mix_up(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 40, project="somebody-else")
    async with working(container):
        held = (await container.flow.accept(to_everyone(app))).notification
        assert await until_paused(container, app, integration) == "address_foreign"
    waiting = await container.store.read(lambda tx: tx.notifications.by_id(held.id))
    assert isinstance(waiting, Notification)
    assert (waiting.counts.failed, waiting.status) == (0, NotificationStatus.SENDING)
    assert (await statuses(container, app))[SubscriptionStatus.ACTIVE] == 41


async def test_one_foreign_device_among_others_fails_alone_then_rests_and_is_never_lost(
    container: Container, simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 20)
    await with_phones(container, simulator, app, integration, 1, project="somebody-else")
    async with working(container):
        for failed in (1, 1, 1, 1):
            done = await finished(container, (await container.flow.accept(to_everyone(app))).notification)
            assert (done.counts.sent, done.counts.failed, done.reasons) == (21, failed, {"address_foreign": 1})
        # As if its refusals lay days apart: now it rests, and costs the project's good name nothing.
        monkeypatch.setattr(suspected, "PATIENCE", replace(suspected.PATIENCE, over=timedelta(0)))
        refused = len(simulator.journal.refusals(limit=100))
        done = await finished(container, (await container.flow.accept(to_everyone(app))).notification)
        assert (done.counts.sent, done.counts.skipped, done.reasons) == (21, 1, {"address_foreign": 1})
        assert len(simulator.journal.refusals(limit=100)) == refused, "it was not asked for"
    assert (await statuses(container, app))[SubscriptionStatus.ACTIVE] == 22
    assert await paused_because(container, app, integration) is None
    (shown,) = [one for one in await devices(container, app, integration) if one.suspected]
    assert shown.suspected is not None
    assert (shown.suspected.reason, shown.suspected.times, shown.status_reason) == ("address_foreign", 4, None)


async def test_a_clock_that_is_hours_wrong_is_named_and_costs_no_device(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 15)
    wrong = FixedClock(container.clock.now() - timedelta(hours=3))
    grants = Grants(clock=wrong, call=container.phones.grants.call)
    async with working(replace(container, phones=replace(container.phones, grants=grants))):
        await container.flow.accept(to_everyone(app))
        assert await until_paused(container, app, integration) == "clock_skew"
    assert (await statuses(container, app))[SubscriptionStatus.ACTIVE] == 16


async def test_a_replaced_key_is_used_without_a_restart(container: Container, simulator: Running) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, 10)
    async with working(container):
        await finished(container, (await container.flow.accept(to_everyone(app))).notification)
        del simulator.fcm.oauth.projects[PROJECT]  # a new key is made for the same project
        simulator.fcm.oauth.forget()
        fields = {"service_account": account(simulator)}
        changed = await container.phones.integrations.update(app.id, integration, fields=fields)
        assert changed.keys[0].active == 10
        done = await finished(container, (await container.flow.accept(to_everyone(app))).notification)
    assert (done.counts.sent, done.counts.failed) == (11, 0)
