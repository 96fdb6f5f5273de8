"""From an empty instance to a notification on this very browser: how many clicks that takes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from support.browsers import RealBrowser
from support.dashboard import ANNA, fits_and_is_sound
from support.desktop import Desktop
from support.walking import Walk, running_walk
from tidings.simulator.run import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

MOST = 5
COUNT = """addEventListener('click', ({ isTrusted }) => {
  if (isTrusted) localStorage.clicks = Number(localStorage.clicks ?? 0) + 1
}, true)"""
ALLOW = 1
"""The click on the browser's own question, which no driver can do."""


@pytest.fixture
async def walk(simulator: Running, desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    async with running_walk(tmp_path_factory.mktemp("first"), simulator, desktop) as walk:
        yield walk


async def led(walk: Walk, browser: RealBrowser) -> Page:
    """Do what the page says, with the keyboard where one types."""
    email, password = ANNA
    page = await browser.context.new_page()
    await page.add_init_script(COUNT)
    await page.goto(walk.tidings.setup_url)
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("Anna Berger")
    await page.keyboard.press("Tab")
    await page.keyboard.type(email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.get_by_role("button", name="Create my account").click()
    await expect(page.get_by_role("textbox", name="Contact address")).to_have_value(email)
    await page.get_by_role("button", name="Generate VAPID keys").click()
    await browser.grant(walk.tidings.url)
    await page.get_by_role("button", name="Enable, and send a test").click()
    return page


async def test_chromium_shows_the_first_notification_after_at_most_five_clicks(
    walk: Walk, chromium: RealBrowser
) -> None:
    page = await led(walk, chromium)
    shown = await walk.sees("It works")
    assert chromium.body_of(shown) == "This browser gets your notifications."
    await expect(page.get_by_text("A notification is on your screen")).to_be_visible()
    assert int(await page.evaluate("localStorage.clicks")) + ALLOW <= MOST
    await fits_and_is_sound(page)
    # The steps are for who has not begun.
    await page.reload()
    await expect(page.get_by_role("heading", name="Last notifications")).to_be_visible()
    await expect(page.get_by_role("heading", name="First steps")).to_have_count(0)
    assert json.loads(await walk.tidings.command("doctor", "--offline", "--json"))["ok"]
    await chromium.close_tabs()


async def test_firefox_shows_it_too(walk: Walk, firefox: RealBrowser) -> None:
    page = await led(walk, firefox)
    await walk.sees("It works")
    await expect(page.get_by_text("A notification is on your screen")).to_be_visible()
    assert int(await page.evaluate("localStorage.clicks")) + ALLOW <= MOST
    await firefox.close_tabs()
