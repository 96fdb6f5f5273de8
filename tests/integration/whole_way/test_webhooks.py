"""Webhooks on the whole way: from an accepted message over real TLS to a receiver that checks the signature itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trustme

from support.calls import SILENCE
from support.campaign import finished, to_everyone, working
from support.receiver import HOST, SECRET, Receiver, genuine, receiving
from tidings import wiring
from tidings.domain.app import App
from tidings.domain.campaign import Notification
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.pacing import TRIP
from tidings.pipeline import settle
from tidings.services.registration import Registration
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker import run
from tidings.worker.sender import SenderOptions

DEVICES = 20


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def receiver(authority: trustme.CA) -> AsyncIterator[Receiver]:
    async with receiving(authority) as started:
        yield started


@pytest.fixture
async def container(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Container]:
    settings = Settings(
        data=tmp_path / "data",
        public_url="https://push.example.com",
        senders=2,
        allow_insecure_endpoints=True,
        push_host_map=[receiver.mapped],
    )
    async with wiring.opened(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "FIRST_DELAY", 0.3)
    monkeypatch.setattr(settle, "LONGEST_DELAY", 1.0)
    monkeypatch.setattr(settle, "CONFIGURATION_DELAY", 0.3)


def trusting(monkeypatch: pytest.MonkeyPatch, path: Path | None) -> None:
    """Let senders verify certificates, against this file or the world's authorities, and wait two seconds at most."""

    def options(**given: object) -> SenderOptions:
        made = partial(SenderOptions, **given)()  # type: ignore[arg-type]
        return replace(made, insecure=False, ca_file=None if path is None else str(path), total_timeout=2.0)

    monkeypatch.setattr(run, "SenderOptions", options)


@pytest.fixture(autouse=True)
def ca_file(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    trusting(monkeypatch, path)
    return path


@pytest.fixture
async def app(container: Container) -> App:
    return await container.apps.ensure_first()


async def connected(
    container: Container, receiver: Receiver, app: App, *, secret: str = SECRET, devices: int = DEVICES
) -> str:
    """Add the integration and its devices; give its id."""
    fields = {"url": receiver.url(), "secret": secret}
    added = await container.phones.integrations.add(app.id, "webhook", label="Kiosks", fields=fields)
    assert added.integration is not None
    for number in range(devices):
        place: dict[str, object] = {"provider": "webhook", "token": receiver.url(number)}
        await container.phones.devices.register(app, Registration(place), trusted=True)
    return added.integration.public_id


async def paused_because(container: Container, app: App, integration: str) -> str | None:
    found = (await container.phones.integrations.get(app.id, integration)).integration
    assert found is not None
    return found.paused_because


async def sent(container: Container, app: App, *, ttl: int = 3600) -> Notification:
    async with working(container):
        accepted = (await container.flow.accept(to_everyone(app, ttl=ttl))).notification
        assert accepted.counts.audience == DEVICES
        return await finished(container, accepted)


def counted(one: Notification) -> tuple[int, int, int, int]:
    counts = one.counts
    return counts.sent, counts.failed, counts.expired, counts.skipped


async def test_each_device_gets_one_signed_message(container: Container, receiver: Receiver, app: App) -> None:
    await connected(container, receiver, app)
    done = await sent(container, app)
    assert counted(done) == (DEVICES, 0, 0, 0), done
    assert set(receiver.times) == {f"/devices/{number}" for number in range(DEVICES)}
    assert set(receiver.times.values()) == {1}
    assert all(genuine(one) for one in receiver.seen)
    bodies = [json.loads(one.body) for one in receiver.seen]
    assert {(one["type"], one["message"]["title"], one["message"]["body"]) for one in bodies} == {
        ("notification", "Tide", "High water")
    }
    assert len({one["delivery"] for one in bodies}) == DEVICES
    assert [one["delivery"] for one in bodies] == [one.headers["webhook-id"] for one in receiver.seen]
    assert {one.headers["host"] for one in receiver.seen} == {HOST}


async def test_answers_mean_what_the_reference_says(container: Container, receiver: Receiver, app: App) -> None:
    gone, refused, long, elsewhere = ("/devices/0", "/devices/1", "/devices/2", "/devices/3")
    answers = {gone: 410, refused: 422, long: 413, elsewhere: 302}
    receiver.answer = lambda path, _times: answers.get(path, 200)
    await connected(container, receiver, app)
    done = await sent(container, app)
    assert counted(done) == (DEVICES - 4, 4, 0, 0), done
    assert done.reasons == {"gone": 1, "receiver_refused": 2, "payload_too_large": 1}
    assert set(receiver.times.values()) == {1}, "none of these is tried again"
    found = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert (found[SubscriptionStatus.EXPIRED], found[SubscriptionStatus.ACTIVE]) == (1, DEVICES - 1)


async def test_errors_and_silence_are_tried_again_under_the_same_id_until_all_are_reached(
    container: Container, receiver: Receiver, app: App
) -> None:
    troubles = {"/devices/0": 503, "/devices/1": 500, "/devices/2": SILENCE, "/devices/3": 429}
    receiver.answer = lambda path, times: troubles.get(path, 204) if times == 1 else 204
    receiver.retry_after = 1
    await connected(container, receiver, app)
    done = await sent(container, app)
    assert counted(done) == (DEVICES, 0, 0, 0), done
    for path in troubles:
        tries = [one for one in receiver.seen if one.path == path]
        assert len(tries) == 2, path
        assert len({one.headers["webhook-id"] for one in tries}) == 1, "a receiver can tell that it is the same"
        assert all(genuine(one) for one in tries), "each try is signed for its own moment"
    assert sum(receiver.times.values()) == DEVICES + len(troubles)


async def test_a_receiver_that_never_mends_is_given_up_when_the_message_has_lived(
    container: Container, receiver: Receiver, app: App
) -> None:
    await connected(container, receiver, app)
    async with working(container):
        first = await finished(container, (await container.flow.accept(to_everyone(app))).notification)
        assert counted(first) == (DEVICES, 0, 0, 0), first
        receiver.answer = lambda path, _times: 503 if path == "/devices/0" else 204
        done = await finished(container, (await container.flow.accept(to_everyone(app, ttl=8))).notification)
    assert counted(done) == (DEVICES - 1, 0, 1, 0), done
    assert receiver.times["/devices/0"] > 2, "it was tried more than once while the message lived"
    found = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert found[SubscriptionStatus.ACTIVE] == DEVICES


async def test_a_receiver_that_is_down_costs_messages_that_end_meanwhile_and_nobody_else(
    container: Container, receiver: Receiver, app: App
) -> None:
    integration = await connected(container, receiver, app)
    receiver.answer = lambda _path, _times: 503
    async with working(container):
        done = await finished(container, (await container.flow.accept(to_everyone(app, ttl=8))).notification)
    assert counted(done) == (0, 0, DEVICES, 0), done
    assert done.reasons == {"ttl_ended": DEVICES}
    found = await container.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert found[SubscriptionStatus.ACTIVE] == DEVICES
    assert await paused_because(container, app, integration) is None


async def test_a_wrong_secret_pauses_the_integration_and_costs_nobody(
    container: Container, receiver: Receiver, app: App
) -> None:
    integration = await connected(container, receiver, app, secret="whsec_" + "A" * 44)
    async with working(container):
        held = (await container.flow.accept(to_everyone(app))).notification
        async with asyncio.timeout(60):
            while (because := await paused_because(container, app, integration)) is None:
                await asyncio.sleep(0.05)
        assert because == "signature_refused"
        proof = await container.phones.integrations.prove(app.id, integration)
        assert not proof.ok
        fields = {"url": receiver.url(), "secret": SECRET}
        await container.phones.integrations.update(app.id, integration, fields=fields)
        assert (await container.phones.integrations.prove(app.id, integration)).ok
        done = await finished(container, held)
    assert counted(done) == (DEVICES, 0, 0, 0), done


async def test_nothing_goes_to_a_receiver_whose_certificate_nobody_vouches_for_and_nobody_is_lost_by_it(
    container: Container, receiver: Receiver, app: App, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(monkeypatch, None)
    devices = TRIP - 2  # fewer than what lets a service rest for half a minute
    await connected(container, receiver, app, devices=devices)
    held = (await container.flow.accept(to_everyone(app))).notification
    async with working(container), asyncio.timeout(60):
        while not receiver.greeted:
            await asyncio.sleep(0.05)
    assert receiver.seen == []
    trusting(monkeypatch, ca_file)
    async with working(container):
        done = await finished(container, held)
    assert counted(done) == (devices, 0, 0, 0), done
    assert set(receiver.times.values()) == {1}
