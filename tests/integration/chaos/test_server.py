"""A whole server on SQLite: killed at any moment, its disk full, its database locked. Nobody is lost or told twice."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from support.campaign import seen
from support.chaos import arrived, filled_up, full_disk, locked, moments, small_disk, until
from support.instance import Instance, running_server
from tidings.simulator.run import Running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SUBSCRIBERS = 1_500


async def begun(server: Instance, simulator: Running, folder: Path) -> str:
    """Give the server its subscribers and a campaign to all of them; give the campaign's id."""
    server.key = json.loads(await server.command("key", "create", "--name", "test", "--json"))["key"]
    shown = json.loads(await server.command("vapid", "show", "--json"))
    public = base64.urlsafe_b64decode(shown["keys"][0]["public_key"] + "=")
    file = folder / "subscribers.json"
    file.write_text(json.dumps(simulator.subscribers.make(SUBSCRIBERS, vapid_key=public, seed="chaos")))
    await server.command("subscriptions", "import", str(file))
    body = {"to": {"all": True}, "title": "Storm", "expect_audience": SUBSCRIBERS}
    sent = await server.rest("POST", "/notifications", body)
    assert sent["audience"] == SUBSCRIBERS
    return str(sent["id"])


async def assert_told_once(server: Instance, campaign: str, simulator: Running, *, besides: int = 0) -> None:
    """Check that everybody has one final state, `sent`, and that nobody was shown the campaign twice.

    `besides` are the messages that were sent apart from it.
    """
    found: dict[str, Any] = {}

    async def done() -> bool:
        found.update(await server.rest("GET", f"/notifications/{campaign}"))
        return str(found["status"]) == "done"

    await until(done, seconds=120)
    counts = found["counts"]
    assert (counts["audience"], counts["sent"], found["reasons"]) == (SUBSCRIBERS, SUBSCRIBERS, {})
    told: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await server.rest("GET", f"/notifications/{campaign}/deliveries?limit=200{cursor}")
        assert {row["status"] for row in page["data"]} <= {"sent"}
        told += [row["subscription"] for row in page["data"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert len(told) == len(set(told)) == SUBSCRIBERS
    total = seen(simulator)
    expected = (SUBSCRIBERS, SUBSCRIBERS + besides, 0)
    assert (total["reached"], total["distinct"], total["unreadable"]) == expected
    print(f"{total['doubled']} messages were sent again under their delivery id")


async def test_killed_at_random_moments_it_goes_on_where_it_was(tmp_path: Path, simulator: Running) -> None:
    first, second = moments("kill the server", of=2, among=SUBSCRIBERS)
    async with running_server(tmp_path) as server:
        campaign = await begun(server, simulator, tmp_path)
        await arrived(simulator, first)
        os.kill(server.pid, signal.SIGKILL)
        key = server.key
    async with running_server(tmp_path) as server:
        await arrived(simulator, second)
        os.kill(server.pid, signal.SIGKILL)
    async with running_server(tmp_path) as server:
        server.key = key
        await assert_told_once(server, campaign, simulator)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


async def test_with_a_disk_that_takes_nothing_more_and_a_locked_database_it_refuses_and_then_goes_on(
    tmp_path: Path, simulator: Running
) -> None:
    await _refuses_and_goes_on(tmp_path, simulator, no_room=lambda server: full_disk(server.pid))


async def test_with_a_disk_that_is_full_it_refuses_and_then_goes_on(disk: Path, simulator: Running) -> None:
    await _refuses_and_goes_on(disk, simulator, no_room=lambda _: filled_up(disk))


async def _refuses_and_goes_on(
    folder: Path, simulator: Running, *, no_room: Callable[[Instance], AbstractContextManager[None]]
) -> None:
    full_at, locked_at = moments("fill the disk, lock the database", of=2, among=SUBSCRIBERS)
    async with running_server(folder) as server:
        campaign = await begun(server, simulator, folder)
        (one,) = (await server.rest("GET", "/subscriptions?limit=1"))["data"]
        taken: list[str] = []

        async def refused() -> bool:
            """Try to send to one device; what is not refused must arrive."""
            status, answer = await asyncio.to_thread(
                _post, server, {"to": {"subscriptions": [one["id"]]}, "title": "1"}
            )
            if status == 202:
                taken.append(answer["id"])
            else:
                assert (status, answer["code"]) == (503, "service_busy")
            return status == 503

        await arrived(simulator, full_at)
        with no_room(server):
            await until(refused)
            assert await asyncio.to_thread(_readiness, server) == (503, "unavailable")
        await arrived(simulator, locked_at)
        with locked(server.folder / "tidings.db"):
            await until(refused)
            assert await asyncio.to_thread(_readiness, server) == (503, "unavailable")
        await until(lambda: _accepted_again(refused))
        assert taken
        await _all_sent(server, taken)
        await assert_told_once(server, campaign, simulator, besides=len(taken))


async def _accepted_again(refused: Any) -> bool:
    return not await refused()


async def _all_sent(server: Instance, taken: list[str]) -> None:
    async def done() -> bool:
        page = await server.rest("GET", "/notifications?limit=200")
        states = {row["id"]: (row["status"], row["counts"]["sent"]) for row in page["data"]}
        assert set(taken) <= set(states), "what was accepted is there"
        assert all(sent == 1 for name, (status, sent) in states.items() if name in taken and status == "done")
        return all(status == "done" for status, _ in states.values())

    await until(done, seconds=120)


def _readiness(server: Instance) -> tuple[int, str]:
    try:
        with urlopen(f"{server.url}/readyz", timeout=60) as answer:
            return answer.status, json.loads(answer.read())["database"]
    except HTTPError as problem:
        with problem:
            return problem.code, json.loads(problem.read())["database"]


def _post(server: Instance, body: Any) -> tuple[int, Any]:
    request = Request(
        f"{server.url}/api/v1/notifications",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {server.key}", "content-type": "application/json"},
    )
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as problem:
        with problem:
            return problem.code, json.loads(problem.read())
