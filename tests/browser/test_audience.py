"""Whom Send Push is for, in a real Chromium on a real server: people found by name or pasted, seen, and told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from support.axe import serious
from support.dashboard import PHONE, WIDE, fits, fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASTE = """(field, text) => {
  const data = new DataTransfer()
  data.setData('text/plain', text)
  field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
}"""


@pytest.fixture(scope="module")
async def people(instance: Instance) -> dict[str, str]:
    """Name three who have a device of the demo, and one who has none; give ids by name."""
    rows = (await instance.rest("GET", "/subscriptions?status=active&limit=200"))["data"]
    users = list(dict.fromkeys(row["user"] for row in rows if row["user"] and row["user"] != "u-42"))[:2]
    named = {"Xyla Fisher": users[0], "Xyra Öhm": users[1], "Xelda Offline": "no-device@example.com"}
    for name, user in named.items():
        await instance.rest("PUT", f"/users/{user}", {"attributes": {"name": name}})
    return named


async def opened(page: Page, instance: Instance) -> Locator:
    """Open Send Push without a draft, for people; give the field in which they are found."""
    await look(page, instance, "/send", "Send Push")
    await page.evaluate(
        "Object.keys(localStorage).forEach((one) => one.startsWith('tidings.draft') && delete localStorage[one])"
    )
    await look(page, instance, "/send", "Send Push")
    await page.get_by_role("radio", name="People").check()
    await expect(page.get_by_text("Choose people to see how many devices that is.")).to_be_visible()
    return page.get_by_role("combobox", name="Find people")


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Chosen people").get_by_role("listitem")


async def devices_of(instance: Instance, *users: str) -> int:
    return int((await instance.rest("POST", "/notifications/count", {"to": {"users": list(users)}}))["count"])


async def test_people_are_found_as_one_types_chosen_kept_and_are_who_gets_it(
    page: Page, instance: Instance, people: dict[str, str]
) -> None:
    field = await opened(page, instance)
    await field.press_sequentially("xy")
    found = page.get_by_role("listbox", name="People who are called so")
    await expect(found.get_by_role("option")).to_have_count(3)
    first, other = [name for name in await found.get_by_role("option").all_inner_texts() if name.startswith("Xy")]
    first, other = " ".join(first.split()[:2]), " ".join(other.split()[:2])
    assert {first, other} == {"Xyla Fisher", "Xyra Öhm"}
    await expect(found.get_by_role("option", name=first)).to_have_attribute("aria-selected", "true")
    assert await serious(page) == []
    await field.press("ArrowDown")
    await expect(found.get_by_role("option", name=other)).to_have_attribute("aria-selected", "true")
    active = await field.get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{active}")).to_contain_text(other)
    await field.press("Enter")
    await expect(chips(page)).to_have_text(re.compile(f"{other}.*{re.escape(people[other])}"))
    await expect(field).to_have_value("")
    await expect(field).to_be_focused()
    # Enter before the answer is there means the first.
    await field.press_sequentially(first.split()[0])
    await field.press("Enter")
    await expect(chips(page)).to_have_count(2)
    await field.press_sequentially(first.split()[0])
    await expect(found.get_by_role("option", name=first)).to_contain_text("Chosen already")
    await field.press("Escape")
    await expect(found).to_be_hidden()
    await field.fill("")
    users = (people["Xyla Fisher"], people["Xyra Öhm"])
    count = await devices_of(instance, *users)
    said = f"{count} device{'' if count == 1 else 's'}"
    await expect(page.get_by_text(f"{said} would get it now.")).to_be_visible()
    # Names come back, and are kept in no browser.
    await page.get_by_label("Title", exact=True).fill("For two of them")
    assert "Xyla" not in await page.evaluate("JSON.stringify(localStorage)")
    await page.reload()
    await expect(chips(page).filter(has_text="Xyla Fisher")).to_be_visible()
    await expect(chips(page)).to_have_count(2)
    await fits_and_is_sound(page)
    await page.get_by_role("button", name=f"Send to {said}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="For two of them")).to_be_visible()
    sent = page.url.rsplit("/", 1)[1]
    told = await instance.done(f"/notifications/{sent}")
    assert sorted(told["to"]["users"]) == sorted(users)
    assert {one["user"] for one in await deliveries(instance, sent)} == set(users)


async def deliveries(instance: Instance, sent: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await instance.rest("GET", f"/notifications/{sent}/deliveries?limit=200"))["data"]
    return found


async def test_a_pasted_list_says_who_is_unknown_and_who_has_no_device(
    page: Page, instance: Instance, people: dict[str, str]
) -> None:
    field = await opened(page, instance)
    listed = f'user_id\n"{people["Xyla Fisher"]}"\n{people["Xelda Offline"]}, nobody-1 nobody-2'
    await field.evaluate(PASTE, listed)
    await expect(chips(page)).to_have_count(5)
    await expect(page.get_by_text("3 ids are unknown here")).to_be_visible()
    await expect(chips(page).nth(0)).to_contain_text("unknown here")
    await expect(chips(page).nth(3)).to_contain_text(re.compile("Xelda Offline.*no device"))
    await expect(page.get_by_text("1 person has no device with push")).to_be_visible()
    await page.get_by_label("Title", exact=True).fill("For a list")
    await fits_and_is_sound(page)
    # They stay until somebody takes them out, and this can be taken back.
    await page.reload()
    await expect(page.get_by_text("3 ids are unknown here")).to_be_visible()
    await page.get_by_role("button", name="Remove the 3 unknown ones").click()
    await expect(chips(page)).to_have_count(2)
    await expect(field).to_be_focused()
    await page.get_by_role("button", name="Undo").click()
    await expect(chips(page)).to_have_count(5)
    await page.get_by_role("button", name="Remove the 3 unknown ones").click()
    await expect(page.get_by_text("unknown here")).to_have_count(0)


async def test_chips_are_gone_through_and_removed_with_the_keyboard(
    page: Page, instance: Instance, people: dict[str, str]
) -> None:
    field = await opened(page, instance)
    await field.evaluate(PASTE, " ".join(people.values()))
    await expect(chips(page)).to_have_count(3)
    await expect(page.get_by_text("1 person has no device with push")).to_be_visible()
    await field.press("Tab")
    remove = page.get_by_role("button", name=re.compile("^Remove X"))
    await expect(remove.nth(0)).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(remove.nth(1)).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(chips(page)).to_have_count(2)
    await expect(remove.nth(1)).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(chips(page)).to_have_count(0)
    await expect(field).to_be_focused()
    await expect(page.get_by_text("Choose people to see how many devices that is.")).to_be_visible()


async def test_whoever_is_in_no_list_is_added_by_their_id(page: Page, instance: Instance) -> None:
    field = await opened(page, instance)
    await field.press_sequentially("nobody-like-this")
    found = page.get_by_role("listbox", name="People who are called so")
    await expect(found.get_by_role("option")).to_have_text("Add the id nobody-like-this")
    await field.press("Enter")
    await expect(chips(page)).to_contain_text("unknown here")
    await expect(page.get_by_text("Nobody is in this audience, so there is nothing to send.")).to_be_visible()


async def test_hundreds_are_pasted_at_once_without_slowness(
    page: Page, instance: Instance, people: dict[str, str]
) -> None:
    field = await opened(page, instance)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/users/lookup" in one.url else None)
    ids = [people["Xyra Öhm"], *(f"ghost-{n}" for n in range(899))]
    before = await page.evaluate("performance.now()")
    await field.evaluate(PASTE, "\n".join(ids))
    await expect(page.get_by_text("899 ids are unknown here")).to_be_visible()
    assert await page.evaluate("performance.now()") - before < 5_000
    assert len(asked) == 1
    await expect(chips(page)).to_have_count(40)
    await page.get_by_role("button", name="Show all 900 people").click()
    await expect(chips(page)).to_have_count(900)
    await page.set_viewport_size(PHONE)
    assert await fits(page)
    await page.set_viewport_size(WIDE)
    await page.get_by_role("button", name="Remove the 899 unknown ones").click()
    await expect(chips(page)).to_have_text(re.compile("Xyra Öhm"))


async def test_quiet_hours_say_what_sending_will_do_and_lead_to_what_changes_it(
    page: Page, instance: Instance, people: dict[str, str]
) -> None:
    asleep = people["Xyla Fisher"]
    await instance.rest("PUT", "/event-types/topic.reply", {"name": "Replies"})
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=2):%H:%M}", "to": f"{now + timedelta(hours=6):%H:%M}", "time_zone": "UTC"}
    await instance.rest("PUT", f"/users/{asleep}/preferences", {"quiet_hours": hours})
    field = await opened(page, instance)
    await field.evaluate(PASTE, f"{asleep} {people['Xyra Öhm']}")
    warned = page.get_by_role("main").get_by_label("Before you send")
    await expect(warned).to_contain_text("in the quiet hours of")
    await expect(warned).to_contain_text("only what tells of an event type waits")
    await page.get_by_label("Title", exact=True).fill("Somebody answered")
    await fits_and_is_sound(page)
    await warned.get_by_role("button", name="Choose an event type").click()
    chosen = page.get_by_label("Event type")
    await expect(chosen).to_be_focused()
    await chosen.select_option(label="Replies")
    await expect(warned).to_contain_text("in quiet hours and get")
    await page.get_by_label("Time to live").select_option(label="1 hour")
    await expect(warned).to_contain_text("last longer than the time to live")
    await fits_and_is_sound(page)
    # In the question too, from which one is led back to the field.
    await page.get_by_role("button", name=re.compile(r"^Send to \d")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Choose a longer time to live").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_label("Time to live")).to_be_focused()
    await page.get_by_label("Time to live").select_option(label="1 day")
    await expect(warned).to_contain_text("in quiet hours and get")
    await page.get_by_role("button", name=re.compile(r"^Send to \d")).click()
    await dialog.get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="Somebody answered")).to_be_visible()
    sent = page.url.rsplit("/", 1)[1]
    assert (await instance.rest("GET", f"/notifications/{sent}"))["event_type"] == "topic.reply"
    # Whoever is awake has it, and whoever sleeps does not: as it was said.
    awake = await devices_of(instance, people["Xyra Öhm"])
    while len(told := await deliveries(instance, sent)) < awake:
        await page.wait_for_timeout(100)
    assert {one["user"] for one in told} == {people["Xyra Öhm"]}


async def test_an_integration_that_is_gone_is_told_and_the_way_to_it_loses_nothing(
    page: Page, instance: Instance
) -> None:
    found = (await instance.rest("GET", "/integrations"))["data"]
    apns = next(one for one in found if one["provider"] == "apns")
    lost = sum(key["subscriptions"] for key in apns["keys"])
    await instance.rest("DELETE", f"/integrations/{apns['id']}?force=true")
    await opened(page, instance)
    await page.get_by_role("radio", name="All", exact=False).first.check()
    await page.get_by_label("Title", exact=True).fill("For iPhones too")
    warned = page.get_by_role("main").get_by_label("Before you send")
    await expect(warned).to_contain_text(
        f"APNs was removed from this App. {lost} devices of this audience get nothing any more."
    )
    await fits_and_is_sound(page)
    await warned.get_by_role("link", name="Add APNs again").click()
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("Send Push")
    await page.go_back()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("For iPhones too")
    # Whom it does not concern is not bothered with it.
    await page.get_by_role("radio", name="A tag").check()
    await page.get_by_label("Tag", exact=True).fill("plan")
    await page.get_by_label("Value", exact=True).fill("nobody has this")
    await expect(warned).not_to_contain_text("APNs was removed")
