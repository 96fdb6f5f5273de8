"""Who called, behind a proxy: a real server believes those it was told to trust, and nobody else."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tidings.cli.serving import served
from tidings.lib.ratelimit import Rate
from tidings.web.limits import RATES, address_of


@asynccontextmanager
async def serving(app: FastAPI, proxies: Sequence[str]) -> AsyncIterator[httpx2.AsyncClient]:
    async def seen(request: Request) -> JSONResponse:
        return JSONResponse([address_of(request.scope), request.scope["scheme"]])

    app.router.routes.insert(0, Route("/seen", seen))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            served(app, listener, stopping=app.state.stopping, proxies=proxies),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            yield client


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (["127.0.0.1"], "198.51.100.7", "198.51.100.7"),
        (["127.0.0.0/8"], "198.51.100.7", "198.51.100.7"),
        (["127.0.0.1"], "2001:db8::1", "2001:db8::1"),
        (["127.0.0.1"], "203.0.113.66, 198.51.100.7", "198.51.100.7"),  # what the visitor made up is not believed
        (["127.0.0.1", "10.0.0.0/8"], "198.51.100.7, 10.1.2.3", "198.51.100.7"),
        (["10.0.0.0/8"], "198.51.100.7", "127.0.0.1"),
        ([], "198.51.100.7", "127.0.0.1"),
    ],
)
async def test_the_client_is_whom_a_trusted_proxy_names(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, proxies: list[str], forwarded: str, seen: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # a variable of the server's own, which would believe everybody
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    async with serving(app, proxies) as client:
        scheme = "https" if seen != "127.0.0.1" else "http"
        assert (await client.get("/seen", headers=headers)).json() == [seen, scheme]


async def test_the_limit_is_each_visitors_own(app: FastAPI, vapid_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "public", Rate(2, 3600))
    async with serving(app, ["127.0.0.1"]) as client:
        for address, statuses in (("198.51.100.7", [200, 200, 429]), ("198.51.100.8", [200])):
            for status in statuses:
                answer = await client.get("/push/vapid-key", headers={"X-Forwarded-For": address})
                assert answer.status_code == status
        # One that lies in front of the proxy's own words gains nothing.
        answer = await client.get("/push/vapid-key", headers={"X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
        assert answer.status_code == 429
