"""A round through the provider for who is signed in: to show again who they are, and to connect their account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem
from tests.integration.web.oidc.rounds import come_back, put, refused, sign_in

from support import members
from support.members import member_of
from support.openid import Provider
from tidings.domain.member import Member
from tidings.wiring import Container

SENSITIVE = ("POST", "/api/v1/me/totp")


@pytest.fixture
async def ben(api: httpx2.AsyncClient, container: Container, provider: Provider) -> Member:
    """A member who signs in by the provider alone."""
    assert (await put(api, provider)).status_code == 200
    return await member_of(container, super_admin=True, email="ben@example.com")


@pytest.fixture
async def his(ben: Member, browser: httpx2.AsyncClient, provider: Provider, container: Container) -> httpx2.AsyncClient:
    """Ben's browser, twenty minutes after he signed in."""
    await sign_in(browser, provider)
    later(container, 20)
    return browser


def later(container: Container, minutes: int) -> None:
    container.clock.at += timedelta(minutes=minutes)  # type: ignore[attr-defined]


async def begin(client: httpx2.AsyncClient, path: str = "/api/v1/session/oidc/work/confirm") -> str:
    answer = await client.post(path)
    assert answer.status_code == 201, answer.text
    assert "HttpOnly" in answer.headers["set-cookie"]
    return str(answer.json()["url"])


class TestConfirming:
    async def test_who_signs_in_by_a_provider_alone_confirms_there(
        self, his: httpx2.AsyncClient, provider: Provider, container: Container
    ) -> None:
        me = (await his.get("/api/v1/me")).json()
        assert (me["has_password"], me["providers"], me["can_confirm"]) == (False, ["work"], True)
        problem(await his.request(*SENSITIVE), 403, "reauthentication_required")
        url = await begin(his)
        asked = parse_qs(urlsplit(url).query)
        assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
        provider.claims = {"auth_time": int(provider.now())}
        back = await come_back(his, provider.authorize(url))
        assert back.headers["location"] == "/confirmed"
        assert (await his.request(*SENSITIVE)).status_code == 201
        assert (await his.get("/api/v1/me")).json()["id"] == me["id"]
        later(container, 16)
        problem(await his.request(*SENSITIVE), 403, "reauthentication_required")

    async def test_a_provider_that_does_not_say_when_it_asked_is_believed_that_it_did(
        self, his: httpx2.AsyncClient, provider: Provider
    ) -> None:
        await come_back(his, provider.authorize(await begin(his)))
        assert (await his.request(*SENSITIVE)).status_code == 201

    @pytest.mark.parametrize("auth_time", [1, "now", True, float("nan")])
    async def test_a_provider_that_asked_before_confirms_nothing(
        self, his: httpx2.AsyncClient, provider: Provider, auth_time: object
    ) -> None:
        provider.claims = {"auth_time": auth_time}
        back = await come_back(his, provider.authorize(await begin(his)))
        assert back.headers["location"] == "/confirmed?error=oidc_failed"
        problem(await his.request(*SENSITIVE), 403, "reauthentication_required")

    async def test_somebody_else_at_the_provider_confirms_nothing(
        self, his: httpx2.AsyncClient, provider: Provider, container: Container
    ) -> None:
        before = (await his.get("/api/v1/session")).json()["session"]
        await member_of(container, super_admin=True, email="carla@example.com")
        for sub, email in (("person-2", "carla@example.com"), ("person-3", "ben@example.com")):
            provider.person = {"sub": sub, "email": email, "email_verified": True}
            back = await come_back(his, provider.authorize(await begin(his)))
            assert back.headers["location"] == "/confirmed?error=oidc_failed"
        assert (await his.get("/api/v1/session")).json()["session"] == before
        problem(await his.request(*SENSITIVE), 403, "reauthentication_required")

    async def test_a_round_confirms_only_the_session_that_began_it(
        self, his: httpx2.AsyncClient, app: FastAPI, provider: Provider
    ) -> None:
        back = provider.authorize(await begin(his))
        await his.delete("/api/v1/session")
        cookies = [one for one in his.cookies.jar if one.name.endswith("-oidc")]
        await sign_in(his, provider)
        for one in cookies:
            his.cookies.jar.set_cookie(one)
        answer = await come_back(his, back)
        assert answer.headers["location"] == "/confirmed?error=oidc_failed"
        async with client_of(app) as stranger:
            problem(await stranger.post("/api/v1/session/oidc/work/confirm"), 401, "unauthorized")

    async def test_another_sites_page_begins_none(self, his: httpx2.AsyncClient) -> None:
        for path in ("/api/v1/session/oidc/work/confirm", "/api/v1/me/oidc/work"):
            answer = await his.post(path, headers={"Sec-Fetch-Site": "cross-site"})
            problem(answer, 403, "origin_not_allowed")

    async def test_whose_provider_was_removed_is_not_trusted_for_having_nothing_left(
        self, his: httpx2.AsyncClient, api: httpx2.AsyncClient, ben: Member
    ) -> None:
        await api.delete("/api/v1/sign-in/oidc/work")
        problem(await his.request(*SENSITIVE), 403, "reauthentication_required")
        problem(await his.post("/api/v1/me/password", json={"current": "", "new": "x" * 20}), 403,
                "reauthentication_required")  # fmt: skip
        made = await api.post(f"/api/v1/members/{ben.public_id}/reset-link")
        token = made.json()["link"].partition("#")[2]
        new = "a whole new sentence"
        assert (await his.post("/api/v1/password-reset", json={"token": token, "new": new})).status_code == 204
        sign = await his.post("/api/v1/session", json={"email": ben.email, "password": new})
        assert sign.status_code == 201


class TestConnecting:
    @pytest.fixture
    async def hers(
        self, app: FastAPI, api: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> AsyncIterator[httpx2.AsyncClient]:
        """The browser of a member with a password, under an address of another domain."""
        await put(api, provider)
        anna = await member_of(container, super_admin=True, email="anna@home.example", password="eleven red herrings")
        async with client_of(app) as client:
            yield await members.sign_in(client, container, anna)

    async def test_a_provider_vouches_from_then_on_and_no_longer_once_it_is_disconnected(
        self, hers: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
    ) -> None:
        back = await come_back(hers, provider.authorize(await begin(hers, "/api/v1/me/oidc/work")))
        assert back.headers["location"] == "/settings/profile"
        mine = (await hers.get("/api/v1/me")).json()
        assert mine["providers"] == ["work"]
        await sign_in(browser, provider)
        assert (await browser.get("/api/v1/me")).json()["id"] == mine["id"]
        await browser.delete("/api/v1/session")
        assert (await hers.delete("/api/v1/me/oidc/work")).status_code == 204
        await refused(browser, await sign_in(browser, provider), "ask for an invitation")
        problem(await hers.delete("/api/v1/me/oidc/work"), 404, "not_found")
        found = (await hers.get("/api/v1/audit")).json()["data"]
        assert {"oidc.linked", "oidc.unlinked"} <= {one["action"] for one in found}

    async def test_what_is_the_only_way_in_stays(self, his: httpx2.AsyncClient, provider: Provider) -> None:
        await come_back(his, provider.authorize(await begin(his)))
        problem(await his.delete("/api/v1/me/oidc/work"), 409, "account_conflict")

    async def test_it_takes_somebody_who_has_just_shown_who_they_are(
        self, hers: httpx2.AsyncClient, container: Container
    ) -> None:
        later(container, 16)
        problem(await hers.post("/api/v1/me/oidc/work"), 403, "reauthentication_required")

    @pytest.mark.parametrize(
        "person",
        [
            {"sub": "9", "email": "anna@evil.example", "email_verified": True},
            {"sub": "9", "email": "anna@example.com", "email_verified": False},
        ],
    )
    async def test_an_address_that_the_provider_would_not_let_in_connects_nothing(
        self, hers: httpx2.AsyncClient, provider: Provider, person: dict[str, object]
    ) -> None:
        url = await begin(hers, "/api/v1/me/oidc/work")
        provider.person = person
        back = await come_back(hers, provider.authorize(url))
        assert back.headers["location"] == "/settings/profile?error=oidc_failed"
        assert (await hers.get("/api/v1/me")).json()["providers"] == []

    async def test_whom_another_account_has_is_not_taken_from_it(
        self, hers: httpx2.AsyncClient, his: httpx2.AsyncClient, provider: Provider, container: Container
    ) -> None:
        later(container, -20)
        back = await come_back(hers, provider.authorize(await begin(hers, "/api/v1/me/oidc/work")))
        assert back.headers["location"] == "/settings/profile?error=oidc_failed"
        assert (await his.get("/api/v1/me")).json()["providers"] == ["work"]

    async def test_a_chosen_address_is_confirmed_by_the_provider_that_has_verified_it(
        self, hers: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
    ) -> None:
        await hers.patch("/api/v1/me", json={"email": "ben@example.com"})
        await refused(browser, await sign_in(browser, provider), "Only a person has named")
        await come_back(hers, provider.authorize(await begin(hers, "/api/v1/me/oidc/work")))
        await sign_in(browser, provider)
        assert (await browser.get("/api/v1/me")).json()["email"] == "ben@example.com"
