"""The whole server is killed in the middle of a campaign; the next start goes on at once and nobody is lost."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from pathlib import Path

import pytest

from support.instance import running_server
from tidings.simulator.run import SimulatorConfig, serve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SUBSCRIBERS = 2_000


async def test_kill_9_of_the_whole_server_loses_nobody(tmp_path: Path) -> None:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator")) as simulator:

        def accepted() -> int:
            return int(simulator.subscribers.summary()["total"]["accepted"])  # type: ignore[index]

        async with running_server(tmp_path) as first:
            first.key = json.loads(await first.command("key", "create", "--name", "test", "--json"))["key"]
            shown = json.loads(await first.command("vapid", "show", "--json"))
            public = base64.urlsafe_b64decode(shown["keys"][0]["public_key"] + "=")
            made = simulator.subscribers.make(SUBSCRIBERS, vapid_key=public, seed="cut")
            file = tmp_path / "subscribers.json"
            file.write_text(json.dumps(made))
            await first.command("subscriptions", "import", str(file))
            sent = await first.rest("POST", "/notifications", {"to": {"all": True}, "title": "Storm"})
            assert sent["audience"] == SUBSCRIBERS
            while accepted() < 200:
                await asyncio.sleep(0.01)
            os.kill(first.pid, signal.SIGKILL)
        assert accepted() < SUBSCRIBERS
        async with running_server(tmp_path) as second, asyncio.timeout(100):
            second.key = first.key
            while (found := await second.rest("GET", f"/notifications/{sent['id']}"))["status"] != "done":
                await asyncio.sleep(0.2)
        assert found["counts"]["sent"] == SUBSCRIBERS
        total = simulator.subscribers.summary()["total"]
        assert total["distinct"] == SUBSCRIBERS  # type: ignore[index]


async def test_a_sender_that_dies_is_logged_as_json_and_replaced(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        before = _children(server.pid)
        assert before
        os.kill(before[0], signal.SIGKILL)
        async with asyncio.timeout(20):
            while len(_children(server.pid)) < len(before) or before[0] in _children(server.pid):
                await asyncio.sleep(0.1)
    (log,) = tmp_path.glob("up-*.log")
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [(line["event"], line["level"], line["pid"]) for line in lines] == [("sender_died", "warning", before[0])]


def _children(pid: int) -> list[int]:
    """List the sender processes of a server."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found if b"tidings.worker.sender" in Path(f"/proc/{one}/cmdline").read_bytes()]
