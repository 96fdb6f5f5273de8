"""What a browser does on its way through a provider."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from tests.integration.web.instance import problem

from support.openid import CLIENT, SECRET, Provider


async def put(api: httpx2.AsyncClient, provider: Provider, **changes: Any) -> httpx2.Response:
    body = {
        "name": "Work", "issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET,
        "domains": ["example.com"], **changes,
    }  # fmt: skip
    return await api.put("/api/v1/sign-in/oidc/work", json=body)


async def leave(client: httpx2.AsyncClient, **query: str) -> str:
    answer = await client.get("/api/v1/session/oidc/work/start", params=query)
    assert answer.status_code == 303, answer.text
    assert "HttpOnly" in answer.headers["set-cookie"]
    return str(answer.headers["location"])


async def come_back(client: httpx2.AsyncClient, query: dict[str, str]) -> httpx2.Response:
    answer = await client.get("/api/v1/session/oidc/work/callback", params=query)
    assert answer.status_code == 303, answer.text
    return answer


async def sign_in(client: httpx2.AsyncClient, provider: Provider, **query: str) -> httpx2.Response:
    return await come_back(client, provider.authorize(await leave(client, **query)))


async def refused(client: httpx2.AsyncClient, answer: httpx2.Response, words: str) -> None:
    where = urlsplit(answer.headers["location"])
    told = parse_qs(where.query)
    assert (where.path, told["error"]) == ("/sign-in", ["oidc_failed"])
    assert words in told["detail"][0]
    problem(await client.get("/api/v1/me"), 401, "unauthorized")
