"""Somebody at the dashboard in a Chromium: let in, led to a page, and shown it on a phone and on a desk."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from playwright.async_api import Browser, Page, ViewportSize, expect

from support.axe import serious
from support.instance import Instance

ANNA = ("anna@example.com", "nine boats in the fog")
JO = ("jo@example.com", "twelve gulls on a roof")
PHONE, WIDE = ViewportSize(width=360, height=740), ViewportSize(width=1440, height=900)
PATIENCE = 30
"""Seconds for what a page does on a slow, loaded machine."""
FITS = """async () => {
  const fits = () => document.documentElement.scrollWidth <= window.innerWidth
  for (const until = performance.now() + 5000; !fits() && performance.now() < until;)
    await new Promise(requestAnimationFrame)
  return fits()
}"""
"""A chart is as wide as before until it has been told of the new width."""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
"""A phone's or laptop's own authenticator, on which somebody's finger always lies."""
REFUSED = "the server responded with a status of"


@asynccontextmanager
async def visitor(chromium: Browser, *, refusals: bool = True) -> AsyncIterator[Page]:
    """Open a browser of its own; a fault of its pages fails the test, or a complaint on the console.

    A refusal is an answer that a page shows; the browser complains of it all the same.
    """
    context = await chromium.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    await context.close()
    assert [one for one in faults if not (refusals and REFUSED in one)] == []


async def let_in(page: Page, instance: Instance) -> None:
    """Sign in by the link of a demo, which works once."""
    await page.goto(instance.setup_url)
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def founds(page: Page, instance: Instance) -> None:
    """Become Anna Berger, the first member, whom the set-up link lets in."""
    await page.goto(instance.setup_url)
    email, password = ANNA
    await page.get_by_label("Name", exact=True).fill("Anna Berger")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Create my account").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Send the form of sign-in, before which any page puts it."""
    await page.goto(url)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


def a_while_passes(instance: Instance) -> None:
    """Let everybody have shown who they are longer ago than sensitive changes allow."""
    database = sqlite3.connect(instance.folder / "tidings.db", timeout=20)
    with closing(database), database:
        database.execute("UPDATE sessions SET authenticated_at = authenticated_at - ?", (16 * 60 * 1_000_000,))


async def look(page: Page, instance: Instance, path: str, heading: str) -> None:
    """Open a page of the dashboard, and wait until all of it is there."""
    await page.goto(f"{instance.url}{path}")
    await expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
    await expect(page.get_by_role("status", name="Loading")).to_have_count(0)


async def fits(page: Page) -> bool:
    """Say whether nothing is wider than the window, once what follows its width in the next frames has done so."""
    found: bool = await page.evaluate(FITS)
    return found


async def fits_a_phone(page: Page) -> bool:
    """Say whether what is open fits a phone; afterwards it is on a desk again."""
    await page.set_viewport_size(PHONE)
    found = await fits(page)
    await page.set_viewport_size(WIDE)
    return found


async def fits_and_is_sound(
    page: Page, instance: Instance | None = None, path: str = "as it is", heading: str = ""
) -> None:
    """See what is open on a phone in the dark and on a desk: nothing runs over, axe finds nothing serious.

    With an instance, its page of that path is opened anew on each.
    """
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await page.set_viewport_size(PHONE)
    await _sound(page, instance, path, heading)
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    await page.set_viewport_size(WIDE)
    await _sound(page, instance, path, heading)


async def _sound(page: Page, instance: Instance | None, path: str, heading: str) -> None:
    if instance is not None:
        await look(page, instance, path, heading)
    assert await fits(page), (path, page.viewport_size)
    assert await serious(page) == [], (path, page.viewport_size)
