"""Our worker inside a site's own: imported beside a real Workbox, and as an ES module; in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support import peers
from tidings.bus import bus_from
from tidings.cli.serving import reached_at, served
from tidings.lib.clock import SystemClock
from tidings.lib.sealed import KeyRing
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.wiring import assembled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PARTS = ("core", "routing", "strategies", "precaching")
OWN = """
importScripts(%(parts)s);
// What Workbox generates runs its body, with the site's imports, only after its modules are there.
Promise.resolve().then(() => {
  // A browser may take its time to do what skipWaiting() asks, so the asking is counted.
  let hurries = 0;
  const skipWaiting = self.skipWaiting.bind(self);
  self.skipWaiting = () => ((hurries += 1), skipWaiting());
  importScripts(%(ours)s);
  self.addEventListener("message", ({ data, ports }) => {
    if (data && data.type === "SKIP_WAITING") self.skipWaiting();
    if (data && data.type === "VERSION") ports[0].postMessage([%(version)d, hurries]);
  });
  workbox.precaching.precacheAndRoute([{ url: "/index.html", revision: "%(version)d" }]);
});
"""
HELPERS = """
window.asked = (message, which = "active") => new Promise(async (done) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = ({ data }) => done(data);
  (await navigator.serviceWorker.getRegistration())[which].postMessage(message, [channel.port2]);
});
window.shown = async () => {
  const open = await (await navigator.serviceWorker.getRegistration()).getNotifications();
  return open.map(({ title, tag }) => [title, tag]);
};
window.update = async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  const found = new Promise((done) => (registration.onupdatefound = done));
  await registration.update();
  await found;
  const made = registration.installing || registration.waiting || registration.active;
  while (!["installed", "activated"].includes(made.state)) await new Promise((done) => made.onstatechange = done);
};
"""


@dataclass
class Site:
    """A site whose files a test changes."""

    origin: str = ""
    files: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        path = "/index.html" if request.url.path == "/" else request.url.path
        content = self.files.get(path)
        kind = "text/html" if path.endswith(".html") else "text/javascript"
        return Response(content, 200 if content else 404, {"Cache-Control": "no-cache"}, kind)

    def publish(self, version: int, ours: str) -> None:
        """Put up the site and its worker; each version of the worker precaches its own page."""
        page = f"<!doctype html><title>Version {version}</title><script src=/helpers.js></script>"
        parts = ", ".join(f'"/workbox-{part}.js"' for part in PARTS)
        worker = OWN % {"parts": parts, "ours": json.dumps(ours), "version": version}
        self.files |= {"/index.html": page, "/sw.js": worker, "/helpers.js": HELPERS}


@asynccontextmanager
async def answering(app: FastAPI) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with served(app, listener, stopping=asyncio.Event()):
            yield reached_at(listener)


@pytest.fixture(scope="module")
async def tidings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The scripts' address on a server of another origin than the site's."""
    folder = tmp_path_factory.mktemp("tidings")
    store = open_store(database_url=None, folder=folder, ring=KeyRing.generate())
    container = assembled(Settings(data=folder), store=store, bus=bus_from(None), clock=SystemClock())
    async with answering(create_app(container)) as origin:
        yield f"{origin}/push"
    await store.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    modules = peers.installed() / "node_modules"
    for part in PARTS:
        source = modules / f"workbox-{part}" / "build" / f"workbox-{part}.prod.js"
        site.files[f"/workbox-{part}.js"] = Path(source).read_text()
    app = FastAPI(routes=[Route("/{path:path}", site.answer)], docs_url=None, redoc_url=None, openapi_url=None)
    async with answering(app) as site.origin:
        yield site


@asynccontextmanager
async def visit(chromium: Browser, site: Site, registered: Mapping[str, str]) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    context.set_default_timeout(60_000)
    await context.grant_permissions(["notifications"], origin=site.origin)
    page = await context.new_page()
    await page.goto(site.origin)
    await page.evaluate(
        "([url, options]) => navigator.serviceWorker.register(url, options).then(() => navigator.serviceWorker.ready)",
        [registered["url"], {"type": registered.get("type", "classic")}],
    )
    yield page
    await context.close()


async def push(page: Page, site: Site, payload: object) -> None:
    """Bring a push to the active worker, as the push service's last step does."""
    session = await page.context.new_cdp_session(page)
    found: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    session.on(
        "ServiceWorker.workerRegistrationUpdated", lambda told: [found.put_nowait(o) for o in told["registrations"]]
    )
    await session.send("ServiceWorker.enable")
    async with asyncio.timeout(60):
        registration = await found.get()
    await session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": site.origin, "registrationId": registration["registrationId"], "data": json.dumps(payload)},
    )
    await session.detach()


def payload(delivery: str, title: str = "Spring tide") -> object:
    return {
        "web_push": 8030,
        "notification": {"title": title, "navigate": "https://www.example.org/", "tag": delivery},
        "tidings": {"d": delivery, "t": "token"},
    }


async def test_beside_workbox_ours_pushes_and_leaves_its_cache_and_its_updates_alone(
    chromium: Browser, tidings: str, site: Site
) -> None:
    site.publish(1, f"{tidings}/service-worker.js")
    async with visit(chromium, site, {"url": "/sw.js"}) as page:
        hello = await page.evaluate("asked({ tidings: 'hello' })")
        assert hello["tidings"] == "hello"
        assert (hello["server"], hello["scope"]) == (tidings.removesuffix("/push"), f"{site.origin}/")
        assert hello["app"].startswith("app_")

        await push(page, site, payload("d1"))
        await page.wait_for_function("async () => (await shown()).length === 1")
        assert await page.evaluate("shown()") == [["Spring tide", "d1"]]

        # Workbox answers without the site.
        site.files["/index.html"] = "<!doctype html><title>Not from the cache</title>"
        await page.reload()
        assert await page.title() == "Version 1"

        # A new version waits for whatever the site waits for, although ours is in both.
        site.publish(2, f"{tidings}/service-worker.js")
        await page.evaluate("update()")
        assert await page.evaluate("asked({ type: 'VERSION' })") == [1, 0]
        assert await page.evaluate("asked({ type: 'VERSION' }, 'waiting')") == [2, 0]
        await page.evaluate(
            """async () => {
              const took = new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
              (await navigator.serviceWorker.getRegistration()).waiting.postMessage({ type: "SKIP_WAITING" });
              await took;
            }"""
        )
        await page.reload()
        assert await page.title() == "Version 2"

        # Seen by the version before, and still open.
        await push(page, site, payload("d1", "Spring tide again"))
        await push(page, site, payload("d2"))
        await page.wait_for_function("async () => (await shown()).length > 1")
        assert sorted(await page.evaluate("shown()")) == [["Spring tide", "d1"], ["Spring tide", "d2"]]


async def test_as_a_module_it_is_imported_from_another_origin_and_pushes(
    chromium: Browser, tidings: str, site: Site
) -> None:
    site.publish(1, "/unused.js")
    site.files["/worker.mjs"] = f'import "{tidings}/service-worker.mjs";\n'
    async with visit(chromium, site, {"url": "/worker.mjs", "type": "module"}) as page:
        assert (await page.evaluate("asked({ tidings: 'hello' })"))["server"] == tidings.removesuffix("/push")
        await push(page, site, "garbage")
        await page.wait_for_function("async () => (await shown()).length === 1")
        assert await page.evaluate("shown()") == [[site.origin.removeprefix("http://"), ""]]
