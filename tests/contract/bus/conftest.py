"""The server that a bus needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.nats import NatsServer


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.kill()
