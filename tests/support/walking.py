"""What a walk through a source document needs: an empty Tidings, an example's own server, people, and what they get."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from playwright.async_api import Locator, Page

from support.browsers import RealBrowser
from support.dashboard import founds
from support.desktop import Desktop, Shown
from support.instance import Instance, free_port, running_server
from support.phones import led_to
from support.visitor import PATIENCE, WATCH, Onlooker, eventually
from tidings.services.identity import identity_token
from tidings.simulator.run import Running

EXAMPLES = Path(__file__).parents[2] / "examples"


class Walk(Onlooker):
    """One document's world. `site` is where the example answers."""

    def __init__(self, tidings: Instance, simulator: Running, desktop: Desktop) -> None:
        super().__init__(desktop)
        self.tidings = tidings
        self.simulator = simulator
        self.site = ""
        self.secret = ""

    async def opens(self, browser: RealBrowser, path: str = "/") -> Page:
        """Open a page of the example; it counts the questions that the browser is made to ask."""
        page = await browser.context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(self.site + path)
        return page

    async def dashboard(self, browser: RealBrowser) -> Page:
        """Make the first member, whom the set-up link lets in."""
        page = await browser.context.new_page()
        await founds(page, self.tidings)
        return page

    async def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """Tell the simulator something."""
        return await asked(f"{self.simulator.control}{path}", method, body)

    def token(self, person: str) -> str:
        """Sign who somebody is, as the example's server does."""
        return identity_token(self.secret.encode(), person, expires=int(time.time()) + 600)

    async def device_of(self, *people: str) -> None:
        """Give each a simulated device, registered with their signed identity as a page would do it."""
        key = await asked(f"{self.tidings.url}/push/vapid-key", "GET")
        body = {"count": len(people), "vapid_key": key["public_key"], "seed": "-".join(people)}
        made = (await self.control("/subscribers", body))["subscriptions"]
        for person, subscription in zip(people, made, strict=True):
            wish = {"subscription": subscription, "user": {"id": person, "token": self.token(person)}}
            await asked(f"{self.tidings.url}/push/subscribe", "POST", wish)

    async def events(self, kind: str, *, at_least: int = 1) -> list[dict[str, Any]]:
        """Wait until so many events of a type have happened and their triggers were asked; give the newest 200."""

        async def look() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = (await self.tidings.rest("GET", f"/events?type={kind}&limit=200"))["data"]
            return found if len(found) >= at_least and all(one["status"] == "done" for one in found) else None

        found: list[dict[str, Any]] = await eventually(look)
        return found

    async def every(self, path: str) -> list[dict[str, Any]]:
        """Give a whole list, page by page."""
        page = await self.tidings.rest("GET", f"{path}?limit=200")
        rows: list[dict[str, Any]] = page["data"]
        while cursor := page["next_cursor"]:
            page = await self.tidings.rest("GET", f"{path}?limit=200&cursor={cursor}")
            rows += page["data"]
        return rows

    async def firings(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Give what came of an event."""
        found: list[dict[str, Any]] = (await self.tidings.rest("GET", f"/events/{event['id']}"))["firings"]
        return found

    async def told(self, event: dict[str, Any]) -> Counter[str]:
        """Wait until everybody has what an event makes Tidings send; give whose devices took it."""
        people: Counter[str] = Counter()
        for firing in await self.firings(event):
            for notification in firing["notifications"]:
                people += await self.reached(notification)
        return people

    async def reached(self, notification: str) -> Counter[str]:
        """Wait until a notification is done; give whose devices took it."""
        await self.tidings.done(f"/notifications/{notification}")
        rows = (await self.tidings.rest("GET", f"/notifications/{notification}/deliveries?limit=200"))["data"]
        return Counter(row["user"] for row in rows if row["status"] == "sent")

    async def clicks(
        self, browser: RealBrowser, shown: Shown, done: Callable[[], Awaitable[Any]], *, button: str | None = None
    ) -> Any:
        """Click until it is done, and give what is true then.

        A browser that has not heard yet by which number the desktop knows its notification takes no click for its own.
        """
        async with asyncio.timeout(PATIENCE):
            while not (found := await done()):
                browser.click(shown, button=button)
                await asyncio.sleep(1)
            return found

    async def opens_by(self, browser: RealBrowser, shown: Shown, url: str) -> Page:
        """Click on a notification and give the page that it opens."""

        async def look() -> Page | None:
            return next((page for page in browser.context.pages if page.url == url), None)

        page: Page = await self.clicks(browser, shown, look)
        return page


@asynccontextmanager
async def running_walk(folder: Path, simulator: Running, desktop: Desktop) -> AsyncIterator[Walk]:
    """Start a Tidings that nobody has set up: no VAPID key, no subscriber; with an API key and an identity secret."""
    chromium = f"jmt17.google.com=127.0.0.1:{urlsplit(simulator.push).port}"
    async with running_server(folder, contact=None, hosts=[chromium, *led_to(simulator)]) as tidings:
        tidings.key = json.loads(await tidings.command("key", "create", "--name", "walk", "--json"))["key"]
        walk = Walk(tidings, simulator, desktop)
        walk.secret = json.loads(await tidings.command("app", "secret", "--yes", "--json"))["identity_secret"]
        yield walk


@asynccontextmanager
async def running_example(walk: Walk, name: str, log: Path) -> AsyncIterator[None]:
    """Run the server of an example as its README says, until the block ends."""
    port = free_port()
    environment = {"PORT": str(port), "TIDINGS_URL": walk.tidings.url, "TIDINGS_KEY": walk.tidings.key}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", EXAMPLES / name / "server.py"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "TIDINGS_SECRET": walk.secret},
        )
    try:

        async def look() -> bool:
            assert process.poll() is None, log.read_text()
            return f"http://localhost:{port}/" in log.read_text()

        await eventually(look)
        walk.site = f"http://localhost:{port}"
        yield
        # A page that was closed leaves a broken pipe; what Tidings would not take is a fault.
        assert not re.search("HTTP Error|not told", log.read_text()), log.read_text()
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 40)


async def sends(button: Locator) -> None:
    """Press a form's button, by the keyboard as the page may move under a pointer, and come to the page that answers.

    Chromium forgets the closing of a tab that comes to a page at that moment, and its driver waits for ever.
    """
    async with button.page.expect_navigation():
        await button.press("Enter")


async def asked(url: str, method: str, body: Any = None, *, plain: bool = False) -> Any:
    """Send a request as any program would, and give the JSON of the answer, or its text. Raises HTTPError."""

    def ask() -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"content-type": "application/json"}, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            content: bytes = answer.read()
        return content.decode() if plain else json.loads(content or b"null")

    return await asyncio.to_thread(ask)
