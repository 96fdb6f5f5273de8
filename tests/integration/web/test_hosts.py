"""Under which names an instance answers, and what every answer says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from tests.integration.web.instance import OPERATOR, problem, push_subscription

from tidings.settings import Settings
from tidings.web.app import create_app
from tidings.wiring import Container


@pytest.fixture
async def named(container: Container) -> AsyncIterator[httpx2.AsyncClient]:
    settings = container.settings.model_copy(update={"allowed_hosts": ("tidings", ".lan.example")})
    transport = httpx2.ASGITransport(create_app(replace(container, settings=settings)))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="https://push.example.com") as client:
        yield client


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("push.example.com", True),
        ("PUSH.example.com:443", True),
        ("push.example.com.", True),
        ("localhost:8080", True),
        ("tidings.localhost", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("192.168.1.5:8080", True),
        ("tidings:8080", True),
        ("a.lan.example", True),
        ("lan.example", False),
        ("evillan.example", False),
        ("rebind.evil.example", False),
        ("push.example.com.evil.example", False),
        ("localhost.evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("push.example.com@evil.example", False),
        ("evil.example/push.example.com", False),
        ("push.example.com:port", False),
        ("[::1", False),
        ("", False),
    ],
)
async def test_only_our_own_names_are_answered(named: httpx2.AsyncClient, host: str, answered: bool) -> None:
    for path in ("/", "/docs", "/push/sdk.js", "/openapi.json", "/metrics"):
        answer = await named.get(path, headers={"Host": host})
        assert (answer.status_code != 421) == answered, (host, path)
    answer = await named.get("/api/v1/session", headers={"Host": host})
    if answered:
        assert answer.status_code == 200
    else:
        assert "TIDINGS_ALLOWED_HOSTS" in problem(answer, 421, "host_not_allowed")["mend"]
    assert (await named.get("/livez", headers={"Host": host})).status_code == 200


async def test_a_page_of_a_name_that_was_rebound_reaches_nothing_even_with_the_key(app: FastAPI) -> None:
    headers = {"Host": "rebind.evil.example", "Authorization": f"Bearer {OPERATOR}"}
    transport = httpx2.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers) as page:
        problem(await page.get("/api/v1/apps"), 421, "host_not_allowed")
        problem(await page.post("/push/subscribe", json={"subscription": push_subscription()}), 421, "host_not_allowed")


@pytest.mark.parametrize("name", ["https://a.example", "a.example:80", "a/b", "*", "..a", "a b"])
def test_a_setting_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no host name"):
        Settings(allowed_hosts=(name,))


@pytest.mark.parametrize("place", ["*", "proxy", "10.0.0.0/33", "10.0.0.1/8"])
def test_a_proxy_is_named_by_address_or_network(place: str) -> None:
    with pytest.raises(ValidationError, match="no address"):
        Settings(trusted_proxies=(place,))


EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


@pytest.mark.parametrize(
    ("path", "policy", "caching", "shared"),
    [
        ("/", "default-src 'self'", None, "same-origin"),
        ("/docs", "default-src 'self'", "no-cache", "same-origin"),
        ("/docs/nothing", "default-src 'none'", None, "same-origin"),
        ("/livez", "default-src 'none'", None, "same-origin"),
        ("/metrics", "default-src 'none'", None, "same-origin"),
        ("/openapi.json", "default-src 'none'", None, "same-origin"),
        ("/api/v1/apps", "default-src 'none'", "no-store", "same-origin"),
        ("/api/v1/subscriptions/export", "default-src 'none'", "no-store", "same-origin"),
        ("/api/v1/nothing", "default-src 'none'", "no-store", "same-origin"),
        ("/push/vapid-key", "default-src 'none'", "no-cache", "cross-origin"),
        ("/push/nothing", "default-src 'none'", "no-store", "cross-origin"),
        ("/push/sdk.js", "default-src 'none'", None, "cross-origin"),
    ],
)
async def test_every_answer_says_what_a_browser_may_do_with_it(
    api: httpx2.AsyncClient, vapid_key: str, path: str, policy: str, caching: str | None, shared: str
) -> None:
    answer = await api.get(path)
    assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE
    assert policy in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == shared
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    if caching:
        assert answer.headers["cache-control"] == caching


async def test_so_do_refusals_and_faults_of_ours(
    app: FastAPI, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("x")

    monkeypatch.setattr(app.state.container.system, "facts", broken)
    for answer, status in (
        (await browser.get("/api/v1/apps"), 401),
        (await browser.get("/", headers={"Host": "evil.example"}), 421),
        (await api.get("/api/v1/system"), 500),
        (await api.put("/api/v1/users/a", content=b"x" * 2_000_000), 413),
    ):
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_an_instance_on_http_promises_no_https(container: Container) -> None:
    settings = container.settings.model_copy(update={"public_url": None})
    transport = httpx2.ASGITransport(create_app(replace(container, settings=settings)))  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        assert "strict-transport-security" not in (await client.get("/livez")).headers


async def test_a_subscribers_secret_stays_in_no_cache(browser: httpx2.AsyncClient, vapid_key: str) -> None:
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
