"""Attacks on sessions, accounts and addresses, over a real connection as an attacker has it; each one fails."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import OPERATOR, problem

from support.members import member_of, sign_in
from tidings.cli.serving import served
from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.wiring import Container

PASSWORD = "eleven red herrings"
AT_ONCE = 8


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with served(app, listener, stopping=app.state.stopping):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class Browser(httpx2.AsyncClient):
    """A browser that keeps the cookie of an instance on https, and brings it along on this machine."""

    def __init__(self, url: str, **headers: str) -> None:
        super().__init__(base_url=url, trust_env=False, timeout=60, headers={"Host": "push.example.com", **headers})
        self.session = ""

    async def send(self, request: httpx2.Request, **more: Any) -> httpx2.Response:
        if self.session:
            request.headers["Cookie"] = f"__Host-tidings={self.session}"
        answer = await super().send(request, **more)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name == "__Host-tidings":
                self.session = value
        return answer


@pytest.fixture
async def browsers(url: str) -> AsyncIterator[list[Browser]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Browser(url)) for _ in range(AT_ONCE)]


@pytest.fixture
async def anna(container: Container) -> Member:
    site = await container.apps.ensure_first()
    return await member_of(container, {site.id: Role.OWNER}, password=PASSWORD, email="anna@example.com")


async def enter(browser: Browser) -> httpx2.Response:
    return await browser.post("/api/v1/session", json={"email": "anna@example.com", "password": PASSWORD})


async def show(browser: Browser, **body: str) -> httpx2.Response:
    return await browser.post("/api/v1/session/second-factor", json=body)


@pytest.fixture
async def factor(url: str, container: Container, anna: Member) -> tuple[str, list[str]]:
    """Anna's seed, the code of now unused, and her recovery codes."""
    async with Browser(url) as home:
        await sign_in(home, container, anna)
        secret = (await home.post("/api/v1/me/totp")).json()["secret"]
        made = await home.post("/api/v1/me/totp/confirm", json={"code": code_of(secret, container)})
        assert made.status_code == 200, made.text
    container.clock.at = container.clock.at.replace(minute=container.clock.at.minute ^ 1)  # type: ignore[attr-defined]
    if code_of(secret, container, -1) == code_of(secret, container):
        pytest.skip("two neighbouring codes are the same")
    return secret, made.json()["recovery_codes"]


def code_of(secret: str, container: Container, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(container.clock.now().timestamp()) // 30 + steps)


class TestManyAtOnce:
    """The same thing that is good once, brought by several at the same moment: one gets in."""

    async def test_a_code_of_the_app(
        self, browsers: list[Browser], container: Container, factor: tuple[str, list[str]]
    ) -> None:
        code = code_of(factor[0], container)
        four = browsers[:4]  # fewer than the brake counts
        await asyncio.gather(*(enter(one) for one in four))
        answers = await asyncio.gather(*(show(one, code=code) for one in four))
        assert Counter(one.status_code for one in answers) == {200: 1, 401: 3}
        let_in = [one for one, answer in zip(four, answers, strict=True) if answer.status_code == 200]
        for one in four:
            assert ((await one.get("/api/v1/me")).status_code == 200) == (one in let_in)

    async def test_a_recovery_code(self, browsers: list[Browser], factor: tuple[str, list[str]]) -> None:
        four = browsers[:4]
        await asyncio.gather(*(enter(one) for one in four))
        answers = await asyncio.gather(*(show(one, recovery_code=factor[1][0]) for one in four))
        assert Counter(one.status_code for one in answers) == {200: 1, 401: 3}

    async def test_guesses_outrun_no_brake(
        self, browsers: list[Browser], container: Container, factor: tuple[str, list[str]]
    ) -> None:
        for one in browsers:  # at once the brake would hold back some of them
            assert (await enter(one)).status_code == 201
        guesses = [f"{number:06}" for number in range(40)]
        assert code_of(factor[0], container) not in guesses
        answers = await asyncio.gather(
            *(show(browsers[number % AT_ONCE], code=code) for number, code in enumerate(guesses))
        )
        counted = Counter(one.json()["code"] for one in answers)
        assert counted == {"second_factor_wrong": 5, "locked_out": 35}
        problem(await show(browsers[0], code=code_of(factor[0], container)), 429, "locked_out")

    async def test_an_invitation(self, browsers: list[Browser], container: Container, url: str, anna: Member) -> None:
        async with Browser(url) as home:
            await sign_in(home, container, anna)
            invited = await home.post("/api/v1/invitations", json={"email": "ben@example.com", "role": "viewer"})
        token = invited.json()["link"].partition("#")[2]
        answers = await asyncio.gather(
            *(
                one.post("/api/v1/invitations/accept", json={"token": token, "name": f"B{n}", "password": PASSWORD})
                for n, one in enumerate(browsers)
            )
        )
        assert [one.status_code for one in answers].count(201) == 1
        assert {one.json()["code"] for one in answers if one.status_code != 201} <= {
            "invitation_invalid",
            "email_taken",
            "service_busy",
            "sign_in_busy",
        }
        listed = await container.store.read(lambda tx: tx.members.by_email("ben@example.com"))
        assert listed is not None

    async def test_the_set_up_link(self, browsers: list[Browser], container: Container) -> None:
        token = await container.access.new_setup_token()
        answers = await asyncio.gather(
            *(
                one.post(
                    "/api/v1/setup",
                    json={"token": token, "name": f"A{n}", "email": f"a{n}@example.com", "password": PASSWORD},
                )
                for n, one in enumerate(browsers)
            )
        )
        assert [one.status_code for one in answers].count(201) == 1
        inside = [one for one in browsers if (await one.get("/api/v1/me")).status_code == 200]
        assert len(inside) == 1

    async def test_owners_who_demote_each_other_leave_one(
        self, browsers: list[Browser], container: Container, anna: Member
    ) -> None:
        site = await container.apps.ensure_first()
        ben = await member_of(container, {site.id: Role.OWNER})
        pairs = [(browsers[0], anna, ben), (browsers[1], ben, anna)]
        for browser, me, _ in pairs:
            await sign_in(browser, container, me)
        await asyncio.gather(
            *(
                browser.patch(f"/api/v1/members/{other.public_id}", json={"role": "viewer"})
                for browser, _, other in pairs
            )
        )
        roles = [
            await container.store.read(lambda tx, one=one: tx.members.roles(one.id)[site.id])  # type: ignore[misc]
            for one in (anna, ben)
        ]
        assert roles.count(Role.OWNER) == 1


class TestSessions:
    async def test_one_that_somebody_else_chose_is_not_taken_over(self, url: str, anna: Member) -> None:
        async with Browser(url) as victim, Browser(url) as attacker:
            victim.session = attacker.session = "0" * 64
            assert (await enter(victim)).status_code == 201
            assert victim.session != attacker.session
            problem(await attacker.get("/api/v1/me"), 401, "unauthorized")

    async def test_half_of_one_that_somebody_else_holds_becomes_no_whole_one(
        self, url: str, container: Container, factor: tuple[str, list[str]]
    ) -> None:
        async with Browser(url) as victim, Browser(url) as attacker:
            await enter(victim)
            attacker.session = victim.session
            assert (await show(victim, code=code_of(factor[0], container))).status_code == 200
            problem(await attacker.get("/api/v1/me"), 401, "unauthorized")
            assert (await victim.get("/api/v1/me")).status_code == 200

    async def test_a_code_of_an_app_that_was_removed_opens_nothing(
        self, url: str, container: Container, factor: tuple[str, list[str]], anna: Member
    ) -> None:
        async with Browser(url) as waiting, Browser(url) as home:
            await enter(waiting)
            await sign_in(home, container, anna)
            assert (await home.delete("/api/v1/me/totp")).status_code == 204
            for shown in ({"code": code_of(factor[0], container)}, {"recovery_code": factor[1][0]}):
                assert (await show(waiting, **shown)).status_code == 401
            problem(await waiting.get("/api/v1/me"), 401, "unauthorized")
            problem(
                await home.post("/api/v1/session/confirm", json={"code": code_of(factor[0], container)}),
                403,
                "confirmation_wrong",
            )

    async def test_a_role_that_was_taken_is_gone_with_the_next_request(
        self, url: str, container: Container, anna: Member
    ) -> None:
        site = await container.apps.ensure_first()
        ben = await member_of(container, {site.id: Role.EDITOR})
        async with Browser(url) as his, Browser(url) as hers:
            await sign_in(his, container, ben)
            await sign_in(hers, container, anna)
            wish = {"to": {"all": True}, "title": "x"}
            assert (await his.post("/api/v1/notifications/fit", json=wish)).status_code == 200
            at = f"/api/v1/members/{ben.public_id}"
            assert (await hers.patch(at, json={"role": "viewer"})).status_code == 200
            problem(await his.post("/api/v1/notifications", json=wish), 403, "forbidden")
            assert (await hers.delete(at)).status_code == 204
            problem(await his.get("/api/v1/notifications"), 403, "forbidden")

    @pytest.mark.parametrize(
        "kind",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json-x", ""],
    )
    async def test_a_form_changes_nothing_even_where_the_browser_says_not_whence_it_comes(
        self, url: str, container: Container, anna: Member, kind: str
    ) -> None:
        async with Browser(url) as home:
            await sign_in(home, container, anna)
            body = json.dumps({"name": "x", "scopes": ["admin"]}).encode()
            answer = await home.post("/api/v1/keys", content=body, headers={"Content-Type": kind} if kind else {})
            problem(answer, 415, "content_type_unsupported")
            for headers in ({"Origin": "null"}, {"Origin": "https://push.example.com.evil.example"}, {"Origin": ""}):
                answer = await home.post("/api/v1/keys", json={"name": "x"}, headers=headers)
                problem(answer, 403, "origin_not_allowed")
            # What the browser itself says of the site goes before a name that somebody may have made fit.
            headers = {"Origin": "https://push.example.com", "Sec-Fetch-Site": "cross-site"}
            problem(await home.post("/api/v1/keys", json={"name": "x"}, headers=headers), 403, "origin_not_allowed")
            assert (await home.get("/api/v1/keys")).json()["data"] == []


async def raw(url: str, *lines: bytes) -> tuple[int, bytes]:
    """Send lines as they are; give the status and all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"\r\n".join((*lines, b"Connection: close", b"", b"")))
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return int(answer[9:12]), answer


PATHS = [
    b"//api/v1/apps", b"/api//v1/apps", b"/api/v1//apps", b"/api/v1/apps/", b"/api/v1/apps;x=1", b"/api/v1/apps%00",
    b"/%61pi/v1/apps", b"/api%2fv1%2fapps", b"/api/v1%2fapps", b"/API/V1/APPS", b"/api/v1/./apps", b"/api/v1/x/../apps",
    b"/push/../api/v1/apps", b"/push/%2e%2e/api/v1/apps", b"/push/..%2fapi/v1/apps", b"/push/vapid-key/..;/api/v1/apps",
    b"/livez/../api/v1/apps", b"/api/v1/apps%20", b"/api/v1/apps%3f", b"/api/v1/apps%23", b"/\\api/v1/apps",
    b"/assets/../api/v1/apps", b"/api/v1/apps?app=../x", b"http://push.example.com/api/v1/apps",
]  # fmt: skip
FILES = [
    b"/../../../../etc/passwd", b"/assets/..%2f..%2f..%2f..%2fetc%2fpasswd", b"/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    b"/assets/....//....//etc/passwd", b"//etc/passwd", b"/assets//etc/passwd", b"/assets/%252e%252e/etc/passwd",
    b"/push/images/..%2f..%2ftidings.key", b"/tidings.key", b"/assets/..%5c..%5ctidings.db", b"/docs/..%2ftidings.db",
]  # fmt: skip


class TestAddresses:
    @pytest.mark.parametrize("path", PATHS, ids=lambda path: path.decode())
    async def test_no_other_spelling_opens_the_api(self, url: str, container: Container, path: bytes) -> None:
        site = (await container.apps.ensure_first()).public_id.encode()
        for method in (b"GET", b"POST", b"HEAD"):
            status, answer = await raw(url, method + b" " + path + b" HTTP/1.1", b"Host: push.example.com")
            assert site not in answer
            # The dashboard's page is given for addresses that are none; it is the same for everybody.
            assert status in (400, 401, 404, 405) or b"content-type: text/html" in answer.lower(), (path, answer[:300])

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.decode())
    async def test_no_spelling_opens_a_file(self, url: str, path: bytes) -> None:
        status, answer = await raw(url, b"GET " + path + b" HTTP/1.1", b"Host: push.example.com")
        assert b"root:" not in answer
        assert b"SQLite format" not in answer
        assert status in (400, 404) or b"content-type: text/html" in answer.lower(), answer[:300]

    async def test_a_link_names_the_public_address_whatever_the_request_names(
        self, url: str, container: Container, anna: Member
    ) -> None:
        lies = {
            "Host": "127.0.0.1:8080", "X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example",
            "Forwarded": "host=evil.example", "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil",
            "X-Forwarded-Proto": "http", "X-HTTP-Method-Override": "DELETE",
        }  # fmt: skip
        async with Browser(url, Authorization=f"Bearer {OPERATOR}", **lies) as operator:
            invited = await operator.post("/api/v1/invitations", json={"email": "ben@example.com", "role": "viewer"})
            assert invited.json()["link"].startswith("https://push.example.com/invite#")
            link = await operator.post(f"/api/v1/members/{anna.public_id}/reset-link")
            assert link.json()["link"].startswith("https://push.example.com/reset#")
            assert "evil" not in (await operator.get("/push/sdk.js")).text
        for hosts in (
            [b"evil.example"],
            [b"push.example.com@evil.example"],
            [b"push.example.com", b"evil.example"],
            [],
        ):
            status, _ = await raw(url, b"GET /push/sdk.js HTTP/1.1", *(b"Host: " + host for host in hosts))
            assert status in (400, 421), hosts
        status, _ = await raw(url, b"GET http://evil.example/ HTTP/1.1", b"Host: push.example.com")
        assert status == 404

    async def test_no_answer_is_split_by_what_a_request_says(self, url: str) -> None:
        split = "%0d%0aSet-Cookie:%20__Host-tidings=x%0d%0a%0d%0a<script>"
        for path in (
            f"/api/v1/session/oidc/work/start?next=/{split}",
            f"/{split}",
            f"/v1/{split}/push/vapid-key",
            f"/push/images/{split}",
            f"/push/funnel/{split}",
            f"/docs/{split}",
        ):
            _, answer = await raw(url, f"GET {path} HTTP/1.1".encode(), b"Host: push.example.com")
            head = answer.partition(b"\r\n\r\n")[0].lower()
            assert b"set-cookie" not in head, path
            assert b"<script>" not in answer or b"text/html" not in head, path

    async def test_no_origin_is_said_back_to_who_may_not_read(self, url: str, vapid_key: str) -> None:
        evil = [
            "https://evil.example", "null", "https://push.example.com.evil.example", "https://evilpush.example.com",
            "http://push.example.com", "https://push.example.com:444", "http://localhost.evil.example",
        ]  # fmt: skip
        async with Browser(url) as page:
            for origin in evil:
                for path in ("/api/v1/session", "/api/v1/apps", "/push/vapid-key", "/push/feed", "/openapi.json", "/"):
                    for method in ("GET", "OPTIONS"):
                        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                        answer = await page.request(method, path, headers=asked)
                        assert answer.headers.get("access-control-allow-origin") in (None, "*"), (origin, path)
                        assert "access-control-allow-credentials" not in answer.headers
                        if path.startswith("/api"):
                            assert "access-control-allow-origin" not in answer.headers
