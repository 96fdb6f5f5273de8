"""iPhones on the whole way: by key and by certificate, in both environments, and no fault of ours drops anybody."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from support.apple import BUNDLE_ID, KEY_ID, SETTINGS, TEAM_ID, p8, push_certificate
from support.campaign import app_with_subscribers, finished, working
from tidings.domain.app import App
from tidings.domain.audience import Everyone, Through
from tidings.domain.campaign import NewNotification
from tidings.domain.message import Message
from tidings.domain.subscription import SubscriptionStatus
from tidings.pipeline import settle
from tidings.services.proofs import Proof
from tidings.services.registration import Registration
from tidings.simulator.apns.devices import Fault, Mishap
from tidings.simulator.apns.senders import Certificate, Key
from tidings.simulator.run import Running
from tidings.wiring import Container


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 2.0)
    monkeypatch.setattr(settle, "CONFIGURATION_DELAY", 0.3)


@dataclass(frozen=True)
class Apple:
    """An App's account at Apple: a key that the simulator knows."""

    simulator: Running
    private: ec.EllipticCurvePrivateKey

    @property
    def fields(self) -> dict[str, str]:
        return {"key": p8(self.private), **SETTINGS}

    def know(self, **changed: object) -> None:
        key = Key(TEAM_ID, KEY_ID, self.private.public_key())
        self.simulator.apple.senders.add_key(replace(key, **changed))  # type: ignore[arg-type]


@pytest.fixture
def apple(simulator: Running) -> Apple:
    made = Apple(simulator, ec.generate_private_key(ec.SECP256R1()))
    made.know()
    return made


async def integrated(container: Container, app: App, fields: dict[str, str], *, label: str = "iPhones") -> str:
    added = await container.phones.integrations.add(app.id, "apns", label=label, fields=fields)
    assert added.integration is not None
    return added.integration.public_id


async def registered(
    container: Container,
    app: App,
    simulator: Running,
    count: int,
    *,
    environment: str = "sandbox",
    registered_as: str | None = None,
    shares: tuple[tuple[Fault, float], ...] = (),
    push_type: str = "",
) -> list[str]:
    """Make devices at Apple, and let each register itself; give their tokens."""
    made = simulator.apple.devices.make(
        count, topic=BUNDLE_ID + push_type, environment=environment, shares=shares, seed=f"{count} {push_type}"
    )
    for one in made:
        fields: dict[str, object] = {"provider": "apns", "token": one.token}
        fields["environment"] = registered_as or environment
        await container.phones.devices.register(app, Registration(fields))
    return [one.token for one in made]


def for_iphones(app: App, message: Message | None = None) -> NewNotification:
    return NewNotification(app.id, message or Message(title="Tide"), Through(Everyone(), ("apns",)))


async def statuses(container: Container, app: App) -> dict[SubscriptionStatus, int]:
    return await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))


async def paused_because(container: Container, app: App, integration: str) -> str | None:
    found = (await container.phones.integrations.get(app.id, integration)).integration
    assert found is not None
    return found.paused_because


FAULTS = tuple(
    (Fault(kind, tries=0 if kind in ("Unregistered", "ExpiredToken", "PayloadTooLarge") else 1, seconds=0.5), 0.1)
    for kind in (
        "Unregistered",
        "ExpiredToken",
        "PayloadTooLarge",
        "TooManyRequests",
        "InternalServerError",
        "Shutdown",
        Mishap.RESET,
        Mishap.GOAWAY,
        Mishap.SLOW,
    )
)


async def test_a_campaign_with_every_fault_adds_up_and_all_senders_use_one_token(
    container: Container, simulator: Running, apple: Apple
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    await integrated(container, app, apple.fields)
    await registered(container, app, simulator, 200, shares=FAULTS)
    await registered(container, app, simulator, 100, environment="production")
    async with working(container):
        accepted = await container.flow.accept(for_iphones(app))
        assert accepted.notification.counts.audience == 300
        done = await finished(container, accepted.notification)
    assert (done.counts.sent, done.counts.failed, done.counts.expired) == (240, 60, 0), done
    assert done.reasons == {"gone": 40, "payload_too_large": 20}
    total = simulator.apple.devices.summary()["total"]
    assert isinstance(total, dict)
    assert total["distinct"] == 240
    found = await statuses(container, app)
    assert found[SubscriptionStatus.EXPIRED] == 40
    pushes = [event for event in simulator.journal.events() if event["kind"] == "push"]
    assert not [one for one in pushes if "ProviderToken" in str(one["why"]) or "Unrelated" in str(one["why"])]


async def test_two_teams_never_share_a_connection(container: Container, simulator: Running, apple: Apple) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    await integrated(container, app, apple.fields)
    await registered(container, app, simulator, 60)
    other_app = await app_with_subscribers(container, simulator, 1)
    private = ec.generate_private_key(ec.SECP256R1())
    simulator.apple.senders.add_key(Key("OTHERTEAM1", "OTHERKEY12", private.public_key()))
    fields = {**SETTINGS, "key": p8(private), "team_id": "OTHERTEAM1", "key_id": "OTHERKEY12"}
    fields["bundle_id"] = "com.example.other"
    await integrated(container, other_app, fields)
    for one in simulator.apple.devices.make(60, topic="com.example.other", environment="sandbox", seed="other"):
        place = {"provider": "apns", "token": one.token, "environment": "sandbox"}
        await container.phones.devices.register(other_app, Registration(place))
    async with working(container):
        both = [(await container.flow.accept(for_iphones(one))).notification for one in (app, other_app)]
        done = [await finished(container, one) for one in both]
    assert [one.counts.sent for one in done] == [60, 60], done


async def test_a_certificate_reaches_them_too(
    container: Container, simulator: Running, apple: Apple, tmp_path: Path
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    made = push_certificate(BUNDLE_ID)
    pem = made.certificate.public_bytes(Encoding.PEM).decode()
    simulator.apple.senders.add_certificate(pem, Certificate((BUNDLE_ID,)))
    fields = {"certificate": base64.b64encode(made.p12()).decode(), "password": "open sesame"}
    integration = await integrated(container, app, fields)
    await registered(container, app, simulator, 40)
    await registered(container, app, simulator, 40, environment="production")
    proof = await container.phones.integrations.prove(app.id, integration)
    assert proof.ok, proof
    async with working(container):
        done = await finished(container, (await container.flow.accept(for_iphones(app))).notification)
    assert done.counts.sent == 80, done


async def test_where_all_are_of_the_other_environment_it_pauses_and_drops_nobody(
    container: Container, simulator: Running, apple: Apple
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, app, apple.fields)
    await registered(container, app, simulator, 30, environment="sandbox", registered_as="production")
    async with working(container):
        accepted = await container.flow.accept(for_iphones(app))
        async with asyncio.timeout(60):
            while (because := await paused_because(container, app, integration)) is None:
                await asyncio.sleep(0.05)
    assert because == "device_token_refused"
    assert (await statuses(container, app))[SubscriptionStatus.ACTIVE] == 31
    found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
    assert found is not None
    assert found.counts.failed == 0


async def test_who_registered_again_after_apple_saw_the_token_dead_stays(
    container: Container, simulator: Running, apple: Apple
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    await integrated(container, app, apple.fields)
    alive, dead = await registered(container, app, simulator, 2)
    now = datetime.now(UTC)
    for token, ended in ((alive, now - timedelta(hours=1)), (dead, now + timedelta(hours=1))):
        device = simulator.apple.devices.find("sandbox", token)
        assert device is not None
        device.ended = ended.timestamp()
    async with working(container):
        done = await finished(container, (await container.flow.accept(for_iphones(app))).notification)
    assert done.reasons == {"gone": 2}
    found = await statuses(container, app)
    assert (found[SubscriptionStatus.ACTIVE], found[SubscriptionStatus.EXPIRED]) == (2, 1)


async def test_a_test_to_a_token_of_the_other_environment_says_where_it_is_unknown(
    container: Container, simulator: Running, apple: Apple
) -> None:
    app = await app_with_subscribers(container, simulator, 1)
    integration = await integrated(container, app, apple.fields)
    await registered(container, app, simulator, 1, environment="sandbox", registered_as="production")
    (device,) = (await container.phones.integrations.devices(app.id, integration, cursor=None, limit=5)).data
    trials = container.phones.trials
    async with working(container):
        sent = await trials.send(app, integration, device=device.public_id, title="Tide", body="")
        while (trial := await trials.look(app, integration, sent.notification.public_id)).settled is None:
            await asyncio.sleep(0)
    hint = next(one for one in trial.hints if one.name == "subscription")
    assert not hint.ok
    assert "api.push.apple.com does not know its token" in hint.detail
    assert "sandbox where it was run from Xcode" in hint.mend


async def proved(container: Container, fields: dict[str, str]) -> Proof:
    app = await container.store.read(lambda tx: tx.apps.all()[0])
    return await container.phones.integrations.prove_upload(app.id, "apns", fields)


class TestConnection:
    """`Test Connection`: each failure has words of its own."""

    @pytest.fixture(autouse=True)
    async def _app(self, container: Container, simulator: Running) -> None:
        await app_with_subscribers(container, simulator, 1)

    async def test_good_credentials_are_said_to_be_good_in_both_environments(
        self, container: Container, apple: Apple
    ) -> None:
        proof = await proved(container, apple.fields)
        assert proof.ok
        assert [one.name for one in proof.findings] == ["sandbox", "production"]
        assert all("Apple accepts the key for com.example.app" in one.detail for one in proof.findings)
        assert "has to match how the app was built" in " ".join(proof.warnings)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"team_id": "WRONGTEAM1"}, "does not recognise the key"),
            ({"key_id": "WRONGKEY12"}, "does not recognise the key"),
            ({"key": "another"}, "does not recognise the key"),
        ],
    )
    async def test_a_wrong_team_key_id_or_key(
        self, container: Container, apple: Apple, change: dict[str, str], says: str
    ) -> None:
        change = {"key": p8()} if "key" in change else change
        proof = await proved(container, apple.fields | change)
        assert not proof.ok
        assert says in proof.findings[0].detail
        assert "AuthKey_" in proof.findings[0].mend

    async def test_a_revoked_key(self, container: Container, apple: Apple) -> None:
        apple.know(revoked=True)
        assert "revoked" in (await proved(container, apple.fields)).findings[0].detail

    async def test_a_wrong_bundle_id(self, container: Container, apple: Apple) -> None:
        apple.know(topics=frozenset({"com.example.other"}))
        proof = await proved(container, apple.fields)
        assert "does not let these credentials send to `com.example.app`" in proof.findings[0].detail
        assert "Xcode" in proof.findings[0].mend

    async def test_a_key_of_the_other_environment(self, container: Container, apple: Apple) -> None:
        apple.know(environments=frozenset({"production"}))
        wrong = await proved(container, apple.fields)
        assert [one.ok for one in wrong.findings] == [False, True]
        assert "not for sandbox" in wrong.findings[0].detail
        right = await proved(container, apple.fields | {"environment": "production"})
        assert right.ok
        assert [one.name for one in right.findings] == ["production", "sandbox"]

    async def test_an_expired_certificate(self, container: Container) -> None:
        made = push_certificate(BUNDLE_ID, starts=datetime(2025, 1, 1, tzinfo=UTC), days=30)
        fields = {"certificate": base64.b64encode(made.p12()).decode(), "password": "open sesame"}
        proof = await proved(container, fields)
        assert not proof.ok
        assert "expired on 31 January 2025" in proof.findings[0].detail

    async def test_a_service_that_is_down_or_away(self, container: Container, apple: Apple, simulator: Running) -> None:
        simulator.apple.script.extend([Fault("ServiceUnavailable"), Fault("Forbidden")])
        proof = await proved(container, apple.fields)
        # Both hosts are asked at once, so either may get either.
        said = sorted(finding.detail for finding in proof.findings)
        assert len(said) == 2
        assert "forbids" in said[0]
        assert "trouble of its own" in said[1]
