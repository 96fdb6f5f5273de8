"""Both browsers at push services of their own; each walk has a Tidings of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Playwright

from support.browsers import Chromium, Firefox, RealBrowser
from support.desktop import Desktop
from support.walking import running_simulator


@pytest.fixture(scope="session")
async def simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Any]]:
    async with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


async def _running(browser: RealBrowser) -> AsyncIterator[RealBrowser]:
    await browser.start()
    yield browser
    await browser.stop()


@pytest.fixture(scope="module")
async def firefox(
    playwright: Playwright, desktop: Desktop, simulator: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBrowser]:
    profile = tmp_path_factory.mktemp("firefox") / "profile"
    async for browser in _running(Firefox(playwright, desktop, profile=profile, simulator=simulator)):
        yield browser


@pytest.fixture(scope="module")
async def chromium(
    playwright: Playwright, desktop: Desktop, simulator: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBrowser]:
    profile = tmp_path_factory.mktemp("chromium") / "profile"
    async for browser in _running(Chromium(playwright, desktop, profile=profile, simulator=simulator)):
        yield browser
