"""Clients of an instance in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import OPERATOR, Names, client_of

from tidings.bus import bus_from
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.wiring import Container, assembled


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def container(tmp_path: Path, clock: FixedClock, names: Names) -> AsyncIterator[Container]:
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    settings = Settings(data=tmp_path, public_url="https://push.example.com")
    made = assembled(settings, store=store, bus=bus_from(None), clock=clock, resolve=names)
    await made.apps.ensure_first()
    yield made
    await store.close()


@pytest.fixture
def app(container: Container) -> FastAPI:
    return create_app(container, operator_token=OPERATOR)


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's client."""
    async with client_of(app, Authorization=f"Bearer {OPERATOR}") as client:
        yield client


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A subscriber's browser: no key, no cookie."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def vapid_key(api: httpx2.AsyncClient) -> str:
    answer = await api.post(
        "/api/v1/integrations/webpush/keys", json={"action": "generate", "subject": "mailto:ops@example.com"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["public_key"])
