"""A real Firefox, as the distribution ships it, whose push connection leads to our simulator."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from support.desktop import Desktop

NAMES = ("firefox-esr", "firefox")


def firefox() -> str:
    """Find the program; skip the test where there is none, unless TIDINGS_REQUIRE_BROWSERS says that it must run."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if os.environ.get("TIDINGS_REQUIRE_BROWSERS"):
        pytest.fail("Firefox is not installed, and TIDINGS_REQUIRE_BROWSERS is set")
    pytest.skip("Firefox is not installed; `make browsers` installs it where it may")


def preferences(autopush: str) -> dict[str, str | int | bool]:
    """What makes Firefox use our push socket and our desktop."""
    return {
        "dom.push.serverURL": autopush,
        "dom.push.testing.allowInsecureServerURL": True,
        # WebDriver sets this to false of its own accord.
        "dom.push.connection.enabled": True,
        "dom.push.retryBaseInterval": 300,
        # Without it showNotification() waits for a desktop that is not there.
        "alerts.useSystemBackend": True,
    }


@asynccontextmanager
async def running_firefox(desktop: Desktop, *, autopush: str) -> AsyncIterator[Browser]:
    """Start Firefox without a window."""
    program = firefox()
    async with async_playwright() as playwright:
        browser = await playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=program,
            headless=True,
            firefox_user_prefs=preferences(autopush),
            env={**os.environ, **desktop.environment},
        )
        try:
            yield browser
        finally:
            await browser.close()
