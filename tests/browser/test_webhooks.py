"""Webhooks in the dashboard: made, tried, followed in their log and sent again, with a real server and receiver."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.chaos import until
from support.dashboard import fits_a_phone
from support.hooks import Hooks, listening
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with listening() as found:
        yield found


async def test_a_webhook_from_its_making_to_sending_again(page: Page, instance: Instance, hooks: Hooks) -> None:
    await page.goto(f"{instance.url}/settings/webhooks")
    await page.get_by_role("button", name="Create the first webhook").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Create the webhook").click()
    await expect(dialog).to_contain_text("Give the address that is to be called.")
    await dialog.get_by_label("URL").fill(hooks.url())
    await dialog.get_by_label("Description").fill("Our CRM")
    await dialog.get_by_label("Notifications: finished").check()
    assert await serious(page) == []
    await dialog.get_by_role("button", name="Create the webhook").click()
    secret = await page.get_by_role("dialog").locator("p.code").inner_text()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/=]{44}", secret)
    await page.get_by_role("button", name="I have it").click()
    assert secret not in await page.content()
    await page.get_by_role("link", name="Our CRM").click()
    await expect(page.get_by_role("heading", name="Our CRM")).to_be_visible()

    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_text("The test event was taken: HTTP 204")).to_be_visible()
    assert hooks.seen[0].signed_with(secret)

    hooks.answer = lambda _call, _n: 410
    hooks.said = b"<b>moved away</b>"
    sent = await instance.rest("POST", "/notifications", {"to": {"users": ["nobody-at-all"]}, "title": "x"})
    await until(lambda: len(hooks.seen) == 2)
    assert hooks.events[1]["data"]["notification"] == sent["id"]

    async def failed() -> bool:
        (hook,) = (await instance.rest("GET", "/webhooks"))["data"]
        return bool(hook["disabled_because"] == "gone")

    await until(failed)
    await page.goto(instance.url)
    await expect(page.get_by_text("The webhook Our CRM was turned off", exact=True)).to_be_visible()
    await page.get_by_role("listitem").filter(has_text="Our CRM").get_by_role("link", name="Look at it").click()
    await expect(page.get_by_text("Turned off: answered 410 Gone")).to_be_visible()
    await page.get_by_label("Show", exact=True).select_option("failed")
    row = page.get_by_role("listitem").filter(has_text="HTTP 410").first
    await row.locator("summary").first.click()
    await expect(row).to_contain_text("<b>moved away</b>")
    assert await serious(page) == []
    assert await fits_a_phone(page)

    hooks.answer = lambda _call, _n: 204
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_role("button", name="Turn off")).to_be_visible()
    await page.get_by_role("button", name="Send what failed again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send it again").click()
    await expect(page.get_by_text("1 call is made again.")).to_be_visible()
    await until(lambda: len(hooks.seen) == 3)
    assert hooks.seen[2].id == hooks.seen[1].id
    assert hooks.seen[2].events == hooks.seen[1].events

    await page.get_by_role("button", name="Delete the webhook").click()
    await expect(page.get_by_role("button", name="Create the first webhook")).to_be_visible()
    assert len((await instance.rest("GET", "/webhooks"))["data"]) == 1, "it can be taken back still"
    await page.get_by_role("button", name="Close").click()

    async def gone() -> bool:
        return not (await instance.rest("GET", "/webhooks"))["data"]

    await until(gone)
