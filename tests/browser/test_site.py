"""The sample site as it is: accessible in every state of the banner, and under a policy without `unsafe`."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from support import peers
from support.browsers import Chromium
from support.place import Place
from support.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def serious(page: Page) -> list[tuple[str, Any]]:
    """Give what axe finds that keeps somebody from using the page."""
    await page.evaluate((peers.installed() / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.node
@pytest.mark.parametrize("browser", [Chromium], indirect=True, ids=["chromium"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_with_the_banner_and_its_panels_open(
    visitor: Visitor, blocked: Place, scheme: Any
) -> None:
    page = await visitor.opens()
    await page.emulate_media(color_scheme=scheme)
    await page.reload()
    banner = page.get_by_role("region", name="Notifications")
    await banner.wait_for()
    assert await serious(page) == []
    denied = await visitor.browser.context.new_page()
    await denied.emulate_media(color_scheme=scheme)
    await denied.goto(blocked.origin)
    await denied.evaluate("void Tidings.banner({ whenDenied: true })")
    await denied.get_by_role("region", name="Notifications").wait_for()
    assert await serious(denied) == []


async def test_the_policy_allows_nothing_unsafe(visitor: Visitor) -> None:
    page = await visitor.opens()
    await page.get_by_role("region", name="Notifications").wait_for()
    assert visitor.place.policies
    assert not [policy for policy in visitor.place.policies if "unsafe" in policy or "*" in policy]
    assert await page.evaluate("window.violations") == []
