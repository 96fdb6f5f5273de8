"""What ends with somebody's rights: the links they handed out; and what is lost with a phone, and given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem, push_subscription

from support.members import member_of, sign_in
from tidings.domain.app import App
from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.web.api import progress
from tidings.wiring import Container

PASSWORD = "eleven red herrings"


@pytest.fixture
async def site(container: Container) -> App:
    return await container.apps.ensure_first()


@pytest.fixture
async def ben(container: Container, site: App) -> Member:
    return await member_of(container, {site.id: Role.ADMIN}, password=PASSWORD, email="ben@example.com")


@pytest.fixture
async def his(app: FastAPI, container: Container, ben: Member) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app) as client:
        yield await sign_in(client, container, ben)


async def invite(client: httpx2.AsyncClient, email: str, role: str = "admin") -> str:
    answer = await client.post("/api/v1/invitations", json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["link"].partition("#")[2])


async def look(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await client.post("/api/v1/invitations/look", json={"token": token})


def forward(container: Container, by: timedelta) -> None:
    container.clock.at += by  # type: ignore[attr-defined]


class TestInvitations:
    @pytest.mark.parametrize(
        ("method", "query", "body"),
        [("PATCH", "app", {"role": "editor"}), ("PATCH", "", {"disabled": True}), ("DELETE", "app", None)],
        ids=["a lesser role", "shut out", "taken out"],
    )
    async def test_end_with_the_right_to_make_them(
        self,
        api: httpx2.AsyncClient,
        his: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        ben: Member,
        site: App,
        method: str,
        query: str,
        body: dict[str, object] | None,
    ) -> None:
        token = await invite(his, "back-door@example.com")
        kept = await invite(api, "carla@example.com")
        params = {"app": site.public_id} if query else {}
        answer = await api.request(method, f"/api/v1/members/{ben.public_id}", params=params, json=body)
        assert answer.status_code in (200, 204), answer.text
        problem(await look(browser, token), 403, "invitation_invalid")
        taken = {"token": token, "name": "Ben again", "password": "twelve green bottles"}
        problem(await browser.post("/api/v1/invitations/accept", json=taken), 403, "invitation_invalid")
        assert (await look(browser, kept)).status_code == 200
        (listed,) = (await api.get("/api/v1/invitations")).json()["data"]
        assert listed["email"] == "carla@example.com"
        entries = (await api.get("/api/v1/audit", params={"action": "invitation.withdrawn"})).json()["data"]
        assert [one["detail"]["because"] for one in entries] == ["inviter_lost_role"]

    async def test_of_owners_end_when_an_owner_becomes_an_admin(
        self, api: httpx2.AsyncClient, his: httpx2.AsyncClient, browser: httpx2.AsyncClient, ben: Member, site: App
    ) -> None:
        at = {"app": site.public_id}
        await api.patch(f"/api/v1/members/{ben.public_id}", params=at, json={"role": "owner"})
        owners, editors = await invite(his, "a@example.com", "owner"), await invite(his, "b@example.com", "editor")
        await api.post("/api/v1/invitations", json={"email": "another-owner@example.com", "role": "owner"})
        carla = await member_of_app(api, browser, "another-owner@example.com")
        assert carla
        await api.patch(f"/api/v1/members/{ben.public_id}", params=at, json={"role": "admin"})
        problem(await look(browser, owners), 403, "invitation_invalid")
        assert (await look(browser, editors)).status_code == 200

    async def test_of_a_super_admin_end_when_that_is_taken(
        self, app: FastAPI, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        root = await member_of(container, super_admin=True)
        await member_of(container, super_admin=True)
        async with client_of(app) as client:
            token = await invite(await sign_in(client, container, root), "x@example.com", "owner")
        assert (await api.patch(f"/api/v1/members/{root.public_id}", json={"super_admin": False})).status_code == 200
        problem(await look(browser, token), 403, "invitation_invalid")

    async def test_of_a_key_end_when_it_is_revoked(
        self, app: FastAPI, api: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        made = (await api.post("/api/v1/keys", json={"name": "HR", "scopes": ["members:manage"]})).json()
        async with client_of(app, Authorization=f"Bearer {made['key']}") as program:
            token = await invite(program, "x@example.com")
        assert (await look(browser, token)).status_code == 200
        assert (await api.delete(f"/api/v1/keys/{made['id']}")).status_code == 204
        problem(await look(browser, token), 403, "invitation_invalid")


async def member_of_app(api: httpx2.AsyncClient, browser: httpx2.AsyncClient, email: str) -> str:
    """Invite somebody as an owner and let them in; gives their id."""
    token = await invite(api, email, "owner")
    body = {"token": token, "name": "Carla", "password": PASSWORD}
    answer = await browser.post("/api/v1/invitations/accept", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member"]["id"])


async def test_reset_links_end_with_the_power_of_who_made_them(
    api: httpx2.AsyncClient,
    his: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    container: Container,
    ben: Member,
    site: App,
) -> None:
    carla = await member_of(container, {site.id: Role.EDITOR}, password=PASSWORD)
    made = await his.post(f"/api/v1/members/{carla.public_id}/reset-link")
    token = made.json()["link"].partition("#")[2]
    await api.delete(f"/api/v1/members/{ben.public_id}", params={"app": site.public_id})
    answer = await browser.post("/api/v1/password-reset", json={"token": token, "new": "twelve green bottles"})
    problem(answer, 403, "reset_link_invalid")


class TestALostSecondFactor:
    @pytest.fixture
    async def carla(self, container: Container, site: App) -> Member:
        """An editor whose password is half of what they need."""
        carla = await member_of(container, {site.id: Role.EDITOR}, password=PASSWORD, email="carla@example.com")
        now = container.clock.now()

        def lose(tx: object) -> None:
            tx.factors.set_totp(carla, pyotp.random_base32(), now=now)  # type: ignore[attr-defined]
            tx.factors.set_recovery_codes(carla.id, [bytes(32)])  # type: ignore[attr-defined]
            tx.factors.add_passkey(  # type: ignore[attr-defined]
                carla.id, public_id="pky_1", name="Phone", credential_id=b"1", public_key=b"2", count=0, now=now
            )

        await container.store.write(lose)
        return carla

    async def test_is_reset_by_who_rules_their_roles_and_their_sessions_end(
        self,
        app: FastAPI,
        his: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        container: Container,
        carla: Member,
        site: App,
    ) -> None:
        async with client_of(app) as hers:
            await sign_in(hers, container, carla)
            answer = await his.delete(f"/api/v1/members/{carla.public_id}/second-factor")
            assert (answer.status_code, answer.json()["two_factor"]) == (200, False)
            problem(await hers.get("/api/v1/me"), 401, "unauthorized")
        body = {"email": "carla@example.com", "password": PASSWORD}
        entered = (await browser.post("/api/v1/session", json=body)).json()
        assert (entered["signed_in"], entered["needs"]) == (True, None)
        assert entered["member"]["two_factor"] == {"totp": False, "passkeys": 0, "recovery_codes_left": 0}
        (entry,) = await container.store.read(
            lambda tx: tx.audit.page(app_id=None, action="second_factor.reset", limit=9)
        )
        assert (entry.actor.name, entry.subject.id) != (carla.name, None)
        assert dict(entry.detail) == {"totp": True, "passkeys": 1, "sessions": 1}

    async def test_of_who_may_do_more_is_for_a_super_admin(
        self,
        api: httpx2.AsyncClient,
        app: FastAPI,
        his: httpx2.AsyncClient,
        container: Container,
        carla: Member,
        site: App,
    ) -> None:
        path = f"/api/v1/members/{carla.public_id}/second-factor"
        other = (await api.post("/api/v1/apps", json={"name": "Other"})).json()["id"]
        there = (await container.apps.resolve(other)).id
        await container.store.write(
            lambda tx: tx.members.set_role(carla.id, there, Role.VIEWER, now=container.clock.now())
        )
        problem(await his.delete(path), 403, "forbidden")
        async with client_of(app) as client:
            editor = await member_of(container, {site.id: Role.EDITOR})
            problem(await (await sign_in(client, container, editor)).delete(path), 403, "forbidden")
        problem(await his.delete("/api/v1/members/mem_nobody/second-factor"), 404, "not_found")
        assert (await api.delete(path)).status_code == 200

    async def test_is_reset_only_by_who_has_just_shown_who_they_are(
        self, his: httpx2.AsyncClient, container: Container, carla: Member
    ) -> None:
        container.clock.at = container.clock.at.replace(hour=23)  # type: ignore[attr-defined]
        answer = await his.delete(f"/api/v1/members/{carla.public_id}/second-factor")
        problem(answer, 403, "reauthentication_required")


class TestAStream:
    async def test_is_one_of_so_many_of_a_session_and_makes_room_when_it_ends(
        self,
        app: FastAPI,
        api: httpx2.AsyncClient,
        his: httpx2.AsyncClient,
        vapid_key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert vapid_key
        monkeypatch.setattr(progress, "MOST", 2)
        monkeypatch.setattr(progress, "EVERY", 0.02)
        await api.post("/push/subscribe", json={"subscription": push_subscription()})
        sent = (await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Never sent here"})).json()
        path = f"/api/v1/notifications/{sent['id']}"
        streams = [asyncio.create_task(his.get(f"{path}/progress")) for _ in range(2)]
        async with asyncio.timeout(60):
            while app.state.following.total() < 2:
                await asyncio.sleep(0.01)
            problem(await his.get(f"{path}/progress"), 429, "rate_limited")
            assert (await api.post(f"{path}/cancel")).status_code == 200
            assert [one.status_code for one in await asyncio.gather(*streams)] == [200, 200]
        assert (await his.get(f"{path}/progress")).status_code == 200
        assert app.state.following == {}

    async def test_that_nobody_looks_at_keeps_no_session(
        self,
        api: httpx2.AsyncClient,
        his: httpx2.AsyncClient,
        container: Container,
        vapid_key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The browser asks by itself, twice a second and after every break: that is no visit."""
        assert vapid_key
        asked = asyncio.Event()
        monkeypatch.setattr(progress, "ASK_AGAIN", 0.0)
        monkeypatch.setattr(progress, "EVERY", 0.02)
        still = progress.may_still

        async def noted(*args: object) -> bool:
            answer = await still(*args)  # type: ignore[arg-type]
            asked.set()
            return answer

        monkeypatch.setattr(progress, "may_still", noted)
        await api.post("/push/subscribe", json={"subscription": push_subscription()})
        body = {"to": {"all": True}, "title": "Never sent here", "ttl": 2_419_200}
        sent = (await api.post("/api/v1/notifications", json=body)).json()["id"]
        path = f"/api/v1/notifications/{sent}/progress"
        (before,) = (await his.get("/api/v1/me/sessions")).json()["data"]
        begun = container.clock.now()
        forward(container, timedelta(days=13))
        following = asyncio.create_task(his.get(path))
        async with asyncio.timeout(60):
            await asked.wait()
            assert not following.done()
            forward(container, timedelta(days=1))
            assert (await following).text.count("event: progress") == 1
        problem(await his.get(path), 401, "unauthorized")
        container.clock.at = begun  # type: ignore[attr-defined]
        (after,) = (await his.get("/api/v1/me/sessions")).json()["data"]
        assert after["seen_at"] == before["seen_at"]

    @pytest.mark.parametrize("end", ["sign out", "another role", "key revoked"])
    async def test_of_progress_ends_with_the_right_to_see_it(
        self,
        app: FastAPI,
        api: httpx2.AsyncClient,
        his: httpx2.AsyncClient,
        container: Container,
        vapid_key: str,
        ben: Member,
        site: App,
        monkeypatch: pytest.MonkeyPatch,
        end: str,
    ) -> None:
        assert vapid_key
        monkeypatch.setattr(progress, "ASK_AGAIN", 0.0)
        monkeypatch.setattr(progress, "EVERY", 0.02)
        made = (await api.post("/api/v1/keys", json={"name": "x", "scopes": ["read"]})).json()
        await api.post("/push/subscribe", json={"subscription": push_subscription()})
        sent = await api.post("/api/v1/notifications", json={"to": {"all": True}, "title": "Never sent here"})
        path = f"/api/v1/notifications/{sent.json()['id']}/progress"
        headers = {"Authorization": f"Bearer {made['key']}"} if end == "key revoked" else {}
        async with client_of(app, **headers) as program:
            follower = program if headers else his
            following = asyncio.create_task(follower.get(path))
            async with asyncio.timeout(60):
                while app.state.following.total() < 1:
                    await asyncio.sleep(0.01)
            if end == "sign out":
                assert (await his.delete("/api/v1/session")).status_code == 204
            elif end == "another role":
                gone = await api.delete(f"/api/v1/members/{ben.public_id}", params={"app": site.public_id})
                assert gone.status_code == 204
            else:
                assert (await api.delete(f"/api/v1/keys/{made['id']}")).status_code == 204
            async with asyncio.timeout(20):
                answer = await following
        assert answer.status_code == 200
        assert answer.text.count("event: progress") == 1
