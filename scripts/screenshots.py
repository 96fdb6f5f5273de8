#!/usr/bin/env python3
"""Pictures of every page of the dashboard, from real servers: an empty one, and a demo with everything in it.

    make screenshots                     all of them, into docs/images (chosen looks) and build/screenshots (the others)
    scripts/screenshots.py WORD ...      only pages whose names hold a word

It also says which page is wider than its screen or complains on the console.
"""

from __future__ import annotations

import asyncio
import base64
import re
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from furnish import furnished  # noqa: E402
from lived import lived_in, troubled  # noqa: E402
from shots import EMPTY, FAILING, FULL, NOBODY, VIEWER, Shot  # noqa: E402
from support.chromium import running_chromium  # noqa: E402
from support.dashboard import JO, founds, let_in  # noqa: E402
from support.instance import Instance, running_demo, running_server  # noqa: E402

KEPT, OTHERS = ROOT / "docs" / "images", ROOT / "build" / "screenshots"
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
IN_GIT = {("wide", "light"), ("phone", "dark")}
QUALITY = 0.8
MOST = 1800
"""Pixels of a page from its top; a long list goes on in the same way."""


async def webp(page: Page, png: bytes) -> bytes:
    """Let the browser encode a picture: a tenth of the bytes, and no library for it."""
    data = await page.evaluate(
        """async ([png, quality]) => {
          const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
          const canvas = new OffscreenCanvas(picture.width, picture.height);
          canvas.getContext("2d").drawImage(picture, 0, 0);
          const blob = await canvas.convertToBlob({ type: "image/webp", quality });
          return await new Promise((done) => {
            const reader = new FileReader();
            reader.onload = () => done(reader.result.split(",")[1]);
            reader.readAsDataURL(blob);
          });
        }""",
        [base64.b64encode(png).decode(), QUALITY],
    )
    return base64.b64decode(data)


async def picture(page: Page, width: int) -> bytes:
    """Give the page as PNG, as far as anybody looks; a dialog with what is behind it."""
    if await page.locator("dialog[open]").count():
        return await page.screenshot()
    height = min(MOST, await page.evaluate("document.documentElement.scrollHeight"))
    return await page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})


async def take(context: BrowserContext, encoder: Page, shot: Shot, url: str, look: tuple[str, str]) -> None:
    size, scheme = look
    width, height = SIZES[size]
    name = f"{shot.name}-{size}-{scheme}"
    page = await context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda fault: print(f"{name}: {fault}"))
    try:
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.goto(url)
        await page.get_by_role("heading", level=1).first.wait_for()
        await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        for step in shot.steps:
            await step(page)
        await page.evaluate("document.fonts.ready")
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            print(f"{name}: wider than the screen")
        await page.evaluate("scrollTo(0, 0)")
        folder = KEPT if look in IN_GIT else OTHERS
        (folder / f"{name}.webp").write_bytes(await webp(encoder, await picture(page, width)))
        # What was written here is in no other picture.
        await page.evaluate("localStorage.clear()")
    except Exception as fault:
        print(f"{name}: {str(fault).splitlines()[0]}")
    finally:
        await page.close()


async def all_of(
    browser: Browser, context: BrowserContext, shots: list[Shot], instance: Instance, ids: dict[str, str]
) -> None:
    encoder = await browser.new_page()
    for shot in shots:
        for size in SIZES:
            for scheme in ("light", "dark"):
                await take(context, encoder, shot, instance.url + shot.path.format(**ids), (size, scheme))
    await encoder.close()


async def empty_ones(browser: Browser, place: Path, nobody: list[Shot], empty: list[Shot]) -> None:
    async with running_server(place) as server:
        context = await browser.new_context()
        await founds(await context.new_page(), server)
        await all_of(browser, context, empty, server, {})
        await all_of(browser, await browser.new_context(), nobody, server, {})


async def viewer(browser: Browser, owner: BrowserContext, instance: Instance) -> BrowserContext:
    """Give the browser of somebody who may look at everything and change nothing."""
    (app,) = (await instance.rest("GET", "/apps"))["data"]
    invited = await owner.request.post(
        f"{instance.url}/api/v1/invitations?app={app['id']}",
        data={"email": JO[0], "role": "viewer"},
        headers={"Origin": instance.url},
    )
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto((await invited.json())["link"])
    await page.get_by_label("Name", exact=True).fill("Jo Reed")
    await page.get_by_label("Password", exact=True).fill(JO[1])
    await page.get_by_role("button", name=re.compile("^Join")).click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await page.close()
    return context


async def full_ones(browser: Browser, place: Path, full: list[Shot], failing: list[Shot], viewers: list[Shot]) -> None:
    async with running_demo(place) as demo:
        ids = await furnished(demo)
        ids |= await lived_in(demo, ids["notification"])
        context = await browser.new_context()
        await let_in(await context.new_page(), demo)
        await all_of(browser, context, full, demo, ids)
        if viewers:
            await all_of(browser, await viewer(browser, context, demo), viewers, demo, ids)
        if failing:
            await troubled(demo)
            await all_of(browser, context, failing, demo, ids)


async def main(words: list[str]) -> None:
    def chosen(shots: list[Shot]) -> list[Shot]:
        return [one for one in shots if not words or any(word in one.name for word in words)]

    for folder in (KEPT, OTHERS):
        folder.mkdir(parents=True, exist_ok=True)
    nobody, empty, full, failing, viewers = map(chosen, (NOBODY, EMPTY, FULL, FAILING, VIEWER))
    with tempfile.TemporaryDirectory() as place:
        async with running_chromium() as browser:
            if empty or nobody:
                await empty_ones(browser, Path(place), nobody, empty)
            if full or failing or viewers:
                (full_place := Path(place) / "full").mkdir()
                await full_ones(browser, full_place, full, failing, viewers)
    total = sum(file.stat().st_size for file in KEPT.glob("*.webp"))
    print(f"{len(list(KEPT.glob('*.webp')))} pictures in docs/images, {total / 1e6:.1f} MB")


asyncio.run(main(sys.argv[1:]))
