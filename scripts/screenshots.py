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
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from furnish import furnished  # noqa: E402
from support.chromium import running_chromium  # noqa: E402
from support.dashboard import founds, let_in  # noqa: E402
from support.instance import Instance, running_demo, running_server  # noqa: E402

KEPT, OTHERS = ROOT / "docs" / "images", ROOT / "build" / "screenshots"
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
IN_GIT = {("wide", "light"), ("phone", "dark")}
QUALITY = 0.8
MOST = 1800
"""Pixels of a page from its top; a long list goes on in the same way."""

Step = Callable[[Page], Awaitable[object]]


class Shot(NamedTuple):
    """One page of one server, after a few steps."""

    name: str
    path: str
    steps: tuple[Step, ...] = ()


def press(name: str, *, role: Any = "button", nth: int = 0) -> Step:
    return lambda page: page.get_by_role(role, name=re.compile(name)).nth(nth).click()


def write(label: str, text: str) -> Step:
    return lambda page: page.get_by_label(re.compile(label)).first.fill(text)


def field(name: str, text: str) -> Step:
    return lambda page: page.get_by_role("textbox", name=name).fill(text)


def seen(text: str) -> Step:
    return lambda page: expect(page.get_by_text(re.compile(text)).first).to_be_visible()


async def fails(page: Page) -> None:
    """Let the server fail from now on, but for who one is."""
    told = '{"title": "Something went wrong here", "status": 500, "code": "internal", "mend": "Try again; the log says why."}'
    await page.route(
        re.compile("/api/v1/(?!session|apps\\b)"),
        lambda to: to.fulfill(status=500, content_type="application/problem+json", body=told),
    )
    await page.reload()


NOBODY = [Shot("sign-in", "/sign-in")]
EMPTY = [
    Shot("overview-empty", "/"),
    Shot("notifications-empty", "/notifications"),
    Shot("analytics-empty", "/analytics"),
    Shot("subscriptions-empty", "/subscriptions"),
    Shot("segments-empty", "/segments"),
    Shot("integrations-empty", "/settings/integrations"),
    Shot("push-notifications", "/settings/push-notifications"),
    Shot("api-keys-empty", "/settings/api-keys"),
    Shot("members-empty", "/settings/members"),
    Shot("triggers-empty", "/settings/triggers"),
    Shot("users-empty", "/users"),
    Shot("events-empty", "/events"),
    Shot("templates-empty", "/templates"),
    Shot("sign-in-providers-empty", "/settings/sign-in"),
]
FULL = [
    Shot("overview", "/"),
    Shot(
        "send",
        "/send",
        (
            write("^Title", "Fresh fish"),
            field("Message", "At the quay from nine. Come before it is gone."),
            write("^URL", "https://www.example.com/fish"),
        ),
    ),
    Shot("notifications", "/notifications"),
    Shot("analytics", "/analytics?days=7"),
    Shot("subscriptions", "/subscriptions"),
    Shot("subscription", "/subscriptions/{subscription}"),
    Shot("segments", "/segments", (seen(r"\d devices"),)),
    Shot("segment", "/segments/{segment}", (seen("in it now"),)),
    Shot("send-segment", "/send?segment={segment}", (seen("would get it now"),)),
    Shot("integrations", "/settings/integrations"),
    Shot("integration-type", "/settings/integrations/add"),
    Shot("integration-provider", "/settings/integrations/add?type=push"),
    Shot(
        "integration-fcm",
        "/settings/integrations/add?provider=fcm",
        (write("^Label", "Firebase Staging"), press("Test Connection"), seen("Upload the JSON")),
    ),
    Shot("integration-apns", "/settings/integrations/add?provider=apns"),
    Shot(
        "integration-apns-certificate",
        "/settings/integrations/add?provider=apns",
        (press("^Certificate", role="radio"),),
    ),
    Shot("integration-webhook", "/settings/integrations/add?provider=webhook"),
    Shot("integration", "/settings/integrations/{webpush}"),
    Shot("integration-tested", "/settings/integrations/{fcm}", (press("Test Connection"), seen("connection"))),
    Shot("integration-subscriptions", "/settings/integrations/{webpush}?tab=subscriptions"),
    Shot(
        "integration-test",
        "/settings/integrations/{webpush}",
        (press("Send Test Notification"), write("Search devices", "u-42"), seen("u-42")),
    ),
    Shot("triggers", "/settings/triggers"),
    Shot("trigger", "/settings/triggers/{trigger}"),
    Shot("trigger-dry-run", "/settings/triggers/{trigger}?tab=try", (press("^Dry run$"), seen("would"))),
    Shot("trigger-firings", "/settings/triggers/{trigger}?tab=came"),
    Shot("trigger-new", "/settings/triggers/new", (press("^Create Trigger$"),)),
    Shot("users", "/users"),
    Shot("user", "/users/u-42"),
    Shot("user-erase", "/users/u-42", (press("^Erase"),)),
    Shot("events", "/events"),
    Shot("event", "/events/{event}"),
    Shot("event-types", "/event-types"),
    Shot("event-type", "/event-types/conversation.escalated"),
    Shot("templates", "/templates"),
    Shot("template", "/templates/{template}"),
    Shot("members", "/settings/members"),
    Shot("api-keys", "/settings/api-keys"),
    Shot("webhooks", "/settings/webhooks"),
    Shot("webhook", "/settings/webhooks/{webhook}"),
    Shot("audit", "/settings/audit"),
    Shot("system", "/settings/system"),
    Shot("profile", "/settings/profile"),
    Shot("notification", "/notifications/{notification}"),
    Shot("notification-failing", "/notifications/{notification}", (fails, seen("Try again"))),
    Shot("not-found", "/nowhere"),
]


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


async def main(words: list[str]) -> None:
    def chosen(shots: list[Shot]) -> list[Shot]:
        return [one for one in shots if not words or any(word in one.name for word in words)]

    for folder in (KEPT, OTHERS):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        async with running_chromium() as browser:
            if chosen(EMPTY) or chosen(NOBODY):
                async with running_server(Path(place)) as empty:
                    context = await browser.new_context()
                    await founds(await context.new_page(), empty)
                    await all_of(browser, context, chosen(EMPTY), empty, {})
                    await all_of(browser, await browser.new_context(), chosen(NOBODY), empty, {})
            if chosen(FULL):
                (full_place := Path(place) / "full").mkdir()
                async with running_demo(full_place) as full:
                    ids = await furnished(full)
                    context = await browser.new_context()
                    await let_in(await context.new_page(), full)
                    await all_of(browser, context, chosen(FULL), full, ids)
    total = sum(file.stat().st_size for file in KEPT.glob("*.webp"))
    print(f"{len(list(KEPT.glob('*.webp')))} pictures in docs/images, {total / 1e6:.1f} MB")


asyncio.run(main(sys.argv[1:]))
