"""One campaign to browsers, Android phones and iPhones, with all that can go wrong: it adds up, on both databases.

`TIDINGS_MIXED=30000` makes it as large as a real one.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support.apple import BUNDLE_ID, KEY_ID, SETTINGS, TEAM_ID, p8
from support.campaign import app_with_subscribers, finished, to_everyone, working
from support.phones import integrated, leading_to, with_phones
from tidings.domain.app import App
from tidings.domain.delivery import DeliveryStatus
from tidings.domain.subscription import NewSubscription, SubscriptionStatus
from tidings.pipeline import settle
from tidings.providers import provider
from tidings.providers.fcm.provider import Fcm
from tidings.providers.fcm.settings import A_MINUTE
from tidings.simulator.apns.devices import Fault as AppleFault
from tidings.simulator.apns.devices import Mishap
from tidings.simulator.apns.senders import Key
from tidings.simulator.faults import LASTING, Fault, FaultKind
from tidings.simulator.run import Running, SimulatorConfig, serve
from tidings.storage import Transaction
from tidings.wiring import Container

RECIPIENTS = int(os.environ.get("TIDINGS_MIXED", "3000"))
OF_EACH = RECIPIENTS // 3
SECONDS = 240 + RECIPIENTS / 20
"""For everybody to be reached: the simulator does its part in this process, and other work shares the machine."""

SHARE = 0.05
FAULTS = tuple((Fault(kind, tries=1, retry_after=1, seconds=0.5), SHARE) for kind in FaultKind)
DEAD, TOO_LONG = ("Unregistered", "ExpiredToken"), "PayloadTooLarge"
APPLE_FAULTS = tuple(
    (AppleFault(kind, tries=0 if kind in (*DEAD, TOO_LONG) else 1, seconds=0.5), SHARE)
    for kind in (*DEAD, TOO_LONG, "TooManyRequests", "InternalServerError", "ServiceUnavailable", "Shutdown", *Mishap)
)


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator", reading=0.1)) as running:
        yield running


@pytest.fixture
async def container(tmp_path: Path, simulator: Running, database_url: str | None) -> AsyncIterator[Container]:
    async with leading_to(simulator, tmp_path / "data", database_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 2.0)


async def with_iphones(container: Container, simulator: Running, app: App, count: int) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    simulator.apple.senders.add_key(Key(TEAM_ID, KEY_ID, private.public_key()))
    fields = {"key": p8(private), **SETTINGS}
    added = await container.phones.integrations.add(app.id, "apns", label="iPhones", fields=fields)
    key = added.keys[0].credential
    half = count // 2
    rows = []
    for environment, some in (("sandbox", half), ("production", count - half)):
        made = simulator.apple.devices.make(
            some, topic=BUNDLE_ID, environment=environment, shares=APPLE_FAULTS, seed="mixed"
        )
        for one in made:
            place = {"token": one.token, "environment": environment}
            address, origin = provider("apns").address_from(place, policy=container.policy)
            new = NewSubscription(app_id=app.id, provider="apns", address=address, origin=origin, credential_id=key.id)
            rows.append((new, container.ids.new("sub"), b"h" * 32))
    added_rows = await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=container.clock.now()))
    assert added_rows == (count, 0)


def told(simulator: Running) -> tuple[dict[str, Any], ...]:
    """What browsers, Android phones and iPhones have seen, by what befell them."""
    kinds: dict[str, Any] = simulator.subscribers.summary()["kinds"]  # type: ignore[assignment]
    apple: dict[str, Any] = simulator.apple.devices.summary()["kinds"]  # type: ignore[assignment]
    browsers = {kind: tally for kind, tally in kinds.items() if not kind.startswith("fcm ")}
    android = {kind.removeprefix("fcm "): tally for kind, tally in kinds.items() if kind.startswith("fcm ")}
    return browsers, android, apple


@pytest.mark.timeout(SECONDS + 60 + RECIPIENTS / 100)
async def test_every_recipient_has_one_end_and_the_counters_are_what_the_services_answered(
    container: Container, simulator: Running
) -> None:
    app = await app_with_subscribers(container, simulator, OF_EACH, faults=FAULTS)
    integration = await integrated(container, simulator, app)
    await with_phones(container, simulator, app, integration, OF_EACH, faults=FAULTS)
    await with_iphones(container, simulator, app, OF_EACH)
    async with working(container):
        accepted = await container.flow.accept(to_everyone(app))
        assert accepted.notification.counts.audience == 3 * OF_EACH
        done = await finished(container, accepted.notification, seconds=SECONDS)
    browsers, android, apple = told(simulator)
    lasting = {kind.value for kind in LASTING}
    assert set(browsers) == set(android) == {"none", *FaultKind}
    for kinds in (browsers, android, apple):
        assert sum(one["subscribers"] for one in kinds.values()) == OF_EACH
        for kind, one in kinds.items():
            reached = 0 if kind in {*lasting, *DEAD, TOO_LONG} else one["subscribers"]
            assert (one["distinct"], one["doubled"]) == (reached, 0), (kind, one)
    sent = sum(one["distinct"] for kinds in (browsers, android, apple) for one in kinds.values())
    dead = sum(kinds[kind]["subscribers"] for kinds in (browsers, android) for kind in ("not_found", "gone"))
    dead += sum(apple[kind]["subscribers"] for kind in DEAD)
    assert (done.counts.sent, done.counts.failed, done.counts.expired, done.counts.skipped) == (
        sent,
        3 * OF_EACH - sent,
        0,
        0,
    ), done
    long = android["too_large"]["subscribers"] + browsers["too_large"]["subscribers"] + apple[TOO_LONG]["subscribers"]
    assert done.reasons.pop("gone") == dead
    assert sum(done.reasons.values()) == long
    assert all("large" in reason for reason in done.reasons), done.reasons
    ends = await container.store.read(lambda tx: ends_of(tx, done.id))
    assert len(ends) == 3 * OF_EACH, "everybody has an end, and one alone"
    assert sum(one is DeliveryStatus.SENT for one in ends.values()) == sent
    found = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert (found[SubscriptionStatus.EXPIRED], found[SubscriptionStatus.ACTIVE]) == (dead, 3 * OF_EACH - dead)
    assert simulator.fcm.oauth.given == 1


def ends_of(tx: Transaction, notification_id: int) -> dict[int, DeliveryStatus]:
    """Give what became of everybody; fails where somebody has two ends."""
    ends: dict[int, DeliveryStatus] = {}
    while page := tx.deliveries.page(notification_id, after=max(ends, default=0), limit=1_000):
        assert not ends.keys() & {one.subscription_id for one in page}
        ends |= {one.subscription_id: one.status for one in page}
    return ends


def test_the_quota_that_google_publishes_is_a_projects() -> None:
    from support.service_account import account_file
    from tidings.domain.app import Credential

    made = Fcm().credential_from({"service_account": account_file("my-app-1a2b3")})
    quota = Fcm().quota(Credential(1, 1, 1, "fcm", made.fingerprint, made.secret, made.settings))
    assert (quota.of, quota.a_minute) == ("fcm:my-app-1a2b3", A_MINUTE) == ("fcm:my-app-1a2b3", 600_000)
