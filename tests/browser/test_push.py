"""The main job in both browsers: a person says yes, an operator sends, it is shown, clicked and counted."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from support.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


async def test_from_the_banner_to_the_receipt(visitor: Visitor) -> None:
    page = await visitor.opens()
    await expect(page.locator("#state")).to_have_text("undecided")
    banner = page.get_by_role("region", name="Notifications")
    await expect(banner).to_be_visible()
    assert await page.evaluate("[Notification.permission, window.asked]") == ["default", 0], "asked before the click"
    await visitor.browser.grant(visitor.place.origin)
    await banner.get_by_role("button", name="Enable").click()
    await expect(page.locator("#state")).to_have_text("registered")
    device = await visitor.device(page)
    assert device["status"] == "active"
    assert await page.evaluate("Tidings.subscribe()") == "registered"
    assert (await visitor.device(page))["id"] == device["id"], "a second call makes no second row"

    await visitor.signs_in(page, visitor.user)
    url = f"{visitor.place.origin}/?opened=tide"
    sent = await visitor.sent(
        "Spring tide",
        body="Quay road closes — grüße",
        url=url,
        actions=[{"id": "map", "title": "Map", "url": f"{visitor.place.origin}/?opened=map"}],
    )
    assert sent["audience"] == 1
    shown = await visitor.sees("Spring tide")
    assert visitor.browser.body_of(shown) == "Quay road closes — grüße"
    assert "Map" in shown.actions.values()
    await visitor.counted(sent, shown=1)
    visitor.browser.click(shown)
    opened = await visitor.page_at(url)
    await expect(opened.get_by_role("heading", name="Harbour News")).to_be_visible()
    counted = await visitor.counted(sent, sent=1, shown=1, clicked=1)
    assert counted["counts"]["audience"] == 1


async def test_a_button_with_an_address_opens_it(visitor: Visitor) -> None:
    await visitor.enables()
    url = f"{visitor.place.origin}/?opened=take"
    sent = await visitor.sent("A visitor waits", actions=[{"id": "take", "title": "Take it", "url": url}])
    shown = await visitor.sees("A visitor waits")
    await visitor.counted(sent, shown=1)
    visitor.browser.click(shown, button="Take it")
    await visitor.page_at(url)
    await visitor.counted(sent, clicked=1)


async def test_the_answer_of_an_opinion_question_is_counted(visitor: Visitor) -> None:
    await visitor.enables()
    tabs = len(visitor.browser.context.pages)
    sent = await visitor.sent(
        "More ferries?", actions=[{"id": "yes", "title": "Yes, please"}, {"id": "no", "title": "No"}]
    )
    shown = await visitor.sees("More ferries?")
    await visitor.counted(sent, shown=1)
    visitor.browser.click(shown, button="No")
    counted = await visitor.counted(sent, answered=1)
    assert counted["answers"] == {"no": 1}
    assert len(visitor.browser.context.pages) == tabs, "an answer opens nothing"


async def test_the_page_that_asks_takes_an_answer_and_another_one(visitor: Visitor) -> None:
    """Both browsers show buttons here, so the address is made as the worker does, of what the notification holds."""
    page = await visitor.enables()
    sent = await visitor.sent("Warm enough?", actions=[{"id": "yes", "title": "It is"}, {"id": "no", "title": "No"}])
    await visitor.sees("Warm enough?")
    await visitor.counted(sent, shown=1)
    kept = await page.evaluate(
        "navigator.serviceWorker.ready.then((it) => it.getNotifications()).then((all) => all.at(-1).data.tidings)"
    )
    asking = await visitor.browser.context.new_page()
    await asking.goto(f"{visitor.instance.url}/push/answers/{kept['delivery']}/{kept['token']}")
    await expect(asking.get_by_role("heading", name="Warm enough?")).to_be_visible()
    await asking.get_by_role("button", name="No").click()
    await expect(asking.get_by_role("button", name="No")).to_have_attribute("aria-pressed", "true")
    await asking.get_by_role("button", name="It is").click()
    await expect(asking.get_by_role("button", name="It is")).to_have_attribute("aria-pressed", "true")
    counted = await visitor.counted(sent, answered=1)
    assert counted["answers"] == {"yes": 1}
    await asking.close()


async def test_a_click_focuses_the_page_that_is_open_already(visitor: Visitor) -> None:
    page = await visitor.enables()
    sent = await visitor.sent("Fish market", url=page.url)
    shown = await visitor.sees("Fish market")
    await visitor.counted(sent, shown=1)
    tabs = len(visitor.browser.context.pages)
    visitor.browser.click(shown)
    await visitor.counted(sent, clicked=1)
    assert len(visitor.browser.context.pages) == tabs


async def test_a_dismissed_notification_is_reported_as_closed(visitor: Visitor) -> None:
    await visitor.enables()
    sent = await visitor.sent("Old news")
    shown = await visitor.sees("Old news")
    await visitor.counted(sent, shown=1)
    visitor.desktop.dismiss(shown)
    await visitor.counted(sent, closed=1, clicked=0)


async def test_it_comes_with_the_page_closed_and_after_a_restart_of_the_browser(visitor: Visitor) -> None:
    page = await visitor.enables()
    await page.close()
    sent = await visitor.sent("The page is closed")
    await visitor.sees("The page is closed")
    await visitor.counted(sent, shown=1)

    await visitor.browser.stop()
    sent = await visitor.sent("The browser was closed")
    await visitor.counted(sent, sent=1)
    assert visitor.seen("The browser was closed") == []
    await visitor.browser.start()
    await visitor.sees("The browser was closed")
    await visitor.counted(sent, shown=1)
    page = await visitor.opens()
    await expect(page.locator("#state")).to_have_text("registered")
    assert await page.evaluate("window.asked") == 0
