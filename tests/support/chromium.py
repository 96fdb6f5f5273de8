"""A real Chromium, as the distribution ships it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Find the program; skip the test where there is none, unless TIDINGS_REQUIRE_BROWSERS says that it must run."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if os.environ.get("TIDINGS_REQUIRE_BROWSERS"):
        pytest.fail("Chromium is not installed, and TIDINGS_REQUIRE_BROWSERS is set")
    pytest.skip("Chromium is not installed; `make browsers` installs it where it may")


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Start Chromium without a window; as root it has no sandbox."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), headless=True, chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            await browser.close()
