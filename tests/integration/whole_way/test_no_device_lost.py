"""What goes wrong with accounts, environments and tokens: each has its own reason and words, and costs no device."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from support.apple import BUNDLE_ID, KEY_ID, SETTINGS, TEAM_ID, p8, push_certificate
from support.campaign import app_with_subscribers, finished, to_everyone, working
from support.phones import PROJECT, account, leading_to
from tidings.domain.app import App
from tidings.domain.subscription import SubscriptionStatus
from tidings.pipeline import settle
from tidings.services.registration import Registration
from tidings.simulator.apns.senders import Certificate, Key
from tidings.simulator.run import Running, SimulatorConfig, serve
from tidings.wiring import Container

DEVICES = settle.MANY + 5
"""Enough of them, all refused, to be our mistake and not theirs."""


class Theirs:
    """The clock of Google and Apple: right, until ours is `ahead` of it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.ahead


@dataclass
class World:
    """An App with one browser, its devices, and the vendor that they are reached through."""

    container: Container
    simulator: Running
    theirs: Theirs
    app: App
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    integration: str = ""

    async def integrated(self, provider: str, fields: dict[str, str]) -> None:
        added = await self.container.phones.integrations.add(self.app.id, provider, label=provider, fields=fields)
        assert added.integration is not None
        self.integration = added.integration.public_id

    async def registers(self, *places: dict[str, object]) -> None:
        for place in places:
            await self.container.phones.devices.register(self.app, Registration(place))

    def know_key(self, **changes: object) -> None:
        key = Key(TEAM_ID, KEY_ID, self.private.public_key())
        self.simulator.apple.senders.add_key(replace(key, **changes))  # type: ignore[arg-type]

    async def android(self) -> None:
        await self.integrated("fcm", {"service_account": account(self.simulator)})
        await self.registers(*self.androids(DEVICES))

    def androids(self, count: int, project: str = PROJECT) -> list[dict[str, object]]:
        made = self.simulator.fcm.make(project, count, seed=project)
        return [{"provider": "fcm", "token": token} for token in made]

    async def iphones(self) -> None:
        self.know_key()
        await self.integrated("apns", {"key": p8(self.private), **SETTINGS})
        await self.registers(*self.apples(DEVICES))

    async def iphones_by_certificate(self) -> None:
        made = push_certificate(BUNDLE_ID, days=2)
        pem = made.certificate.public_bytes(Encoding.PEM).decode()
        self.simulator.apple.senders.add_certificate(pem, Certificate((BUNDLE_ID,)))
        fields = {"certificate": base64.b64encode(made.p12()).decode(), "password": "open sesame"}
        await self.integrated("apns", fields)
        await self.registers(*self.apples(DEVICES))

    def apples(
        self, count: int, *, environment: str = "sandbox", said: str = "sandbox", topic: str = BUNDLE_ID
    ) -> list[dict[str, object]]:
        made = self.simulator.apple.devices.make(count, topic=topic, environment=environment, seed=f"{said} {topic}")
        return [{"provider": "apns", "token": one.token, "environment": said} for one in made]


@pytest.fixture
async def theirs() -> Theirs:
    return Theirs()


@pytest.fixture
async def world(tmp_path: Path, theirs: Theirs) -> AsyncIterator[World]:
    async with (
        serve(SimulatorConfig(folder=tmp_path / "simulator"), clock=theirs) as simulator,
        leading_to(simulator, tmp_path / "data") as container,
    ):
        yield World(container, simulator, theirs, await app_with_subscribers(container, simulator, 1))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "CONFIGURATION_DELAY", 0.3)


async def nothing(world: World) -> None:
    """All is well until it is sent."""


async def api_off(world: World) -> None:
    world.simulator.fcm.oauth.project(PROJECT).api_enabled = False


async def role_taken(world: World) -> None:
    world.simulator.fcm.oauth.project(PROJECT).permitted = False


async def account_key_revoked(world: World) -> None:
    world.simulator.fcm.oauth.project(PROJECT).key_revoked = True


async def clock_ahead(world: World) -> None:
    world.theirs.ahead = timedelta(hours=3)


async def clock_behind(world: World) -> None:
    world.theirs.ahead = -timedelta(hours=3)


async def other_projects(world: World) -> None:
    await world.integrated("fcm", {"service_account": account(world.simulator)})
    await world.registers(*world.androids(DEVICES, "somebody-else"))


async def one_of_another_project(world: World) -> None:
    await world.registers(*world.androids(1, "somebody-else"))


async def all_in_the_wrong_environment(world: World) -> None:
    world.know_key()
    await world.integrated("apns", {"key": p8(world.private), **SETTINGS})
    await world.registers(*world.apples(DEVICES, environment="sandbox", said="production"))


async def one_in_the_wrong_environment(world: World) -> None:
    await world.registers(*world.apples(1, environment="production", said="sandbox"))


async def key_of_the_other_environment(world: World) -> None:
    world.know_key(environments=frozenset({"production"}))


async def bundle_id_not_allowed(world: World) -> None:
    world.know_key(topics=frozenset({"com.example.other"}))


async def all_of_another_bundle_id(world: World) -> None:
    world.know_key()
    await world.integrated("apns", {"key": p8(world.private), **SETTINGS})
    await world.registers(*world.apples(DEVICES, topic="com.example.other"))


async def one_of_another_bundle_id(world: World) -> None:
    await world.registers(*world.apples(1, topic="com.example.other"))


async def apple_key_revoked(world: World) -> None:
    world.simulator.apple.senders.revoke(KEY_ID)


async def certificate_revoked(world: World) -> None:
    found = await world.container.phones.integrations.get(world.app.id, world.integration)
    assert world.simulator.apple.senders.revoke(found.keys[0].credential.fingerprint)


async def certificate_expired(world: World) -> None:
    made = push_certificate(BUNDLE_ID, starts=datetime(2025, 1, 1, tzinfo=UTC), days=30)
    fields = {"certificate": base64.b64encode(made.p12()).decode(), "password": "open sesame"}
    await world.container.phones.integrations.update(world.app.id, world.integration, fields=fields)


Step = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """What is set up, what then breaks, and for which reason the integration pauses (or one device fails)."""

    name: str
    given: Step
    breaks: Step
    reason: str
    words: str = ""
    """What a test of the connection says; empty where the connection is well."""
    alone: bool = False
    """One device is refused, and the others are reached."""


CASES = (
    Case("disabled API", World.android, api_off, "fcm_api_disabled", "is switched off in tidings-test"),
    Case("missing role", World.android, role_taken, "permission_missing", "may not send messages"),
    Case("revoked key (Google)", World.android, account_key_revoked, "service_account_key_revoked", "was deleted or"),
    Case("clock ahead (Google)", World.android, clock_ahead, "clock_skew", "this machine's clock is minutes away"),
    Case("clock behind (Google)", World.android, clock_behind, "clock_skew", "this machine's clock is minutes away"),
    Case("foreign tokens", other_projects, nothing, "address_foreign"),
    Case("one foreign token", World.android, one_of_another_project, "address_foreign", alone=True),
    Case("wrong environment", all_in_the_wrong_environment, nothing, "device_token_refused"),
    Case("one in it", World.iphones, one_in_the_wrong_environment, "device_token_refused", alone=True),
    Case("key's environment", World.iphones, key_of_the_other_environment, "wrong_environment", "not for sandbox"),
    Case("wrong bundle id", World.iphones, bundle_id_not_allowed, "bundle_id_refused", "let these credentials send"),
    Case("devices of another app", all_of_another_bundle_id, nothing, "address_foreign"),
    Case("one of another app", World.iphones, one_of_another_bundle_id, "address_foreign", alone=True),
    Case("revoked key (Apple)", World.iphones, apple_key_revoked, "provider_token_refused", "the key was revoked"),
    Case(
        "revoked certificate", World.iphones_by_certificate, certificate_revoked, "certificate_refused", "was revoked"
    ),
    Case("expired certificate", World.iphones_by_certificate, certificate_expired, "credentials_expired", "31 January"),
    Case("clock ahead (Apple)", World.iphones, clock_ahead, "provider_token_refused", "seconds ahead of Apple's"),
    Case("clock behind (Apple)", World.iphones, clock_behind, "provider_token_expired", "seconds behind Apple's"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_it_says_what_it_is_and_costs_no_subscription(case: Case, world: World) -> None:
    await case.given(world)
    await case.breaks(world)
    container, app = world.container, world.app
    before = await active(world)
    assert before >= DEVICES + 1
    async with working(container):
        sent = (await container.flow.accept(to_everyone(app))).notification
        if case.alone:
            done = await finished(container, sent)
            assert (done.counts.sent, done.counts.failed, done.reasons) == (before - 1, 1, {case.reason: 1})
            assert await paused_because(world) is None
            listed = await container.phones.integrations.devices(app.id, world.integration, cursor=None, limit=100)
            suspected = [one.suspected for one in listed.data if one.suspected]
            assert [(one.reason, one.rests_until) for one in suspected] == [(case.reason, None)]
        else:
            async with asyncio.timeout(30):
                while (because := await paused_because(world)) is None:
                    await asyncio.sleep(0.02)
            assert because == case.reason
            waiting = await container.store.read(lambda tx: tx.notifications.by_id(sent.id))
            assert waiting is not None
            assert (waiting.counts.failed, waiting.counts.expired, waiting.counts.skipped) == (0, 0, 0)
    assert await active(world) == before, "nobody is lost"
    proof = await container.phones.integrations.prove(app.id, world.integration)
    assert proof.ok is (not case.words)
    if case.words:
        bad = next(one for one in proof.findings if not one.ok)
        assert case.words in bad.detail
        assert bad.mend


async def active(world: World) -> int:
    found = await world.container.store.read(lambda tx: tx.subscriptions.statuses(world.app.id))
    assert found[SubscriptionStatus.EXPIRED] == found[SubscriptionStatus.UNSUBSCRIBED] == 0
    return found[SubscriptionStatus.ACTIVE]


async def paused_because(world: World) -> str | None:
    found = (await world.container.phones.integrations.get(world.app.id, world.integration)).integration
    assert found is not None
    return found.paused_because
