"""The dashboard in German: every page of it, and the choice of a language, in a real Chromium on a real server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from support import catalogue
from support.chromium import running_chromium
from support.dashboard import PATIENCE, PHONE, REFUSED, WIDE, fits
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

APPLICATION = Path(__file__).parents[2] / "dashboard/src/App.svelte"
ROUTE = re.compile(r"'(/[\w/-]*)': (?:loaded|\(\) => import)|\['(/[\w/-]+)/:id'")
SHOWN = """() => {
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement: at, data } = walker.currentNode
    if (at.checkVisibility() && !at.closest('code, pre, kbd, [lang="en"]')) texts.push(data)
  }
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title]'))
    texts.push(...['aria-label', 'placeholder', 'title'].map((name) => one.getAttribute(name) ?? ''))
  return [...new Set(texts.map((text) => text.replace(/\\s+/g, ' ').trim()))].filter(Boolean)
}"""
"""Every text of a page, and what screen readers say beside it."""


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as running:
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """A browser of somebody in Germany, let in; what the console complains of fails the test."""
    # Without service workers: Playwright holds each new one, and now and then never lets go of the one that another
    # language brings, so that the page waits for it. Chromium without Playwright does not, 300 times out of 300.
    context = await chromium.new_context(locale="de-DE", viewport=WIDE, service_workers="block")
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


async def furnished(instance: Instance) -> dict[str, str]:
    """Put something on every page; give the ids of what pages are about, by their address."""
    await instance.rest("POST", "/presets/live_chat")
    await instance.rest("PUT", "/users/u-42", {"attributes": {"name": "Anna Berger", "plan": "pro"}, "locale": "de"})
    await instance.rest("POST", "/segments", {"name": "Pro", "conditions": 'user.plan == "pro"'})
    webhook = {"url": "https://www.example.com/hooks/tidings", "events": ["delivery.sent"]}
    await instance.rest("POST", "/webhooks", webhook)
    data = {
        "conversation": {"id": "c-1", "url": "https://www.example.com/c/c-1"},
        "bot": {"id": "b-1", "name": "Bo"},
        "visitor": {"name": "Jo"},
    }
    await instance.rest("POST", "/events", {"type": "conversation.escalated", "data": data, "users": ["u-42"]})
    ids = {"/users": "u-42", "/event-types": "conversation.escalated"}
    for address, listed in (
        ("/notifications", "/notifications"),
        ("/subscriptions", "/subscriptions"),
        ("/events", "/events"),
        ("/templates", "/templates"),
        ("/segments", "/segments"),
        ("/settings/triggers", "/triggers"),
        ("/settings/webhooks", "/webhooks"),
        ("/settings/integrations", "/integrations"),
    ):
        ids[address] = (await instance.rest("GET", listed))["data"][0]["id"]
    return ids


async def test_every_page_is_german_and_fits(page: Page, instance: Instance) -> None:
    body = {"to": {"all": True}, "title": "Der Hafen öffnet", "body": "Die Fähre fährt um sechs."}
    await instance.rest("POST", "/notifications", body)
    ids = await furnished(instance)
    # What the preset wrote in English is data.
    english = catalogue.foreign("de") - {"A visitor wants a person", "Live chat"}
    routes = [(plain, about) for plain, about in ROUTE.findall(APPLICATION.read_text())]
    assert len(routes) > 35
    wrong: list[tuple[str, object]] = []
    for plain, about in routes:
        path = plain or f"{about}/{ids[about]}"
        await page.goto(f"{instance.url}{path}")
        await expect(page.get_by_role("heading").first).to_be_visible()
        await expect(page.get_by_role("status", name="Wird geladen")).to_have_count(0)
        assert await page.locator("html").get_attribute("lang") == "de"
        wrong += [(path, text) for text in await page.evaluate(SHOWN) if text in english]
        await page.set_viewport_size(PHONE)
        if not await fits(page):
            wrong.append((path, "does not fit a phone"))
        await page.set_viewport_size(WIDE)
    assert wrong == []


async def test_numbers_and_plurals_are_german(page: Page, instance: Instance) -> None:
    body = {"to": {"all": True}, "title": "Der Hafen schließt", "body": "Die Fähre fährt um acht."}
    await instance.rest("POST", "/notifications", body)
    await page.goto(f"{instance.url}/notifications")
    await expect(page.get_by_text(re.compile(r"^1\u202f000 Geräte, davon \d+ gesendet")).first).to_be_visible()


async def test_what_the_server_refuses_is_said_in_german(page: Page, instance: Instance) -> None:
    await instance.rest("POST", "/templates", {"name": "Leinen los", "title": "Es geht los"})
    await page.goto(f"{instance.url}/templates/new")
    await page.get_by_label("Name", exact=True).fill("Leinen los")
    await page.get_by_label("Titel", exact=True).fill("Es geht los")
    await page.get_by_role("button", name="Vorlage speichern").click()
    await expect(page.get_by_text("Der Name ist vergeben. Wählen Sie einen Namen, den keine andere")).to_be_visible()


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
