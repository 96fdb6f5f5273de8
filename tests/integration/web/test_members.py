"""Members: invited, changed, taken out; their passwords, sessions, and the brake on signing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem

from support.members import member_of, sign_in
from tidings.domain.app import App
from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.wiring import Container

PASSWORD = "eleven red herrings"
OTHER = "twelve green bottles"


@pytest.fixture
async def site(container: Container) -> App:
    return await container.apps.ensure_first()


@pytest.fixture
async def owner(app: FastAPI, container: Container, site: App) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of an owner; there is no super admin."""
    async with client_of(app) as client:
        member = await member_of(container, {site.id: Role.OWNER}, password=PASSWORD, email="owner@example.com")
        yield await sign_in(client, container, member)


def forward(container: Container, **by: float) -> None:
    container.clock.at += timedelta(**by)  # type: ignore[attr-defined]


async def attempt(client: httpx2.AsyncClient, email: str, password: str) -> httpx2.Response:
    return await client.post("/api/v1/session", json={"email": email, "password": password})


class TestAnInvitation:
    async def invite(self, owner: httpx2.AsyncClient, email: str = "Ben@example.com", role: str = "editor") -> str:
        answer = await owner.post("/api/v1/invitations", json={"email": email, "role": role})
        assert answer.status_code == 201, answer.text
        base, _, token = answer.json()["link"].partition("#")
        assert base == "https://push.example.com/invite"
        assert token not in (await owner.get("/api/v1/invitations")).text
        return str(token)

    async def test_makes_a_member_with_its_role(
        self, browser: httpx2.AsyncClient, owner: httpx2.AsyncClient, site: App
    ) -> None:
        token = await self.invite(owner)
        (listed,) = (await owner.get("/api/v1/invitations")).json()["data"]
        assert (listed["email"], listed["role"]) == ("ben@example.com", "editor")
        seen = (await browser.post("/api/v1/invitations/look", json={"token": token})).json()
        assert seen | {"expires_at": ""} == {
            "app": "My site", "role": "editor", "email": "ben@example.com", "known": False, "expires_at": "",
        }  # fmt: skip
        body = {"token": token, "name": "Ben", "password": OTHER}
        answer = await browser.post("/api/v1/invitations/accept", json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["apps"] == [{"id": site.public_id, "name": "My site", "role": "editor"}]
        assert (await browser.get("/api/v1/users")).status_code == 200
        problem(await browser.get("/api/v1/keys"), 403, "forbidden")
        problem(await browser.post("/api/v1/invitations/look", json={"token": token}), 403, "invitation_invalid")
        problem(await browser.post("/api/v1/invitations/accept", json=body), 403, "invitation_invalid")

    async def test_for_somebody_known_is_taken_up_after_signing_in(
        self, browser: httpx2.AsyncClient, owner: httpx2.AsyncClient, container: Container, site: App
    ) -> None:
        ben = await member_of(container, email="ben@example.com")
        token = await self.invite(owner)
        body = {"token": token, "name": "Eve", "password": OTHER}
        problem(await browser.post("/api/v1/invitations/accept", json=body), 409, "email_taken")
        await sign_in(browser, container, ben)
        answer = await browser.post("/api/v1/invitations/accept", json={"token": token})
        assert answer.json()["apps"][0]["role"] == "editor"

    async def test_ends_when_it_is_withdrawn_made_anew_or_old(
        self, browser: httpx2.AsyncClient, owner: httpx2.AsyncClient, container: Container
    ) -> None:
        first = await self.invite(owner)
        second = await self.invite(owner)
        problem(await browser.post("/api/v1/invitations/look", json={"token": first}), 403, "invitation_invalid")
        (listed,) = (await owner.get("/api/v1/invitations")).json()["data"]
        assert (await owner.delete(f"/api/v1/invitations/{listed['id']}")).status_code == 204
        problem(await browser.post("/api/v1/invitations/look", json={"token": second}), 403, "invitation_invalid")
        third = await self.invite(owner)
        forward(container, days=7)
        problem(await browser.post("/api/v1/invitations/look", json={"token": third}), 403, "invitation_invalid")

    async def test_as_owner_is_for_owners_to_make(
        self, browser: httpx2.AsyncClient, container: Container, site: App
    ) -> None:
        await sign_in(browser, container, await member_of(container, {site.id: Role.ADMIN}))
        body = {"email": "eve@example.com", "role": "owner"}
        assert (
            "owner.manage" in problem(await browser.post("/api/v1/invitations", json=body), 403, "forbidden")["detail"]
        )

    async def test_of_somebody_who_is_there_already_is_refused(self, owner: httpx2.AsyncClient) -> None:
        body = {"email": "OWNER@example.com", "role": "viewer"}
        problem(await owner.post("/api/v1/invitations", json=body), 409, "email_taken")


class TestRoles:
    async def change(self, client: httpx2.AsyncClient, member: Member, **body: object) -> httpx2.Response:
        return await client.patch(f"/api/v1/members/{member.public_id}", json=body)

    async def test_are_changed_and_taken(self, owner: httpx2.AsyncClient, container: Container, site: App) -> None:
        ben = await member_of(container, {site.id: Role.VIEWER})
        assert (await self.change(owner, ben, role="admin")).json()["role"] == "admin"
        listed = (await owner.get("/api/v1/members")).json()["data"]
        assert [(one["id"], one["role"]) for one in listed][1:] == [(ben.public_id, "admin")]
        assert (await owner.delete(f"/api/v1/members/{ben.public_id}")).status_code == 204
        problem(await owner.delete(f"/api/v1/members/{ben.public_id}"), 404, "not_found")
        problem(await self.change(owner, ben), 422, "invalid_request")

    async def test_an_admin_makes_no_owner_and_touches_none(
        self, browser: httpx2.AsyncClient, owner: httpx2.AsyncClient, container: Container, site: App
    ) -> None:
        ben = await member_of(container, {site.id: Role.ADMIN})
        boss = (await owner.get("/api/v1/me")).json()["id"]
        await sign_in(browser, container, ben)
        problem(await self.change(browser, ben, role="owner"), 403, "forbidden")
        problem(await browser.patch(f"/api/v1/members/{boss}", json={"role": "viewer"}), 403, "forbidden")
        problem(await browser.delete(f"/api/v1/members/{boss}"), 403, "forbidden")
        problem(await self.change(browser, ben, super_admin=True), 403, "forbidden")
        problem(await self.change(browser, ben, disabled=True), 403, "forbidden")
        for refused in ({"super_admin": False}, {"disabled": False}):
            problem(await self.change(browser, ben, role="editor", **refused), 403, "forbidden")
            assert (await container.accounts.members.of_app(site.id))[-1].role is Role.ADMIN
        assert (await self.change(browser, ben, role="editor")).json()["role"] == "editor"
        problem(await self.change(browser, ben, role="admin"), 403, "forbidden")

    async def test_of_several_owners_that_leave_at_once_one_stays(
        self, app: FastAPI, container: Container, site: App
    ) -> None:
        owners = [await member_of(container, {site.id: Role.OWNER}) for _ in range(4)]

        async def leave(one: Member) -> str:
            async with client_of(app) as client:
                await sign_in(client, container, one)
                answer = await client.delete(f"/api/v1/members/{one.public_id}")
                return str(answer.json()["code"]) if answer.content else "left"

        assert sorted(await asyncio.gather(*map(leave, owners))) == ["last_owner", "left", "left", "left"]

    async def test_the_last_owner_may_go_while_there_is_a_super_admin(
        self, owner: httpx2.AsyncClient, container: Container
    ) -> None:
        me = (await owner.get("/api/v1/me")).json()["id"]
        problem(await owner.patch(f"/api/v1/members/{me}", json={"role": "admin"}), 409, "last_owner")
        await member_of(container, super_admin=True)
        assert (await owner.patch(f"/api/v1/members/{me}", json={"role": "admin"})).status_code == 200

    async def test_the_last_super_admin_stays(self, app: FastAPI, container: Container) -> None:
        people = [await member_of(container, super_admin=True) for _ in range(3)]

        async def step_down(one: Member, body: dict[str, bool]) -> str:
            async with client_of(app) as client:
                await sign_in(client, container, one)
                return str((await client.patch(f"/api/v1/members/{one.public_id}", json=body)).json().get("code"))

        bodies = ({"super_admin": False}, {"disabled": True}, {"super_admin": False})
        ended = await asyncio.gather(*(step_down(*one) for one in zip(people, bodies, strict=True)))
        assert sorted(ended) == ["None", "None", "last_super_admin"]

    async def test_a_disabled_member_is_out_at_once(
        self, app: FastAPI, browser: httpx2.AsyncClient, container: Container, site: App, api: httpx2.AsyncClient
    ) -> None:
        ben = await member_of(container, {site.id: Role.EDITOR}, password=PASSWORD, email="ben@example.com")
        await sign_in(browser, container, ben)
        assert (await self.change(api, ben, disabled=True)).json()["disabled_at"] is not None
        problem(await browser.get("/api/v1/users"), 401, "unauthorized")
        async with client_of(app) as other:
            problem(await attempt(other, "ben@example.com", PASSWORD), 401, "sign_in_refused")
        assert (await self.change(api, ben, disabled=False)).json()["disabled_at"] is None
        assert (await attempt(browser, "ben@example.com", PASSWORD)).status_code == 201


class TestAPassword:
    async def test_is_changed_with_the_one_in_force_and_ends_other_sessions(
        self, app: FastAPI, owner: httpx2.AsyncClient
    ) -> None:
        async with client_of(app) as other:
            assert (await attempt(other, "owner@example.com", PASSWORD)).status_code == 201
            body = {"current": "wrong password", "new": OTHER}
            problem(await owner.post("/api/v1/me/password", json=body), 403, "confirmation_wrong")
            weak = {"current": PASSWORD, "new": "password123"}
            problem(await owner.post("/api/v1/me/password", json=weak), 422, "password_too_weak")
            changed = await owner.post("/api/v1/me/password", json={"current": PASSWORD, "new": OTHER})
            assert changed.status_code == 204
            assert (await owner.get("/api/v1/me")).status_code == 200
            problem(await other.get("/api/v1/me"), 401, "unauthorized")
            problem(await attempt(other, "owner@example.com", PASSWORD), 401, "sign_in_refused")
            assert (await attempt(other, "owner@example.com", OTHER)).status_code == 201

    async def test_is_reset_by_a_link_once_and_ends_every_session(
        self, app: FastAPI, api: httpx2.AsyncClient, owner: httpx2.AsyncClient, browser: httpx2.AsyncClient
    ) -> None:
        me = (await owner.get("/api/v1/me")).json()["id"]
        made = await api.post(f"/api/v1/members/{me}/reset-link")
        assert made.status_code == 201
        base, _, token = made.json()["link"].partition("#")
        assert base == "https://push.example.com/reset"
        problem(
            await browser.post("/api/v1/password-reset", json={"token": token, "new": "short"}),
            422,
            "password_too_weak",
        )
        body = {"token": token, "new": OTHER}
        assert (await browser.post("/api/v1/password-reset", json=body)).status_code == 204
        problem(await browser.post("/api/v1/password-reset", json=body), 403, "reset_link_invalid")
        problem(await owner.get("/api/v1/me"), 401, "unauthorized")
        assert (await attempt(browser, "owner@example.com", OTHER)).status_code == 201

    async def test_reset_link_takes_power_over_all_that_its_member_may(
        self, browser: httpx2.AsyncClient, container: Container, site: App, api: httpx2.AsyncClient
    ) -> None:
        second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
        other = await container.apps.resolve(second)
        elsewhere = await member_of(container, {site.id: Role.VIEWER, other.id: Role.OWNER})
        above = await member_of(container, {site.id: Role.OWNER})
        root = await member_of(container, {site.id: Role.VIEWER}, super_admin=True)
        below = await member_of(container, {site.id: Role.ADMIN})
        await sign_in(browser, container, await member_of(container, {site.id: Role.ADMIN}))
        for one in (elsewhere, above, root):
            problem(await browser.post(f"/api/v1/members/{one.public_id}/reset-link"), 403, "forbidden")
        assert (await browser.post(f"/api/v1/members/{below.public_id}/reset-link")).status_code == 201

    @pytest.mark.parametrize("way", ["role", "invitation", "super_admin"])
    async def test_reset_link_ends_where_its_member_may_do_more_than_before(
        self,
        app: FastAPI,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        owner: httpx2.AsyncClient,
        container: Container,
        site: App,
        way: str,
    ) -> None:
        ben = await member_of(container, {site.id: Role.VIEWER})
        await sign_in(browser, container, await member_of(container, {site.id: Role.ADMIN}))
        made = await browser.post(f"/api/v1/members/{ben.public_id}/reset-link")
        token = made.json()["link"].partition("#")[2]
        if way == "role":
            answer = await owner.patch(f"/api/v1/members/{ben.public_id}", json={"role": "owner"})
        elif way == "super_admin":
            answer = await api.patch(f"/api/v1/members/{ben.public_id}", json={"super_admin": True})
        else:
            second = (await api.post("/api/v1/apps", json={"name": "Second"})).json()["id"]
            body = {"email": ben.email, "role": "owner"}
            invited = await api.post("/api/v1/invitations", params={"app": second}, json=body)
            async with client_of(app) as bens:
                await sign_in(bens, container, ben)
                accepted = {"token": invited.json()["link"].partition("#")[2]}
                answer = await bens.post("/api/v1/invitations/accept", json=accepted)
        assert answer.is_success, answer.text
        body = {"token": token, "new": OTHER}
        async with client_of(app) as stranger:
            problem(await stranger.post("/api/v1/password-reset", json=body), 403, "reset_link_invalid")

    async def test_with_old_costs_is_kept_anew(
        self, browser: httpx2.AsyncClient, container: Container, owner: httpx2.AsyncClient
    ) -> None:
        old = Argon2id(salt=b"0" * 16, length=32, iterations=1, lanes=1, memory_cost=64)
        member = await container.accounts.members.by_email("owner@example.com")
        phc = old.derive_phc_encoded(PASSWORD.encode())
        await container.store.write(lambda tx: tx.members.set_password(member.id, phc))
        assert (await attempt(browser, "owner@example.com", PASSWORD)).status_code == 201
        kept = (await container.accounts.members.by_email("owner@example.com")).password
        assert kept is not None
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


class TestOnesOwnAccount:
    async def test_name_and_address_are_changed(self, owner: httpx2.AsyncClient, container: Container) -> None:
        answer = await owner.patch("/api/v1/me", json={"name": "Olga"})
        assert (answer.json()["name"], answer.json()["email"]) == ("Olga", "owner@example.com")
        await member_of(container, email="taken@example.com")
        problem(await owner.patch("/api/v1/me", json={"email": "TAKEN@example.com"}), 409, "email_taken")
        assert (await owner.patch("/api/v1/me", json={"email": "olga@example.com"})).status_code == 200
        assert (await owner.get("/api/v1/me")).json()["email"] == "olga@example.com"
        problem(await owner.patch("/api/v1/me", json={"email": "no address"}), 422, "invalid_request")

    async def test_sessions_are_listed_and_ended(
        self, app: FastAPI, owner: httpx2.AsyncClient, container: Container
    ) -> None:
        async with client_of(app) as second, client_of(app) as third:
            agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
            second.headers.update(agent)
            for one in (second, third):
                await attempt(one, "owner@example.com", PASSWORD)
            listed = (await owner.get("/api/v1/me/sessions")).json()["data"]
            assert sum(one["current"] for one in listed) == 1
            assert {one["device"] for one in listed} == {"Firefox on Linux", "Unknown"}
            (firefox,) = [one for one in listed if one["device"] != "Unknown"]
            assert (await owner.delete(f"/api/v1/me/sessions/{firefox['id']}")).status_code == 204
            problem(await owner.delete(f"/api/v1/me/sessions/{firefox['id']}"), 404, "not_found")
            problem(await second.get("/api/v1/me"), 401, "unauthorized")
            assert (await third.get("/api/v1/me")).status_code == 200
            assert (await owner.delete("/api/v1/me/sessions")).status_code == 204
            problem(await third.get("/api/v1/me"), 401, "unauthorized")
            assert (await owner.get("/api/v1/me")).status_code == 200

    async def test_sensitive_changes_ask_again_after_a_quarter_of_an_hour(
        self, owner: httpx2.AsyncClient, container: Container
    ) -> None:
        forward(container, minutes=15)
        body = {"email": "ben@example.com", "role": "viewer"}
        problem(await owner.post("/api/v1/invitations", json=body), 403, "reauthentication_required")
        problem(await owner.post("/api/v1/session/confirm", json={"password": "wrong one"}), 403, "confirmation_wrong")
        problem(await owner.post("/api/v1/invitations", json=body), 403, "reauthentication_required")
        assert (await owner.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
        assert (await owner.post("/api/v1/invitations", json=body)).status_code == 201

    async def test_who_has_nothing_to_confirm_with_sets_a_password_first(
        self, browser: httpx2.AsyncClient, container: Container
    ) -> None:
        demo = await container.accounts.sign_in.ensure_demo_owner(name="Demo", email="demo@example.com")
        await sign_in(browser, container, demo)
        forward(container, hours=1)
        assert (await browser.post("/api/v1/me/password", json={"current": "", "new": OTHER})).status_code == 204
        assert (await attempt(browser, "demo@example.com", OTHER)).status_code == 201


class TestTheBrake:
    @pytest.fixture
    async def anna(self, container: Container) -> Member:
        return await member_of(container, super_admin=True, password=PASSWORD, email="anna@example.com")

    async def test_waits_longer_after_each_failure_and_ends_by_itself(
        self, browser: httpx2.AsyncClient, container: Container, anna: Member
    ) -> None:
        for _ in range(5):
            problem(await attempt(browser, "anna@example.com", "wrong password"), 401, "sign_in_refused")
        for seconds in (30, 60, 120):
            answer = await attempt(browser, "anna@example.com", PASSWORD)
            problem(answer, 429, "locked_out")
            assert answer.headers["retry-after"] == str(seconds)
            forward(container, seconds=seconds)
            problem(await attempt(browser, "anna@example.com", "wrong password"), 401, "sign_in_refused")
        forward(container, minutes=5)
        assert (await attempt(browser, "anna@example.com", PASSWORD)).status_code == 201
        problem(await attempt(browser, "anna@example.com", "wrong password"), 401, "sign_in_refused")

    async def test_counts_attempts_on_nobody_just_the_same(
        self, browser: httpx2.AsyncClient, container: Container, anna: Member
    ) -> None:
        codes = [(await attempt(browser, "nobody@example.com", "wrong password")).json()["code"] for _ in range(7)]
        assert codes == ["sign_in_refused"] * 5 + ["locked_out"] * 2

    async def test_lets_no_burst_of_attempts_through(self, app: FastAPI, container: Container, anna: Member) -> None:
        async def one() -> str:
            async with client_of(app) as client:
                return str((await attempt(client, "anna@example.com", "wrong password")).json()["code"])

        codes = await asyncio.gather(*(one() for _ in range(30)))
        assert codes.count("sign_in_refused") == 5

    async def test_of_strangers_shuts_nobody_out_of_a_place_they_are_signed_in_from(
        self, app: FastAPI, container: Container, anna: Member
    ) -> None:
        def at(address: str) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app, client=(address, 4711))  # type: ignore[arg-type]
            return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com")

        async with at("203.0.113.7") as home, at("203.0.113.7") as again, at("198.51.100.9") as hotel:
            assert (await attempt(home, "anna@example.com", PASSWORD)).status_code == 201
            for n in range(25):
                async with at(f"192.0.2.{n}") as stranger:
                    await attempt(stranger, "anna@example.com", "wrong password")
            answer = await attempt(hotel, "anna@example.com", PASSWORD)
            problem(answer, 429, "locked_out")
            assert int(answer.headers["retry-after"]) <= 120
            assert (await attempt(again, "anna@example.com", PASSWORD)).status_code == 201
            forward(container, minutes=2)
            assert (await attempt(hotel, "anna@example.com", PASSWORD)).status_code == 201

    async def test_of_an_address_covers_all_accounts_it_tries(self, app: FastAPI, browser: httpx2.AsyncClient) -> None:
        codes = [
            (await attempt(browser, f"n{number}@example.com", "wrong password")).json()["code"] for number in range(35)
        ]
        assert codes == ["sign_in_refused"] * 30 + ["locked_out"] * 5
