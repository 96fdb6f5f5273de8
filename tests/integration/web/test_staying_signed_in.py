"""401 says that nobody is signed in: whoever is, and gets something wrong, hears another status and stays."""

from __future__ import annotations

import httpx2
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem
from tests.integration.web.test_every_route import walks

from support.members import member_of, sign_in
from tidings.domain.errors import CATALOGUE, ErrorCode
from tidings.domain.permission import Permission, Role
from tidings.wiring import Container

PASSWORD = "eleven red herrings"
NONSENSE = {"id": "xxxx", "credential": {"id": "x"}}
BODIES: dict[str, list[dict[str, object]]] = {
    "confirm_session": [{"password": "wrong one"}, {"code": "000000"}, NONSENSE],
    "change_password": [{"current": "wrong one", "new": "another good sentence"}],
    "confirm_totp": [{"code": "000000"}],
    "add_passkey": [{**NONSENSE, "name": "x"}],
    "rename_passkey": [{"name": "x"}],
    "update_me": [{"email": "no address"}],
}
"""What is wrong in every way that a person gets it wrong; routes without one here get `{}`."""

DOORS = {
    ErrorCode.KEY_EXPIRED,
    ErrorCode.PASSKEY_REFUSED,
    ErrorCode.SECOND_FACTOR_WRONG,
    ErrorCode.SIGN_IN_REFUSED,
    ErrorCode.UNAUTHORIZED,
    ErrorCode.IDENTITY_REQUIRED,
}


def test_only_doors_have_faults_that_say_401() -> None:
    assert {code for code, entry in CATALOGUE.items() if entry.status == 401} == DOORS


async def test_whoever_is_signed_in_is_never_told_that_nobody_is(app: FastAPI, container: Container) -> None:
    site = await container.apps.ensure_first()
    member = await member_of(container, {site.id: Role.OWNER}, password=PASSWORD)
    # A session of its own for each: some of these routes end it, or say more about the account than before.
    own = [one for one in walks(app) if one.permission is Permission.SELF and one.method != "GET"]
    assert len(own) >= 15
    wrong, tried = [], 0
    for walk in own:
        path = walk.path.replace("{", "").replace("}", "")
        for body in BODIES.get(walk.name, [{}]):
            async with client_of(app) as client:
                await sign_in(client, container, member)
                answer = await client.request(walk.method, path, json=body)
                tried += answer.status_code >= 400
                still = await client.get("/api/v1/me")
                if answer.status_code == 401 or still.status_code != 200:
                    wrong.append((walk.name, body, answer.status_code, answer.text, still.status_code))
    assert wrong == []
    assert tried >= 10


async def test_a_wrong_proof_says_so_by_every_way(app: FastAPI, container: Container) -> None:
    site = await container.apps.ensure_first()
    member = await member_of(container, {site.id: Role.OWNER}, password=PASSWORD)
    async with client_of(app) as client:
        await sign_in(client, container, member)
        for body in BODIES["confirm_session"]:
            problem(await client.post("/api/v1/session/confirm", json=body), 403, "confirmation_wrong")
        asked = (await client.post("/api/v1/session/passkey/options")).json()
        stray = {"id": asked["id"], "credential": {"id": "x", "type": "public-key"}}
        problem(await client.post("/api/v1/session/confirm", json=stray), 403, "confirmation_wrong")
        assert (await client.get("/api/v1/session")).json()["signed_in"] is True


async def test_the_door_itself_says_401(browser: httpx2.AsyncClient) -> None:
    body = {"email": "nobody@example.com", "password": "wrong one"}
    problem(await browser.post("/api/v1/session", json=body), 401, "sign_in_refused")
    problem(await browser.post("/api/v1/session/passkey", json=NONSENSE), 401, "passkey_refused")
