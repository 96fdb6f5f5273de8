"""Lists of thousands in a real Chromium: scrolled, filtered, left and come back to."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from playwright.async_api import Page, expect

from support.dashboard import PATIENCE, PHONE, WIDE
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TIMES = 20
"""Copies of each of the demo's thousand subscriptions."""

MORE = """
INSERT INTO subscriptions (public_id, app_id, provider, origin, credential_id, user_external_id, status, status_reason,
  tags, device, address, address_hash, secret_hash, created_at, last_seen_at)
SELECT 'sub_' || lower(hex(randomblob(13))), app_id, provider, origin, credential_id, 'many-' || (id % 100),
  CASE id % 10 WHEN 0 THEN 'expired' ELSE 'active' END, NULL, tags, device, address, randomblob(32), secret_hash,
  created_at, last_seen_at
FROM subscriptions WHERE id <= 1000
"""
SEEN = """() => [...document.querySelectorAll('tbody a, ul a')].filter((a) => {
  const box = a.getBoundingClientRect()
  return a.href.includes('/subscriptions/sub_') && box.height && box.bottom > 0 && box.top < innerHeight
}).map((a) => a.href)"""
"""Addresses of the rows within the window."""

LIGHT = "() => document.querySelectorAll('*').length < 4_000"
"""Elements that a page may keep however far one has scrolled; a row has about fifteen."""


@pytest.fixture(scope="module")
def many(instance: Instance) -> Instance:
    with closing(sqlite3.connect(instance.folder / "demo" / "tidings.db", timeout=60)) as database:
        for _ in range(TIMES):
            database.execute(MORE)
        database.commit()
    return instance


async def until(page: Page, condition: str, about: object = None) -> None:
    """Ask until it is so; the pages' policy lets nothing be evaluated in them that would wait by itself."""
    async with asyncio.timeout(PATIENCE):
        while not await page.evaluate(condition, about):
            await asyncio.sleep(0.02)


async def scrolled_to(page: Page, y: float) -> None:
    """Scroll as a drag of the bar does, and wait until rows are where one is."""
    await page.evaluate("(y) => window.scrollTo(0, y)", y)
    await until(page, f"() => ({SEEN})().length > 3")


async def height_of(page: Page) -> float:
    return float(await page.evaluate("document.documentElement.scrollHeight"))


async def listed(instance: Instance, count: int, query: str = "") -> list[str]:
    """Give the ids of as many rows as the API has them, in its order."""
    ids: list[str] = []
    cursor = ""
    while len(ids) < count:
        found = await instance.rest("GET", f"/subscriptions?limit=200{query}{cursor}")
        ids += [one["id"] for one in found["data"]]
        cursor = f"&cursor={found['next_cursor']}"
    return ids[:count]


async def ids_seen(page: Page) -> list[str]:
    return [href.rpartition("/")[2] for href in await page.evaluate(SEEN)]


async def test_one_scrolls_through_thousands(page: Page, many: Instance) -> None:
    await page.goto(f"{many.url}/subscriptions")
    await expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    await until(page, f"() => ({SEEN})().length > 3")
    wanted = await listed(many, 3_000)
    met: list[str] = []
    while len(met) < 2_500:
        now = await ids_seen(page)
        met += [one for one in now if one not in met[-100:]]
        await until(page, LIGHT)
        last = page.locator(f"tbody a[href$='{now[-1]}']")
        await scrolled_to(page, await last.evaluate("(a) => a.getBoundingClientRect().top + scrollY - 150"))
    assert met == wanted[: len(met)], "a row came twice, or never, or out of order"
    await scrolled_to(page, 0)
    assert (await ids_seen(page))[:5] == wanted[:5]


async def test_the_bar_can_be_dragged_to_the_end_and_back(page: Page, many: Instance) -> None:
    await page.goto(f"{many.url}/subscriptions")
    await until(page, f"() => ({SEEN})().length > 3")
    before = 0.0
    for _ in range(12):
        before = await height_of(page)
        await scrolled_to(page, before)
        await until(page, "(before) => document.documentElement.scrollHeight > before", before)
    wanted = await listed(many, 2_000)
    for part in (0.5, 0.1, 0.8, 0.3):
        await scrolled_to(page, part * before)
        seen = await ids_seen(page)
        at = wanted.index(seen[0])
        assert wanted[at : at + len(seen)] == seen
        await until(page, LIGHT)


async def test_who_comes_back_from_a_row_is_where_they_were(page: Page, many: Instance) -> None:
    await page.goto(f"{many.url}/subscriptions")
    await until(page, f"() => ({SEEN})().length > 3")
    for _ in range(6):
        before = await height_of(page)
        await scrolled_to(page, before)
        await until(page, "(before) => document.documentElement.scrollHeight > before", before)
    await scrolled_to(page, before * 0.7)
    seen = await ids_seen(page)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/subscriptions?" in one.url else None)
    await page.locator(f"tbody a[href$='{seen[3]}']").click()
    await expect(page).to_have_url(f"{many.url}/subscriptions/{seen[3]}")
    await expect(page.get_by_role("heading", name="What was sent to it")).to_be_visible()
    assert await page.evaluate("scrollY") == 0
    await page.go_back()
    await until(page, f"(id) => ({SEEN})().some((href) => href.endsWith(id))", seen[3])
    assert asked == [], "the list was read again"
    assert abs(await page.evaluate("scrollY") - before * 0.7) < 5


async def test_filters_narrow_it_wherever_one_is(page: Page, many: Instance) -> None:
    await page.goto(f"{many.url}/subscriptions")
    await until(page, f"() => ({SEEN})().length > 3")
    for _ in range(3):
        before = await height_of(page)
        await scrolled_to(page, before)
        await until(page, "(before) => document.documentElement.scrollHeight > before", before)
    await page.get_by_label("Status").select_option("Expired")
    (first,) = await listed(many, 1, "&status=expired")
    await until(page, f"(id) => ({SEEN})()[0]?.endsWith(id)", first)
    await page.get_by_role("searchbox", name="User").fill("many-20")
    await page.keyboard.press("Enter")
    (first,) = await listed(many, 1, "&status=expired&user=many-20")
    await until(page, f"(id) => ({SEEN})()[0]?.endsWith(id)", first)
    wanted = await listed(many, TIMES * 10, "&status=expired&user=many-20")
    async with asyncio.timeout(PATIENCE):
        while (await ids_seen(page))[-1] != wanted[-1]:
            await scrolled_to(page, await height_of(page))
    await expect(page.get_by_role("button", name="Show more")).to_have_count(0)


async def test_a_phone_has_the_same_list(page: Page, many: Instance) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto(f"{many.url}/subscriptions")
    await until(page, f"() => ({SEEN})().length > 3")
    wanted = await listed(many, 2_000)
    for _ in range(8):
        before = await height_of(page)
        await scrolled_to(page, before)
        await until(page, "(before) => document.documentElement.scrollHeight > before", before)
        seen = await ids_seen(page)
        at = wanted.index(seen[0])
        assert wanted[at : at + len(seen)] == seen
        await until(page, LIGHT)
    await page.set_viewport_size(WIDE)
    await until(page, f"() => ({SEEN})().length > 3")
    await until(page, LIGHT)
