"""Secrets of every kind, put into an instance by those who have them, and how to find them where they should not be."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pyotp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image

from support.apple import BUNDLE_ID, push_certificate
from support.pictures import picture
from support.service_account import account_file
from tidings.lib.crypto import bytes_from_base64
from tidings.services.identity import identity_token
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.run import Running
from tidings.wiring import Container

COUNT = 6
"""Devices; the first one's browser is gone, and nobody answers for the last."""


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


async def one_of_each(operator: httpx2.AsyncClient) -> dict[str, str]:
    """Make what else has an address of its own, and give the ids."""

    async def made(path: str, body: dict[str, Any]) -> str:
        answer = await operator.post(path, json=body)
        assert answer.status_code in (201, 202), (path, answer.text)
        return str(answer.json()["id"])

    assert (await operator.put("/api/v1/event-types/ferry.late", json={"name": "Late"})).status_code == 201
    assert (await operator.put("/api/v1/users/u-0/topics/ferries")).status_code == 201
    words = {"audience": {"everyone": True}, "template": {"title": "x"}}
    ids = {
        "template_id": await made("/api/v1/templates", {"name": "Words", "title": "x"}),
        "segment_id": await made("/api/v1/segments", {"name": "All", "conditions": "true"}),
        "trigger_id": await made("/api/v1/triggers", {"name": "Late", "event_type": "ferry.late", **words}),
        "event_id": await made("/api/v1/events", {"type": "ferry.late", "users": ["u-0"]}),
    }
    integrations = (await operator.get("/api/v1/integrations")).json()["data"]
    return ids | {
        "key": "ferry.late", "topic": "ferries", "integration": integrations[0]["id"], "provider_id": "work",
    }  # fmt: skip
