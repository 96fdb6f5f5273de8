"""Both browsers at push services of their own; each walk has a Tidings of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Playwright

from support.browsers import Chromium, Firefox, RealBrowser
from support.desktop import Desktop
from tidings.simulator.run import Running, SimulatorConfig, serve


@pytest.fixture(scope="session")
async def simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The push services of the world, in this process."""
    async with serve(SimulatorConfig(folder=tmp_path_factory.mktemp("simulator"))) as running:
        yield running


async def _running(browser: RealBrowser) -> AsyncIterator[RealBrowser]:
    await browser.start()
    yield browser
    await browser.stop()


@pytest.fixture(scope="module")
async def firefox(
    playwright: Playwright, desktop: Desktop, simulator: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBrowser]:
    profile = tmp_path_factory.mktemp("firefox") / "profile"
    async for browser in _running(
        Firefox(playwright, desktop, profile=profile, simulator=json.loads(simulator.ready_line()))
    ):
        yield browser


@pytest.fixture(scope="module")
async def chromium(
    playwright: Playwright, desktop: Desktop, simulator: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealBrowser]:
    profile = tmp_path_factory.mktemp("chromium") / "profile"
    async for browser in _running(
        Chromium(playwright, desktop, profile=profile, simulator=json.loads(simulator.ready_line()))
    ):
        yield browser
