"""Every dialog, menu and folded part of the dashboard in German, wide and on a phone: no English word, nothing cut off.

Each page is opened, everything on it unfolded, and each of its buttons pressed on the page as it was: what opens is
read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser.test_german import APPLICATION, ROUTE, furnished

from support import catalogue
from support.dashboard import PATIENCE, PHONE, WIDE
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

PARTS = APPLICATION.parent
READ = """(within) => {
  const at = within ? document.querySelector(within) : document.body
  if (!at) return { texts: [], cut: [] }
  const hidden = '.sr-only, [class*="sr-only"]'
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(hidden)
  const said = (text) => text.replace(/\\s+/g, ' ').trim()
  const texts = []
  const walker = document.createTreeWalker(at, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement: of, data } = walker.currentNode
    if (of.checkVisibility() && !of.closest('code, pre, kbd, [lang="en"]')) texts.push(data)
  }
  for (const one of at.querySelectorAll('[aria-label], [placeholder], [title]'))
    texts.push(...['aria-label', 'placeholder', 'title'].map((name) => one.getAttribute(name) ?? ''))
  const cut = []
  const pen = document.createElement('canvas').getContext('2d')
  const words = 'button, a.btn, label, legend, h1, h2, h3, summary, th, dt, [role=tab], select'
  for (const one of at.querySelectorAll(words)) {
    if (!shown(one)) continue
    const box = one.getBoundingClientRect()
    const style = getComputedStyle(one)
    let much = one.scrollWidth - one.clientWidth
    if (one.tagName === 'SELECT') {
      pen.font = style.font
      const text = one.selectedOptions[0]?.text ?? ''
      const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
      much = pen.measureText(text).width - room
    }
    const scrolls = one.closest('.overflow-x-auto, .overflow-auto, [data-scrolls]')
    const name = said(one.tagName === 'SELECT' ? (one.selectedOptions[0]?.text ?? '') : one.innerText)
    if (much > 1 && style.display !== 'inline') cut.push(`${name}: ${Math.round(much)} px cut off`)
    else if (!scrolls && (box.right > innerWidth + 1 || box.left < -1)) cut.push(`${name}: out of the window`)
  }
  if (document.documentElement.scrollWidth > innerWidth) cut.push('the page is wider than the window')
  return { texts: [...new Set(texts.map(said))].filter(Boolean), cut }
}"""
"""Every text in a part of the page, and what of it is cut off or out of sight."""

BUTTONS = "main button:not([role=tab]):not([type=submit])"
EVERYWHERE = f"{BUTTONS}, aside button"
"""The buttons at the side are on every page, and pressed on the first alone."""

NOT_HERE = {
    "Confirm that it is you", "Copy the new secret now", "Disconnect {0}?", "Keep your recovery codes",
    "Make new recovery codes?", "Name the passkey", "Replay this event?",
    "Reset the second factor of {0}?", "Sign out all other sessions?",
    "Sign out with no way back in?", "Sign out {0}?", "Turn off two-factor?", "Turn on two-factor",
}  # fmt: skip
"""Dialogs that need a password, a second factor or a second session, which the owner of a demo does not have."""

TITLE = re.compile(r'<(?:Dialog|Ask|ShownOnce)\b[^>]*?\btitle="([^"]+)"')


def dialogs() -> dict[str, re.Pattern[str]]:
    """Give every dialog of the sources by its title in English, with what its title is in German."""
    german = dict(catalogue.read("de"))
    found = {}
    for path in PARTS.rglob("*.svelte"):
        for title in TITLE.findall(path.read_text()):
            # Gaps are numbered in the catalogue; plurals are texts of their own.
            gap = iter(range(9))
            english = re.sub(r"\{(?:[^{}]|\{[^{}]*\})*\}", lambda _, gap=gap: f"{{{next(gap)}}}", title)
            parts = re.split(r"\{\d\}", german[english])
            found[english] = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    return found


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """A browser of somebody in Germany, let in."""
    context = await chromium.new_context(
        locale="de-DE", viewport=WIDE, service_workers="block", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE * 1000)
    opened = await context.new_page()
    await opened.goto(instance.setup_url)
    await expect(opened.get_by_role("heading", name="Übersicht")).to_be_visible()
    yield opened
    await context.close()


class Reader:
    """Reads what is open, wide and on a phone, and keeps what is wrong with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # What presets are called and wrote in English is data.
        self.english = catalogue.foreign("de") - {"A visitor wants a person", "Live chat", "Site"}
        self.wrong: set[tuple[str, str, str]] = set()
        self.seen: set[str] = set()
        self.pressed: set[tuple[str, str]] = set()

    async def read(self, where: str, within: str = "") -> None:
        for size, window in (("wide", WIDE), ("phone", PHONE)):
            await self.page.set_viewport_size(window)
            found = await self.page.evaluate(READ, within)
            self.wrong |= {(where, size, text) for text in found["texts"] if text in self.english}
            self.wrong |= {(where, size, cut) for cut in found["cut"]}
        await self.page.set_viewport_size(WIDE)

    async def opened(self, where: str) -> None:
        """Read the dialog that is open, if one is."""
        dialog = self.page.locator("dialog[open]").last
        if not await dialog.count():
            return
        heading = dialog.get_by_role("heading").first
        title = await heading.inner_text() if await heading.count() else await dialog.get_attribute("aria-label") or ""
        if title in self.seen:
            return
        self.seen.add(title)
        await self.page.evaluate(
            "document.querySelectorAll('dialog[open] details').forEach((one) => (one.open = true))"
        )
        await self.read(f"{where} » {title}", "dialog[open]")


async def there(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.get_by_role("heading").first).to_be_visible()
    await expect(page.get_by_role("status", name="Wird geladen")).to_have_count(0)


async def more(page: Page, instance: Instance) -> dict[str, str]:
    """Put on the pages also what there is to cancel, to withdraw and to remove."""
    body = {"to": {"all": True}, "title": "Der Hafen öffnet", "body": "Um sechs."}
    await instance.rest("POST", "/notifications", body)
    ids = await furnished(instance)
    later = {
        **body,
        "title": "Der Hafen schließt",
        "send_at": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    ids["/notifications"] = (await instance.rest("POST", "/notifications", later))["id"]
    integrations = (await instance.rest("GET", "/integrations"))["data"]
    ids["/settings/integrations"] = next(one["id"] for one in integrations if one["provider"] == "fcm")
    await page.goto(f"{instance.url}/settings/members")
    invite = {"email": "jo@example.com", "role": "editor"}
    await page.evaluate(
        """(body) => fetch(`/api/v1/invitations?app=${localStorage.getItem('tidings.app') ?? ''}`, {
          method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })""",
        invite,
    )
    return ids


async def press_all(page: Page, reader: Reader, address: str, where: str, *, buttons: str, tab: int | None) -> None:
    """Press each button of a page, each on the page as it was opened, and read what opens."""

    async def again() -> None:
        await there(page, address)
        # What was pressed before may have left the page without tabs; then it is as it is.
        if tab is not None and await page.locator("main [role=tab]").count() > tab:
            await page.locator("main [role=tab]").nth(tab).click()
            await expect(page.get_by_role("status", name="Wird geladen")).to_have_count(0)

    await again()
    await page.evaluate("document.querySelectorAll('main details').forEach((one) => (one.open = true))")
    await reader.read(where)
    labels = await page.locator(buttons).evaluate_all("all => all.map((one) => one.innerText.trim() || one.ariaLabel)")
    for n, label in enumerate(labels):
        if label == "Abmelden" or (where, label) in reader.pressed:
            continue
        reader.pressed.add((where, label))
        await again()
        button = page.locator(buttons).nth(n)
        if not await button.count() or not await button.is_visible() or not await button.is_enabled():
            continue
        await button.click()
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await reader.opened(where)


async def test_whatever_opens_is_german_and_whole(page: Page, instance: Instance) -> None:
    ids = await more(page, instance)
    reader = Reader(page)
    await asked_and_shown(page, instance, reader)
    buttons = EVERYWHERE
    for plain, about in ROUTE.findall(APPLICATION.read_text()):
        where = plain or f"{about}/{ids[about]}"
        address = f"{instance.url}{where}"
        await there(page, address)
        tabs = await page.locator("main [role=tab]").count()
        for tab in range(tabs) if tabs else [None]:
            await press_all(page, reader, address, where, buttons=buttons, tab=tab)
        buttons = BUTTONS
    unseen = [
        english
        for english, german in dialogs().items()
        if english not in NOT_HERE and not any(german.fullmatch(title) for title in reader.seen)
    ]
    assert (sorted(reader.wrong), unseen) == ([], [])


async def asked_and_shown(page: Page, instance: Instance, reader: Reader) -> None:
    """Read what opens only after something was written: the last question, and secrets that are shown once."""
    await there(page, f"{instance.url}/send")
    await page.get_by_label("Titel", exact=True).fill("Der Hafen öffnet")
    await page.get_by_role("button", name="An alle Geräte senden").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await reader.opened("/send")
    dialog = page.locator("dialog[open]")
    for where, opener, field, typed in (
        ("/settings/api-keys", "Schlüssel erstellen", "Name", "Kasse"),
        ("/settings/webhooks", "Webhook erstellen", "URL", "https://www.example.com/hooks"),
        ("/settings/members", "einladen", "E-Mail", "cy@example.com"),
    ):
        await there(page, f"{instance.url}{where}")
        await page.locator("main").get_by_role("button", name=re.compile(opener, re.IGNORECASE)).first.click()
        before = await dialog.get_by_role("heading").first.inner_text()
        await dialog.get_by_label(field).first.fill(typed)
        await dialog.locator("button.btn-primary").click()
        await expect(dialog.get_by_role("heading").first).not_to_have_text(before)
        await reader.opened(where)
