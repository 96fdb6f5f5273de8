"""Credentials that take the place of others: what was not named stays, and a test of the old ones says nothing now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support.apple import SETTINGS, p8
from support.service_account import account_file
from tidings import wiring
from tidings.domain.app import App, Credential
from tidings.services.grants import Grants
from tidings.services.integrations import Integrations
from tidings.services.proofs import Proof
from tidings.services.registration import Registration
from tidings.settings import Settings
from tidings.wiring import Container

TOKEN = "ab" * 32


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", database_url=None)) as opened:
        yield opened


@pytest.fixture
async def app(container: Container) -> App:
    public_id, now = container.ids.new("app"), container.clock.now()
    return await container.store.write(
        lambda tx: tx.apps.add(public_id=public_id, name="Tides", identity_secret=b"i" * 32, now=now)
    )


def key(**other: str) -> dict[str, str]:
    return {"key": p8(ec.generate_private_key(ec.SECP256R1())), **SETTINGS, **other}


def without(fields: dict[str, str], name: str) -> dict[str, str]:
    return {one: value for one, value in fields.items() if one != name}


async def test_a_key_without_an_environment_leaves_that_of_the_one_before(container: Container, app: App) -> None:
    integrations = container.phones.integrations
    there = (await integrations.add(app.id, "apns", label="Apple", fields=key(environment="sandbox"))).integration
    assert there is not None
    changed = await integrations.update(app.id, there.public_id, fields=without(key(), "environment"))
    assert changed.integration is not None
    assert changed.integration.settings["environment"] == "sandbox"
    assert changed.keys[0].credential.settings["environment"] == "sandbox"
    named = await integrations.update(app.id, there.public_id, fields=key(environment="production"))
    assert named.integration is not None
    assert named.integration.settings["environment"] == "production"


async def test_an_account_without_a_quota_leaves_that_of_the_one_before(container: Container, app: App) -> None:
    integrations = container.phones.integrations
    account = {"service_account": account_file("my-app-1a2b3")}
    fields = {**account, "messages_per_minute": "1000"}
    there = (await integrations.add(app.id, "fcm", label="Google", fields=fields)).integration
    assert there is not None

    async def quota_with(fields: dict[str, str]) -> str | None:
        changed = await integrations.update(app.id, there.public_id, fields=fields, force=True)
        return changed.keys[0].credential.settings.get("messages_per_minute")

    assert await quota_with(account) == "1000"
    assert await quota_with({**account, "messages_per_minute": "2000"}) == "2000"
    assert await quota_with({**account, "messages_per_minute": ""}) is None, "empty is Google's usual number"
    await quota_with(fields)
    assert await quota_with({"service_account": account_file("another-1a2b3")}) is None, "a quota is of a project"


async def test_a_test_of_the_key_before_ends_no_pause_of_the_new_one(
    container: Container, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    integrations = container.phones.integrations
    there = (await integrations.add(app.id, "apns", label="Apple", fields=key())).integration
    assert there is not None
    public_id, now = there.public_id, container.clock.now()

    async def replaced_meanwhile(_self: Integrations, old: Credential, *, grants: Grants) -> Proof:
        assert grants
        await integrations.update(app.id, public_id, fields=key(key_id="ZZZZZZZZZZ"))
        await container.store.write(lambda tx: tx.credentials.pause(old.id, "", reason="refused", now=now))
        return Proof(())

    with monkeypatch.context() as patched:
        patched.setattr(Integrations, "_proved", replaced_meanwhile)
        assert (await integrations.prove(app.id, public_id)).ok
    shown = (await integrations.get(app.id, public_id)).integration
    assert shown is not None
    assert shown.paused_because == "refused"
    assert "tested_at" not in shown.settings


async def test_a_server_that_tells_again_of_a_dead_iphone_does_not_say_it_was_there(
    container: Container, app: App
) -> None:
    await container.phones.integrations.add(app.id, "apns", label="Apple", fields=key())
    place = {"provider": "apns", "token": TOKEN, "environment": "production"}
    devices = container.phones.devices
    first = (await devices.register(app, Registration(place), trusted=True)).subscription
    dead_since = container.clock.now()
    again = (await devices.register(app, Registration(place, tags={"plan": "pro"}), trusted=True)).subscription
    assert (again.id, again.tags, again.last_seen_at) == (first.id, {"plan": "pro"}, first.last_seen_at)

    assert again.last_seen_at <= dead_since
    moved = (await devices.register(app, Registration(place, id=again.public_id))).subscription
    assert moved.last_seen_at > dead_since, "the app itself was there"
