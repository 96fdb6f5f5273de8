"""People in a real Chromium on a real server: found, looked into, exported and erased."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from support.dashboard import fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_somebody_is_found_by_a_part_of_their_name(page: Page, instance: Instance) -> None:
    await instance.rest("PUT", "/users/anna@harbour.example", {"attributes": {"name": "Anna Öhm", "role": "captain"}})
    await look(page, instance, "/users", "Users")
    await page.get_by_label("Search").fill("öHM")
    await expect(page).to_have_url(re.compile("search="))
    await page.get_by_role("link", name=re.compile("Anna Öhm")).click()
    await expect(page.get_by_role("heading", name="Anna Öhm", level=1)).to_be_visible()
    await expect(page.get_by_text("captain")).to_be_visible()
    await expect(page.get_by_text("no browser and no device of theirs is known")).to_be_visible()
    # An id with a dot is an address of its own too.
    await look(page, instance, "/users/anna@harbour.example", "Anna Öhm")
    await look(page, instance, "/users?search=nobody-like-this", "Users")
    await expect(page.get_by_role("link", name="Look among the subscriptions")).to_be_visible()


async def test_what_was_sent_to_them_says_what_arrived_where(page: Page, instance: Instance) -> None:
    body = {"to": {"users": ["u-42"]}, "title": "The ferry is late"}
    made = await instance.rest("POST", "/notifications", body)
    await instance.done(f"/notifications/{made['id']}")
    (heard,) = (await instance.rest("GET", "/users/u-42/deliveries"))["data"]
    assert (heard["notification"], heard["title"]) == (made["id"], "The ferry is late")
    assert len(heard["devices"]) == made["audience"]
    user = await instance.rest("GET", "/users/u-42")
    await look(page, instance, "/users/u-42", user["attributes"]["name"])
    sent = page.get_by_role("region", name="What was sent to them")
    await expect(sent.get_by_role("link", name="The ferry is late")).to_be_visible()
    await expect(sent.get_by_text("Sent", exact=True)).to_have_count(len(heard["devices"]))
    await page.get_by_role("tab", name="Devices").click()
    await expect(page.get_by_role("row", name=re.compile("Firefox on Linux"))).to_be_visible()
    await page.get_by_role("tab", name="Preferences").click()
    await expect(page.get_by_text("No quiet hours")).to_be_visible()
    await page.get_by_role("tab", name="Topics").click()
    await expect(page.get_by_text("They follow no topic.")).to_be_visible()


async def test_the_pages_fit_and_are_sound(page: Page, instance: Instance) -> None:
    user = await instance.rest("GET", "/users/u-42")
    for path, heading in (("/users", "Users"), ("/users/u-42", user["attributes"]["name"])):
        await fits_and_is_sound(page, instance, path, heading)


async def test_they_are_exported_and_erased_after_a_question(page: Page, instance: Instance) -> None:
    user = await instance.rest("GET", "/users/u-42")
    name = user["attributes"]["name"]
    await look(page, instance, "/users/u-42", name)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Export everything").click()
    document = json.loads(Path(await (await waiting.value).path()).read_text())
    assert "u-42" in json.dumps(document)
    await page.get_by_role("button", name=f"Erase {name}").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Keep them")).to_be_focused()
    await dialog.get_by_role("button", name="Erase for good").click()
    await expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    await expect(page.get_by_text("What stays")).to_be_visible()
    found = (await instance.rest("GET", "/subscriptions?user=u-42"))["data"]
    assert found == []
