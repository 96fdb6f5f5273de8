"""Names and addresses of one very long word, and words from right to left, in a real Chromium: no page runs over."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from support.dashboard import PHONE, WIDE, fits, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LONG = "Wirtschaftsprüfungsgesellschaftsvorstandssekretariat" * 2
ADDRESS = "https://www.example.com/" + "q" * 300
TYPE = f"{'a' * 40}.{'b' * 40}"
HALF = {"width": 720, "height": 450}
"""A desk at 200 %."""


async def made(instance: Instance) -> dict[str, str]:
    """Make something of each kind with names as long as they may be; give where each is looked at."""
    name = LONG[:100]
    await instance.rest("PUT", "/users/u-long", {"attributes": {"name": LONG, "note": "مرحبا بالعالم " * 8}})
    properties = {"x" * 60: {"type": "string"}}
    await instance.rest("PUT", f"/event-types/{TYPE}", {"name": name, "variables": {"properties": properties}})
    words = {"title": LONG, "body": "مرحبا بالعالم " + LONG, "url": ADDRESS}
    template = await instance.rest("POST", "/templates", {"name": name, **words})
    trigger = await instance.rest(
        "POST", "/triggers", {"name": name, "event_type": TYPE, "audience": {"everyone": True}, "template": words}
    )
    segment = await instance.rest("POST", "/segments", {"name": name, "conditions": f'user.town == "{LONG}"'})
    hook = {"url": ADDRESS, "events": ["delivery.failed"], "description": name}
    webhook = await instance.rest("POST", "/webhooks", hook)
    sent = await instance.rest("POST", "/notifications", {"to": {"users": ["u-42"]}, **words})
    return {
        "/users": "/users/u-long", "/templates": f"/templates/{template['id']}", "/event-types": f"/event-types/{TYPE}",
        "/settings/triggers": f"/settings/triggers/{trigger['id']}", "/segments": f"/segments/{segment['id']}",
        "/settings/webhooks": f"/settings/webhooks/{webhook['id']}", "/notifications": f"/notifications/{sent['id']}",
    }  # fmt: skip


async def test_no_page_is_wider_than_its_window_for_one_long_word(page: Page, instance: Instance) -> None:
    wide = []
    for pair in (await made(instance)).items():
        for path in pair:
            for size in (PHONE, HALF, WIDE):
                await page.set_viewport_size(size)  # type: ignore[arg-type]
                await page.goto(f"{instance.url}{path}")
                await expect(page.get_by_role("heading", level=1)).to_be_visible()
                await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
                if not await fits(page):
                    wide.append((path, size["width"]))
    assert wide == []


async def test_what_is_written_from_right_to_left_stands_so(page: Page, instance: Instance) -> None:
    await look(page, instance, "/send", "Send Push")
    title = page.get_by_label("Title", exact=True)
    await title.fill("مرحبا بالعالم")
    assert await title.evaluate("one => one.matches(':dir(rtl)')")
    shown = page.get_by_test_id("preview").get_by_text("مرحبا بالعالم")
    assert await shown.evaluate("one => one.matches(':dir(rtl)')")
    await page.get_by_role("button", name="Discard draft").click()
