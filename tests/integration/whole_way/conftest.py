"""An instance in this process for which every push service is the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.integration.web.instance import OPERATOR, client_of

from support.phones import leading_to
from support.postgres import fresh_database
from tidings.simulator.run import Running
from tidings.web.app import create_app
from tidings.wiring import Container


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the database is: once None, which is SQLite, and once a new one on PostgreSQL."""
    if request.param == "sqlite":
        yield None
        return
    with fresh_database(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
async def container(tmp_path: Path, simulator: Running) -> AsyncIterator[Container]:
    async with leading_to(simulator, tmp_path / "data") as opened:
        await opened.apps.ensure_first()
        yield opened


@pytest.fixture
async def api(container: Container) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(container, operator_token=OPERATOR)
    async with client_of(app, Authorization=f"Bearer {OPERATOR}") as client:
        yield client
