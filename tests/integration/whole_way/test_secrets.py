"""After a whole run no secret lies about: not in the database, its log or a backup, no log line and no answer."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pyotp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image

from support.apple import BUNDLE_ID, push_certificate
from support.campaign import working
from support.pictures import picture
from support.service_account import account_file
from tidings import wiring
from tidings.cli.serving import served
from tidings.lib.crypto import base64url_from, bytes_from_base64
from tidings.lib.log import configure
from tidings.services.identity import identity_token
from tidings.settings import Settings
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.storage import StoreUnavailable
from tidings.storage.open import backup
from tidings.web.app import create_app
from tidings.wiring import Container

COUNT = 6
SHOWN_ON_PURPOSE = ("/export", "/identity-secret", "/progress", "/webhooks", "/webhooks/{webhook_id}")
"""What a GET gives an administrator to take away or to change, and a stream that does not end by itself."""


def forms(secret: bytes) -> Iterator[bytes]:
    """Give a secret as it is, in hexadecimal, and in base64 at each place that it can have within something longer."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + secret)
        # The characters at both ends depend on the neighbours.
        inner = coded[(0, 2, 3)[shift] : len(coded) - 4]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def leaks(haystack: bytes, known: dict[str, bytes]) -> set[str]:
    return {name for name, secret in known.items() if any(form in haystack for form in forms(secret))}


def test_a_secret_is_found_in_whatever_form_it_lies_about() -> None:
    secret = secrets.token_bytes(16)
    for before in range(4):
        text = b"x" * before + secret + b"yy"
        for shown in (text, text.hex().encode(), base64.b64encode(text), base64.urlsafe_b64encode(text)):
            assert leaks(b"before " + shown + b" after", {"it": secret}) == {"it"}
    assert leaks(secrets.token_bytes(100_000), {"it": secret}) == set()


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


async def made_secrets(
    operator: httpx2.AsyncClient, container: Container, simulator: Running, known: dict[str, bytes]
) -> None:
    """Give the instance everything that it has to keep to itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    known["VAPID key"] = key.private_numbers().private_value.to_bytes(32, "big")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    body = {"action": "import", "private_key": pem, "subject": "mailto:ops@example.com"}
    imported = await operator.post("/api/v1/integrations/webpush/keys", json=body)
    assert imported.status_code == 201, imported.text
    made = await operator.post("/api/v1/keys", json={"name": "Shop", "scopes": ["admin"]})
    known["API key"] = made.json()["key"].encode()
    app = await container.apps.resolve(None)
    known["identity secret"] = app.identity_secret
    known["set-up token"] = (await container.access.new_setup_token()).encode()
    await subscribed(operator, container, simulator, known, public=imported.json()["public_key"])


async def member_made(browser: httpx2.AsyncClient, known: dict[str, bytes]) -> None:
    """Make the first member with the set-up link, and sign them in with a wrong password and with the right one."""
    known["password"] = secrets.token_urlsafe(18).encode()
    member = {"email": "anna@example.com", "password": known["password"].decode()}
    body = {"token": known["set-up token"].decode(), "name": "Anna", **member}
    assert (await browser.post("/api/v1/setup", json=body)).status_code == 201
    known |= {f"first session {name}": value.encode() for name, value in browser.cookies.items()}
    wrong = await browser.post("/api/v1/session", json={**member, "password": member["password"] + "x"})
    assert (wrong.status_code, leaks(wrong.content, known)) == (401, set())
    assert (await browser.post("/api/v1/session", json=member)).status_code == 201


async def ways_in_made(operator: httpx2.AsyncClient, browser: httpx2.AsyncClient, known: dict[str, bytes]) -> None:
    """Set up everything that lets somebody in, use some of it, and show some of it to who may not have it."""
    begun = await browser.post("/api/v1/me/totp")
    assert begun.status_code == 201, begun.text
    known["TOTP seed"] = begun.json()["secret"].encode()
    known["TOTP seed in bytes"] = base64.b32decode(begun.json()["secret"])
    code = pyotp.TOTP(begun.json()["secret"]).now()
    confirmed = await browser.post("/api/v1/me/totp/confirm", json={"code": code})
    assert confirmed.status_code == 200, confirmed.text
    codes = confirmed.json()["recovery_codes"]
    known |= {f"recovery code {number}": one.encode() for number, one in enumerate(codes)}
    known |= {f"plain recovery code {number}": one.replace("-", "").encode() for number, one in enumerate(codes)}
    provider = {
        "name": "Work", "issuer": "https://login.example.com", "client_id": "tidings",
        "client_secret": secrets.token_urlsafe(24), "domains": ["example.com"],
    }  # fmt: skip
    known["OIDC client secret"] = provider["client_secret"].encode()
    assert (await operator.put("/api/v1/sign-in/oidc/work", json=provider)).status_code == 200
    half = await browser.post("/api/v1/session", json={"email": "anna@example.com", "password": password_of(known)})
    assert half.json()["needs"] == "second_factor"
    known |= {f"half session {name}": value.encode() for name, value in browser.cookies.items()}
    for body in ({"code": "000000"}, {"recovery_code": codes[0] + "x"}):
        refused = await browser.post("/api/v1/session/second-factor", json=body)
        assert (refused.status_code, leaks(refused.content, known)) == (401, set())
    entered = await browser.post("/api/v1/session/second-factor", json={"recovery_code": codes[0]})
    assert entered.status_code == 200, entered.text
    for email in ("ben@example.com", "carla@example.com"):
        invited = await operator.post("/api/v1/invitations", json={"email": email, "role": "editor"})
        known[f"invitation {email}"] = invited.json()["link"].partition("#")[2].encode()
    taken = {"token": known["invitation ben@example.com"].decode(), "name": "Ben", "password": "twelve green bottles"}
    async with httpx2.AsyncClient(base_url=browser.base_url, trust_env=False, timeout=60) as bens:
        accepted = await bens.post("/api/v1/invitations/accept", json=taken)
        assert accepted.status_code == 201, accepted.text
        known |= {f"Ben's session {name}": value.encode() for name, value in bens.cookies.items()}
        known["Ben's password"] = taken["password"].encode()
    link = await operator.post(f"/api/v1/members/{accepted.json()['member']['id']}/reset-link")
    known["reset token"] = link.json()["link"].partition("#")[2].encode()
    wrong = {"token": known["reset token"].decode() + "x", "new": "a whole new sentence"}
    refused = await browser.post("/api/v1/password-reset", json=wrong)
    assert (refused.status_code, leaks(refused.content, known)) == (403, set())


def password_of(known: dict[str, bytes]) -> str:
    return known["password"].decode()


async def phones_made(operator: httpx2.AsyncClient, known: dict[str, bytes]) -> None:
    """Upload credentials of FCM and APNs, register a device with each, and upload what is refused."""
    account = json.loads(account_file())
    der = serialization.load_pem_private_key(account["private_key"].encode(), None).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    known["FCM key"] = der[-400:]
    apple = ec.generate_private_key(ec.SECP256R1())
    known["APNs key"] = apple.private_numbers().private_value.to_bytes(32, "big")
    p8 = apple.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = push_certificate(BUNDLE_ID)
    known["APNs certificate's key"] = made.key.private_numbers().private_value.to_bytes(32, "big")
    known["password of the .p12"] = secrets.token_urlsafe(18).encode()
    p12 = base64.b64encode(made.p12(known["password of the .p12"].decode())).decode()
    names = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "bundle_id": BUNDLE_ID}
    uploads = [
        ("fcm", "Firebase", {"service_account": json.dumps(account)}),
        ("apns", "Apple", {"key": p8, **names}),
        ("apns", "Certificate", {"certificate": p12, "password": known["password of the .p12"].decode()}),
    ]
    for provider, label, credentials in uploads:
        body = {"provider": provider, "label": label, "credentials": credentials}
        added = await operator.post("/api/v1/integrations", json=body)
        assert added.status_code == 201, added.text
        assert leaks(added.content, known) == set()
    for provider, credentials in (
        ("fcm", {"service_account": json.dumps({**account, "token_uri": "https://evil.example"})}),
        ("apns", {"key": p8, **names, "team_id": "x"}),
        ("apns", {"certificate": p12, "password": known["password of the .p12"].decode() + "x"}),
    ):
        body = {"provider": provider, "label": "Wrong", "credentials": credentials}
        refused = await operator.post("/api/v1/integrations", json=body)
        assert (refused.status_code, leaks(refused.content, known)) == (422, set())


async def subscribed(
    operator: httpx2.AsyncClient, container: Container, simulator: Running, known: dict[str, bytes], *, public: str
) -> None:
    vapid = bytes_from_base64(public)
    faults = ((Fault(FaultKind.GONE, tries=1, retry_after=1, seconds=1.0), 1 / COUNT),)
    devices: list[dict[str, Any]] = simulator.subscribers.make(COUNT, vapid_key=vapid, shares=faults, seed="secrets")
    devices[-1] = {**devices[-1], "endpoint": f"https://localhost:9/{secrets.token_urlsafe(24)}"}  # answers to nobody
    expires = int((container.clock.now() + timedelta(hours=1)).timestamp())
    for number, device in enumerate(devices):
        token = identity_token(known["identity secret"], f"u-{number}", expires=expires)
        answer = await operator.post(
            "/push/subscribe", json={"subscription": device, "user": {"id": f"u-{number}", "token": token}}
        )
        assert answer.status_code == 201, answer.text
        known |= {
            f"endpoint {number}": device["endpoint"].rpartition("/")[2].encode(),
            f"p256dh {number}": bytes_from_base64(device["keys"]["p256dh"]),
            f"auth {number}": bytes_from_base64(device["keys"]["auth"]),
            f"device secret {number}": answer.json()["secret"].encode(),
        }
        # What is refused must not end up in a log or an answer either.
        for wrong in (
            {**device, "endpoint": device["endpoint"] + " x"},
            {**device, "keys": {"p256dh": "x", "auth": "y"}},
        ):
            refused = await operator.post("/push/subscribe", json={"subscription": wrong})
            assert refused.status_code == 422
            assert leaks(refused.content, known) == set()
        wrong_secret = {"id": answer.json()["id"], "secret": answer.json()["secret"] + "x", "tags": {}}
        assert (await operator.put("/push/tags", json=wrong_secret)).status_code == 403


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


async def picture_uploaded(operator: httpx2.AsyncClient, known: dict[str, bytes]) -> str:
    """Upload a photo that says where and by whom it was taken, and one that is refused; give the first one's id."""
    known["place in the photo"] = secrets.token_urlsafe(24).encode()
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = known["place in the photo"].decode()
    photo = picture("JPEG", (320, 200), exif=exif, comment=known["place in the photo"])
    assert leaks(photo, known) == {"place in the photo"}
    made = await operator.post("/api/v1/images", content=photo)
    assert (made.status_code, leaks(made.content, known)) == (201, set())
    shown = await operator.get(urlsplit(made.json()["url"]).path)
    assert (shown.status_code, leaks(shown.content, known)) == (200, set())
    refused = await operator.post("/api/v1/images", content=b"<svg><!-- " + known["place in the photo"] + b" -->")
    assert (refused.status_code, leaks(refused.content, known)) == (422, set())
    return str(made.json()["id"])


async def webhook_made(operator: httpx2.AsyncClient, known: dict[str, bytes]) -> str:
    """Make a webhook that hears of everything and whose receiver is away, and give its id."""
    path = secrets.token_urlsafe(24)
    body = {"url": f"https://localhost:9/{path}?token={path}", "events": ["delivery.sent", "notification.finished"]}
    made = await operator.post("/api/v1/webhooks", json=body)
    assert made.status_code == 201, made.text
    public_id: str = made.json()["id"]
    known["earlier webhook secret"] = made.json()["secret"].removeprefix("whsec_").encode()
    rotated = await operator.post(f"/api/v1/webhooks/{public_id}/secret", json={})
    assert rotated.status_code == 200, rotated.text
    known["webhook secret"] = rotated.json()["secret"].removeprefix("whsec_").encode()
    known |= {
        f"{name} in bytes": base64.b64decode(known[name]) for name in ("earlier webhook secret", "webhook secret")
    }
    shown = await operator.get("/api/v1/webhooks"), await operator.get(f"/api/v1/webhooks/{public_id}")
    for answer in shown:
        assert (answer.status_code, leaks(answer.content, known)) == (200, set())
    known["webhook path"] = path.encode()
    tried = await operator.post(f"/api/v1/webhooks/{public_id}/test")
    assert (tried.status_code, tried.json()["delivered"], leaks(tried.content, known)) == (200, False, set())
    wrong = await operator.post("/api/v1/webhooks", json={**body, "url": f"https://user@localhost/{path}"})
    assert (wrong.status_code, leaks(wrong.content, known)) == (422, set())
    return public_id


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


async def every_answer(client: httpx2.AsyncClient, ids: dict[str, str]) -> bytes:
    """Read every GET of the API, and what else the instance shows."""
    document = (await client.get("/openapi.json")).json()
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    found = b""
    for path in [*paths, "/", "/docs", "/docs/errors", "/livez", "/readyz", "/metrics"]:
        if path.endswith(SHOWN_ON_PURPOSE):
            continue
        filled = path
        for name, value in ids.items():
            filled = filled.replace(f"{{{name}}}", value)
        answer = await client.get(filled)
        if answer.status_code != 401 or answer.json()["code"] != "identity_required":
            assert answer.status_code in (200, 303, 403, 404, 422, 503), (filled, answer.text)
        found += f"{filled} {dict(answer.headers)} ".encode() + answer.content
    return found


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
            ids = {
                "notification_id": sent.json()["id"],
                "subscription_id": devices[0]["id"],
                "app_id": app_id,
                "app": app_id,
                "external_id": "u-0",
                "webhook_id": webhook,
                "message_id": message,
                "image_id": image,
            }
            answers = await every_answer(operator, ids) + await every_answer(browser, ids)
    await asyncio.to_thread(backup, database_url=None, folder=tmp_path / "data", target=tmp_path / "backup.db")
    captured = capfd.readouterr()
    places = {
        "answers": answers,
        "log": said.getvalue().encode() + captured.out.encode() + captured.err.encode(),
        "backup": (tmp_path / "backup.db").read_bytes(),
        **{path.name: path.read_bytes() for path in (tmp_path / "data").iterdir() if path.name != "tidings.key"},
    }
    assert {"tidings.db", "tidings.db-wal"} <= set(places)
    for place in ("answers", "backup"):
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
    assert {place: found for place, text in places.items() if (found := leaks(text, known))} == {}
