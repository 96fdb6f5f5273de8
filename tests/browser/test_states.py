"""The five states, each seen for real in both browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from support.browsers import INSECURE_HOST
from support.place import Place
from support.visitor import Visitor, eventually, explained

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


async def test_unsupported_where_the_page_is_no_secure_context(visitor: Visitor) -> None:
    page = await visitor.browser.open(f"http://{INSECURE_HOST}:{visitor.place.port}/")
    await expect(page.locator("#state")).to_have_text("unsupported")
    assert await page.evaluate("Tidings.subscribe()") == "unsupported"
    await expect(page.locator("#enable")).to_be_hidden()


async def test_denied_where_the_person_has_blocked_it(visitor: Visitor, blocked: Place) -> None:
    page = await visitor.browser.open(blocked.origin)
    await expect(page.locator("#state")).to_have_text("denied")
    assert await page.evaluate("Tidings.subscribe()") == "denied"
    assert await page.evaluate("Tidings.lastError.code") == "denied"
    await expect(page.get_by_role("region", name="Notifications")).to_be_hidden()
    await expect(await explained(page)).to_contain_text("blocked")


async def test_undecided_until_somebody_answers_and_not_asked_again_after_not_now(visitor: Visitor) -> None:
    page = await visitor.opens()
    await expect(page.locator("#state")).to_have_text("undecided")
    banner = page.get_by_role("region", name="Notifications")
    await banner.get_by_role("button", name="Not now").click()
    await expect(banner).to_be_hidden()
    assert await page.evaluate("[Notification.permission, window.asked]") == ["default", 0]

    # A visit, a banner and that it was put away: all that is known of it.
    async def counted() -> bool:
        totals = (await visitor.instance.rest("GET", "/stats/funnel"))["totals"]
        return bool(min(totals[step] for step in ("seen", "banner", "later")))

    await eventually(counted)
    again = await visitor.opens()
    await expect(again.locator("#state")).to_have_text("undecided")
    reason = await again.evaluate(
        "() => new Promise((resolve) => { const b = Tidings.banner(); const look = () => "
        "b.reason ? resolve(b.reason) : setTimeout(look, 50); look(); })"
    )
    assert reason == "dismissed"


async def test_unregistered_where_the_push_service_refuses_until_it_does_not(visitor: Visitor) -> None:
    page = await visitor.opens()
    await visitor.browser.grant(visitor.place.origin)
    await visitor.control("/registrations", {"refuse": 100})
    banner = page.get_by_role("region", name="Notifications")
    try:
        await banner.get_by_role("button", name="Enable").click()
        await expect(banner).to_contain_text("could not be turned on")
        await expect(page.locator("#state")).to_have_text("unregistered")
        assert await page.evaluate("Tidings.lastError.code") == "subscribe_failed"
    finally:
        await visitor.control("/registrations", {"refuse": 0})
    await banner.get_by_role("button", name="Try again").click()
    await expect(page.locator("#state")).to_have_text("registered")
