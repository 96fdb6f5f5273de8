"""Real browsers behind one small port: what a test does with Firefox, it does with Chromium in the same words."""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Playwright

from support.chromium import chromium
from support.desktop import Desktop, Shown
from support.firefox import firefox, preferences

INSECURE_HOST = "harbour.test"
"""A name that leads to this machine and is no secure context: there a page has no push."""
GENERIC = re.compile("updated in the background|im Hintergrund aktualisiert", re.IGNORECASE)
"""What Chromium shows in place of a push that showed nothing."""


class RealBrowser(ABC):
    """One browser with a profile that outlives it. `denied` are origins at which a person has blocked notifications."""

    name: str

    def __init__(
        self,
        playwright: Playwright,
        desktop: Desktop,
        *,
        profile: Path,
        simulator: dict[str, Any],
        denied: Sequence[str] = (),
    ) -> None:
        self._playwright = playwright
        self._desktop = desktop
        self._profile = profile
        self._simulator = simulator
        self._denied = denied
        self._granted: set[str] = set()
        self._context: BrowserContext | None = None
        profile.mkdir(parents=True, exist_ok=True)

    @property
    def tabs(self) -> list[Page]:
        """What is open, if it is."""
        return self._context.pages if self._context else []

    @property
    def context(self) -> BrowserContext:
        """Everything that is open."""
        assert self._context is not None, "the browser is closed"
        return self._context

    async def start(self) -> None:
        """Start it with its profile; what it was permitted before, it still is."""
        self._prepare()
        self._context = await self._launch()
        self._context.set_default_timeout(60_000)

    async def stop(self) -> None:
        """Close it as a person does."""
        if self._context:
            await self._context.close()
        self._context = None

    async def open(self, url: str) -> Page:
        """Open a page in a tab of its own."""
        page = await self.context.new_page()
        await page.goto(url)
        return page

    async def close_tabs(self) -> None:
        """Close every tab but an empty one, without which the browser would end; start it if a test left it closed.

        Chromium forgets the closing of a tab that comes to a page at that moment, so none may be on its way to one.
        """
        if self._context is None:
            await self.start()
        kept, *others = self.context.pages
        for page in others:
            await page.goto("about:blank")
            await page.close()
        await kept.goto("about:blank")

    async def grant(self, origin: str) -> None:
        """Answer Allow to the browser's question, which no driver can click."""
        await self.context.grant_permissions(["notifications"], origin=origin)
        self._granted.add(origin)

    def click(self, shown: Shown, *, button: str | None = None) -> None:
        """Click on a notification, or on its button with that label."""
        keys = {label: key for key, label in shown.actions.items()}
        self._desktop.click(shown, action="default" if button is None else keys[button])

    def environment(self) -> dict[str, str | float | bool]:
        """What it finds its desktop by."""
        return {**os.environ, **self._desktop.environment}

    @abstractmethod
    def body_of(self, shown: Shown) -> str:
        """Give the text of a notification without what the browser adds to it."""

    @abstractmethod
    def _prepare(self) -> None: ...

    @abstractmethod
    async def _launch(self) -> BrowserContext: ...


class Firefox(RealBrowser):
    """Debian's Firefox over WebDriver BiDi."""

    name = "firefox"

    def body_of(self, shown: Shown) -> str:
        return shown.body

    def _prepare(self) -> None:
        lines = [f"origin\tdesktop-notification\t2\t{origin}\n" for origin in self._denied]
        self._permissions.write_text("".join(lines))

    async def _launch(self) -> BrowserContext:
        return await self._playwright.firefox.launch_persistent_context(
            self._profile,
            channel="moz-firefox",
            executable_path=firefox(),
            headless=True,
            env=self.environment(),
            firefox_user_prefs={
                **preferences(self._simulator["autopush"]),
                "permissions.manager.defaultsUrl": self._permissions.as_uri(),
                "network.dns.localDomains": INSECURE_HOST,
            },
        )

    @property
    def _permissions(self) -> Path:
        return self._profile.parent / f"{self._profile.name}-permissions"


class Chromium(RealBrowser):
    """Debian's Chromium over its own protocol, whose push connection leads to the simulator."""

    name = "chromium"

    def body_of(self, shown: Shown) -> str:
        # It puts the site's name before the text.
        return shown.body.split("\n\n", 1)[-1]

    def _prepare(self) -> None:
        """Write into the profile what a person would have set: an answer given over the protocol ends with the run."""
        path = self._profile / "Default" / "Preferences"
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = json.loads(path.read_text()) if path.exists() else {}
        node = kept
        for name in ("profile", "content_settings", "exceptions"):
            node = node.setdefault(name, {})
        rules = node.setdefault("notifications", {})
        for origins, setting in ((self._denied, 2), (self._granted, 1)):
            rules.update(
                {f"{origin},*": {"setting": setting, "last_modified": "13400000000000000"} for origin in origins}
            )
        path.write_text(json.dumps(kept))

    async def _launch(self) -> BrowserContext:
        return await self._playwright.chromium.launch_persistent_context(
            self._profile,
            executable_path=chromium(),
            headless=True,
            chromium_sandbox=os.geteuid() != 0,
            env=self.environment(),
            args=[*self._simulator["chromium"], f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1"],
        )


def origin_of(url: str) -> str:
    """Give scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
