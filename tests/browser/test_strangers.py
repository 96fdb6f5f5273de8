"""A stranger's test in a real Chromium: why did this person not get yesterday's notification?

Only the dashboard is open. Whoever asks begins at the overview, presses what is there, and types the person's name.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from tests.integration.web.instance import push_subscription

from support.axe import serious
from support.dashboard import fits_and_is_sound
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "The ferry to the island is cancelled"


async def call_them(instance: Instance, user: str, name: str) -> None:
    """Give somebody a name of their own, whatever the demo called them."""
    attributes = (await instance.rest("GET", f"/users/{user}"))["attributes"]
    await instance.rest("PUT", f"/users/{user}", {"attributes": {**attributes, "name": name}})


async def with_device(instance: Instance) -> list[dict[str, Any]]:
    """People of the demo that push reaches."""
    devices = (await instance.rest("GET", "/subscriptions?limit=200"))["data"]
    reached = {one["user"] for one in devices if one["status"] == "active"}
    people: list[dict[str, Any]] = (await instance.rest("GET", "/users?limit=200"))["data"]
    return [one for one in people if one["id"] in reached]


async def send(instance: Instance, to: dict[str, object], title: str = TITLE) -> str:
    made = await instance.rest("POST", "/notifications", {"to": to, "title": title})
    await instance.done(f"/notifications/{made['id']}")
    return str(made["id"])


@pytest.fixture(scope="module")
async def sent(instance: Instance) -> str:
    """What was sent yesterday: to everybody who pays."""
    await instance.rest("PUT", "/users/nora", {"attributes": {"name": "Nora Nodevice", "plan": "pro"}})
    segment = await instance.rest("POST", "/segments", {"name": "Who pays", "conditions": 'user.plan == "pro"'})
    found = await send(instance, {"segment": segment["id"]})
    missed = (await instance.rest("GET", f"/notifications/{found}/deliveries?outcome=missed&limit=200"))["data"]
    gone = next(one["user"] for one in missed if one["reason"] == "gone")
    await call_them(instance, gone, "Gerda Gone")
    people = await with_device(instance)
    free = next(one["id"] for one in people if one["attributes"].get("plan") == "free" and one["id"] != gone)
    await call_them(instance, free, "Fritz Free")
    return found


async def asked(page: Page, instance: Instance, name: str) -> Locator:
    """Begin at the overview, look for somebody, and give the line of the notification on their page."""
    await page.goto(instance.url)
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Users").click()
    await page.get_by_label("Search").fill(name)
    await page.get_by_role("link", name=re.compile(name)).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    region = page.get_by_role("region", name="What was sent to them")
    line = region.get_by_role("listitem").filter(has=page.get_by_role("link", name=TITLE)).first
    await expect(line).to_be_visible()
    assert await serious(page) == []
    return line


async def test_the_push_service_had_given_up_their_browser(page: Page, instance: Instance, sent: str) -> None:
    line = await asked(page, instance, "Gerda Gone")
    await expect(line.get_by_text("no longer has this subscription")).to_be_visible()


async def test_they_were_not_in_the_audience(page: Page, instance: Instance, sent: str) -> None:
    line = await asked(page, instance, "Fritz Free")
    await expect(line.get_by_text("Not sent", exact=True)).to_be_visible()
    await expect(line.get_by_text("its conditions do not hold for them")).to_be_visible()
    await expect(line.get_by_text('user.plan == "pro" does not hold: user.plan is "free"')).to_be_visible()


async def test_they_had_no_device(page: Page, instance: Instance, sent: str) -> None:
    line = await asked(page, instance, "Nora Nodevice")
    await expect(line.get_by_text("They have no browser and no device with push")).to_be_visible()


async def test_they_turned_push_on_later(page: Page, instance: Instance, sent: str, tmp_path: Path) -> None:
    await instance.rest("PUT", "/users/lena", {"attributes": {"name": "Lena Later", "plan": "pro"}})
    (tmp_path / "lena.ndjson").write_text(json.dumps({**push_subscription(), "user": "lena"}))
    await instance.command("subscriptions", "import", str(tmp_path / "lena.ndjson"))
    line = await asked(page, instance, "Lena Later")
    await expect(line.get_by_text("They turned push on only afterwards")).to_be_visible()


async def test_they_had_turned_it_off(page: Page, instance: Instance, sent: str) -> None:
    await instance.rest("PUT", "/event-types/ferry.cancelled", {"name": "A ferry is cancelled"})
    trigger = {
        "name": "Ferries",
        "event_type": "ferry.cancelled",
        "audience": {"users": "event"},
        "template": {"title": TITLE},
    }
    await instance.rest("POST", "/triggers", trigger)
    people = await with_device(instance)
    named = {"Nora Nodevice", "Lena Later", "Gerda Gone", "Fritz Free"}
    off = next(one["id"] for one in people if one["attributes"]["name"] not in named and one["id"] != "u-42")
    await call_them(instance, off, "Olaf Off")
    wish = {"event_types": {"ferry.cancelled": {"push": False}}}
    await instance.rest("PUT", f"/users/{off}/preferences", wish)
    await instance.rest("POST", "/events", {"type": "ferry.cancelled", "users": [off], "data": {}})
    async with asyncio.timeout(120):
        while "preference_off" not in json.dumps(await instance.rest("GET", f"/users/{off}/deliveries")):
            await asyncio.sleep(0.2)
    line = await asked(page, instance, "Olaf Off")
    await expect(line.get_by_text("Turned off by the person").first).to_be_visible()


async def test_a_notification_lists_whom_it_did_not_reach_by_reason(page: Page, instance: Instance, sent: str) -> None:
    page_of = f"{instance.url}/notifications/{sent}"
    await page.goto(page_of)
    region = page.get_by_role("region", name="Who got it, and who did not")
    rows = region.get_by_role("list", name="Recipients")
    await expect(rows.get_by_role("link", name="Gerda Gone")).to_be_visible()
    reason = region.get_by_label("Reason")
    await reason.select_option("gone")
    await expect(rows.get_by_text("Failed", exact=True).first).to_be_visible()
    await expect(rows.get_by_role("link", name="Gerda Gone")).to_be_visible()
    await region.get_by_label("Outcome").select_option("sent")
    await expect(rows.get_by_text("Sent", exact=True).first).to_be_visible()
    await expect(rows.get_by_role("link", name="Gerda Gone")).to_have_count(0)
    # Whoever knows the notification asks there for the person.
    await region.get_by_label("Did somebody get it?").fill("fritz")
    await region.get_by_role("button", name=re.compile("Fritz Free")).click()
    await expect(region.get_by_text("its conditions do not hold for them")).to_be_visible()
    await fits_and_is_sound(page)
