"""Whose an e-mail address is: nobody's, until a provider has verified it; what a person typed leads nobody anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem
from tests.integration.web.oidc.rounds import come_back, put, refused, sign_in

from support import members
from support.members import member_of
from support.openid import Provider
from tidings.domain.app import App
from tidings.domain.permission import Role
from tidings.wiring import Container

PASSWORD = "eleven red herrings"


@pytest.fixture
async def site(container: Container, api: httpx2.AsyncClient, provider: Provider) -> App:
    assert (await put(api, provider)).status_code == 200
    return await container.apps.ensure_first()


@pytest.fixture
async def mallory(app: FastAPI, container: Container, site: App) -> AsyncIterator[httpx2.AsyncClient]:
    """An admin of one App, who invites whom they like."""
    async with client_of(app) as client:
        yield await members.sign_in(client, container, await member_of(container, {site.id: Role.ADMIN}))


async def invite(client: httpx2.AsyncClient, email: str, role: str = "viewer", **query: str) -> str:
    made = await client.post("/api/v1/invitations", params=query, json={"email": email, "role": role})
    assert made.status_code == 201, made.text
    return str(made.json()["link"].partition("#")[2])


async def accept(client: httpx2.AsyncClient, token: str) -> None:
    body = {"token": token, "name": "Ben", "password": PASSWORD}
    answer = await client.post("/api/v1/invitations/accept", json=body)
    assert answer.status_code == 201, answer.text


async def test_an_account_that_somebody_made_under_anothers_address_waits_for_nobody(
    app: FastAPI, mallory: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
) -> None:
    """Whoever invites an address can open the link themselves, and know the password of whose address it is."""
    token = await invite(mallory, "ben@example.com")
    async with client_of(app) as prepared:
        await accept(prepared, token)
        await refused(browser, await sign_in(browser, provider), "Only a person has named")
        back = provider.authorize((await prepared.post("/api/v1/me/oidc/work")).json()["url"])
        assert (await come_back(prepared, back)).headers["location"] == "/settings/profile"
        assert (await prepared.get("/api/v1/me")).json()["providers"] == ["work"]
    await sign_in(browser, provider)
    assert (await browser.get("/api/v1/me")).json()["has_password"] is True


async def test_the_first_member_connects_the_provider_too(
    browser: httpx2.AsyncClient, container: Container, site: App, provider: Provider
) -> None:
    token = await container.access.new_setup_token()
    body = {"token": token, "name": "Ben", "email": "ben@example.com", "password": PASSWORD}
    assert (await browser.post("/api/v1/setup", json=body)).status_code == 201
    await browser.delete("/api/v1/session")
    await refused(browser, await sign_in(browser, provider), "Only a person has named")


async def test_whoever_is_invited_joins_by_the_provider_that_has_verified_their_address(
    api: httpx2.AsyncClient,
    mallory: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    container: Container,
    site: App,
    provider: Provider,
) -> None:
    other = (await container.apps.create("Other")).app
    here, there = (
        await invite(mallory, "BEN@example.com", "editor"),
        await invite(api, "ben@example.com", "admin", app=other.public_id),
    )
    await sign_in(browser, provider)
    session = (await browser.get("/api/v1/session")).json()
    assert (session["member"]["has_password"], session["member"]["providers"]) == (False, ["work"])
    assert {one["id"]: one["role"] for one in session["apps"]} == {
        site.public_id: "editor", other.public_id: "admin",
    }  # fmt: skip
    for token in (here, there):
        problem(await browser.post("/api/v1/invitations/look", json={"token": token}), 403, "invitation_invalid")
    entries = await container.store.read(lambda tx: tx.audit.page(app_id=None, action="invitation.accepted", limit=9))
    assert {entry.subject.name for entry in entries} == {"Ben"}
    await browser.delete("/api/v1/session")
    await sign_in(browser, provider)
    assert (await browser.get("/api/v1/me")).json()["id"] == session["member"]["id"]


async def test_an_invitation_goes_before_what_newcomers_become_and_ends_with_its_time(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, site: App, provider: Provider
) -> None:
    assert (await put(api, provider, create="viewer", app=site.public_id)).status_code == 200
    await invite(api, "ben@example.com", "editor", app=site.public_id)
    await sign_in(browser, provider)
    assert [one["role"] for one in (await browser.get("/api/v1/session")).json()["apps"]] == ["editor"]
    await invite(api, "late@example.com", "owner", app=site.public_id)
    container.clock.at = container.clock.at.replace(year=container.clock.at.year + 1)  # type: ignore[attr-defined]
    provider.person = {"sub": "2", "email": "late@example.com", "email_verified": True}
    browser.cookies.clear()
    await sign_in(browser, provider)
    assert [one["role"] for one in (await browser.get("/api/v1/session")).json()["apps"]] == ["viewer"]


@pytest.mark.parametrize("change", [{"email_verified": False}, {"email": "ben@elsewhere.example"}])
async def test_an_invitation_waits_for_a_verified_address_of_a_listed_domain(
    mallory: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider, change: dict[str, object]
) -> None:
    token = await invite(mallory, str(change.get("email", "ben@example.com")))
    provider.person |= change
    await sign_in(browser, provider)
    problem(await browser.get("/api/v1/me"), 401, "unauthorized")
    assert (await browser.post("/api/v1/invitations/look", json={"token": token})).status_code == 200


@pytest.mark.parametrize("email", ["\u212aate@example.com", "kate@example\u3002com", "kate@example.com\u200b"])
async def test_letters_that_only_look_alike_are_others(
    browser: httpx2.AsyncClient, container: Container, site: App, provider: Provider, email: str
) -> None:
    """The Kelvin sign is a k to whoever folds case: an address that somebody else can have."""
    await member_of(container, {site.id: Role.OWNER}, email="kate@example.com")
    provider.person = {"sub": "kelvin", "email": email, "email_verified": True}
    await sign_in(browser, provider)
    problem(await browser.get("/api/v1/me"), 401, "unauthorized")
    provider.person = {"sub": "kate", "email": "Kate@EXAMPLE.com", "email_verified": True}
    await sign_in(browser, provider)
    assert (await browser.get("/api/v1/me")).json()["email"] == "kate@example.com"


async def test_a_provider_that_was_disconnected_finds_nobody_by_the_address(
    app: FastAPI, browser: httpx2.AsyncClient, container: Container, site: App, provider: Provider
) -> None:
    ben = await member_of(container, {site.id: Role.ADMIN}, password=PASSWORD, email="ben@example.com")
    await sign_in(browser, provider)
    assert (await browser.get("/api/v1/me")).json()["id"] == ben.public_id
    assert (await browser.delete("/api/v1/me/oidc/work")).status_code == 204
    async with client_of(app) as thief:
        await refused(thief, await sign_in(thief, provider), "Only a person has named")
    assert (await browser.get("/api/v1/me")).json()["providers"] == []
