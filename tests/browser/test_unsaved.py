"""What is written and not saved, in a real Chromium: nobody leaves it by mistake."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from support.dashboard import fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

QUESTION = "Leave without saving?"


async def written(page: Page, instance: Instance) -> None:
    """Begin a template, coming from the list."""
    await look(page, instance, "/templates", "Templates")
    await page.get_by_role("main").get_by_role("link", name=re.compile("template", re.IGNORECASE)).first.click()
    await expect(page.get_by_role("heading", name="New template", level=1)).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("Fresh fish")


@pytest.mark.parametrize("way", ["a link", "the back button", "a key", "the palette"])
async def test_who_leaves_is_asked_and_stays_or_goes(page: Page, instance: Instance, way: str) -> None:
    await written(page, instance)
    name, question = page.get_by_label("Name", exact=True), page.get_by_role("dialog", name=QUESTION)

    async def leaves() -> str:
        if way == "a link":
            await page.get_by_role("navigation", name="Main").get_by_role("link", name="Users").click()
            return "Users"
        if way == "a key":
            await page.get_by_role("heading", level=1).click()
            await page.keyboard.press("g")
            await page.keyboard.press("u")
            return "Users"
        if way == "the palette":
            await page.keyboard.press("Control+k")
            await expect(page.locator("dialog[open] input")).to_be_focused()
            await page.keyboard.type("Users")
            await page.keyboard.press("Enter")
            return "Users"
        await page.evaluate("history.back()")
        return "Templates"

    await leaves()
    await expect(question).to_be_visible()
    if way == "a link":
        await fits_and_is_sound(page)
    await question.get_by_role("button", name="Stay here").click()
    await expect(question).to_have_count(0)
    await expect(page).to_have_url(re.compile("/templates/new$"))
    await expect(name).to_have_value("Fresh fish")
    there = await leaves()
    await question.get_by_role("button", name="Leave the page").click()
    await expect(page.get_by_role("heading", name=there, level=1)).to_be_visible()
    await page.go_back() if there == "Users" else await page.go_forward()
    await expect(page.get_by_role("heading", name="New template", level=1)).to_be_visible()
    await expect(name).to_have_value("")


async def test_nobody_is_asked_where_nothing_was_changed_or_all_of_it_is_saved(page: Page, instance: Instance) -> None:
    users = page.get_by_role("navigation", name="Main").get_by_role("link", name="Users")
    await written(page, instance)
    await page.get_by_label("Name", exact=True).fill("")
    await users.click()
    await expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
    await written(page, instance)
    await page.get_by_label("Title", exact=True).fill("Fish at the quay")
    await page.get_by_role("button", name="Keep the template").click()
    await expect(page.get_by_role("heading", name="Fresh fish", level=1)).to_be_visible()
    await page.get_by_label("Title", exact=True).fill("Fish at the pier")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await users.click()
    await expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
