"""Every page that the dashboard has, by its own list of them: sound, and not too wide for a phone, in each state."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from support.axe import serious
from support.dashboard import PHONE, WIDE, fits, founds, let_in, visitor
from support.instance import Instance, running_server

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from furnish import furnished  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(900)]

ROUTE = re.compile(r"'(/[\w/-]*)': (?:loaded|\(\) => import)|\['(/[\w/-]+)/:id'")
ROUTES = ROUTE.findall((ROOT / "dashboard/src/App.svelte").read_text())
DOORS = {"/sign-in", "/setup", "/invite", "/reset", "/confirmed"}
"""For who is not signed in; tests/browser/test_accounts.py looks at them."""
PLAIN = [plain for plain, _ in ROUTES if plain and plain not in DOORS]
ABOUT = [about for _, about in ROUTES if about]
LOOKS = (("light", WIDE), ("dark", PHONE))
WHO_ONE_IS = re.compile(r"/api/v1/(session|apps)(\?|$)")
"""Without an answer to these there is no page at all."""


@pytest.fixture(scope="module")
async def ids(instance: Instance) -> dict[str, str]:
    """Something on every page, and the ids that pages are about, by their address."""
    made = await furnished(instance)
    return {
        "/notifications": made["notification"],
        "/subscriptions": made["subscription"],
        "/users": "u-42",
        "/events": made["event"],
        "/event-types": "conversation.escalated",
        "/templates": made["template"],
        "/segments": made["segment"],
        "/settings/triggers": made["trigger"],
        "/settings/webhooks": made["webhook"],
        "/settings/integrations": made["fcm"],
    }


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    async with visitor(chromium) as opened:
        await let_in(opened, instance)
        yield opened


async def faults(page: Page, url: str) -> list[tuple[str, object]]:
    """Give what is wrong with a page: in light and dark, on a desk and on a phone."""
    wrong: list[tuple[str, object]] = []
    await page.goto(url)
    await expect(page.get_by_role("heading", level=1).first).to_be_visible()
    await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    for scheme, size in LOOKS:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.set_viewport_size(size)
        if not await fits(page):
            wrong.append((f"{url}, {scheme}, {size['width']}", "is wider than the screen"))
        wrong += [(f"{url}, {scheme}, {size['width']}", found) for found in await serious(page)]
    return wrong


async def test_with_something_on_every_page(page: Page, instance: Instance, ids: dict[str, str]) -> None:
    assert len(PLAIN) > 25
    wrong = []
    for path in (*PLAIN, *(f"{about}/{ids[about]}" for about in ABOUT), "/nowhere"):
        wrong += await faults(page, f"{instance.url}{path}")
    assert wrong == []


async def test_empty(chromium: Browser, tmp_path: Path) -> None:
    async with running_server(tmp_path, contact=None) as empty, visitor(chromium) as page:
        await founds(page, empty)
        wrong = []
        for path in PLAIN:
            wrong += await faults(page, f"{empty.url}{path}")
        assert wrong == []


async def test_failing_says_so_and_offers_a_way_out(page: Page, instance: Instance, ids: dict[str, str]) -> None:
    async def broken(route: Route) -> None:
        if WHO_ONE_IS.search(route.request.url):
            return await route.continue_()
        told = {"title": "Something went wrong here", "status": 500, "code": "internal", "mend": "Try again."}
        await route.fulfill(status=500, content_type="application/problem+json", body=json.dumps(told))

    await page.route("**/api/**", broken)
    wrong, told = [], 0
    try:
        for path in (*PLAIN, *(f"{about}/{ids[about]}" for about in ABOUT)):
            wrong += await faults(page, f"{instance.url}{path}")
            # Not a rule of axe: an alert without a way out leaves one there.
            alerts = page.get_by_role("alert").filter(has_text="Something went wrong here")
            ways = alerts.get_by_role("button", name="Try again")
            told += bool(await alerts.count())
            if await alerts.count() and not await ways.count():
                wrong.append((path, "says that it fails and offers no way out"))
    finally:
        await page.unroute("**/api/**")
    assert wrong == []
    assert told > 25, "pages that load something say that it failed"
