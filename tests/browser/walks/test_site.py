"""A walk through the documents of the site (S0 and S1) with examples/site; its chapters follow each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from support.browsers import RealBrowser
from support.desktop import Desktop
from support.visitor import eventually
from support.walking import Walk, running_example, running_walk, sends
from tidings.simulator.run import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
async def walk(simulator: Running, desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    folder = tmp_path_factory.mktemp("site")
    async with running_walk(folder, simulator, desktop) as walk, running_example(walk, "site", folder / "site.log"):
        yield walk


@pytest.fixture(scope="module")
async def dashboard(walk: Walk, firefox: RealBrowser) -> Page:
    """The dashboard in a Firefox, open all the time, as an operator has it."""
    return await walk.dashboard(firefox)


async def state(page: Page, wanted: str) -> None:
    await expect(page.locator("#words")).to_have_attribute("data-state", wanted)


async def composed(walk: Walk, page: Page, title: str, message: str) -> None:
    """Write it on Send Push, which the side bar leads to."""
    await page.goto(walk.tidings.url)
    await page.get_by_role("navigation").get_by_role("link", name="Send Push").click()
    await page.get_by_label("Title", exact=True).fill(title)
    await page.get_by_role("textbox", name="Message").fill(message)


# --- Web Push Setup (S0-05 to S0-08, S1-05 to S1-08) ---


async def test_the_keys_are_generated_in_the_settings(walk: Walk, dashboard: Page) -> None:
    await dashboard.goto(f"{walk.tidings.url}/settings/push-notifications")
    await expect(dashboard.get_by_role("heading", name="Push Notifications", exact=True)).to_be_visible()
    await dashboard.get_by_label(re.compile("Contact", re.IGNORECASE)).fill("push@example.com")
    await dashboard.get_by_role("button", name="Generate VAPID keys").click()
    await expect(dashboard.get_by_text("Configured").first).to_be_visible()
    # The snippet is there to be copied, and is what the example has.
    await expect(dashboard.get_by_text("/push/sdk.js").first).to_be_visible()


async def test_the_preset_is_applied_with_one_click(walk: Walk, dashboard: Page) -> None:
    await dashboard.goto(f"{walk.tidings.url}/settings/triggers")
    await dashboard.get_by_role("button", name="Apply Site").click()
    for trigger in ("News to everybody", "Questions to everybody"):
        await expect(dashboard.get_by_role("link", name=trigger)).to_be_visible()
    await expect(dashboard.get_by_text(re.compile(r"Site is applied\. Made: \d+ event types?, "))).to_be_visible()
    await dashboard.get_by_text("Presets", exact=True).click()
    await expect(dashboard.get_by_role("button", name="Apply Site")).to_be_visible()
    again = json.loads(await walk.tidings.command("preset", "apply", "site", "--json"))
    assert again["made"] == 0


# --- Web Push Registration: five states (S0-10 to S0-18, S1-09, S1-18 to S1-20) ---


async def test_unsupported_is_a_browser_without_push(walk: Walk, chromium: RealBrowser) -> None:
    page = await chromium.context.new_page()
    await page.add_init_script("delete window.PushManager")
    await page.goto(f"{walk.site}/")
    await state(page, "unsupported")
    await expect(page.get_by_role("button")).to_have_count(0)
    await chromium.close_tabs()


async def test_undecided_until_the_reader_presses_and_denied_if_they_refuse(walk: Walk, chromium: RealBrowser) -> None:
    page = await walk.opens(chromium)
    await state(page, "undecided")
    assert await page.evaluate("[Notification.permission, window.asked]") == ["default", 0], "the site chooses when"
    # Whoever closes the question has not decided; whoever refuses has.
    for answer, wanted in (("default", "undecided"), ("denied", "denied")):
        page = await chromium.context.new_page()
        await page.add_init_script(
            f"let said = 'default'; Object.defineProperty(Notification, 'permission', {{ get: () => said }});"
            f"Notification.requestPermission = async () => said = '{answer}';"
        )
        await page.goto(f"{walk.site}/")
        await state(page, "undecided")
        await page.get_by_role("button", name="Tell me what is new").click()
        await expect(page.get_by_role("button")).to_have_count(1 if wanted == "undecided" else 0)
        await state(page, wanted)
        assert await page.evaluate("Tidings.subscribe()") == wanted
    await chromium.close_tabs()


async def test_registered_after_one_call_that_asks_and_resolves_to_the_state(
    walk: Walk, firefox: RealBrowser, dashboard: Page
) -> None:
    page = await walk.opens(firefox)
    await state(page, "undecided")
    await firefox.grant(walk.site)
    await page.get_by_role("button", name="Tell me what is new").click()
    await state(page, "registered")
    assert await page.evaluate("Tidings.subscribe().then((state) => [typeof state, state])") == ["string", "registered"]
    (device,) = (await walk.tidings.rest("GET", "/subscriptions?status=active"))["data"]
    assert device["device"].startswith("Firefox")
    # Allowed, but not registered: turned off here. The button brings it back.
    assert await page.evaluate("Tidings.unsubscribe()") == "unregistered"
    await page.reload()
    await state(page, "unregistered")
    await page.get_by_role("button", name="Tell me what is new").click()
    await state(page, "registered")
    await page.close()


# --- Web Push Prompts: a site that asks by itself (S1-10 to S1-16) ---


async def test_the_documents_own_prompt_works_as_it_is_written(walk: Walk, chromium: RealBrowser) -> None:
    page = await walk.opens(chromium, "/own-question.html")
    script = await (await page.request.get(f"{walk.site}/own-question.js")).text()
    for part in ("navigator.serviceWorker.ready", "'Notification' in window", "!== 'denied'", "=== 'granted'"):
        assert part in script
    await chromium.grant(walk.site)
    await page.get_by_role("button", name="Ask me").click()
    await expect(page.locator("#words")).to_have_text("registered")
    assert await page.evaluate("window.asked") >= 1
    assert len((await walk.tidings.rest("GET", "/subscriptions?status=active"))["data"]) == 2
    await chromium.close_tabs()


# --- Sending from the dashboard (S0-20 to S0-28, S1-22 to S1-29) ---


async def test_preview_comes_to_the_operators_own_browser_alone(
    walk: Walk, firefox: RealBrowser, dashboard: Page
) -> None:
    await dashboard.goto(f"{walk.tidings.url}/settings/profile")
    await firefox.grant(walk.tidings.url)
    await dashboard.get_by_role("button", name=re.compile("^Enable")).first.click()
    await expect(dashboard.get_by_role("button", name=re.compile("Turn off")).first).to_be_visible()
    await composed(walk, dashboard, "Is this right?", "A look before it goes out")
    await dashboard.get_by_role("button", name="Preview").click()
    await expect(dashboard.get_by_text("Sent to this browser")).to_be_visible()
    shown = await walk.sees("Is this right?")
    assert firefox.body_of(shown) == "A look before it goes out"
    (sent,) = (await walk.tidings.rest("GET", "/notifications"))["data"]
    assert sent["counts"]["audience"] == 1


async def test_send_to_all_devices_asks_first_and_arrives_in_real_time(
    walk: Walk, firefox: RealBrowser, dashboard: Page
) -> None:
    await composed(walk, dashboard, "The ferry sails again", "Every hour from Saturday on")
    await dashboard.get_by_label("URL").fill(f"{walk.site}/#ferry")
    await dashboard.get_by_role("button", name="Send to all devices").click()
    dialog = dashboard.get_by_role("dialog")
    await expect(dialog).to_contain_text("3 devices")
    await dialog.get_by_role("button", name="Cancel").click()
    assert len((await walk.tidings.rest("GET", "/notifications"))["data"]) == 1, "nothing was sent by mistake"
    await dashboard.get_by_role("button", name="Send to all devices").click()
    await dialog.get_by_role("button", name="Send to 3 devices").click()
    await expect(dashboard.get_by_role("heading", name="The ferry sails again")).to_be_visible()
    # Two in Firefox, of the reader and of the operator, and one in Chromium, whose pages are all closed.
    shown = await walk.sees("The ferry sails again", times=3)
    assert shown.body.endswith("Every hour from Saturday on")
    await expect(dashboard.get_by_text("Done").first).to_be_visible()

    async def reported() -> bool:
        newest, *_ = (await walk.tidings.rest("GET", "/notifications"))["data"]
        return bool(newest["counts"]["shown"] == 3)

    await eventually(reported)


async def test_an_opinion_question_is_answered_and_counted(
    walk: Walk, firefox: RealBrowser, chromium: RealBrowser, dashboard: Page, simulator: Running
) -> None:
    await walk.device_of("reader-without-buttons")
    page = await firefox.open(f"{walk.site}/editor.html")
    form = page.locator("form[action='/ask']")
    await form.get_by_label("Name").fill("night-ferry")
    await form.get_by_label("Question").fill("Should the ferry sail at night?")
    await sends(form.get_by_role("button", name="Ask"))
    await page.close()
    await walk.sees("Should the ferry sail at night?", times=3)
    shown = next(one for one in walk.seen("Should the ferry sail at night?") if one.app == "Firefox")
    (event,) = await walk.events("opinion.asked")
    (firing,) = await walk.firings(event)
    (asked,) = firing["notifications"]

    async def answers() -> bool:
        found = await walk.tidings.rest("GET", f"/notifications/{asked}")
        return bool(found["answers"] == {"yes": 1})

    await walk.clicks(firefox, shown, answers, button="Yes")
    # Who has no buttons comes to a page that asks the same; this is where their click leads.
    assert await walk.told(event) == Counter({None: 3, "reader-without-buttons": 1})
    (arrived, *_) = [one for one in simulator.journal.messages(limit=20) if one["title"] == shown.title]
    ours = json.loads(str(arrived["payload"]))["tidings"]
    (app,) = (await walk.tidings.rest("GET", "/apps"))["data"]
    page = await chromium.open(f"{walk.tidings.url}/v1/{app['id']}/push/answers/{ours['d']}/{ours['t']}")
    await page.get_by_role("button", name="No", exact=True).click()

    async def both() -> bool:
        found = await walk.tidings.rest("GET", f"/notifications/{asked}")
        return bool(found["answers"] == {"yes": 1, "no": 1})

    await eventually(both)
    await chromium.close_tabs()
    await dashboard.goto(f"{walk.tidings.url}/notifications/{asked}")
    await expect(dashboard.get_by_text("Yes").first).to_be_visible()
    # The same question again is the same question.
    await walk.tidings.rest("POST", "/events", {"type": "opinion.asked", "data": event["data"]})
    again, _ = await walk.events("opinion.asked", at_least=2)
    assert [one["reason"] for one in await walk.firings(again)] == ["throttled"]


async def test_an_article_is_told_once_to_everybody(walk: Walk, firefox: RealBrowser) -> None:
    page = await firefox.open(f"{walk.site}/editor.html")
    for _ in range(2):
        form = page.locator("form[action='/publish']")
        await form.get_by_label("Address").fill("lighthouse")
        await form.get_by_label("Headline").fill("The lighthouse is lit")
        await form.get_by_label("Summary").fill("For the first time in a year")
        await sends(form.get_by_role("button", name="Publish"))
    await page.close()
    second, first = await walk.events("article.published", at_least=2)
    assert (await walk.told(first)).total() == 4
    assert [one["reason"] for one in await walk.firings(second)] == ["throttled"]
    await walk.sees("The lighthouse is lit", times=3)
