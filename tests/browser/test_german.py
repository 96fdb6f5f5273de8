"""The dashboard in German, and the choice of a language, in a real Chromium on a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from support.chromium import running_chromium
from support.dashboard import PATIENCE, REFUSED, WIDE
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as running:
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """A browser of somebody in Germany, let in; what the console complains of fails the test."""
    context = await chromium.new_context(locale="de-DE", viewport=WIDE)
    context.set_default_timeout(PATIENCE * 1000)
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda fault: faults.append(str(fault)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await opened.goto(instance.setup_url)
    await expect(opened.get_by_role("heading", name="Übersicht")).to_be_visible()
    yield opened
    await context.close()
    assert [one for one in faults if REFUSED not in one] == []


async def test_another_language_is_chosen_in_the_profile_and_kept(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/settings/profile")
    chosen = page.get_by_label("Sprache dieser Seiten")
    await expect(chosen.get_by_role("option", selected=True)).to_have_text("Wie der Browser (Deutsch)")
    await chosen.select_option(label="English")
    await expect(page.get_by_role("heading", name="Profile", level=1)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.goto(instance.url)
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await page.goto(f"{instance.url}/settings/profile")
    await page.get_by_label("Language of these pages").select_option(label="As the browser (Deutsch)")
    await expect(page.get_by_role("heading", name="Profil", level=1)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "de")
