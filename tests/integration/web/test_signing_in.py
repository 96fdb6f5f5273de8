"""The first member, the password, the session's body."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem

from support.members import member_of, sign_in
from tidings.domain.audit import SYSTEM
from tidings.domain.permission import OF_APP, OF_INSTANCE, Role
from tidings.lib.turns import Turns
from tidings.services import passwords
from tidings.wiring import Container

PASSWORD = "eleven red herrings"
ANNA = {"name": "Anna", "email": "anna@example.com", "password": PASSWORD}


async def set_up(client: httpx2.AsyncClient, container: Container, **changes: str) -> httpx2.Response:
    token = await container.access.new_setup_token()
    return await client.post("/api/v1/setup", json={"token": token, **ANNA, **changes})


class TestTheFirstMember:
    async def test_is_a_super_admin_who_owns_every_app(
        self, browser: httpx2.AsyncClient, container: Container, api: httpx2.AsyncClient
    ) -> None:
        second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
        before = (await browser.get("/api/v1/session")).json()
        assert (before["signed_in"], before["needs"], before["member"]) == (False, "setup", None)
        answer = await set_up(browser, container)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert body["member"] | {"id": "", "created_at": ""} == {
            "id": "",
            "name": "Anna",
            "email": "anna@example.com",
            "super_admin": True,
            "two_factor": {"totp": False, "passkeys": 0, "recovery_codes_left": 0},
            "has_password": True,
            "providers": [],
            "can_confirm": True,
            "created_at": "",
        }
        assert [(app["name"], app["role"]) for app in body["apps"]] == [("My site", "owner"), ("Second", "owner")]
        assert body["permissions"]["instance"] == sorted(OF_INSTANCE)
        assert body["permissions"]["apps"][second] == sorted(OF_APP)
        assert (await browser.get("/api/v1/session")).json() == body
        assert (await browser.get("/api/v1/apps")).status_code == 200

    async def test_is_made_once(self, app: FastAPI, browser: httpx2.AsyncClient, container: Container) -> None:
        token = await container.access.new_setup_token()
        assert (await browser.get("/api/v1/setup", headers={"X-Setup-Token": token})).json() == {
            "wants": "first_member"
        }
        assert (await set_up(browser, container)).status_code == 201
        async with client_of(app) as other:
            problem(await other.get("/api/v1/setup", headers={"X-Setup-Token": token}), 403, "setup_link_invalid")
            mine = {"token": token, **ANNA, "email": "eve@example.com"}
            problem(await other.post("/api/v1/setup", json=mine), 403, "setup_link_invalid")
            problem(await set_up(other, container, email="eve@example.com"), 403, "setup_link_invalid")
            problem(await other.post("/api/v1/session", json={"setup_token": token}), 403, "setup_link_invalid")
            assert (await other.get("/api/v1/session")).json()["needs"] is None

    async def test_is_made_once_by_many_at_the_same_time(self, app: FastAPI, container: Container) -> None:
        async def attempt(number: int) -> int:
            async with client_of(app) as client:
                return (await set_up(client, container, email=f"m{number}@example.com")).status_code

        assert sorted(await asyncio.gather(*(attempt(n) for n in range(4)))) == [201, 403, 403, 403]
        assert len(await container.store.read(lambda tx: tx.members.all())) == 1

    async def test_a_link_ends_by_itself(self, browser: httpx2.AsyncClient, container: Container) -> None:
        token = await container.access.new_setup_token()
        container.clock.at += timedelta(hours=24)  # type: ignore[attr-defined]
        problem(await browser.post("/api/v1/setup", json={"token": token, **ANNA}), 403, "setup_link_invalid")

    @pytest.mark.parametrize(
        ("password", "words"),
        [
            ("short", "at least 10"),
            ("x" * 257, "at most 256"),
            ("anna@example.com", "e-mail"),
            ("password123", "very common password"),
            ("qwertyuiop", "common password"),
            ("Password1234567", "commonly used password"),
            ("aaaaaaaaaaaaaa", "Repeats"),
            ("123456789012", "commonly used password"),
            ("abcdefghijklm", "Sequences"),
            ("tidetidetide", "Repeats"),
            ("annaexample", "tried first"),
        ],
    )
    async def test_a_password_that_is_guessed_first_is_refused(
        self, browser: httpx2.AsyncClient, container: Container, password: str, words: str
    ) -> None:
        body = problem(await set_up(browser, container, password=password), 422, "password_too_weak")
        assert words in body["detail"]
        assert body["errors"][0]["field"] == "password"
        assert (await set_up(browser, container)).status_code == 201


class TestAPassword:
    @pytest.fixture
    async def anna(self, app: FastAPI, container: Container) -> None:
        async with client_of(app) as first:
            assert (await set_up(first, container)).status_code == 201

    async def test_signs_in_however_the_address_is_written(self, browser: httpx2.AsyncClient, anna: None) -> None:
        body = {"email": " ANNA@example.com", "password": PASSWORD}
        answer = await browser.post("/api/v1/session", json=body, headers={"User-Agent": "X11; Linux Firefox/140"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["signed_in"] is True
        assert (await browser.get("/api/v1/me")).json()["name"] == "Anna"

    async def test_is_the_same_from_every_keyboard(
        self, app: FastAPI, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        assert (await set_up(browser, container, password="Grüße vom Ångström")).status_code == 201
        body = {"email": "anna@example.com", "password": "Gru\u0308ße vom A\u030angström"}
        async with client_of(app) as other:
            assert (await other.post("/api/v1/session", json=body)).status_code == 201

    @pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com"])
    async def test_that_is_wrong_gets_the_answer_that_a_wrong_address_gets(
        self, browser: httpx2.AsyncClient, anna: None, email: str
    ) -> None:
        answer = await browser.post("/api/v1/session", json={"email": email, "password": "wrong password"})
        body = problem(answer, 401, "sign_in_refused")
        assert body["detail"] == "E-mail address or password is wrong"
        assert "set-cookie" not in answer.headers

    async def test_replaces_the_session_that_the_browser_had(
        self, app: FastAPI, browser: httpx2.AsyncClient, container: Container, anna: None
    ) -> None:
        eve = await member_of(container)
        await sign_in(browser, container, eve)
        planted = dict(browser.cookies)
        await browser.post("/api/v1/session", json={"email": "anna@example.com", "password": PASSWORD})
        assert dict(browser.cookies) != planted
        async with client_of(app) as other:
            other.cookies.update(planted)
            problem(await other.get("/api/v1/apps"), 401, "unauthorized")

    async def test_is_not_taken_from_the_page_of_another_site(self, browser: httpx2.AsyncClient, anna: None) -> None:
        body = {"email": "anna@example.com", "password": PASSWORD}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            problem(await browser.post("/api/v1/session", json=body, headers=headers), 403, "origin_not_allowed")

    async def test_and_a_link_are_one_or_the_other(self, browser: httpx2.AsyncClient) -> None:
        for body in ({}, {"email": "a@example.com"}, {"setup_token": "x", "email": "a@b.c", "password": "x"}):
            problem(await browser.post("/api/v1/session", json=body), 422, "invalid_request")


async def test_a_member_sees_the_apps_that_are_theirs_and_what_they_may(
    browser: httpx2.AsyncClient, api: httpx2.AsyncClient, container: Container
) -> None:
    first = await container.apps.ensure_first()
    await api.post("/api/v1/apps", json={"name": "Second"})
    await sign_in(browser, container, await member_of(container, {first.id: Role.VIEWER}))
    body = (await browser.get("/api/v1/session")).json()
    assert body["apps"] == [{"id": first.public_id, "name": "My site", "role": "viewer"}]
    may = [f"{what}.read" for what in ("event", "event_type", "message", "segment", "template", "trigger")]
    may = ["app.read", "app.see", *may]
    assert body["permissions"] == {"instance": [], "apps": {first.public_id: may}}
    assert body["ways"] == {"password": True, "passkey": True, "oidc": []}
    assert [row["id"] for row in (await browser.get("/api/v1/apps")).json()["data"]] == [first.public_id]


async def test_who_calls_with_a_key_hears_what_it_may(api: httpx2.AsyncClient) -> None:
    body = (await api.get("/api/v1/session")).json()
    assert (body["signed_in"], body["member"], body["session"]) == (True, None, None)
    assert body["permissions"]["instance"] == sorted(OF_INSTANCE)


async def test_a_session_that_is_not_used_ends_after_14_days_and_any_after_90(
    browser: httpx2.AsyncClient, container: Container
) -> None:
    await sign_in(browser, container, await member_of(container, super_admin=True))
    for _ in range(8):
        container.clock.at += timedelta(days=10)  # type: ignore[attr-defined]
        assert (await browser.get("/api/v1/apps")).status_code == 200
    container.clock.at += timedelta(days=9, hours=23)  # type: ignore[attr-defined]
    assert (await browser.get("/api/v1/apps")).status_code == 200
    container.clock.at += timedelta(hours=1)  # type: ignore[attr-defined]
    problem(await browser.get("/api/v1/apps"), 401, "unauthorized")
    await sign_in(browser, container, await member_of(container, super_admin=True))
    container.clock.at += timedelta(days=14)  # type: ignore[attr-defined]
    problem(await browser.get("/api/v1/apps"), 401, "unauthorized")


async def test_what_happened_is_written_down(browser: httpx2.AsyncClient, container: Container) -> None:
    await set_up(browser, container)
    await browser.post("/api/v1/session", json={"email": "anna@example.com", "password": "wrong password"})
    await browser.post("/api/v1/session", json={"email": "eve@example.com", "password": "wrong password"})
    await browser.delete("/api/v1/session")
    entries = await container.store.read(lambda tx: tx.audit.page(app_id=None, limit=20))
    assert [(entry.action, entry.subject.name) for entry in reversed(entries)] == [
        ("member.created", "Anna"),
        ("session.signed_in", "Anna"),
        ("session.sign_in_refused", "Anna"),
        ("session.sign_in_refused", None),
        ("session.signed_out", "Anna"),
    ]
    assert {entry.actor.address for entry in entries} == {"127.0.0.1"}


def from_address(app: FastAPI, address: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com")


async def filled(turns: Turns) -> None:
    async with asyncio.timeout(60):
        while turns.waiting < passwords.MOST_WAITING:
            await asyncio.sleep(0.001)


class TestHashing:
    async def test_others_are_answered_and_too_many_are_sent_away_while_passwords_are_looked_at(
        self, app: FastAPI, api: httpx2.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_at = threading.Event()
        monkeypatch.setattr(passwords, "_matches", lambda *_: looked_at.wait() and False)
        turns = container.accounts.passwords._turns

        async def attempt(number: int) -> httpx2.Response:
            async with from_address(app, f"198.51.100.{number}") as client:
                body = {"email": f"n{number}@example.com", "password": "wrong password"}
                return await client.post("/api/v1/session", json=body)

        most = passwords.MOST_WAITING + turns._free
        waiting = [asyncio.create_task(attempt(number)) for number in range(most)]
        await filled(turns)
        for path in ("/livez", "/api/v1/apps"):
            assert (await api.get(path)).status_code == 200
        answer = await attempt(250)
        problem(answer, 503, "service_busy")
        assert answer.headers["retry-after"] == "2"
        looked_at.set()
        assert {one.status_code for one in await asyncio.gather(*waiting)} == {401}

    async def test_members_get_in_while_strangers_everywhere_try_passwords(
        self, app: FastAPI, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a session and from where they are signed in; and from elsewhere, where a few places make the flood."""
        anna = await member_of(container, password=PASSWORD, email="anna@example.com")
        looked_at, really = threading.Event(), passwords._matches
        monkeypatch.setattr(passwords, "_matches", lambda *what: looked_at.wait() and really(*what))
        turns = container.accounts.passwords._turns
        body = {"email": "anna@example.com", "password": PASSWORD}

        async def attempt(number: int, flood: int) -> httpx2.Response:
            # No more of one place come so far than its attempts that are free.
            address = f"203.0.113.{number % 4}" if flood else f"198.51.100.{number}"
            async with from_address(app, address) as client:
                wrong = {"email": f"n{number}@example.com", "password": "wrong password"}
                return await client.post("/api/v1/session", json=wrong)

        for flood in (0, 1):
            looked_at.clear()
            most = passwords.MOST_WAITING + turns._free
            strangers = [asyncio.create_task(attempt(number, flood)) for number in range(most)]
            await filled(turns)
            async with (
                from_address(app, "192.0.2.1") as home,
                from_address(app, "192.0.2.1") as again,
                from_address(app, "192.0.2.2") as elsewhere,
            ):
                await sign_in(home, container, anna)
                confirmed = asyncio.create_task(home.post("/api/v1/session/confirm", json={"password": PASSWORD}))
                let_in = asyncio.create_task(again.post("/api/v1/session", json=body))
                travelling = asyncio.create_task(elsewhere.post("/api/v1/session", json=body))
                if not flood:
                    problem(await travelling, 503, "service_busy")
                async with asyncio.timeout(60):
                    while len(turns._first) < 2:
                        await asyncio.sleep(0.001)
                looked_at.set()
                assert (await confirmed).status_code == 204
                assert (await let_in).status_code == 201
                if flood:
                    assert (await travelling).status_code == 201
            answers = [one.status_code for one in await asyncio.gather(*strangers)]
            assert set(answers) == {401, 503}
            assert answers.count(503) == (3 if flood else 2)

    async def test_an_unknown_address_a_disabled_member_and_a_wrong_password_cost_the_same_work(
        self, browser: httpx2.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await member_of(container, password=PASSWORD, email="anna@example.com")
        demo = await member_of(container, email="demo@example.com")
        out = await member_of(container, password=PASSWORD, email="out@example.com")
        await container.accounts.members.set_disabled(out.public_id, True, by=SYSTEM)
        looked_at: list[str] = []
        really = passwords._matches

        def counted(password: str, phc: str) -> bool:
            looked_at.append(phc.rpartition("$")[0].rpartition("$")[0])
            return really(password, phc)

        monkeypatch.setattr(passwords, "_matches", counted)
        answers = set()
        for email in ("anna@example.com", demo.email, "out@example.com", "nobody@example.com"):
            answer = await browser.post("/api/v1/session", json={"email": email, "password": "wrong password"})
            answers.add((answer.status_code, answer.text))
        assert len(answers) == 1
        assert looked_at == ["$argon2id$v=19$m=19456,t=2,p=1"] * 4
