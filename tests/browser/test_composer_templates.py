"""Send Push begun from a template in a real Chromium: gaps are asked for, seen filled in, and the words are taken."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.dashboard import fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FERRY = {
    "name": "A ferry is late",
    "variables": {
        "type": "object",
        "properties": {
            "ferry": {
                "type": "object",
                "properties": {"name": {"type": "string", "description": "What she is called"}},
            },
            "minutes": {"type": "integer"},
        },
    },
    "examples": [{"ferry": {"name": "Sleipnir"}, "minutes": 20}],
}
LATE = {
    "name": "Ferry is late",
    "event_type": "ferry.late",
    "title": "{{ ferry.name }} is late",
    "body": "{% if minutes > 60 %}More than an hour.{% else %}By {{ minutes }} minutes.{% endif %}",
    "url": "https://www.example.com/ferries/{{ ferry.name }}",
    "actions": [{"id": "see", "title": "See the harbour", "url": "https://www.example.com/harbour"}],
    "data": {"kind": "late"},
    "ttl": 3600,
    "locales": {"de": {"title": "{{ ferry.name }} hat Verspätung", "actions": {"see": "Zum Hafen"}}},
}


@pytest.fixture(scope="module")
async def late(instance: Instance) -> str:
    """A template with gaps, and another; the id of the first."""
    await instance.rest("PUT", "/event-types/ferry.late", FERRY)
    found = await instance.rest("POST", "/templates", LATE)
    greeting = {"name": "Greeting", "title": "Welcome, {{ user.name }}", "body": "The harbour is open."}
    await instance.rest("POST", "/templates", greeting)
    return str(found["id"])


async def test_its_gaps_are_filled_and_seen_and_its_words_are_sent(page: Page, instance: Instance, late: str) -> None:
    await look(page, instance, "/send", "Send Push")
    await page.get_by_label("Title", exact=True).fill("Something else")
    await page.get_by_role("button", name="Begin from a template").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Greeting")).to_be_visible()
    assert await serious(page) == []
    await dialog.get_by_role("searchbox", name="Search templates").fill("ferry")
    await expect(dialog.get_by_role("button", name="Greeting")).to_have_count(0)
    await dialog.get_by_role("searchbox", name="Search templates").press("Enter")
    # What stands there first is the example; the kind of each value stays what it is there.
    name, filled = dialog.get_by_label("ferry.name"), dialog.get_by_test_id("filled")
    await expect(name).to_have_value("Sleipnir")
    await expect(dialog.get_by_text("What she is called")).to_be_visible()
    await expect(filled).to_contain_text("By 20 minutes.")
    await name.fill("Skibladner")
    await dialog.get_by_label("minutes").fill("75")
    await expect(filled).to_contain_text("Skibladner is late")
    await expect(filled).to_contain_text("More than an hour.")
    await dialog.get_by_role("button", name="German").click()
    await expect(filled).to_contain_text("Skibladner hat Verspätung")
    await expect(dialog.get_by_text("Not taken over: its data.")).to_be_visible()
    await fits_and_is_sound(page)
    await dialog.get_by_role("button", name="Use these words").click()
    title = page.get_by_label("Title", exact=True)
    await expect(title).to_have_value("Skibladner is late")
    await expect(page.get_by_text("From the template Ferry is late, version 1.")).to_be_visible()
    # What was there before is one press away, and so is what came.
    await page.get_by_role("button", name="Undo").click()
    await expect(title).to_have_value("Something else")
    await page.get_by_role("button", name="Begin from a template").click()
    await dialog.get_by_role("button", name="Ferry is late").click()
    await dialog.get_by_label("ferry.name").fill("Skibladner")
    await expect(filled).to_contain_text("Skibladner is late")
    await dialog.get_by_role("button", name="Use these words").click()
    await page.get_by_role("button", name="Send to all devices").click()
    await dialog.get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="Skibladner is late")).to_be_visible()
    sent = await instance.rest("GET", f"/notifications/{page.url.rsplit('/', 1)[1]}")
    assert (sent["body"], sent["ttl"]) == ("By 20 minutes.", 3600)
    assert sent["url"] == "https://www.example.com/ferries/Skibladner"
    assert [(one["title"], one["url"]) for one in sent["actions"]] == [
        ("See the harbour", "https://www.example.com/harbour")
    ]
    german = sent["locales"]["de"]
    assert (german["title"], german["actions"]) == (
        "Skibladner hat Verspätung",
        {sent["actions"][0]["id"]: "Zum Hafen"},
    )


async def test_a_template_s_page_leads_there_and_what_differs_for_each_reader_is_said(
    page: Page, instance: Instance, late: str
) -> None:
    rows = (await instance.rest("GET", "/templates?limit=200"))["data"]
    (greeting,) = [one["id"] for one in rows if one["name"] == "Greeting"]
    await look(page, instance, f"/templates/{greeting}", "Greeting")
    await page.get_by_role("link", name="Send it").click()
    dialog = page.get_by_role("dialog", name="Greeting")
    await expect(dialog.get_by_text("user.name would be another for each reader.")).to_be_visible()
    await expect(dialog.get_by_text("It has no gaps to fill.")).to_be_visible()
    await fits_and_is_sound(page)
    await dialog.get_by_role("button", name="All templates").click()
    await expect(page.get_by_role("dialog").get_by_role("searchbox", name="Search templates")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await page.reload()
    await expect(page.get_by_role("heading", name="Send Push", level=1)).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_what_would_be_refused_is_not_taken(page: Page, instance: Instance, late: str) -> None:
    named = await instance.rest("POST", "/templates", {"name": "Only a name", "title": "{{ boat }}"})
    await look(page, instance, f"/send?template={named['id']}", "Send Push")
    dialog = page.get_by_role("dialog", name="Only a name")
    await expect(dialog.get_by_text("It would not be sent so")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Use these words")).to_be_disabled()
    await dialog.get_by_label("boat").fill("Sleipnir")
    await expect(dialog.get_by_test_id("filled")).to_contain_text("Sleipnir")
    await dialog.get_by_role("button", name="Use these words").click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Sleipnir")
