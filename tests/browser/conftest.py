"""Both browsers on one desktop, at one demo: each started once, each test at a site it has never seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright, expect

from support import dashboard
from support.browsers import GENERIC, Chromium, Firefox, RealBrowser
from support.chromium import running_chromium
from support.desktop import Desktop, running_desktop
from support.instance import Instance, running_demo
from support.place import Place, running_place
from support.visitor import PATIENCE, Visitor


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A demo of the module's own, whose subscribers nobody else counts."""
    async with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """The demo that real browsers subscribe at."""
    async with running_demo(tmp_path_factory.mktemp("shared")) as running:
        # Without origins any page of localhost may subscribe, and each test has a port of its own.
        await running.command("app", "set", "--origin", "")
        yield running


@pytest.fixture(scope="session")
async def desktop() -> AsyncIterator[Desktop]:
    """The desktop; whatever happened on it, no browser may have had to speak for us."""
    async with running_desktop() as running:
        yield running
        generic = [one for one in running.shown if GENERIC.search(f"{one.title} {one.body}")]
        assert generic == [], "a push showed nothing, so the browser showed its own notice"


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Let whatever a test expects have its time on a slow, loaded machine."""
    expect.set_options(timeout=PATIENCE * 1000)
    yield
    expect.set_options(timeout=None)


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A Chromium without a window, for pages that need no push."""
    async with running_chromium() as running:
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """An owner's browser at the dashboard."""
    async with dashboard.visitor(chromium) as opened:
        await dashboard.let_in(opened, instance)
        yield opened


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest.fixture(scope="session")
async def blocked(shared: Instance) -> AsyncIterator[Place]:
    """A site whose notifications a person has blocked."""
    async with running_place(shared.url) as place:
        yield place


@pytest.fixture(scope="session", params=[Firefox, Chromium], ids=lambda kind: kind.name)
async def browser(
    request: pytest.FixtureRequest,
    playwright: Playwright,
    desktop: Desktop,
    shared: Instance,
    blocked: Place,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RealBrowser]:
    kind: type[RealBrowser] = request.param
    (told,) = shared.folder.rglob("simulator.json")
    running = kind(
        playwright,
        desktop,
        profile=tmp_path_factory.mktemp(kind.name) / "profile",
        simulator=json.loads(told.read_text()),
        denied=[blocked.origin],
    )
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def place(shared: Instance) -> AsyncIterator[Place]:
    async with running_place(shared.url) as running:
        yield running


@pytest.fixture
async def visitor(browser: RealBrowser, desktop: Desktop, place: Place, shared: Instance) -> AsyncIterator[Visitor]:
    """A person at the browser; what the site's policy forbids fails the test, and the tabs are closed afterwards."""
    visitor = Visitor(browser, desktop, place, shared)
    yield visitor
    violations = []
    for page in browser.tabs:
        if page.url.startswith(place.origin):
            violations += await page.evaluate("window.violations ?? []")
    await browser.close_tabs()
    assert violations == []
