"""How a list of a million subscriptions scrolls and filters in a real Chromium, beside one of ten thousand.

Run `python bench/scrolling.py [--rows N]` in the environment of a source folder, on SQLite. Prints milliseconds and
their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from list_rows import SEED_ROWS, enlarge, written
from playwright.async_api import Page

from tidings import wiring
from tidings.bench.crowd import fill, host_of
from tidings.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.chromium import running_chromium
from support.instance import running_server

FEW = 10_000
TURNS = 40
SEEN = """() => [...document.querySelectorAll('tbody a')].filter((a) => {
  const box = a.getBoundingClientRect()
  return box.height && box.bottom > 0 && box.top < innerHeight
}).map((a) => a.href)"""


@asynccontextmanager
async def page_of(rows: int) -> AsyncIterator[tuple[Page, str]]:
    """Start a server with so many subscriptions, and sign somebody in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        async with wiring.opened(Settings(data=folder / "data")) as container:
            await container.apps.ensure_first()
            host = await host_of(container)
            await fill(container, host, count=SEED_ROWS, origin="https://localhost:9443")
        with written(None, folder / "data") as connection:
            enlarge(connection, host.app.id, count=rows, deliveries=1_000)
        async with running_server(folder) as server, running_chromium() as chromium:
            page = await chromium.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(server.setup_url)
            await page.get_by_label("Name", exact=True).fill("Anna")
            await page.get_by_label("E-mail").fill("anna@example.com")
            await page.get_by_label("Password", exact=True).fill("nine boats in the fog")
            await page.get_by_role("button", name="Create my account").click()
            await page.get_by_role("heading", name="Overview").wait_for()
            yield page, server.url


async def until(page: Page, condition: str, about: object = None) -> None:
    """Ask until it is so; the pages' policy lets nothing be evaluated in them that would wait by itself."""
    while not await page.evaluate(condition, about):  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def took(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return (time.perf_counter() - begun) * 1_000


async def measured(rows: int) -> dict[str, float]:
    """Open, scroll and filter; give milliseconds by what was done."""
    async with page_of(rows) as (page, url):

        async def opened() -> None:
            await page.goto(f"{url}/subscriptions")
            await until(page, f"() => ({SEEN})().length > 5")

        async def further() -> None:
            before = await page.evaluate("document.documentElement.scrollHeight")
            await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            await until(page, "(before) => document.documentElement.scrollHeight > before", before)
            await until(page, f"() => ({SEEN})().length > 5")

        async def expired() -> None:
            await page.get_by_label("Status").select_option("Expired")
            await until(page, f"() => ({SEEN})().length > 0 && !document.querySelector('main [aria-busy=true]')")

        async def of_one() -> None:
            await page.get_by_label("User").fill("u-77")
            await page.keyboard.press("Enter")
            await until(page, "() => !document.querySelector('main [aria-busy=true]')")

        found = {"opened": statistics.median([await took(opened) for _ in range(5)])}
        found["200 more"] = statistics.median([await took(further) for _ in range(TURNS)])
        found["elements after them"] = await page.evaluate("document.querySelectorAll('*').length")
        found["heap after them, MB"] = await page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        found["only the expired"] = await took(expired)
        found["only one person's"] = await took(of_one)
        return {name: round(value, 1) for name, value in found.items()}


async def run(rows: int) -> dict[str, Any]:
    few, many = await measured(FEW), await measured(rows)
    return {
        "rows": rows,
        "of": FEW,
        "figures": {name: [few[name], many[name], round(many[name] / max(few[name], 0.1), 2)] for name in few},
    }


if __name__ == "__main__":
    wish = argparse.ArgumentParser()
    wish.add_argument("--rows", type=int, default=1_000_000)
    print(json.dumps(asyncio.run(run(wish.parse_args().rows)), indent=2))
