"""Signing in with an OpenID provider over TLS: the honest way, and every lie that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey
from tests.integration.web.instance import OPERATOR, Names, client_of, problem
from tests.integration.web.oidc.rounds import come_back, leave, put, refused, sign_in

from support import members
from support.members import member_of
from support.openid import (
    CLIENT,
    SECRET,
    Provider,
    Published,
    hmac_with_public_key,
    of_another_key,
    of_p256,
    unsigned,
)
from tidings.bus import bus_from
from tidings.domain.permission import Role
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.services.oidc_sign_in import local_path
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.wiring import Container, assembled


class TestTheWayIn:
    async def test_a_member_is_found_by_a_verified_address_and_then_by_subject(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        site = await container.apps.ensure_first()
        ben = await member_of(container, {site.id: Role.EDITOR}, email="Ben@Example.com")
        assert (await put(api, provider)).status_code == 200
        assert (await browser.get("/api/v1/session")).json()["ways"]["oidc"] == [{"id": "work", "name": "Work"}]
        answer = await sign_in(browser, provider, next="/users?page=2")
        assert answer.headers["location"] == "/users?page=2"
        assert (await browser.get("/api/v1/me")).json()["id"] == ben.public_id
        await browser.delete("/api/v1/session")
        provider.person = {"sub": "person-1", "email": "other@elsewhere.example", "email_verified": False}
        await sign_in(browser, provider)
        assert (await browser.get("/api/v1/me")).json()["id"] == ben.public_id

    async def test_a_stranger_of_a_listed_domain_becomes_what_was_set(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        site = await container.apps.ensure_first()
        made = await put(api, provider, create="viewer", app=site.public_id)
        assert (made.json()["create"], made.json()["app"]) == ("viewer", site.public_id)
        await sign_in(browser, provider)
        session = (await browser.get("/api/v1/session")).json()
        assert (session["member"]["name"], session["member"]["has_password"]) == ("Ben", False)
        assert [app["role"] for app in session["apps"]] == ["viewer"]

    async def test_a_second_factor_that_is_set_here_is_asked_for_here(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        ben = await member_of(container, super_admin=True, email="ben@example.com")
        secret, now = pyotp.random_base32(), container.clock.now()
        await container.store.write(lambda tx: tx.factors.set_totp(ben, secret, now=now))
        await put(api, provider)
        answer = await sign_in(browser, provider, next="/users")
        assert answer.headers["location"] == "/sign-in?next=%2Fusers"
        assert (await browser.get("/api/v1/session")).json()["needs"] == "second_factor"
        code = pyotp.TOTP(secret).generate_otp(int(now.timestamp()) // 30)
        assert (await browser.post("/api/v1/session/second-factor", json={"code": code})).status_code == 200

    async def test_keys_may_be_of_either_kind_and_change(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        await member_of(container, super_admin=True, email="ben@example.com")
        await put(api, provider)
        await sign_in(browser, provider)
        assert (await browser.get("/api/v1/me")).status_code == 200
        await browser.delete("/api/v1/session")
        provider.key = ECKey.generate_key("P-256", {"kid": "two"})
        await sign_in(browser, provider)
        assert (await browser.get("/api/v1/me")).status_code == 200
        assert provider.asked.count("/keys") == 2


EC = {"kty": "EC", "kid": "one", "x": "AA" * 21 + "A", "y": "AA" * 21 + "A"}

HOSTILE: list[tuple[str, dict[str, Any], str]] = [
    ("another nonce", {"claims": {"nonce": "x"}}, "nonce"),
    ("no nonce", {"claims": {"nonce": None}}, "nonce"),
    ("a nonce in a list", {"claims": {"nonce": ["x"]}}, "nonce"),
    ("another issuer", {"claims": {"iss": "https://evil.example"}}, "another issuer"),
    ("issuers in a list", {"claims": {"iss": ["https://localhost"]}}, "another issuer"),
    ("another audience", {"claims": {"aud": "somebody"}}, "another client"),
    ("several audiences", {"claims": {"aud": [CLIENT, "somebody"]}}, "another client"),
    ("another party", {"claims": {"azp": "somebody"}}, "another client"),
    ("an old token", {"claims": {"exp": 1}}, "expired"),
    ("no end", {"claims": {"exp": None}}, "expired"),
    ("an end in words", {"claims": {"exp": "tomorrow"}}, "expired"),
    ("an end beyond all numbers", {"claims": {"exp": float("inf")}}, "expired"),
    ("a future token", {"claims": {"iat": 4_000_000_000}}, "future"),
    ("nobody", {"person": {"email": "ben@example.com", "email_verified": True}}, "nobody"),
    ("no signature", {"token": unsigned}, "not signed with"),
    ("HMAC with the public key", {"token": hmac_with_public_key}, "not signed with"),
    ("another key of that name", {"token": of_another_key}, "signature is wrong"),
    ("no key's name", {"header": {"kid": None}}, "which key"),
    ("a key that is not published", {"published": []}, "no such key"),
    ("a short key", {"published": [Published({"kty": "RSA", "kid": "one", "n": "7" * 171, "e": "AQAB"})]}, "shorter"),
    ("another curve", {"token": of_p256, "published": [Published({**EC, "crv": "secp256k1"})]}, "P-256"),
    ("a key of another kind", {"token": of_p256}, "does not fit"),
    ("a point off the curve", {"token": of_p256, "published": [Published({**EC, "crv": "P-256"})]}, "cannot be read"),
    ("no token", {"token": lambda *_: None}, "no ID token"),
    ("three words", {"token": lambda *_: "a.b.c"}, "header cannot be read"),
    ("an unverified address", {"person": {"sub": "1", "email": "ben@example.com"}}, "not verified"),
    ("a verified address in words", {"claims": {"email_verified": "true"}}, "not verified"),
    ("an address of another domain", {"claims": {"email": "ben@evil.example"}}, "not of a domain"),
    ("no address", {"claims": {"email": None}}, "no e-mail address"),
]

DOCUMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("another issuer", {"issuer": "https://evil.example"}, "calls itself"),
    ("an endpoint on a private address", {"token_endpoint": "https://169.254.169.254/x"}, "called"),
    ("keys without https", {"jwks_uri": "ftp://localhost/keys"}, "called"),
    ("no keys", {"jwks_uri": None}, "lacks an endpoint"),
]


class TestLies:
    @pytest.mark.parametrize(("changes", "words"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
    async def test_are_refused(
        self,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        container: Container,
        provider: Provider,
        changes: dict[str, Any],
        words: str,
    ) -> None:
        await member_of(container, super_admin=True, email="ben@example.com")
        await put(api, provider)
        back = provider.authorize(await leave(browser))
        for name, value in changes.items():
            setattr(provider, name, value)
        await refused(browser, await come_back(browser, back), words)

    @pytest.mark.parametrize(("document", "words"), [one[1:] for one in DOCUMENTS], ids=[one[0] for one in DOCUMENTS])
    async def test_of_the_document_are_found_before_anybody_leaves(
        self,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        provider: Provider,
        document: dict[str, Any],
        words: str,
    ) -> None:
        await put(api, provider)
        provider.document = document
        await refused(browser, await browser.get("/api/v1/session/oidc/work/start"), words)

    async def test_a_state_is_good_once(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        await member_of(container, super_admin=True, email="ben@example.com")
        await put(api, provider)
        back = provider.authorize(await leave(browser))
        cookies = dict(browser.cookies)
        await come_back(browser, back)
        await browser.delete("/api/v1/session")
        browser.cookies.update(cookies)
        await refused(browser, await come_back(browser, back), "finished already")
        await refused(browser, await come_back(browser, {**back, "state": "made up"}), "finished already")

    async def test_an_attempt_is_finished_in_the_browser_that_began_it(
        self,
        app: FastAPI,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        container: Container,
        provider: Provider,
    ) -> None:
        await member_of(container, super_admin=True, email="ben@example.com")
        await put(api, provider)
        back = provider.authorize(await leave(browser))
        async with client_of(app) as victim:
            await refused(victim, await come_back(victim, back), "another browser")
            own = await leave(victim)
            assert own
            again = provider.authorize(await leave(browser))
            await refused(victim, await come_back(victim, again), "another browser")

    async def test_an_attempt_is_finished_at_the_provider_that_it_was_begun_with(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        """A provider that takes another's answers for its own would be given that one's codes (mix-up)."""
        await member_of(container, super_admin=True, email="ben@example.com")
        await put(api, provider)
        body = {"name": "Evil", "issuer": f"{provider.issuer}/evil", "client_id": "x", "client_secret": "x"}
        assert (await api.put("/api/v1/sign-in/oidc/evil", json=body)).status_code == 200
        back = provider.authorize(await leave(browser))
        calls = len(provider.asked)
        answer = await browser.get("/api/v1/session/oidc/evil/callback", params=back)
        await refused(browser, answer, "begin again")
        assert len(provider.asked) == calls, "the code was shown to nobody"
        # Nor is it good at its own provider any more.
        await refused(browser, await come_back(browser, back), "finished already")

    async def test_an_address_that_a_member_chose_alone_leads_to_no_account(
        self,
        app: FastAPI,
        api: httpx2.AsyncClient,
        browser: httpx2.AsyncClient,
        container: Container,
        provider: Provider,
    ) -> None:
        mallory = await member_of(container, super_admin=True, email="mallory@example.com")
        await put(api, provider)
        async with client_of(app) as own:
            await members.sign_in(own, container, mallory)
            assert (await own.patch("/api/v1/me", json={"email": "ben@example.com"})).status_code == 200
            await refused(browser, await sign_in(browser, provider), "Only a person has named")
            assert (await own.patch("/api/v1/me", json={"email": "mallory@example.com"})).status_code == 200
        await refused(browser, await sign_in(browser, provider), "ask for an invitation")
        provider.person["email"] = "mallory@example.com"
        await refused(browser, await sign_in(browser, provider), "Only a person has named")

    async def test_an_attempt_ends_by_itself_and_a_refusal_is_told(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        await put(api, provider)
        back = provider.authorize(await leave(browser))
        await refused(browser, await come_back(browser, {"state": back["state"]}), "did not let you in")
        back = provider.authorize(await leave(browser))
        await refused(browser, await come_back(browser, {**back, "iss": "https://evil.example"}), "another issuer")
        back = provider.authorize(await leave(browser))
        container.clock.at = container.clock.at.replace(hour=13)  # type: ignore[attr-defined]
        await refused(browser, await come_back(browser, back), "too old")

    async def test_a_stranger_is_made_no_member_where_that_is_not_set(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        await put(api, provider)
        await refused(browser, await sign_in(browser, provider), "ask for an invitation")
        assert await container.store.read(lambda tx: tx.members.all()) == []

    async def test_a_disabled_member_stays_out(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
    ) -> None:
        ben = await member_of(container, email="ben@example.com")
        await api.patch(f"/api/v1/members/{ben.public_id}", json={"disabled": True})
        await put(api, provider)
        await refused(browser, await sign_in(browser, provider), "shut out")


class TestProviders:
    async def test_are_set_tested_and_removed_without_showing_the_secret(
        self, api: httpx2.AsyncClient, provider: Provider
    ) -> None:
        made = (await put(api, provider)).json()
        assert made["redirect_uri"] == "https://push.example.com/api/v1/session/oidc/work/callback"
        assert (await put(api, provider, client_secret=None, name="Office")).json()["name"] == "Office"
        tested = (await api.post("/api/v1/sign-in/oidc/work/test")).json()
        assert tested == {
            "ok": True, "issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorize",
        }  # fmt: skip
        listed = await api.get("/api/v1/sign-in/oidc")
        assert [one["name"] for one in listed.json()["data"]] == ["Office"]
        assert SECRET not in listed.text
        assert (await api.delete("/api/v1/sign-in/oidc/work")).status_code == 204
        problem(await api.post("/api/v1/sign-in/oidc/work/test"), 404, "not_found")

    async def test_are_listed_when_the_app_that_strangers_join_is_gone(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
    ) -> None:
        made = await api.post("/api/v1/apps", json={"name": "Soon gone"})
        await put(api, provider, create="viewer", app=made.json()["id"])
        gone = await api.delete(f"/api/v1/apps/{made.json()['id']}", params={"confirm": "Soon gone"})
        assert gone.status_code in (200, 202)
        (listed,) = (await api.get("/api/v1/sign-in/oidc")).json()["data"]
        assert (listed["app"], listed["create"]) == (None, "never")
        await refused(browser, await sign_in(browser, provider), "ask for an invitation")

    async def test_another_issuer_does_not_get_the_secret_of_the_one_before(
        self, api: httpx2.AsyncClient, provider: Provider
    ) -> None:
        assert (await put(api, provider)).status_code == 200
        assert (await put(api, provider, client_secret=None)).status_code == 200
        changed = await put(api, provider, client_secret=None, issuer=f"{provider.issuer}/other")
        assert "client_secret" in problem(changed, 422, "invalid_request")["detail"]

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"client_secret": None}, "client_secret"), ({"domains": ["@x"]}, "domains.0"), ({"create": "viewer"}, "app")],
    )
    async def test_that_are_half_set_are_refused(
        self, api: httpx2.AsyncClient, provider: Provider, change: dict[str, Any], field: str
    ) -> None:
        answer = problem(await put(api, provider, **change), 422, "invalid_request")
        assert answer["errors"][0]["field"] == field

    async def test_that_do_not_answer_say_so(self, api: httpx2.AsyncClient, provider: Provider) -> None:
        provider.document = {"issuer": "https://elsewhere.example"}
        await put(api, provider)
        assert "calls itself" in problem(await api.post("/api/v1/sign-in/oidc/work/test"), 502, "oidc_failed")["detail"]


@pytest.mark.parametrize(
    "issuer", ["http://accounts.example.com", "https://127.0.0.1:8443", "https://10.0.0.1", "https://user@example.com"]
)
async def test_an_issuer_that_may_not_be_called_is_refused(
    tmp_path: Path, clock: FixedClock, names: Names, issuer: str
) -> None:
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    settings = Settings(data=tmp_path, public_url="https://push.example.com")
    made = assembled(settings, store=store, bus=bus_from(None), clock=clock, resolve=names)
    app = create_app(made, operator_token=OPERATOR)
    async with client_of(app, Authorization=f"Bearer {OPERATOR}") as api:
        body = {"name": "x", "issuer": issuer, "client_id": "x", "client_secret": "x"}
        refused = problem(await api.put("/api/v1/sign-in/oidc/work", json=body), 422, "invalid_request")
        assert [fault["field"] for fault in refused["errors"]] == ["issuer"]
    await store.close()


@pytest.mark.parametrize(
    ("next", "path"),
    [("/users", "/users"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"), ("/a\nb", "/")],
)
def test_one_comes_back_to_a_page_of_ours(next: str, path: str) -> None:
    assert local_path(next) == path
