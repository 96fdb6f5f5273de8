"""Every dialog, menu and folded part of the dashboard in German, wide and on a phone: no English word, nothing cut off.

Each page is opened, everything on it unfolded, and each of its buttons pressed on the page as it was: what opens is
read.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser.test_german import APPLICATION, ROUTE, furnished

from support import catalogue
from support.dashboard import AUTHENTICATOR, PATIENCE, WIDE
from support.instance import Instance
from support.reading import Reader

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

PARTS = APPLICATION.parent
BUTTONS = "main button:not([role=tab]):not([type=submit])"
EVERYWHERE = f"{BUTTONS}, aside button"
"""The buttons at the side are on every page, and pressed on the first alone."""

NOT_HERE = {"Disconnect {0}?", "Reset the second factor of {0}?"}
"""Dialogs that need a provider, or another member with a second factor."""

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
    await accounts(page, instance, reader)
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
    await there(page, f"{instance.url}/templates/new")
    await page.get_by_label("Name", exact=True).fill("Kasse")
    await page.locator("aside").get_by_role("link").first.click()
    await expect(dialog).to_be_visible()
    await reader.opened("/templates/new")


async def accounts(page: Page, instance: Instance, reader: Reader) -> None:
    """Read what an account opens, up to one with a password, a second factor, a passkey and other sessions.

    What buttons of the profile open then is read with those of the other pages.
    """
    words = {re.sub(r"<.*?>", "", text): re.sub(r"<.*?>", "", german) for text, german in catalogue.read("de")}
    dialog, profile = page.locator("dialog[open]"), f"{instance.url}/settings/profile"

    async def opens(button: str, title: str) -> None:
        await page.get_by_role("button", name=words[button], exact=True).first.click()
        await expect(dialog.get_by_role("heading", name=words[title])).to_be_visible()
        await reader.opened("/settings/profile")

    await there(page, profile)
    await opens("Sign out", "Sign out with no way back in?")
    password = "neun Boote im Nebel"
    me = await page.evaluate(
        """(password) => fetch('/api/v1/me/password', { method: 'POST', headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ current: '', new: password }) })
          .then(() => fetch('/api/v1/me')).then((one) => one.json())""",
        password,
    )
    assert page.context.browser is not None
    for _ in range(2):
        other = await page.context.browser.new_context()
        answer = await other.request.post(
            f"{instance.url}/api/v1/session",
            data={"email": me["email"], "password": password},
            headers={"Origin": instance.url},
        )
        assert answer.ok, await answer.text()
    devices = await page.context.new_cdp_session(page)
    await devices.send("WebAuthn.enable")
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    await there(page, profile)
    await page.locator("main li").get_by_role("button", name=re.compile(words["Sign out"], re.IGNORECASE)).first.click()
    await expect(dialog).to_be_visible()
    await reader.opened("/settings/profile")
    await there(page, profile)
    await opens("Sign out the others", "Sign out all other sessions?")
    await there(page, profile)
    await opens("Add a passkey", "Name the passkey")
    await there(page, profile)
    await opens("Turn on two-factor", "Turn on two-factor")
    secret = await dialog.locator(".code").text_content() or ""
    await dialog.get_by_label("Code").fill(pyotp.TOTP(re.sub(r"\s", "", secret)).now())
    await expect(dialog.get_by_role("heading", name=words["Keep your recovery codes"])).to_be_visible()
    await reader.opened("/settings/profile")
    (found,) = instance.folder.rglob("tidings.db")
    with closing(sqlite3.connect(found, timeout=20)) as database, database:
        database.execute("UPDATE sessions SET authenticated_at = authenticated_at - ?", (16 * 60 * 1_000_000,))
    await there(page, f"{instance.url}/settings/webhooks")
    await (
        page.locator("main")
        .get_by_role("link", name="example.com")
        .or_(page.locator("main").get_by_role("link", name="CRM"))
        .first.click()
    )
    await page.get_by_role("button", name=words["Replace the secret"], exact=True).click()
    await dialog.locator("button.btn-primary").click()
    await expect(dialog.get_by_role("heading", name=words["Confirm that it is you"])).to_be_visible()
    await reader.opened("/settings/webhooks")
    await dialog.last.get_by_label(words["Password"], exact=True).fill(password)
    await dialog.last.locator("button.btn-primary").click()
    await expect(dialog.get_by_role("heading", name=words["Copy the new secret now"])).to_be_visible()
    await reader.opened("/settings/webhooks")
