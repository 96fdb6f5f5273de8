"""The main job on real input: a person clicks Enable in a real Firefox, an operator sends, the message is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from support.desktop import Desktop, running_desktop
from support.firefox import running_firefox
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def desktop() -> AsyncIterator[Desktop]:
    async with running_desktop() as running:
        yield running


@pytest.fixture(scope="module")
async def firefox(instance: Instance, desktop: Desktop) -> AsyncIterator[Browser]:
    async with running_firefox(desktop, autopush=instance.autopush) as running:
        yield running


@pytest.fixture
async def context(firefox: Browser) -> AsyncIterator[BrowserContext]:
    made = await firefox.new_context()
    yield made
    await made.close()


async def eventually(look: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> Any:
    """Ask again until the answer is true; give it."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.1)
        return found


async def enabled(context: BrowserContext, instance: Instance) -> Page:
    """Open the sample site as a visitor and click Enable; the browser is told to answer Allow to its own question."""
    page = await context.new_page()
    await page.goto(instance.site)
    await expect(page.locator("#state")).to_have_text("undecided")
    assert await page.evaluate("Notification.permission") == "default", "nothing was asked before the click"
    await context.grant_permissions(["notifications"], origin=instance.site)
    await page.get_by_role("button", name="Enable notifications").click()
    await expect(page.locator("#state")).to_have_text("registered", timeout=20_000)
    return page


async def newest_subscription(instance: Instance) -> dict[str, Any]:
    page = await instance.rest("GET", "/subscriptions?limit=1")
    found: dict[str, Any] = page["data"][0]
    return found


async def counts(instance: Instance, notification: str) -> dict[str, int]:
    found = await instance.rest("GET", f"/notifications/{notification}")
    return dict(found["counts"])


async def test_a_click_on_enable_registers_this_device_once(context: BrowserContext, instance: Instance) -> None:
    page = await enabled(context, instance)
    first = await newest_subscription(instance)
    assert first["status"] == "active"
    assert "firefox" in str(first["device"]).lower()
    assert await page.evaluate("Tidings.subscribe()") == "registered"
    assert (await newest_subscription(instance))["id"] == first["id"], "a second call makes no second row"


async def test_both_the_command_and_the_api_reach_the_screen_and_clicks_and_receipts_come_back(
    context: BrowserContext, instance: Instance, desktop: Desktop
) -> None:
    page = await enabled(context, instance)
    await page.evaluate("Tidings.login('u-ida')")
    await eventually(lambda: _belongs_to(instance, "u-ida"))

    await instance.command("test", "--user", "u-ida")
    tested = await desktop.wait_for(lambda one: one.title == "Web Push is working")
    assert tested.app.lower().startswith("firefox")

    url = f"{instance.site}/?opened=tide"
    sent = await instance.rest(
        "POST",
        "/notifications",
        {"to": {"users": ["u-ida"]}, "title": "Spring tide", "body": "Quay road closes — grüße", "url": url},
        idempotency_key="tide-1",
    )
    assert (sent["status"], sent["audience"]) == ("queued", 1)
    shown = await desktop.wait_for(lambda one: one.title == "Spring tide")
    assert "Quay road closes — grüße" in shown.body
    again = await instance.rest(
        "POST",
        "/notifications",
        {"to": {"users": ["u-ida"]}, "title": "Spring tide", "body": "Quay road closes — grüße", "url": url},
        idempotency_key="tide-1",
    )
    assert again["id"] == sent["id"]
    assert sum(one.title == "Spring tide" for one in desktop.shown) == 1

    await eventually(lambda: _counted(instance, sent["id"], "shown"))
    desktop.click(shown)
    opened = await eventually(lambda: _page_at(context, url))
    assert opened
    await eventually(lambda: _counted(instance, sent["id"], "clicked"))
    final = await counts(instance, sent["id"])
    assert (final["audience"], final["sent"], final["shown"], final["clicked"]) == (1, 1, 1, 1)


async def test_a_click_focuses_the_page_that_is_open_already(
    context: BrowserContext, instance: Instance, desktop: Desktop
) -> None:
    page = await enabled(context, instance)
    await page.evaluate("Tidings.login('u-jo')")
    await eventually(lambda: _belongs_to(instance, "u-jo"))
    sent = await instance.rest(
        "POST", "/notifications", {"to": {"users": ["u-jo"]}, "title": "Fish market", "url": page.url}
    )
    shown = await desktop.wait_for(lambda one: one.title == "Fish market")
    await eventually(lambda: _counted(instance, sent["id"], "shown"))
    before = len(context.pages)
    desktop.click(shown)
    await eventually(lambda: _counted(instance, sent["id"], "clicked"))
    assert len(context.pages) == before


async def test_a_dismissed_notification_is_reported_as_closed(
    context: BrowserContext, instance: Instance, desktop: Desktop
) -> None:
    page = await enabled(context, instance)
    await page.evaluate("Tidings.login('u-kim')")
    await eventually(lambda: _belongs_to(instance, "u-kim"))
    sent = await instance.rest("POST", "/notifications", {"to": {"users": ["u-kim"]}, "title": "Old news"})
    shown = await desktop.wait_for(lambda one: one.title == "Old news")
    await eventually(lambda: _counted(instance, sent["id"], "shown"))
    desktop.dismiss(shown)
    await eventually(lambda: _counted(instance, sent["id"], "closed"))


async def test_turning_off_ends_it(context: BrowserContext, instance: Instance, desktop: Desktop) -> None:
    page = await enabled(context, instance)
    await page.evaluate("Tidings.login('u-lee')")
    await eventually(lambda: _belongs_to(instance, "u-lee"))
    device = await newest_subscription(instance)
    await page.get_by_role("button", name="Turn off on this device").click()
    await expect(page.locator("#state")).not_to_have_text("registered")
    stored = await instance.rest("GET", f"/subscriptions/{device['id']}")
    assert stored["status"] == "unsubscribed"
    said = await instance.command("test", "--user", "u-lee", code=1)
    assert "no device" in said
    sent = await instance.rest("POST", "/notifications", {"to": {"users": ["u-lee"]}, "title": "Nobody hears"})
    assert sent["audience"] == 0
    assert not [one for one in desktop.shown if one.title == "Nobody hears"]


async def _belongs_to(instance: Instance, user: str) -> bool:
    return bool((await newest_subscription(instance)).get("user") == user)


async def _counted(instance: Instance, notification: str, event: str) -> bool:
    return (await counts(instance, notification))[event] == 1


async def _page_at(context: BrowserContext, url: str) -> bool:
    return any(page.url == url for page in context.pages)
