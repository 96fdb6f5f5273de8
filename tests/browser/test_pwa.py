"""The dashboard as an app of the device, in a real Chromium: installable, with its ways in, and honest when offline."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from support.axe import serious
from support.dashboard import fits_and_is_sound, look
from support.instance import Instance, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_chromium_finds_nothing_that_keeps_it_from_being_installed(page: Page, instance: Instance) -> None:
    await look(page, instance, "/", "Overview")
    chromium = await page.context.new_cdp_session(page)
    manifest = await chromium.send("Page.getAppManifest")
    assert manifest["errors"] == []
    told = json.loads(manifest["data"])
    assert (told["name"], told["display"], told["start_url"]) == ("Tidings", "standalone", "/")
    assert {icon["purpose"] for icon in told["icons"] if "purpose" in icon} == {"any", "maskable"}
    found = (await chromium.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    # A window without a trace is the browser's own reason, and tests have no other.
    assert [one["errorId"] for one in found if one["errorId"] != "in-incognito"] == []
    for icon in told["icons"]:
        answer = await page.request.get(f"{instance.url}{icon['src']}")
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, icon["type"])
    for shortcut in told["shortcuts"]:
        await page.goto(f"{instance.url}{shortcut['url']}")
        await expect(page.get_by_role("heading", name=shortcut["name"], level=1)).to_be_visible()


async def test_scripts_and_styles_come_gzipped_and_stay_within_their_limit(page: Page, instance: Instance) -> None:
    await look(page, instance, "/", "Overview")
    sizes = await page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => /assets.*[.](js|css)$/.test(name))"
        ".map(({ encodedBodySize, decodedBodySize }) => [encodedBodySize, decodedBodySize])"
    )
    assert all(encoded < decoded for encoded, decoded in sizes if decoded > 1_000)
    assert sum(encoded for encoded, _ in sizes) < 120_000
    (script,) = set(await page.evaluate("[document.querySelector('script[type=module]').src]"))
    plain = await page.request.get(script, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"


async def test_the_frame_of_the_app_has_the_colour_of_the_page(page: Page, instance: Instance) -> None:
    for scheme, colour in (("light", "#fcfbf9"), ("dark", "#1b1916")):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await look(page, instance, "/", "Overview")
        painted = await page.evaluate(
            """() => {
              const canvas = document.createElement('canvas').getContext('2d')
              canvas.fillStyle = getComputedStyle(document.body).backgroundColor
              canvas.fillRect(0, 0, 1, 1)
              return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)]
            }"""
        )
        named = page.locator(f'meta[name="theme-color"][media*="{scheme}"]')
        assert await named.get_attribute("content") == f"#{bytes(painted).hex()}" == colour


async def test_offline_says_so_and_leads_back(page: Page, instance: Instance) -> None:
    # In a tab of its own: a browser complains of each request that finds no network.
    await page.goto("about:blank")
    tab = await page.context.new_page()
    await look(tab, instance, "/notifications", "Notifications")
    await page.context.set_offline(True)
    try:
        await expect(tab.get_by_text("This device is offline.")).to_be_visible()
        await fits_and_is_sound(tab)
        await tab.get_by_role("navigation", name="Main").get_by_role("link", name="Overview").click()
        await expect(tab.get_by_role("alert").first).to_be_visible()
    finally:
        await page.context.set_offline(False)
    await expect(tab.get_by_text("This device is offline.")).to_have_count(0)
    await tab.goto(instance.url)
    await expect(tab.get_by_role("region", name="Subscribers")).to_be_visible()
    await tab.close()


ACTIVE = "navigator.serviceWorker.ready.then(({ active }) => active.scriptURL)"


@pytest.mark.parametrize(
    ("locale", "title", "offline", "again"),
    [
        ("en-GB", "Tidings cannot be reached", "This device is offline.", "Try again"),
        ("de-AT", "Tidings ist nicht erreichbar", "Dieses Gerät ist offline.", "Erneut versuchen"),
    ],
)
async def test_opened_without_the_server_it_says_so_in_ones_language_and_leads_back(
    chromium: Browser, tmp_path: Path, locale: str, title: str, offline: str, again: str
) -> None:
    context = await chromium.new_context(locale=locale, color_scheme="dark", viewport={"width": 390, "height": 844})
    async with running_server(tmp_path) as server:
        page = await context.new_page()
        await page.goto(server.setup_url)
        assert (await page.evaluate(ACTIVE)).endswith(f"/worker.js?{locale[:2]}")
        await page.close()
    page = await context.new_page()
    await page.goto(f"{server.url}/setup")
    await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    await expect(page.get_by_text(urlsplit(server.url).netloc)).to_be_visible()
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await serious(page) == []
    await context.set_offline(True)
    await page.get_by_role("link", name=again).click()
    await expect(page.get_by_text(offline)).to_be_visible()
    await context.set_offline(False)
    async with running_server(tmp_path, port=urlsplit(server.url).port):
        await page.get_by_role("link", name=again).click()
        await expect(page.get_by_role("heading", name=title)).to_have_count(0)
        await expect(page.locator("#app").get_by_role("heading", level=1)).to_be_visible()
    await context.close()
