"""What tests with real parts share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.postgres import running_postgres
from tidings.simulator.run import Running, SimulatorConfig, serve


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server; its databases are made by `fresh_database`."""
    with running_postgres() as url:
        yield url


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    """The push services of the world, in this process."""
    async with serve(SimulatorConfig(folder=tmp_path / "simulator")) as running:
        yield running
