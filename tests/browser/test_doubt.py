"""A server that dies between sending and storing: what was in doubt comes twice, and a person sees it once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

from support.browsers import Firefox, RealBrowser
from support.chaos import locked
from support.desktop import Desktop
from support.instance import Instance, running_server
from support.place import running_place
from support.visitor import PATIENCE, Visitor, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
TITLE = "Storm from the west"
SLOW = 12.0
"""Seconds for which the push service lets the message wait: time to lock the database before it is taken."""


@pytest.fixture
async def server(tmp_path: Path, shared: Instance) -> AsyncIterator[Instance]:
    """A server that may be killed; its browsers are at the push service of the shared demo."""
    async with running_server(tmp_path) as running:
        running.key = json.loads(await running.command("key", "create", "--name", "test", "--json"))["key"]
        await running.command("app", "set", "--origin", "")
        running.simulator = shared.simulator
        yield running


@pytest.mark.parametrize("browser", [Firefox], indirect=True, ids=lambda kind: kind.name)
async def test_a_chunk_in_doubt_that_is_sent_again_after_a_crash_is_shown_once(
    browser: RealBrowser, desktop: Desktop, server: Instance, tmp_path: Path
) -> None:
    async with running_place(server.url) as place:
        visitor = Visitor(browser, desktop, place, server)
        page = await visitor.opens()
        await browser.grant(place.origin)
        assert await page.evaluate("Tidings.subscribe()") == "registered"
        before = max((one["n"] for one in await _arrived(visitor)), default=0)
        await visitor.control("/faults", {"kind": "slow", "times": 1, "seconds": SLOW})
        sent = await server.rest("POST", "/notifications", {"to": {"all": True}, "title": TITLE})
        database = server.folder / "tidings.db"

        async def leaves() -> bool:
            return _open_chunks(database) == [1]

        await eventually(leaves)
        with locked(database):
            assert _open_chunks(database) == [1], "it was stored before the database was locked"
            await visitor.sees(TITLE)
            os.kill(server.pid, signal.SIGKILL)
        async with running_server(tmp_path, port=urlsplit(server.url).port) as again:
            again.key, again.simulator = server.key, server.simulator
            visitor.instance = again
            await visitor.counted(sent, sent=1)
            second, first = await _arrived(visitor, before)
            assert first["topic"], "the push service keeps one of several that wait"
            assert first["topic"] == second["topic"], "both are one delivery"
            await again.rest("POST", "/notifications", {"to": {"all": True}, "title": "The sky clears"})
            await visitor.sees("The sky clears")
            assert len(visitor.seen(TITLE)) == 1
            await visitor.counted(sent, sent=1, shown=1)
        await browser.close_tabs()


def _open_chunks(database: Path) -> list[int]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return [chunk for (chunk,) in connection.execute("SELECT chunk_open FROM shards WHERE chunk_open IS NOT NULL")]


async def _arrived(visitor: Visitor, after: int = 0) -> list[dict[str, Any]]:
    """Give what the push service took since, newest first; it cannot read it, but knows under which topic it came."""
    url = f"http://127.0.0.1:{visitor.instance.simulator['control']}/messages?limit=9&after={after}"
    found: list[dict[str, Any]] = json.loads(await asyncio.to_thread(_read, url))["messages"]
    return found


def _read(url: str) -> bytes:
    with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE) as answer:
        content: bytes = answer.read()
        return content
