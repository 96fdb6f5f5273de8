"""Segments in a real Chromium: built in rows and as text, counted, sent to, kept while they are needed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from support.axe import serious
from support.dashboard import PHONE, WIDE, fits
from support.instance import Instance, running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A demo in which three people with devices of their own have a plan."""
    async with running_demo(tmp_path_factory.mktemp("segments")) as running:
        for name, plan in (("u-41", "pro"), ("u-42", "pro"), ("u-43", "free")):
            await running.rest("PUT", f"/users/{name}", {"attributes": {"plan": plan, "age": 40}})
        yield running


async def devices(instance: Instance, conditions: str) -> int:
    found: dict[str, Any] = await instance.rest("POST", "/segments/count", {"conditions": conditions})
    return int(found["count"])


async def test_one_is_built_in_rows_counted_and_kept(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/segments")
    await page.get_by_role("link", name="Create the first segment").click()
    await expect(page.get_by_text("Everybody: there is no condition yet")).to_be_visible()
    everybody = await devices(instance, "true")
    await expect(page.get_by_text(re.compile(r"devices are in it now"))).to_be_visible()
    assert everybody > 900
    assert await serious(page) == []
    await page.get_by_role("button", name="Add a condition").click()
    field = page.get_by_label("Field of condition 1", exact=True)
    await expect(field).to_be_focused()
    save = page.get_by_role("button", name="Create the segment")
    await expect(save).to_be_disabled()
    await field.fill("user.plan")
    await page.get_by_label("Value of condition 1", exact=True).fill("pro")
    text = page.get_by_label("As text")
    await expect(text).to_have_value('user.plan == "pro"')
    pro = await devices(instance, 'user.plan == "pro"')
    assert 0 < pro < everybody
    await expect(page.get_by_text(re.compile(rf"^{pro} devices? (is|are) in it now"))).to_be_visible()
    await save.click()
    await expect(page.get_by_text("Name it after whom it means")).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("Payers")
    await save.click()
    await expect(page.get_by_role("heading", name="Payers")).to_be_visible()
    (kept,) = (await instance.rest("GET", "/segments?name=Payers"))["data"]
    assert kept["conditions_text"] == 'user.plan == "pro"'
    assert page.url.endswith(kept["id"])
    assert await serious(page) == []


async def test_text_and_rows_follow_each_other_and_faults_stand_at_their_place(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/segments")
    await page.get_by_role("link", name="Payers", exact=True).click()
    text, save = page.get_by_label("As text"), page.get_by_role("button", name="Save the segment")
    await expect(text).to_have_value('user.plan == "pro"')
    await expect(save).to_be_disabled()
    await text.fill('user.plan == "pro" && (user.age > 30 || user.topics.contains("beta"))')
    group = page.get_by_role("group", name="Group 2")
    await expect(group.get_by_label("How group 2 is joined")).to_have_value("any")
    await expect(group.get_by_label("Field of condition 2.1")).to_have_value("user.age")
    await expect(group.get_by_label("Kind of value in condition 2.1")).to_have_value("number")
    await expect(group.get_by_label("Value of condition 2.2")).to_have_value("beta")
    assert await serious(page) == []
    await text.fill("user.plan = pro")
    await expect(page.get_by_text("Character 11")).to_be_visible()
    await expect(save).to_be_disabled()
    await text.fill('user.plan == "pro" && user.age > 30')
    await expect(save).to_be_enabled()
    number = page.get_by_label("Value of condition 2", exact=True)
    await number.fill("many")
    await expect(page.get_by_text("takes a number, a time or a version")).to_be_visible()
    await expect(number).to_have_attribute("aria-invalid", "true")
    await expect(save).to_be_disabled()
    await number.fill("39")
    await expect(text).to_have_value('user.plan == "pro" && user.age > 39')
    await page.get_by_role("button", name="Remove condition 1").click()
    await expect(text).to_have_value("user.age > 39")
    await save.click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    await page.reload()
    await expect(text).to_have_value("user.age > 39")


async def test_the_kind_of_a_value_is_that_of_what_is_typed_until_somebody_chooses_one(
    page: Page, instance: Instance
) -> None:
    await page.goto(f"{instance.url}/segments/new")
    await page.get_by_role("button", name="Add a condition").click()
    await page.get_by_label("Field of condition 1", exact=True).fill("user.available")
    kind = page.get_by_label("Kind of value in condition 1")
    value = page.get_by_label("Value of condition 1", exact=True)
    text = page.get_by_label("As text")
    await value.press_sequentially("true")
    await expect(kind).to_have_value("boolean")
    await expect(text).to_have_value("user.available == true")
    await value.press_sequentially("-ish")
    await expect(kind).to_have_value("text")
    await value.fill("39")
    await expect(text).to_have_value("user.available == 39")
    await kind.select_option("text")
    await value.fill("true")
    await expect(text).to_have_value('user.available == "true"')
    await kind.select_option("boolean")
    await value.select_option("false")
    await expect(text).to_have_value("user.available == false")


async def test_a_notification_is_sent_to_it_with_its_exact_count(page: Page, instance: Instance) -> None:
    count = await devices(instance, "user.age > 39")
    await page.goto(f"{instance.url}/segments")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Payers", exact=True))
    await expect(row).to_contain_text(f"{count} devices")
    await row.get_by_role("link", name="Send to Payers").click()
    await expect(page.get_by_role("radio", name="A segment")).to_be_checked()
    await expect(page.get_by_role("combobox", name="Segment")).to_have_value(re.compile("seg_"))
    await expect(page.get_by_text(re.compile(rf"^{count} devices? would get it now"))).to_be_visible()
    assert await serious(page) == []
    await page.get_by_label("Title", exact=True).fill("Fresh fish")
    await page.get_by_role("button", name=re.compile(f"^Send to {count} device")).click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^Send to {count} device")).click()
    await expect(page.get_by_role("heading", name="Fresh fish")).to_be_visible()
    await expect(page.get_by_text("Segment Payers")).to_be_visible()
    await expect(page.get_by_text("Done").first).to_be_visible(timeout=60_000)
    sent = await instance.rest("GET", f"/notifications/{page.url.rsplit('/', 1)[1]}")
    assert (sent["counts"]["audience"], list(sent["to"])) == (count, ["segment"])


async def test_one_that_is_needed_stays_and_says_for_what(page: Page, instance: Instance) -> None:
    (payers,) = (await instance.rest("GET", "/segments?name=Payers"))["data"]
    body = {"to": {"segment": payers["id"]}, "title": "Later", "send_at": "2099-01-01T09:00:00Z"}
    waiting = (await instance.rest("POST", "/notifications", body))["id"]
    await page.goto(f"{instance.url}/notifications")
    await expect(page.get_by_role("link", name="Later")).to_contain_text(re.compile("For .*2099"))
    await page.get_by_role("link", name="Later").click()
    await expect(page.get_by_text(re.compile("Goes out on .*2099"))).to_be_visible()
    await page.goto(f"{instance.url}/segments")
    await page.get_by_role("button", name="Delete Payers").click()
    await expect(page.get_by_role("alert")).to_contain_text(waiting)
    await expect(page.get_by_role("link", name="Payers", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Payers", exact=True).click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("alert")).to_contain_text(waiting)
    await page.get_by_role("link", name="Segments", exact=True).last.click()
    await instance.rest("POST", f"/notifications/{waiting}/cancel")
    await page.get_by_role("button", name="Delete Payers").click()
    await expect(page.get_by_role("link", name="Create the first segment")).to_be_visible()
    await page.get_by_role("button", name="Close").click()


async def test_a_trigger_is_for_a_segment_and_its_conditions_are_edited_in_rows(page: Page, instance: Instance) -> None:
    schema = {"properties": {"order": {"type": "object", "properties": {"total": {"type": "number"}}}}}
    await instance.rest("PUT", "/event-types/order.paid", {"name": "An order is paid", "variables": schema})
    made = await instance.rest("POST", "/segments", {"name": "Buyers", "conditions": 'user.plan == "pro"'})
    await page.goto(f"{instance.url}/settings/triggers/new")
    main = page.get_by_role("main")
    await main.get_by_label("Name", exact=True).fill("Thank buyers")
    await main.get_by_label("Event Type").select_option("order.paid")
    await main.get_by_role("textbox", name="Conditions").fill("event.order.total > 10")
    await main.get_by_role("button", name="Edit in rows").click()
    dialog = page.get_by_role("dialog", name="Conditions")
    await expect(dialog.get_by_label("Value of condition 1", exact=True)).to_have_value("10")
    await dialog.get_by_role("button", name="Add a condition", exact=True).click()
    await dialog.get_by_label("Field of condition 2", exact=True).fill("user.topics")
    await dialog.get_by_label("Value of condition 2", exact=True).fill("offers")
    await expect(dialog.get_by_label("As text")).to_have_value(re.compile("offers"))
    assert await serious(page) == []
    await dialog.get_by_role("button", name="Use these conditions").click()
    text = 'event.order.total > 10 && user.topics.contains("offers")'
    await expect(main.get_by_role("textbox", name="Conditions")).to_have_value(text)
    await main.get_by_label("Rule 1", exact=True).select_option("A segment")
    await main.get_by_role("combobox", name="Segment").select_option("Buyers")
    await main.get_by_role("textbox", name="Title", exact=True).fill("Thank you")
    await main.get_by_role("button", name="Create Trigger").click()
    await expect(page).to_have_url(re.compile(r"/settings/triggers/trg_\w+"))
    (trigger,) = (await instance.rest("GET", "/triggers"))["data"]
    assert trigger["audience"]["segment"] == made["id"]
    assert trigger["conditions_text"] == text
    await instance.rest("DELETE", f"/triggers/{trigger['id']}")


async def test_a_server_that_fails_is_said_where_it_fails_and_asked_again(page: Page, instance: Instance) -> None:
    async def fail(route: Route) -> None:
        await route.fulfill(status=503, content_type="text/plain", body="busy")

    await page.route("**/api/v1/segments/count*", fail)
    await page.goto(f"{instance.url}/segments/new")
    again = page.get_by_role("button", name="Try again")
    await expect(again).to_be_visible()
    assert await serious(page) == []
    await page.unroute("**/api/v1/segments/count*")
    await again.click()
    await expect(page.get_by_text("devices are in it now")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_fit_a_phone_and_a_keyboard_is_enough(page: Page, instance: Instance, scheme: Any) -> None:
    name = f"Seen lately, in the {scheme}"
    conditions = (
        'subscription.last_seen_at.withinLast("30d") && (user.plan in ["pro", "team"] || !has(user.plan))'
        ' && !(subscription.tags.town.startsWith("St. ") || ignoreCase(user.town) == "graz")'
    )
    made = await instance.rest("POST", "/segments", {"name": name, "conditions": conditions})
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size(PHONE)
    for path in ("/segments", f"/segments/{made['id']}", f"/send?segment={made['id']}"):
        await page.goto(f"{instance.url}{path}")
        await expect(page.get_by_text(name).first).to_be_attached()
        await expect(page.get_by_text(re.compile(r"\d+\W+devices?")).first).to_be_visible()
        assert await fits(page), path
        assert await serious(page) == []
    await page.goto(f"{instance.url}/segments/{made['id']}")
    adder = page.get_by_role("button", name="Add a condition", exact=True)
    await adder.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("user.topics")
    await page.keyboard.press("Tab")  # the remove button
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("How condition 4 compares")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("beta")
    await expect(page.get_by_label("As text")).to_have_value(re.compile(r'user\.topics\.contains\("beta"\)$'))
    await page.emulate_media(color_scheme="no-preference")
    await page.set_viewport_size(WIDE)
