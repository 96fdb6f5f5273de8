"""The palette and the keys in a real Chromium on a real server."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def at_overview(page: Page, instance: Instance) -> None:
    await page.goto(instance.url)
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


async def test_the_palette_leads_to_a_page_and_to_a_person_by_keys_alone(page: Page, instance: Instance) -> None:
    await at_overview(page, instance)
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name=re.compile("Go to"))
    await expect(field).to_be_focused()
    assert await serious(page) == []
    await field.fill("trig")
    chosen = page.get_by_role("listbox", name="Where to").get_by_role("option", selected=True)
    await expect(chosen).to_have_text("Triggers")
    await page.keyboard.press("ArrowDown")
    await expect(chosen).to_have_text("Create Trigger")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Triggers", level=1)).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    name = (await instance.rest("GET", "/users/u-42"))["attributes"]["name"]
    await page.keyboard.press("Control+k")
    await field.fill("u-42")
    await expect(page.get_by_role("option", name=re.compile(name)).first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


async def test_the_palette_changes_the_theme(page: Page, instance: Instance) -> None:
    await at_overview(page, instance)
    for words, theme in (("theme dark", "tidings-dark"), ("theme system", None)):
        await page.keyboard.press("Control+k")
        await page.get_by_role("combobox", name=re.compile("Go to")).fill(words)
        await page.keyboard.press("Enter")
        if theme:
            await expect(page.locator("html")).to_have_attribute("data-theme", theme)
        else:
            await expect(page.locator("html[data-theme]")).to_have_count(0)


async def test_escape_closes_it_and_nothing_found_says_so(page: Page, instance: Instance) -> None:
    await at_overview(page, instance)
    await page.get_by_role("button", name="Go to").click()
    field = page.get_by_role("combobox", name=re.compile("Go to"))
    await field.fill("zzzz")
    await expect(page.get_by_text("Nothing is called so.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(field).to_have_count(0)


async def test_keys_lead_to_pages_but_not_while_one_types(page: Page, instance: Instance) -> None:
    await at_overview(page, instance)
    await page.keyboard.press("g")
    await page.keyboard.press("u")
    await expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Search")).to_be_focused()
    await page.keyboard.type("ge")
    await expect(page.get_by_label("Search")).to_have_value("ge")
    await expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()


async def test_the_sheet_shows_the_keys_and_turns_them_off(page: Page, instance: Instance) -> None:
    await at_overview(page, instance)
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    await expect(sheet).to_be_visible()
    assert await serious(page) == []
    await sheet.get_by_label("Keys alone").uncheck()
    await sheet.get_by_role("button", name="Close").first.click()
    await expect(sheet).to_have_count(0)
    await page.keyboard.press("?")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name=re.compile("Go to"))).to_be_visible()
    await expect(sheet).to_have_count(0)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Keys", exact=True).click()
    await sheet.get_by_label("Keys alone").check()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
