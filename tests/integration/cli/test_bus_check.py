"""What the doctor says of the bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.nats import NatsServer
from tidings.cli import bus_check
from tidings.cli.bus_check import of_bus
from tidings.cli.checks import State


async def test_one_process_needs_none() -> None:
    assert await of_bus(None) == []


async def test_a_server_that_answers_one_that_does_not_and_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = NatsServer(tmp_path)
    server.start()
    url = server.url.replace("//", "//tidings:secret@")
    (there,) = await of_bus(url)
    server.kill()
    monkeypatch.setattr(bus_check, "PATIENCE", 0.5)
    (away,) = await of_bus(url)
    (nonsense,) = await of_bus("nats://tidings:secret@:port")
    assert [one.state for one in (there, away, nonsense)] == [State.OK, State.WARN, State.FAIL]
    assert away.mend
    assert "secret" not in f"{there}{away}{nonsense}"
