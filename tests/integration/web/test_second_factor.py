"""The second factor and passkeys, with codes and credentials that are really computed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from fido2 import cbor
from fido2.cose import ES256
from tests.integration.web.instance import base64url, client_of, problem

from support.members import member_of, sign_in
from tidings.domain.errors import CatalogueError
from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.services.passkeys import MOST
from tidings.wiring import Container

PASSWORD = "eleven red herrings"


@pytest.fixture
async def anna(container: Container) -> Member:
    site = await container.apps.ensure_first()
    return await member_of(container, {site.id: Role.OWNER}, password=PASSWORD, email="anna@example.com")


@pytest.fixture
async def home(app: FastAPI, container: Container, anna: Member) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app) as client:
        yield await sign_in(client, container, anna)


def code_of(secret: str, container: Container, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(container.clock.now().timestamp()) // 30 + steps)


def forward(container: Container, **by: float) -> None:
    container.clock.at += timedelta(**by)  # type: ignore[attr-defined]


@pytest.fixture
async def secret(home: httpx2.AsyncClient, container: Container) -> str:
    """The seed of an app that is set up; its first code is used up."""
    made = (await home.post("/api/v1/me/totp")).json()
    assert made["uri"].startswith("otpauth://totp/Tidings:anna%40example.com?secret=")
    assert made["qr"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    answer = await home.post("/api/v1/me/totp/confirm", json={"code": code_of(made["secret"], container)})
    assert answer.status_code == 200, answer.text
    assert len(set(answer.json()["recovery_codes"])) == 10
    home.headers["x-codes"] = ",".join(answer.json()["recovery_codes"])
    forward(container, seconds=90)
    return str(made["secret"])


async def half(client: httpx2.AsyncClient) -> httpx2.Response:
    answer = await client.post("/api/v1/session", json={"email": "anna@example.com", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer


async def show(client: httpx2.AsyncClient, **body: str) -> httpx2.Response:
    return await client.post("/api/v1/session/second-factor", json=body)


class TestAnApp:
    async def test_is_not_in_force_before_its_first_code(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        await home.post("/api/v1/me/totp")
        problem(await home.post("/api/v1/me/totp/confirm", json={"code": "000000"}), 422, "factor_invalid")
        assert (await half(browser)).json()["signed_in"] is True

    async def test_that_another_window_set_up_meanwhile_stays(
        self, home: httpx2.AsyncClient, container: Container
    ) -> None:
        me = await container.accounts.sessions.find(next(iter(home.cookies.values())))
        assert me is not None
        seed = await container.accounts.second_factor.begin(me)
        answer = await home.post("/api/v1/me/totp/confirm", json={"code": code_of(seed.secret, container)})
        assert answer.status_code == 200
        with pytest.raises(CatalogueError, match="already"):
            await container.accounts.second_factor.begin(me)
        assert (await home.get("/api/v1/me")).json()["two_factor"]["totp"] is True

    async def test_wants_something_that_comes_before_it(
        self, app: FastAPI, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        demo = await container.accounts.sign_in.ensure_demo_owner(name="Demo", email="demo@example.com")
        await sign_in(browser, container, demo)
        body = problem(await browser.post("/api/v1/me/totp"), 409, "account_conflict")
        assert "Set a password first" in body["detail"]

    async def test_makes_the_password_half_of_it(
        self, browser: httpx2.AsyncClient, container: Container, secret: str
    ) -> None:
        body = (await half(browser)).json()
        assert (body["signed_in"], body["needs"], body["member"], body["session"]) == (
            False, "second_factor", None, None,
        )  # fmt: skip
        before = dict(browser.cookies)
        for path in ("/me", "/apps", "/users", "/me/sessions"):
            problem(await browser.get(f"/api/v1{path}"), 401, "unauthorized")
        problem(await browser.post("/api/v1/session/confirm", json={"password": PASSWORD}), 401, "unauthorized")
        problem(await show(browser, code="000000"), 401, "second_factor_wrong")
        answer = await show(browser, code=code_of(secret, container))
        assert answer.status_code == 200, answer.text
        assert answer.json()["member"]["two_factor"] == {"totp": True, "passkeys": 0, "recovery_codes_left": 10}
        assert dict(browser.cookies) != before
        assert (await browser.get("/api/v1/me")).status_code == 200
        problem(await show(browser, code=code_of(secret, container, 1)), 409, "account_conflict")

    async def test_half_a_session_ends_after_five_minutes(
        self, browser: httpx2.AsyncClient, container: Container, secret: str
    ) -> None:
        await half(browser)
        forward(container, minutes=5)
        problem(await show(browser, code=code_of(secret, container)), 401, "unauthorized")

    async def test_a_code_is_good_once_and_for_one_step_around(
        self, app: FastAPI, container: Container, secret: str
    ) -> None:
        async def tried(steps: int) -> int:
            async with client_of(app) as client:
                await half(client)
                return (await show(client, code=code_of(secret, container, steps))).status_code

        assert [await tried(steps) for steps in (-2, 2, -1, -1, 0, 0, -1, 1)] == [
            401,
            401,
            200,
            401,
            200,
            401,
            401,
            200,
        ]

    async def test_guesses_are_held_back(self, app: FastAPI, container: Container, secret: str) -> None:
        codes = []
        for _ in range(7):
            async with client_of(app) as client:
                await half(client)
                codes.append((await show(client, code="000000")).json()["code"])
        assert codes == ["second_factor_wrong"] * 5 + ["locked_out"] * 2

    async def test_a_recovery_code_stands_in_once(
        self, app: FastAPI, home: httpx2.AsyncClient, container: Container, secret: str
    ) -> None:
        first = home.headers["x-codes"].split(",")[0]
        async with client_of(app) as client, client_of(app) as again:
            await half(client)
            assert (await show(client, recovery_code=first.upper().replace("-", " "))).status_code == 200
            assert (await client.get("/api/v1/me")).json()["two_factor"]["recovery_codes_left"] == 9
            await half(again)
            problem(await show(again, recovery_code=first), 401, "second_factor_wrong")

    async def test_new_recovery_codes_end_the_old_ones(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, secret: str
    ) -> None:
        old = home.headers["x-codes"].split(",")[3]
        made = (await home.post("/api/v1/me/recovery-codes")).json()["recovery_codes"]
        await half(browser)
        problem(await show(browser, recovery_code=old), 401, "second_factor_wrong")
        assert (await show(browser, recovery_code=made[3])).status_code == 200

    async def test_is_removed_and_confirms(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, secret: str
    ) -> None:
        forward(container, minutes=15)
        problem(await home.delete("/api/v1/me/totp"), 403, "reauthentication_required")
        code = code_of(secret, container)
        problem(await home.post("/api/v1/session/confirm", json={"code": "000000"}), 403, "confirmation_wrong")
        assert (await home.post("/api/v1/session/confirm", json={"code": code})).status_code == 204
        assert (await home.delete("/api/v1/me/totp")).status_code == 204
        assert (await half(browser)).json()["signed_in"] is True

    async def test_seed_is_sealed(self, container: Container, anna: Member, secret: str) -> None:
        for file in container.settings.data.glob("tidings.db*"):
            assert secret.encode() not in file.read_bytes()


@dataclass
class Authenticator:
    """A device with one passkey, as WebAuthn Level 2 §6 describes its answers; attestation "none"."""

    rp: str = "push.example.com"
    origin: str = "https://push.example.com"
    counter: int = 0
    verified: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""

    def _data(self, extra: bytes = b"", flags: int = 0) -> bytes:
        present = 0x01 | (0x04 if self.verified else 0) | flags
        return hashlib.sha256(self.rp.encode()).digest() + bytes([present]) + self.counter.to_bytes(4, "big") + extra

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        assert options["rp"]["id"] == self.rp
        assert options["authenticatorSelection"]["userVerification"] == "required"
        self.handle = _bytes(options["user"]["id"])
        cose = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(attested, flags=0x40)}
        return self._answer(
            clientDataJSON=self._client("webauthn.create", options["challenge"]), attestationObject=cbor.encode(made)
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        assert options["userVerification"] == "required"
        client, data = self._client("webauthn.get", options["challenge"]), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.handle)

    def _answer(self, **response: bytes) -> dict[str, Any]:
        shown = {name: base64url(value) for name, value in response.items()}
        own = base64url(self.id)
        return {"id": own, "rawId": own, "type": "public-key", "response": shown, "clientExtensionResults": {}}


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def register(home: httpx2.AsyncClient, device: Authenticator) -> httpx2.Response:
    asked = (await home.post("/api/v1/me/passkeys/options")).json()
    body = {"id": asked["id"], "name": "Phone", "credential": device.create(asked["options"])}
    return await home.post("/api/v1/me/passkeys", json=body)


async def enter(client: httpx2.AsyncClient, device: Authenticator) -> httpx2.Response:
    asked = (await client.post("/api/v1/session/passkey/options")).json()
    body = {"id": asked["id"], "credential": device.get(asked["options"])}
    return await client.post("/api/v1/session/passkey", json=body)


class TestAPasskey:
    async def test_stands_for_both_factors(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, secret: str
    ) -> None:
        device = Authenticator()
        made = await register(home, device)
        assert made.status_code == 201, made.text
        assert (made.json()["name"], made.json()["last_used_at"]) == ("Phone", None)
        answer = await enter(browser, device)
        assert answer.status_code == 201, answer.text
        assert answer.json()["member"]["two_factor"]["passkeys"] == 1
        (listed,) = (await browser.get("/api/v1/me/passkeys")).json()["data"]
        assert listed["last_used_at"] is not None

    async def test_works_while_the_password_is_locked_out(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        device = Authenticator()
        await register(home, device)
        body = {"email": "anna@example.com", "password": "wrong password"}
        for _ in range(6):
            await browser.post("/api/v1/session", json=body)
        problem(await browser.post("/api/v1/session", json={**body, "password": PASSWORD}), 429, "locked_out")
        assert (await enter(browser, device)).status_code == 201

    @pytest.mark.parametrize(
        "change",
        [
            {"origin": "https://evil.example"},
            {"origin": "https://push.example.com.evil.example"},
            {"rp": "evil.example"},
            {"verified": False},
            {"key": ec.generate_private_key(ec.SECP256R1())},
            {"id": b"another"},
            {"handle": b"mem_somebody_else"},
        ],
        ids=lambda change: "-".join(change),
    )
    async def test_of_another_site_person_or_key_is_refused(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, change: dict[str, Any]
    ) -> None:
        device = Authenticator()
        await register(home, device)
        for name, value in change.items():
            setattr(device, name, value)
        problem(await enter(browser, device), 401, "passkey_refused")
        problem(await browser.get("/api/v1/me"), 401, "unauthorized")

    async def test_answer_is_good_once(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        device = Authenticator()
        await register(home, device)
        asked = (await browser.post("/api/v1/session/passkey/options")).json()
        body = {"id": asked["id"], "credential": device.get(asked["options"])}
        assert (await browser.post("/api/v1/session/passkey", json=body)).status_code == 201
        problem(await browser.post("/api/v1/session/passkey", json=body), 401, "passkey_refused")
        late = (await browser.post("/api/v1/session/passkey/options")).json()
        forward(container, minutes=5)
        answer = {"id": late["id"], "credential": device.get(late["options"])}
        problem(await browser.post("/api/v1/session/passkey", json=answer), 401, "passkey_refused")

    async def test_whose_counter_goes_back_was_copied(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        device = Authenticator(counter=7)
        await register(home, device)
        device.counter = 8
        assert (await enter(browser, device)).status_code == 201
        problem(await enter(browser, device), 401, "passkey_refused")
        device.counter = 9
        assert (await enter(browser, device)).status_code == 201

    @pytest.mark.parametrize("credential", [{}, {"id": 1}, {"rawId": "AA", "response": None}, {"response": {"x": []}}])
    async def test_that_is_none_is_refused(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, credential: dict[str, Any]
    ) -> None:
        asked = (await browser.post("/api/v1/session/passkey/options")).json()
        body = {"id": asked["id"], "credential": credential}
        problem(await browser.post("/api/v1/session/passkey", json=body), 401, "passkey_refused")
        asked = (await home.post("/api/v1/me/passkeys/options")).json()
        body = {"id": asked["id"], "name": "x", "credential": credential}
        problem(await home.post("/api/v1/me/passkeys", json=body), 422, "factor_invalid")

    async def test_is_registered_verified_once_and_by_whoever_asked(
        self, app: FastAPI, home: httpx2.AsyncClient, container: Container
    ) -> None:
        problem(await register(home, Authenticator(verified=False)), 422, "factor_invalid")
        problem(await register(home, Authenticator(origin="https://evil.example")), 422, "factor_invalid")
        device = Authenticator()
        assert (await register(home, device)).status_code == 201
        problem(await register(home, device), 409, "account_conflict")
        async with client_of(app) as other:
            await sign_in(other, container, await member_of(container, super_admin=True))
            asked = (await other.post("/api/v1/me/passkeys/options")).json()
            body = {"id": asked["id"], "name": "x", "credential": Authenticator().create(asked["options"])}
            problem(await home.post("/api/v1/me/passkeys", json=body), 422, "factor_invalid")

    async def test_cannot_be_one_too_many_however_many_are_asked_for_at_once(
        self, home: httpx2.AsyncClient, container: Container
    ) -> None:
        asked = [(await home.post("/api/v1/me/passkeys/options")).json() for _ in range(MOST + 3)]
        bodies = [
            {"id": one["id"], "name": "Key", "credential": Authenticator().create(one["options"])} for one in asked
        ]
        answers = await asyncio.gather(*(home.post("/api/v1/me/passkeys", json=body) for body in bodies))
        assert sorted(one.status_code for one in answers) == [201] * MOST + [409] * 3
        assert len((await home.get("/api/v1/me/passkeys")).json()["data"]) == MOST

    async def test_is_renamed_confirms_and_removed(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        device = Authenticator()
        made = (await register(home, device)).json()["id"]
        renamed = await home.patch(f"/api/v1/me/passkeys/{made}", json={"name": "Old phone"})
        assert renamed.json()["name"] == "Old phone"
        forward(container, minutes=15)
        problem(await home.delete(f"/api/v1/me/passkeys/{made}"), 403, "reauthentication_required")
        asked = (await home.post("/api/v1/session/passkey/options")).json()
        body = {"id": asked["id"], "credential": device.get(asked["options"])}
        assert (await home.post("/api/v1/session/confirm", json=body)).status_code == 204
        assert (await home.delete(f"/api/v1/me/passkeys/{made}")).status_code == 204
        problem(await enter(browser, device), 401, "passkey_refused")
        problem(await home.delete(f"/api/v1/me/passkeys/{made}"), 404, "not_found")

    async def test_of_a_disabled_member_opens_nothing(
        self, home: httpx2.AsyncClient, browser: httpx2.AsyncClient, api: httpx2.AsyncClient, anna: Member
    ) -> None:
        device = Authenticator()
        await register(home, device)
        await api.patch(f"/api/v1/members/{anna.public_id}", json={"disabled": True})
        problem(await enter(browser, device), 401, "passkey_refused")
