"""What a worker does by the clock goes on, whatever one round of it stumbles over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from support.campaign import working
from support.chaos import until
from tidings import wiring
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker import periodic


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", senders=1)) as opened:
        yield opened


def stumbling(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Callable[[], int]:
    """Let the first call of a function fail as a fault of the program does; give how many others came to their end."""
    done = 0
    calls = 0
    work = getattr(owner, name)

    def stumble(*args: Any, **options: Any) -> Any:
        nonlocal calls, done
        calls += 1
        if calls == 1:
            raise ValueError("one row that nobody can read")
        found = work(*args, **options)
        done += 1
        return found

    monkeypatch.setattr(owner, name, stumble)
    return lambda: done


async def test_signs_of_life_and_clearing_go_on_after_a_round_that_failed(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "BEAT_EVERY", 0.05)
    monkeypatch.setattr("tidings.worker.run.BEAT_EVERY", 0.05)
    monkeypatch.setattr("tidings.worker.run.PURGE_EVERY", 0.05)
    duties = {
        "a sign of life": stumbling(monkeypatch, periodic, "_beaten"),
        "clearing": stumbling(monkeypatch, periodic, "clear"),
        "the end of what was cancelled": stumbling(monkeypatch, type(container.flow), "tidy"),
    }
    async with working(container):
        for name, done in duties.items():
            try:
                await until(lambda done=done: done() > 1, seconds=20)  # type: ignore[misc]
            except TimeoutError:
                pytest.fail(f"after one round that failed there was never {name} again")
        now = container.clock.now()
        workers = await container.store.read(lambda tx: tx.instance.heartbeats(since=now - periodic.KEEP_SILENT))
        assert len(workers) == 1
