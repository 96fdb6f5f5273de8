"""A person at a browser, and an operator who sends to them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Locator, Page, expect

from support.browsers import RealBrowser
from support.desktop import Desktop, Shown
from support.instance import Instance
from support.place import Place
from tidings.simulator import base64url

PATIENCE = 60
"""Seconds: a slow, loaded machine gets there, too."""

SUBSCRIPTION = "navigator.serviceWorker.getRegistration().then((r) => r?.pushManager.getSubscription())"
WATCH = """
  window.asked = 0;
  const ask = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => { window.asked += 1; return ask(); };
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
"""Count the questions, and what the Content-Security-Policy forbade."""


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again until the answer is true; give it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):
            await asyncio.sleep(0.1)
        return found


EXPLAIN = """async () => {
  // The site's own banner may still be loading; whoever calls meanwhile gets that one.
  for (let tries = 0; tries < 1000; tries += 1) {
    const banner = Tidings.banner({ whenDenied: true });
    if (banner.state === "denied") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}"""


async def explained(page: Page) -> Locator:
    """Let the page say how to allow notifications that are blocked; give what it shows."""
    await page.evaluate(EXPLAIN)
    return page.get_by_role("region", name="Notifications")


class Onlooker:
    """Looks at what the desktop shows from now on."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self._before = len(desktop.shown)

    async def sees(self, title: str, *, times: int = 1) -> Shown:
        """Wait until a notification with that title is on the screen, for the so many-th time; give the last."""

        async def look() -> list[Shown]:
            return self.seen(title)[times - 1 :]

        found: list[Shown] = await eventually(look)
        return found[0]

    def seen(self, title: str) -> list[Shown]:
        """Give every notification since then with that title."""
        return [one for one in self.desktop.shown[self._before :] if one.title == title]


class Visitor(Onlooker):
    """One person at one browser, at a site that it has never seen; `user` is who they are when they sign in."""

    def __init__(self, browser: RealBrowser, desktop: Desktop, place: Place, instance: Instance) -> None:
        super().__init__(desktop)
        self.browser = browser
        self.place = place
        self.instance = instance
        self.user = f"u-{browser.name}-{place.port}"

    async def opens(self, path: str = "/") -> Page:
        """Open the site."""
        page = await self.browser.context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(self.place.origin + path)
        await expect(page.locator("#state")).not_to_have_text("…")
        return page

    async def enables(self, *, user: str | None = None) -> Page:
        """Open the site, press Enable, answer Allow, and sign in."""
        page = await self.opens()
        await self.browser.grant(self.place.origin)
        await page.locator("#enable").click()
        await expect(page.locator("#state")).to_have_text("registered")
        await self.signs_in(page, user or self.user)
        return page

    async def signs_in(self, page: Page, user: str | None) -> None:
        """Sign in at the site as anybody; None signs out."""
        await page.evaluate("(user) => become(user)", user)
        assert await page.evaluate("Tidings.lastError?.message ?? null") is None

    async def device(self, page: Page) -> dict[str, Any]:
        """Give what the server knows of this device."""
        known = await page.evaluate("Tidings.subscription()")
        found: dict[str, Any] = await self.instance.rest("GET", f"/subscriptions/{known['id']}")
        return found

    async def sent(self, title: str, *, user: str | None = None, **more: Any) -> dict[str, Any]:
        """Send to this person, or to another."""
        body = {"to": {"users": [user or self.user]}, "title": title, **more}
        found: dict[str, Any] = await self.instance.rest("POST", "/notifications", body)
        return found

    async def counted(self, notification: dict[str, Any], **events: int) -> dict[str, Any]:
        """Wait until the server has counted so many of these events; give the notification."""

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.instance.rest("GET", f"/notifications/{notification['id']}")
            counts = found["counts"]
            return found if all(counts[name] >= number for name, number in events.items()) else None

        found: dict[str, Any] = await eventually(look)
        assert {name: found["counts"][name] for name in events} == events
        return found

    async def page_at(self, url: str) -> Page:
        """Wait until a tab shows that address."""

        async def look() -> Page | None:
            return next((page for page in self.browser.context.pages if page.url == url), None)

        page: Page = await eventually(look)
        return page

    async def subscription(self, page: Page) -> dict[str, Any]:
        """Give what the browser itself holds: endpoint and keys."""
        found: dict[str, Any] = await page.evaluate(f"{SUBSCRIPTION}.then((s) => s.toJSON())")
        return found

    async def receives(self, subscription: dict[str, Any], plaintext: bytes) -> None:
        """Let the push service hand over a message that no server of ours has sent."""
        body = http_ece.encrypt(
            plaintext,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=base64url.decoded(subscription["keys"]["p256dh"]),
            auth_secret=base64url.decoded(subscription["keys"]["auth"]),
            version="aes128gcm",
        )
        await self.receives_bytes(subscription, body)

    async def receives_bytes(self, subscription: dict[str, Any], body: bytes) -> None:
        """Let the push service hand over these very bytes."""
        await self.control("/deliver", {"endpoint": subscription["endpoint"], "body": base64url.encoded(body)})

    async def control(self, path: str, body: dict[str, Any]) -> Any:
        """Tell the simulator something, and give its answer."""
        url = f"http://127.0.0.1:{self.instance.simulator['control']}{path}"
        return json.loads(await asyncio.to_thread(_posted, url, json.dumps(body).encode()) or b"null")

    async def pushes_unsigned(self, endpoint: str) -> None:
        """Push as somebody would who has no key."""
        with pytest.raises(HTTPError, match="401") as refused:
            await asyncio.to_thread(_posted, endpoint, b"")
        refused.value.close()


def _posted(url: str, body: bytes) -> bytes:
    trusting = HTTPSHandler(context=ssl._create_unverified_context())
    with build_opener(ProxyHandler({}), trusting).open(
        Request(url, data=body, method="POST"), timeout=PATIENCE
    ) as answer:
        content: bytes = answer.read()
        return content
