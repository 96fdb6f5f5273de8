"""The bell and the switches in a real Chromium, at a real server, on a page with a strict Content-Security-Policy."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, expect

from support.chromium import running_chromium
from support.instance import Instance, running_demo
from tidings.services.identity import identity_token

PAGE = """<!doctype html><html lang="en"><title>Harbour forum</title>
<header><span id="bell"></span></header><main id="switches"></main>
<script src="/push/sdk.js"></script><script src="/forum.js"></script></html>"""
SCRIPT = """Tidings.init({ user: { id: "bell-1", token: "%s" } });
Tidings.bell("#bell"); Tidings.preferences("#switches");"""

KIND = {
    "name": "Replies",
    "category": "Discussions",
    "locales": {"de": {"name": "Antworten", "description": "Jemand antwortet dir.", "category": "Diskussionen"}},
}


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_demo(tmp_path_factory.mktemp("bell")) as running:
        yield running


@pytest.fixture
async def page(instance: Instance, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page of the site, with somebody signed in; whatever goes wrong on it fails the test.

    The browser speaks English, or the language that the test names.
    """
    (app,) = (await instance.rest("GET", "/apps"))["data"]
    secret = (await instance.rest("POST", f"/apps/{app['id']}/identity-secret", {"grace_hours": 0}))["identity_secret"]
    token = identity_token(secret.encode(), "bell-1", expires=int(time.time()) + 600)
    await instance.rest("PUT", "/users/bell-1", {"locale": "en"})
    await instance.rest("PUT", "/event-types/topic.reply", KIND)
    faults: list[str] = []

    async def serve(route: Route) -> None:
        if route.request.url.endswith("/forum.js"):
            await route.fulfill(content_type="text/javascript", body=SCRIPT % token)
        else:
            policy = {"Content-Security-Policy": "default-src 'self'"}
            await route.fulfill(content_type="text/html", body=PAGE, headers=policy)

    async with running_chromium() as browser:
        page = await browser.new_page(viewport={"width": 900, "height": 700}, locale=getattr(request, "param", "en"))
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        await page.route("**/forum*", serve)
        await page.goto(f"{instance.url}/forum")
        yield page
    assert faults == []


async def test_what_comes_is_counted_shown_read_and_put_away_with_the_keyboard(page: Page, instance: Instance) -> None:
    ring = page.get_by_role("button", name="Notifications", exact=False).first
    await expect(ring).to_have_accessible_name("Notifications")
    told = {"to": {"users": ["bell-1"]}, "title": "Anna answers", "body": "At pier 3", "type": "topic.reply"}
    await instance.rest("POST", "/notifications", told)
    await expect(ring).to_have_accessible_name("Notifications, 1 unread")
    await expect(page.locator("tidings-toasts")).to_contain_text("Anna answers")
    await ring.focus()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Notifications")
    await expect(panel.get_by_role("listitem")).to_contain_text("Anna answers")
    await expect(panel.get_by_role("heading", name="Notifications")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(ring).to_have_accessible_name("Notifications")
    await panel.get_by_role("button", name="Remove “Anna answers”").click()
    await expect(panel).to_contain_text("Nothing here yet")
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(ring).to_be_focused()


async def test_what_is_sent_to_a_segment_comes_too(page: Page, instance: Instance) -> None:
    await instance.rest("PUT", "/users/bell-1", {"attributes": {"berth": "north"}})
    segment = await instance.rest("POST", "/segments", {"name": "North", "conditions": 'user.berth == "north"'})
    other = await instance.rest("POST", "/segments", {"name": "South", "conditions": 'user.berth == "south"'})
    ring = page.get_by_role("button", name="Notifications", exact=False).first
    await expect(ring).to_have_accessible_name("Notifications")
    for whom, title in ((other, "Not for you"), (segment, "The north gate closes")):
        await instance.rest("POST", "/notifications", {"to": {"segment": whom["id"]}, "title": title})
    await expect(page.locator("tidings-toasts")).to_contain_text("The north gate closes", timeout=30_000)
    await expect(ring).to_have_accessible_name("Notifications, 1 unread")


async def test_a_switch_that_is_turned_stays_so(page: Page, instance: Instance) -> None:
    switch = page.get_by_role("switch", name="Replies: Push")
    await expect(switch).to_be_checked()
    await switch.click()
    await expect(page.locator("tidings-preferences")).to_contain_text("Saved")
    (reply,) = [
        one
        for one in (await instance.rest("GET", "/users/bell-1/preferences"))["event_types"]
        if one["type"] == "topic.reply"
    ]
    assert (reply["push"]["enabled"], reply["feed"]["enabled"]) == (False, True)
    await page.reload()
    await expect(switch).not_to_be_checked()
    await page.get_by_role("switch", name="Quiet hours").click()
    await expect(page.get_by_label("From")).to_have_value("22:00")
    await expect(page.locator("tidings-preferences")).to_contain_text("Saved")
    assert (await instance.rest("GET", "/users/bell-1/preferences"))["quiet_hours"]["to"] == "07:00"


@pytest.mark.parametrize("page", ["de-AT"], indirect=True)
async def test_somebody_german_reads_german_names_in_the_switches_and_behind_the_link(
    page: Page, instance: Instance
) -> None:
    panel = page.locator("tidings-preferences")
    await expect(panel.get_by_role("switch", name="Antworten: ")).to_have_count(2)
    await expect(panel.get_by_role("heading", name="Diskussionen")).to_be_visible()
    await expect(panel).to_contain_text("Jemand antwortet dir.")
    await expect(panel).not_to_contain_text("Replies")
    on = {"event_types": {"topic.reply": {"push": True}}}
    listed = (await instance.rest("PUT", "/users/bell-1/preferences", on))["event_types"]
    link = next(one["unsubscribe_url"] for one in listed if one["type"] == "topic.reply")
    await page.goto(link)
    await expect(page.get_by_role("heading", name="abschalten?")).to_have_text("„Antworten“ abschalten?")
    await page.get_by_role("button", name="Abschalten").click()
    await expect(page.get_by_role("heading", name="„Antworten“ ist aus")).to_be_visible()
    await page.get_by_role("button", name="Wieder einschalten").click()
    await expect(page.get_by_role("heading", name="„Antworten“ ist an")).to_be_visible()


async def test_a_page_follows_and_leaves_topics_in_the_persons_name(page: Page, instance: Instance) -> None:
    assert await page.evaluate("Tidings.follow('product:22', 'author:7')") == ["author:7", "product:22"]
    assert await page.evaluate("Tidings.unfollow('author:7')") == ["product:22"]
    listed = (await instance.rest("GET", "/users/bell-1/topics"))["data"]
    assert [one["topic"] for one in listed] == ["product:22"]
    await page.reload()
    assert await page.evaluate("Tidings.topics()") == ["product:22"]
    assert (
        await page.evaluate("Tidings.logout().then(() => Tidings.topics()).catch((fault) => fault.code)")
        == "signed_out"
    )
