"""What is sent by itself, in a real Chromium on a real server: triggers made, tried and looked into."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.dashboard import fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ESCALATED = {
    "name": "A visitor wants a person",
    "category": "Live chat",
    "variables": {
        "properties": {
            "conversation": {"type": "object", "properties": {"id": {"type": "string"}}},
            "bot": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
        }
    },
    "examples": [{"conversation": {"id": "c-1"}, "bot": {"id": "b-1", "name": "Ada"}}],
}


async def happens(instance: Instance, **more: object) -> str:
    """Report an event and wait until its triggers were asked."""
    made = await instance.rest("POST", "/events", {"type": "conversation.escalated", **more})
    await instance.done(f"/events/{made['id']}")
    return str(made["id"])


async def test_without_an_event_type_the_page_says_what_comes_first(page: Page, instance: Instance) -> None:
    await fits_and_is_sound(page, instance, "/settings/triggers", "Triggers")
    await expect(page.get_by_role("link", name="Declare an event type")).to_be_visible()
    await expect(page.get_by_role("link", name="Create Trigger")).to_have_count(0)


async def test_a_trigger_is_made_and_what_is_wrong_is_said_at_its_field(page: Page, instance: Instance) -> None:
    await instance.rest("PUT", "/event-types/conversation.escalated", ESCALATED)
    await look(page, instance, "/settings/triggers", "Triggers")
    await page.get_by_role("link", name="Create Trigger").click()
    await expect(page.get_by_role("heading", name="Create Trigger", level=1)).to_be_visible()
    main = page.get_by_role("main")
    await main.get_by_role("button", name="Create Trigger").click()
    await expect(main.get_by_label("Name", exact=True)).to_be_focused()
    await expect(main.get_by_text("Choose the event that fires it.")).to_be_visible()
    await main.get_by_label("Name", exact=True).fill("Call an operator")
    await main.get_by_label("Event Type").select_option("conversation.escalated")
    await main.get_by_role("textbox", name="Conditions").fill("event.bto.id ==")
    await main.get_by_label("Rule 1", exact=True).select_option("People for whom conditions hold")
    await main.get_by_label("Whom rule 1 means").fill('user.role == "operator" && user.available == true')
    await main.get_by_role("textbox", name="Title", exact=True).fill("")
    # A variable is put where the cursor is.
    await main.get_by_role("textbox", name="Title", exact=True).focus()
    await main.get_by_role("button", name="Insert {{ bot.name }}").click()
    await main.get_by_role("textbox", name="Title", exact=True).press_sequentially(" needs you")
    await expect(main.get_by_test_id("preview")).to_contain_text("Ada needs you")
    await main.get_by_role("button", name="Create Trigger").click()
    conditions = main.get_by_role("textbox", name="Conditions")
    await expect(conditions).to_have_attribute("aria-invalid", "true")
    await expect(main.get_by_text("Character 16", exact=False).first).to_be_visible()
    await conditions.fill('event.bot.id == "b-1"')
    await main.get_by_role("textbox", name="Title", exact=True).fill("{{ bot.nmae }} needs you")
    await main.get_by_role("button", name="Create Trigger").click()
    await expect(main.get_by_text("did you mean 'bot.name'?").first).to_be_visible()
    await expect(main.get_by_text("The trigger is not valid")).to_be_visible()
    await main.get_by_role("textbox", name="Title", exact=True).fill("{{ bot.name }} needs you")
    # What is mended is not told to be wrong any more.
    await expect(main.get_by_text("did you mean 'bot.name'?")).to_have_count(0)
    await expect(main.get_by_text("The trigger is not valid")).to_have_count(0)
    await main.get_by_role("button", name="Create Trigger").click()
    await expect(page).to_have_url(re.compile(r"/settings/triggers/trg_\w+"))
    (made,) = (await instance.rest("GET", "/triggers"))["data"]
    assert made["conditions_text"] == 'event.bot.id == "b-1"'
    assert made["audience_text"]["users_where"] == 'user.role == "operator" && user.available == true'
    assert made["template"]["title"] == "{{ bot.name }} needs you"
    assert made["channels"] is None


async def test_a_dry_run_says_who_reads_what_and_why_others_do_not(page: Page, instance: Instance) -> None:
    (trigger,) = (await instance.rest("GET", "/triggers"))["data"]
    await look(page, instance, f"/settings/triggers/{trigger['id']}?tab=try", "Call an operator")
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_text(re.compile("It would fire and reach"))).to_be_visible()
    told = page.get_by_role("region", name="Who would be told")
    await expect(told.get_by_text("Ada needs you").first).to_be_visible()
    others = page.get_by_role("region", name="Who would not, and why")
    await expect(others.get_by_text("The conditions do not fit them").first).to_be_visible()
    before = page.get_by_text("This is what came of it before your change.")
    await expect(before).to_have_count(0)
    await page.get_by_label("Ask about").fill("u-404")
    await expect(before).to_be_visible()
    await page.get_by_role("button", name="Dry run").click()
    await expect(others.get_by_role("link", name="u-404")).to_be_visible()
    await expect(before).to_have_count(0)
    await expect(others.get_by_text("The App knows nothing of them").first).to_be_visible()
    assert await serious(page) == []
    # With data of one's own; a bot that nobody is called for.
    await page.get_by_label("With").select_option("Data of your own")
    await page.get_by_label("Data", exact=True).fill('{"bot": ')
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_text("This is not JSON")).to_be_visible()
    await page.get_by_label("Data", exact=True).fill('{"bot": {"id": "b-9"}}')
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_text("It would not fire: the conditions do not hold.")).to_be_visible()
    await expect(page.get_by_text(re.compile('event.bot.id is "b-9"'))).to_be_visible()


async def test_a_past_event_can_be_tried_and_shows_what_came_of_it(page: Page, instance: Instance) -> None:
    event = await happens(instance, data=ESCALATED["examples"][0], actor="u-1")  # type: ignore[index]
    (trigger,) = (await instance.rest("GET", "/triggers"))["data"]
    await look(page, instance, f"/settings/triggers/{trigger['id']}?tab=try&event={event}", "Call an operator")
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_role("region", name="Who would be told")).to_be_visible()
    await page.get_by_role("tab", name="What came of it").click()
    await expect(page.get_by_text("Fired").first).to_be_visible()
    await page.get_by_role("link", name="What was sent").click()
    await expect(page).to_have_url(re.compile("/notifications/ntf_"))
    # Everybody reads another title, so it is called by its trigger; its words have gaps.
    await expect(page.get_by_role("link", name="Trigger Call an operator")).to_be_visible()
    await expect(page.get_by_role("heading", name="Call an operator", level=1)).to_be_visible()
    await expect(page.get_by_text(re.compile("^.bot.name. needs you$")).first).to_be_visible()
    await look(page, instance, "/notifications", "Notifications")
    await expect(page.get_by_role("link", name=re.compile("^Call an operator .bot.name. needs you"))).to_be_visible()
    await look(page, instance, "/settings/triggers", "Triggers")
    await expect(page.get_by_text("1 fired")).to_be_visible()


async def test_it_is_throttled_and_turned_off(page: Page, instance: Instance) -> None:
    (trigger,) = (await instance.rest("GET", "/triggers"))["data"]
    await look(page, instance, f"/settings/triggers/{trigger['id']}", "Call an operator")
    await page.get_by_label("Throttle it").check()
    await page.get_by_label("Window, number").fill("2")
    await page.get_by_label("Window, unit").select_option("hours")
    await page.get_by_role("group", name="for each").get_by_label("event.conversation.id").check()
    await page.get_by_label("Web Push", exact=True).check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    stored = await instance.rest("GET", f"/triggers/{trigger['id']}")
    assert stored["throttle"] == {"key": ["event.conversation.id"], "count": 1, "window": 7200}
    assert stored["channels"] == ["webpush"]
    await look(page, instance, "/settings/triggers", "Triggers")
    switch = page.get_by_label("Call an operator is on")
    await switch.uncheck()
    async with asyncio.timeout(60):
        while (await instance.rest("GET", f"/triggers/{trigger['id']}"))["enabled"]:
            await asyncio.sleep(0.1)
    await switch.check()
    async with asyncio.timeout(60):
        while not (await instance.rest("GET", f"/triggers/{trigger['id']}"))["enabled"]:
            await asyncio.sleep(0.1)


async def test_the_pages_of_triggers_fit_and_are_sound(page: Page, instance: Instance) -> None:
    (trigger,) = (await instance.rest("GET", "/triggers"))["data"]
    await fits_and_is_sound(page, instance, "/settings/triggers", "Triggers")
    await fits_and_is_sound(page, instance, "/settings/triggers/new", "Create Trigger")
    for tab in ("edit", "try", "came"):
        await fits_and_is_sound(page, instance, f"/settings/triggers/{trigger['id']}?tab={tab}", "Call an operator")


async def test_an_event_type_is_declared_with_rows_of_variables(page: Page, instance: Instance) -> None:
    await look(page, instance, "/event-types", "Event types")
    await page.get_by_role("link", name="Declare an event type").click()
    await page.get_by_role("button", name="Declare it").click()
    await expect(page.get_by_label("Key")).to_be_focused()
    await page.get_by_label("Key").fill("appointment.reminder")
    await page.get_by_label("Name", exact=True).fill("An appointment is near")
    await page.get_by_role("textbox", name="Category").fill("Appointments")
    await page.get_by_label("Variable 1", exact=True).fill("appointment.place")
    await page.get_by_role("button", name="Add a variable").click()
    await page.get_by_label("Variable 2", exact=True).fill("appointment")
    await page.get_by_role("button", name="Declare it").click()
    await expect(page.get_by_text("Another row has this name already").first).to_be_visible()
    await page.get_by_label("Variable 2", exact=True).fill("appointment.minutes")
    await page.get_by_label("Kind of variable 2").select_option("Whole number")
    await page.get_by_role("button", name="Make one from the variables").click()
    await page.get_by_role("button", name="Declare it").click()
    await expect(page.get_by_role("heading", name="An appointment is near", level=1)).to_be_visible()
    stored = await instance.rest("GET", "/event-types/appointment.reminder")
    assert stored["variables"]["properties"]["appointment"]["properties"] == {
        "place": {"type": "string"}, "minutes": {"type": "integer"},
    }  # fmt: skip
    assert stored["examples"] == [{"appointment": {"place": "place", "minutes": 1}}]
    await page.get_by_label("Mandatory").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    assert (await instance.rest("GET", "/event-types/appointment.reminder"))["mandatory"]


async def test_what_a_trigger_waits_for_is_not_deleted_under_it(page: Page, instance: Instance) -> None:
    await instance.rest("PUT", "/event-types/boat.left", {"name": "A boat has left", "category": "Boats"})
    rules = {"audience": {"users": "event"}, "template": {"title": "It has left"}}
    made = await instance.rest("POST", "/triggers", {"name": "Boats", "event_type": "boat.left", **rules})
    await look(page, instance, "/event-types/boat.left", "A boat has left")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("alert")).to_contain_text(made["id"])
    await instance.rest("DELETE", f"/triggers/{made['id']}")
    await instance.rest("DELETE", "/event-types/boat.left")


async def test_what_people_see_an_event_type_as_is_written_in_two_languages_side_by_side(
    page: Page, instance: Instance
) -> None:
    variables = {"properties": {"boat": {"type": "string"}}}
    body = {"name": "A boat is due", "category": "Boats", "variables": variables}
    await instance.rest("PUT", "/event-types/boat.due", body)
    await look(page, instance, "/event-types/boat.due", "A boat is due")
    await page.get_by_role("button", name="Add a language").click()
    await page.get_by_label("Language to add").fill("de")
    await page.get_by_label("Language to add").press("Enter")
    await page.get_by_role("textbox", name="Name, German").fill("Ein Boot kommt an")
    await page.get_by_role("textbox", name="Category, German").fill("Boote")
    await page.get_by_role("textbox", name="Description, English").fill("A boat of yours is near.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    german = {"name": "Ein Boot kommt an", "description": None, "category": "Boote"}
    stored = await instance.rest("GET", "/event-types/boat.due")
    assert (stored["description"], stored["locales"]) == ("A boat of yours is near.", {"de": german})
    assert stored["variables"] == variables
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        await fits_and_is_sound(page, instance, "/event-types/boat.due", "A boat is due")
    await expect(page.get_by_role("textbox", name="Name, German")).to_have_value("Ein Boot kommt an")
    await page.get_by_role("button", name="Remove German").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    assert (await instance.rest("GET", "/event-types/boat.due"))["locales"] == {}
    await instance.rest("DELETE", "/event-types/boat.due")


async def test_a_template_is_written_in_two_languages_side_by_side(page: Page, instance: Instance) -> None:
    await look(page, instance, "/templates", "Templates")
    await page.get_by_role("link", name="Write the first template").click()
    await page.get_by_label("Name", exact=True).fill("Reminder")
    await page.get_by_role("combobox", name="Event type").select_option("appointment.reminder")
    await page.get_by_role("textbox", name="Title", exact=True).fill("Soon at {{ appointment.place }}")
    preview = page.get_by_test_id("preview")
    await expect(preview).to_contain_text("Soon at place")
    await page.get_by_role("button", name="Add a language").click()
    await page.get_by_label("Language to add").fill("de")
    await page.get_by_label("Language to add").press("Enter")
    german = page.get_by_role("textbox", name="Title, German")
    await german.fill("Bald am {{ appointment.pace }}")
    await page.get_by_role("button", name="Keep the template").click()
    await expect(german).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("did you mean 'appointment.place'?").first).to_be_visible()
    await german.fill("Bald am {{ appointment.place }}")
    await page.get_by_role("button", name="de", exact=True).click()
    await expect(preview).to_contain_text("Bald am place")
    for system in ("Windows", "macOS", "iPhone"):
        await page.get_by_role("tab", name=system).click()
        await expect(preview).to_contain_text("Bald am place")
    await page.get_by_role("button", name="Keep the template").click()
    await expect(page.get_by_role("heading", name="Reminder", level=1)).to_be_visible()
    (stored,) = (await instance.rest("GET", "/templates"))["data"]
    assert (stored["title"], stored["locales"]["de"]["title"]) == (
        "Soon at {{ appointment.place }}", "Bald am {{ appointment.place }}",
    )  # fmt: skip
    assert stored["event_type"] == "appointment.reminder"


async def test_an_event_says_what_came_of_it_and_is_replayed(page: Page, instance: Instance) -> None:
    silent = await happens(instance, data={"conversation": {"id": "c-5"}, "bot": {"id": "b-9", "name": "Bo"}})
    await look(page, instance, "/events", "Events")
    await page.get_by_role("combobox", name="Event type").select_option("conversation.escalated")
    await page.get_by_role("link", name=re.compile("conversation.escalated.*b-9")).first.click()
    await expect(page).to_have_url(re.compile(silent))
    await page.get_by_role("link", name="Why not?").click()
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_text(re.compile('event.bot.id is "b-9"'))).to_be_visible()
    await look(page, instance, f"/events/{silent}", "conversation.escalated")
    await page.get_by_role("button", name="Replay").click()
    await page.get_by_role("dialog").get_by_role("button", name="Replay it").click()
    await expect(page.get_by_text("Replay of")).to_be_visible()
    await expect(page.get_by_role("link", name=silent)).to_be_visible()


async def test_the_pages_of_events_and_templates_fit_and_are_sound(page: Page, instance: Instance) -> None:
    (template,) = (await instance.rest("GET", "/templates"))["data"]
    (event, *_) = (await instance.rest("GET", "/events"))["data"]
    for path, heading in (
        ("/events", "Events"),
        (f"/events/{event['id']}", event["type"]),
        ("/event-types", "Event types"),
        ("/event-types/new", "Declare an event type"),
        ("/event-types/conversation.escalated", "A visitor wants a person"),
        ("/templates", "Templates"),
        ("/templates/new", "New template"),
        (f"/templates/{template['id']}", "Reminder"),
    ):
        await fits_and_is_sound(page, instance, path, heading)
