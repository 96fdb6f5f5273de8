"""Apps in a real Chromium on a real server: a second one is made and chosen, and web push is turned off and on."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.dashboard import fits_a_phone, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def test_web_push_is_turned_off_and_on_again(page: Page, instance: Instance) -> None:
    await look(page, instance, "/settings/push-notifications", "Push Notifications")
    section = page.get_by_role("region", name="Web Push", exact=True)
    switch, save = section.get_by_role("switch", name="Enable Web Push"), section.get_by_role("button", name="Save")
    await expect(switch).to_be_checked()
    await expect(section).to_contain_text("nothing is sent to browsers and nobody is asked to subscribe")
    await expect(save).to_be_disabled()
    for on in (False, True):
        await switch.set_checked(on)
        await save.click()
        await expect(section.get_by_role("status")).to_have_text("Saved")
        (app,) = (await instance.rest("GET", "/apps"))["data"]
        assert app["web_push_enabled"] is on
        await page.reload()
        await expect(switch).to_be_checked(checked=on)
    assert await serious(page) == []


async def test_an_app_is_created_from_the_palette_chosen_and_connected(page: Page, instance: Instance) -> None:
    (first,) = (await instance.rest("GET", "/apps"))["data"]
    await look(page, instance, "/", "Overview")
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name=re.compile("Go to")).fill("create an app")
    await page.get_by_role("option", name="Create an App", selected=True).click()
    await expect(page.get_by_role("heading", name="Create an App", level=1)).to_be_visible()
    assert await serious(page) == []
    assert await fits_a_phone(page)
    name, site = page.get_by_label("Name", exact=True), page.get_by_label("Site")
    create = page.get_by_role("button", name="Create the App")
    await site.fill("ftp://harbour")
    await create.click()
    await expect(name).to_have_accessible_description(re.compile("Name it after the site or app"))
    await expect(site).to_have_accessible_description(re.compile("Browsers allow push on https only"))
    assert len((await instance.rest("GET", "/apps"))["data"]) == 1
    await name.fill("Harbour News")
    await site.fill("news.example.com")
    await create.click()
    await expect(page.get_by_role("heading", name="Push Notifications", level=1)).to_be_visible()
    switch = page.get_by_label("App", exact=True)
    await expect(switch.get_by_role("option", selected=True)).to_have_text("Harbour News")
    await expect(page.get_by_text("Then the visitors of Harbour News can subscribe.")).to_be_visible()
    await expect(page.get_by_text("https://news.example.com", exact=True)).to_be_visible()
    made = next(one for one in (await instance.rest("GET", "/apps"))["data"] if one["id"] != first["id"])
    assert (made["name"], made["origins"]) == ("Harbour News", ["https://news.example.com"])
    # What its owner may do is known at once: the first key is generated without signing in anew.
    await page.get_by_label("Contact address").fill("anna@example.com")
    await page.get_by_role("button", name="Generate VAPID keys").click()
    await expect(page.get_by_role("switch", name="Enable Web Push")).to_be_checked()


async def test_the_switch_leads_to_the_form_which_shows_what_the_server_refuses(page: Page, instance: Instance) -> None:
    if len((await instance.rest("GET", "/apps"))["data"]) == 1:
        await instance.rest("POST", "/apps", {"name": "Harbour News"})
    await look(page, instance, "/", "Overview")
    await page.get_by_role("link", name="Create an App").click()
    await page.get_by_label("Name", exact=True).fill("Ferries")
    await page.get_by_label("Site").fill("https://ferries!.example.com")
    await page.get_by_role("button", name="Create the App").click()
    await expect(page.get_by_label("Site")).to_have_accessible_description(re.compile("This is not an origin"))
    await expect(page.get_by_label("Site")).to_have_attribute("aria-invalid", "true")
