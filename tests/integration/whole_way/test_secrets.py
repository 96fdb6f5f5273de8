"""After a whole run no secret lies about: not in the database, its log or a backup, no log line and no answer."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.integration.whole_way.planting import (
    COUNT,
    leaks,
    made_secrets,
    member_made,
    one_of_each,
    phones_made,
    picture_uploaded,
    ways_in_made,
    webhook_made,
)
from tests.integration.whole_way.sweep import read_everything

from support.campaign import working
from tidings import wiring
from tidings.cli.serving import served
from tidings.lib.crypto import base64url_from
from tidings.lib.log import configure
from tidings.services.identity import identity_token
from tidings.settings import Settings
from tidings.simulator.run import Running
from tidings.storage import StoreUnavailable
from tidings.storage.open import backup
from tidings.web.app import create_app
from tidings.wiring import Container

SHOWN_ON_PURPOSE = {
    "answer of /api/v1/webhooks": {"webhook path"},
    "answer of /api/v1/webhooks/{webhook_id}": {"webhook path"},
    "answer of /api/v1/subscriptions/export": {"endpoint 1", "p256dh 1", "auth 1"},
}
"""What a GET gives an administrator to change or to take to another sender, here for the device of `u-1`."""

CLOSED = {
    "/api/v1/setup",
    "/api/v1/integrations/{integration}/channels",
    "/api/v1/integrations/{integration}/test-notification/{notification_id}",
    "/readyz",
}
"""What answers with no more than a refusal here: it is set up, no test was sent, and nobody is working any more."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that this process logs, down to the level that developers use."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(json=True, level="DEBUG", stream=stream)
    # Of those who call the instance, and of the push service that it calls.
    for name in ("httpx2", "httpcore2", "hpack", "h2", "websockets"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
async def container(tmp_path: Path, said: io.StringIO) -> AsyncIterator[Container]:
    settings = Settings(data=tmp_path / "data", senders=1, allow_insecure_endpoints=True)
    async with wiring.opened(settings) as opened:
        await opened.apps.ensure_first()
        yield opened


def test_a_secret_is_found_in_whatever_form_it_lies_about() -> None:
    secret = secrets.token_bytes(16)
    for before in range(4):
        text = b"x" * before + secret + b"yy"
        for shown in (text, text.hex().encode(), base64.b64encode(text), base64.urlsafe_b64encode(text)):
            assert leaks(b"before " + shown + b" after", {"it": secret}) == {"it"}
    assert leaks(secrets.token_bytes(100_000), {"it": secret}) == set()


async def failed(
    operator: httpx2.AsyncClient, container: Container, known: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the instance fail with secrets in its hands: a bug while registering, and a database that is away."""
    device = {
        "endpoint": f"https://fcm.googleapis.com/fcm/send/{known['endpoint 0'].decode()}",
        "keys": {"p256dh": base64url_from(known["p256dh 0"]), "auth": base64url_from(known["auth 0"])},
    }
    for fault, status in ((RuntimeError("a bug"), 500), (StoreUnavailable("away"), 503)):

        async def broken(*_: object, fault: Exception = fault) -> None:
            raise fault

        with monkeypatch.context() as patch:
            patch.setattr(container.store, "write", broken)
            answer = await operator.post("/push/subscribe", json={"subscription": device})
            assert (answer.status_code, leaks(answer.content, known)) == (status, set())
            user = await operator.put("/api/v1/users/u-9", json={"attributes": {"secret": known["auth 0"].hex()}})
            assert (user.status_code, leaks(user.content, known)) == (status, set())


async def webhook_told(operator: httpx2.AsyncClient, webhook: str) -> str:
    """Wait until the webhook's receiver was called, in vain, about what was sent; give the message's id."""
    async with asyncio.timeout(120):
        while True:
            listed: list[dict[str, Any]] = (await operator.get(f"/api/v1/webhooks/{webhook}/messages")).json()["data"]
            for one in listed:
                if one["last_failure"] and not one["test"]:
                    return str(one["id"])
            await asyncio.sleep(0.1)


async def settled(operator: httpx2.AsyncClient, notification: str) -> None:
    """Wait until all have their message but the one whose browser is gone, and the one that nobody answers for."""
    async with asyncio.timeout(120):
        while True:
            found: dict[str, Any] = (await operator.get(f"/api/v1/notifications/{notification}")).json()
            if (found["counts"]["sent"], found["counts"]["failed"]) == (COUNT - 2, 1):
                return
            await asyncio.sleep(0.1)


async def test_no_secret_lies_about_after_a_whole_run(
    container: Container,
    simulator: Running,
    said: io.StringIO,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"operator's token": secrets.token_hex(32).encode()}
    app = create_app(container, operator_token=known["operator's token"].decode())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        bearer = {"Authorization": f"Bearer {known[next(iter(known))].decode()}"}
        async with (
            served(app, listener, stopping=app.state.stopping),
            httpx2.AsyncClient(base_url=url, headers=bearer, trust_env=False, timeout=60) as operator,
            httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as browser,
        ):
            await made_secrets(operator, container, simulator, known)
            await member_made(browser, known)
            await ways_in_made(operator, browser, known)
            await phones_made(operator, known)
            webhook = await webhook_made(operator, known)
            image = await picture_uploaded(operator, known)
            known |= {f"session {name}": value.encode() for name, value in browser.cookies.items()}
            sent = await operator.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Tide"})
            async with working(container):
                await settled(operator, sent.json()["id"])
                message = await webhook_told(operator, webhook)
            await failed(operator, container, known, monkeypatch)
            app_id = (await container.apps.resolve(None)).public_id
            devices = (await operator.get("/api/v1/subscriptions")).json()["data"]
            erased = await operator.post(f"/api/v1/subscriptions/{devices[-1]['id']}/erase")
            ids = {
                "notification_id": sent.json()["id"],
                "subscription_id": devices[0]["id"],
                "app_id": app_id,
                "app": app_id,
                "external_id": "u-0",
                "webhook_id": webhook,
                "message_id": message,
                "image_id": image,
                "erasure_id": erased.json()["id"],
                **await one_of_each(operator),
            }
            token = identity_token(known["identity secret"], "u-1", expires=int(time.time()) + 3_600)
            known["identity token"] = token.encode()
            signed = {"Tidings-User": "u-1", "Tidings-Token": token}
            async with httpx2.AsyncClient(base_url=url, headers=signed, trust_env=False, timeout=60) as subscriber:
                read = await read_everything([operator, browser, subscriber], ids)
    await asyncio.to_thread(backup, database_url=None, folder=tmp_path / "data", target=tmp_path / "backup.db")
    captured = capfd.readouterr()
    places = {
        **{f"answer of {path}": answer for path, answer in read.answers.items()},
        "log": said.getvalue().encode() + captured.out.encode() + captured.err.encode(),
        "backup": (tmp_path / "backup.db").read_bytes(),
        **{path.name: path.read_bytes() for path in (tmp_path / "data").iterdir() if path.name != "tidings.key"},
    }
    assert {"tidings.db", "tidings.db-wal"} <= set(places)
    for place in ("answer of /api/v1/users", "backup"):
        assert b"u-0" in places[place], f"nothing of the run is in the {place}"
    for event in (b"request_failed", b"RuntimeError", b"store_unavailable"):
        assert event in places["log"], "nothing of what went wrong is in the log"
    planted = {"TOTP seed", "recovery code 0", "invitation carla@example.com", "reset token", "OIDC client secret"}
    planted |= {"session tidings_session", "API key", "endpoint 0", "FCM key", "APNs key", "APNs certificate's key"}
    planted |= {"webhook secret", "webhook secret in bytes", "earlier webhook secret", "webhook path"}
    planted |= {"VAPID key", "identity secret", "set-up token", "password", "password of the .p12", "device secret 0"}
    planted |= {"TOTP seed in bytes", "half session tidings_session", "p256dh 0", "auth 0", "place in the photo"}
    assert planted <= set(known)
    assert len(known) >= 30 + 4 * COUNT
    assert set(read.answers) - read.opened == CLOSED
    of_others = {name for name in known if name.startswith(("endpoint ", "p256dh ", "auth ")) and name[-1] != "1"}
    taken_away = {place: leaks(text, known) for place, text in places.items()}
    taken_away["answer of /api/v1/subscriptions/export"] -= of_others
    assert {place: found for place, found in taken_away.items() if found} == SHOWN_ON_PURPOSE
