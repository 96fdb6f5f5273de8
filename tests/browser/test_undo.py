"""What is deleted can be taken back, and is deleted for certain when nobody does: in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from support.axe import serious
from support.chaos import until
from support.dashboard import founds, look, visitor
from support.instance import Instance, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TYPE = {"name": "A boat is due", "variables": {"properties": {"boat": {"type": "string"}}}}
TRIGGER = {
    "name": "Tell the crew",
    "event_type": "boat.due",
    "audience": {"union": [{"users": "event"}]},
    "template": {"title": "Your boat is near"},
}
SEGMENT = {"name": "Sailors", "conditions": 'user.plan == "sail"'}
WEBHOOK = {"url": "https://crm.example.com/hook", "events": ["notification.finished"], "description": "Our CRM"}


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server on which nothing is yet."""
    async with running_server(tmp_path_factory.mktemp("undo")) as running:
        running.key = json.loads(await running.command("key", "create", "--name", "test", "--json"))["key"]
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """The first member's browser."""
    async with visitor(chromium) as opened:
        await founds(opened, instance)
        yield opened


@pytest.fixture
async def boats(instance: Instance) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """A template, a segment, an event type, a trigger and a webhook; none of them afterwards."""
    await instance.rest("PUT", "/event-types/boat.due", TYPE)
    made = {
        "templates": await instance.rest("POST", "/templates", {"name": "Boat", "title": "Your boat is near"}),
        "segments": await instance.rest("POST", "/segments", SEGMENT),
        "triggers": await instance.rest("POST", "/triggers", TRIGGER),
        "webhooks": await instance.rest("POST", "/webhooks", WEBHOOK),
    }
    yield made
    for noun in ("triggers", "templates", "segments", "webhooks"):
        for one in await rows(instance, noun):
            await instance.rest("DELETE", f"/{noun}/{one['id']}")


async def rows(instance: Instance, noun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await instance.rest("GET", f"/{noun}"))["data"]
    return found


PLACES = (
    ("templates", "/templates", "Boat", "Templates"),
    ("segments", "/segments", "Sailors", "Segments"),
    ("triggers", "/settings/triggers", "Tell the crew", "Triggers"),
    ("webhooks", "/settings/webhooks", "Our CRM", "Webhooks"),
)


@pytest.mark.parametrize(("noun", "place", "name", "title"), PLACES, ids=[place[0] for place in PLACES])
async def test_what_was_deleted_is_taken_back_and_was_there_all_the_time(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]], noun: str, place: str, name: str, title: str
) -> None:
    before = await instance.rest("GET", f"/{noun}/{boats[noun]['id']}")
    await look(page, instance, f"{place}/{boats[noun]['id']}", name)
    await page.get_by_role("main").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    main = page.get_by_role("main")
    await expect(main.get_by_text(name)).to_have_count(0)
    await expect(page.get_by_role("status").filter(has_text=name)).to_contain_text("was deleted")
    assert await serious(page) == []
    assert [one["id"] for one in await rows(instance, noun)] == [boats[noun]["id"]]
    await page.go_back()
    await expect(main.get_by_text("This was deleted a moment ago, and can be taken back still.")).to_be_visible()
    await main.get_by_role("button", name="Take it back").click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    await look(page, instance, place, title)
    await expect(main.get_by_text(name).first).to_be_visible()
    after = await instance.rest("GET", f"/{noun}/{boats[noun]['id']}")
    assert {**after, "updated_at": ""} == {**before, "updated_at": ""}


@pytest.mark.parametrize("leave", ["close", "reload", "another"] * 3)
async def test_it_is_deleted_for_certain_when_the_page_is_left(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]], leave: str
) -> None:
    tab = await page.context.new_page()
    await tab.goto(f"{instance.url}/settings/webhooks/{boats['webhooks']['id']}")
    await tab.get_by_role("button", name="Delete the webhook").click()
    await expect(tab.get_by_role("button", name="Undo")).to_be_visible()
    assert await rows(instance, "webhooks")
    if leave == "reload":
        await tab.reload()
    elif leave == "another":
        await tab.goto("about:blank")
    await tab.close()

    async def gone() -> bool:
        return not await rows(instance, "webhooks")

    await until(gone, seconds=20)


async def test_the_keyboard_takes_it_back_and_one_after_the_other_is_settled(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    other = await instance.rest("POST", "/segments", {**SEGMENT, "name": "Rowers"})
    await look(page, instance, "/segments", "Segments")
    await page.get_by_role("button", name="Delete Rowers").press("Enter")
    await expect(page.get_by_text("The segment “Rowers” was deleted.")).to_be_visible()
    await page.get_by_role("button", name="Delete Sailors").press("Enter")
    await expect(page.get_by_text("The segment “Sailors” was deleted.")).to_be_visible()
    assert [one["id"] for one in await rows(instance, "segments")] == [boats["segments"]["id"]], "the first is settled"
    await page.keyboard.press("Control+z")
    await expect(page.get_by_role("link", name="Sailors", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Rowers", exact=True)).to_have_count(0)
    assert other["id"] != boats["segments"]["id"]


async def test_a_trigger_sends_nothing_from_the_moment_it_is_deleted(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    path = f"/triggers/{boats['triggers']['id']}"
    await look(page, instance, f"/settings{path}", "Tell the crew")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert not (await instance.rest("GET", path))["enabled"]
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Tell the crew is on")).to_be_checked()
    assert (await instance.rest("GET", path))["enabled"]


async def test_what_is_made_anew_under_a_name_that_was_deleted_a_moment_ago_stays(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    await instance.rest("DELETE", f"/triggers/{boats['triggers']['id']}")
    await look(page, instance, "/event-types/boat.due", "A boat is due")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("link", name="Declare the first event type").click()
    await page.get_by_label("Key").fill("boat.due")
    await page.get_by_role("textbox", name="Name", exact=True).fill("A boat is late")
    await page.get_by_label("Variable 1", exact=True).fill("boat")
    await page.get_by_role("button", name="Declare it").click()
    await expect(page.get_by_role("heading", name="A boat is late", level=1)).to_be_visible()
    await look(page, instance, "/event-types", "Event types")
    await expect(page.get_by_role("link", name="A boat is late")).to_be_visible()
    assert (await instance.rest("GET", "/event-types/boat.due"))["name"] == "A boat is late"


async def test_one_that_the_server_does_not_delete_is_shown_again_with_the_reason(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    await look(page, instance, f"/templates/{boats['templates']['id']}", "Boat")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.route("**/api/v1/templates/*", lambda route: route.fulfill(status=503))
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("alert")).to_contain_text("The server failed")
    await expect(page.get_by_role("main").get_by_text("Boat", exact=True)).to_be_visible()
    await page.unroute_all()
    assert await rows(instance, "templates")


async def test_a_template_that_a_trigger_needs_stays_and_says_which(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    template = boats["templates"]["id"]
    trigger = await instance.rest("GET", f"/triggers/{boats['triggers']['id']}")
    body = {key: trigger[key] for key in ("name", "event_type", "audience")} | {"template": template}
    await instance.rest("PUT", f"/triggers/{trigger['id']}", body)
    await look(page, instance, f"/templates/{template}", "Boat")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("alert")).to_contain_text("The trigger 'Tell the crew'")
    await expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    await instance.rest("DELETE", f"/triggers/{trigger['id']}")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()


async def test_it_is_deleted_for_good_when_its_time_is_over(
    page: Page, instance: Instance, boats: dict[str, dict[str, Any]]
) -> None:
    await page.clock.install()
    await look(page, instance, f"/templates/{boats['templates']['id']}", "Boat")
    await page.get_by_role("button", name="Delete").click()
    undo = page.get_by_role("button", name="Undo")
    await undo.hover()
    await page.clock.fast_forward(60_000)
    await expect(undo).to_be_visible()
    assert await rows(instance, "templates")
    await page.mouse.move(5, 5)
    await page.clock.fast_forward(10_000)
    await expect(undo).to_have_count(0)

    async def gone() -> bool:
        return not await rows(instance, "templates")

    await until(gone, seconds=20)
