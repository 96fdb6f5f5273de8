"""How often a provider is asked: once an hour, by one for all, and by no stranger who tries again and again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
from fastapi import FastAPI
from joserfc.jwk import ECKey
from tests.integration.web.instance import client_of
from tests.integration.web.oidc.rounds import come_back, leave, put, refused, sign_in

from support.members import member_of
from support.openid import Provider
from tidings.services.oidc_provider import EXCHANGES
from tidings.wiring import Container

DOCUMENT = "/.well-known/openid-configuration"


def later(container: Container, seconds: int) -> None:
    container.clock.at += timedelta(seconds=seconds)  # type: ignore[attr-defined]


async def test_what_a_provider_says_is_kept_for_an_hour(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
) -> None:
    await member_of(container, super_admin=True, email="ben@example.com")
    await put(api, provider)
    for _ in range(3):
        await sign_in(browser, provider)
        later(container, 600)
    assert (provider.asked.count(DOCUMENT), provider.asked.count("/keys")) == (1, 1)
    later(container, 1_900)
    await sign_in(browser, provider)
    assert (provider.asked.count(DOCUMENT), provider.asked.count("/keys")) == (2, 2)


async def test_many_who_begin_at_once_ask_once(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
) -> None:
    await put(api, provider)
    provider.pace = asyncio.Event()
    beginning = [asyncio.create_task(leave(browser)) for _ in range(40)]
    while DOCUMENT not in provider.asked:
        await asyncio.sleep(0.01)
    provider.pace.set()
    assert len({*await asyncio.gather(*beginning)}) == 40
    assert provider.asked == [DOCUMENT]


async def test_a_provider_that_fails_is_left_alone_for_a_while(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
) -> None:
    provider.document = {"issuer": "https://elsewhere.example"}
    await put(api, provider)
    for _ in range(5):
        await refused(browser, await browser.get("/api/v1/session/oidc/work/start"), "calls itself")
    assert provider.asked == [DOCUMENT]
    provider.document = {}
    later(container, 11)
    await leave(browser)


async def test_testing_asks_anew_and_what_it_finds_counts(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, provider: Provider
) -> None:
    provider.document = {"issuer": "https://elsewhere.example"}
    await put(api, provider)
    await refused(browser, await browser.get("/api/v1/session/oidc/work/start"), "calls itself")
    provider.document = {}
    assert (await api.post("/api/v1/sign-in/oidc/work/test")).status_code == 200
    await leave(browser)
    assert provider.asked == [DOCUMENT, DOCUMENT]


async def test_an_unknown_key_has_them_fetched_at_most_once_a_minute(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, provider: Provider
) -> None:
    await member_of(container, super_admin=True, email="ben@example.com")
    await put(api, provider)
    await sign_in(browser, provider)
    published = [provider.key]
    provider.published = published
    provider.key = ECKey.generate_key("P-256", {"kid": "made-up"})
    await browser.delete("/api/v1/session")
    for _ in range(4):
        await refused(browser, await sign_in(browser, provider), "no such key")
    assert provider.asked.count("/keys") == 2
    provider.published = None
    later(container, 61)
    await sign_in(browser, provider)
    assert (await browser.get("/api/v1/me")).status_code == 200
    assert provider.asked.count("/keys") == 3


async def test_strangers_with_codes_leave_places_for_others(
    app: FastAPI, api: httpx2.AsyncClient, provider: Provider
) -> None:
    await put(api, provider)
    async with AsyncExitStack() as there:
        strangers = [await there.enter_async_context(client_of(app)) for _ in range(EXCHANGES * 3)]
        codes = [provider.authorize(await leave(one)) for one in strangers]
        provider.pace, provider.slow = asyncio.Event(), {"/token"}
        waiting = [asyncio.create_task(come_back(*one)) for one in zip(strangers, codes, strict=True)]
        while provider.asked.count("/token") < EXCHANGES:
            await asyncio.sleep(0.01)
        # Those hold their places until the provider answers; testing it needs one, and has it.
        assert (await api.post("/api/v1/sign-in/oidc/work/test")).status_code == 200
        assert provider.asked.count("/token") == EXCHANGES
        provider.pace.set()
        await asyncio.gather(*waiting)
