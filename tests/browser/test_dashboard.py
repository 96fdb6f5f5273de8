"""The dashboard in a real Chromium, on a real server with 1 000 simulated subscribers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from support.axe import serious
from support.dashboard import fits_a_phone, let_in, visitor
from support.instance import Instance

DASHBOARD = Path(__file__).parents[2] / "dashboard"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """A browser that the one-time link has signed in; an answer that refuses fails the test, too."""
    async with visitor(chromium, refusals=False) as opened:
        await let_in(opened, instance)
        yield opened


async def test_the_one_time_link_signs_in_once(chromium: Browser, page: Page, instance: Instance) -> None:
    context = await chromium.new_context()
    other = await context.new_page()
    await other.goto(instance.setup_url)
    await expect(other.get_by_text("tidings up")).to_be_visible()
    await context.close()
    await page.goto(instance.url)
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def test_overview_counts_the_subscribers(page: Page, instance: Instance) -> None:
    await page.goto(instance.url)
    await expect(page.get_by_text(re.compile(r"1\W?000")).first).to_be_visible()


async def test_send_push_names_the_number_and_shows_the_progress_to_the_end(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/send")
    await page.get_by_label("Title", exact=True).fill("Fresh fish")
    await page.get_by_role("textbox", name="Message").fill("At the quay from nine")
    await page.get_by_role("button", name="Send to all devices").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(re.compile(r"1\W?000"))
    await dialog.get_by_role("button", name=re.compile(r"Send to 1\W?000 devices")).click()
    await expect(page.get_by_role("heading", name="Fresh fish")).to_be_visible()
    await expect(page.get_by_text("Done").first).to_be_visible(timeout=60_000)
    notification = page.url.rsplit("/", 1)[1]
    found = await instance.rest("GET", f"/notifications/{notification}")
    assert found["counts"]["sent"] == 978  # 19 browsers, two iPhones and one Android phone of the 1 000 are gone
    await expect(page.get_by_text("978").first).to_be_visible()


async def test_the_composer_measures_the_message_for_phones_and_says_what_they_do_not_show(
    page: Page, instance: Instance
) -> None:
    picture = DASHBOARD / "public" / "favicon.svg"
    await page.route("https://pictures.example.com/**", lambda to: to.fulfill(path=picture))
    await page.goto(f"{instance.url}/send")
    await page.get_by_label("Title", exact=True).fill("Fresh fish")
    await page.get_by_label("URL").fill("https://www.example.com/fish")
    await page.get_by_role("textbox", name="Icon").fill("https://pictures.example.com/fish.svg")
    phones = page.get_by_role("list", name="On phones and elsewhere")
    apple, google = (phones.get_by_role("listitem").filter(has_text=name) for name in ("APNs", "FCM"))
    await expect(apple).to_contain_text(re.compile(r"APNs: \d+ of 4\W096 bytes"))
    await expect(apple).to_contain_text("Icon: Apple's systems show the app's icon.")
    await expect(google).to_contain_text("URL: The app gets it as tidings_url and opens it.")
    assert await serious(page) == []
    await page.get_by_label("URL").fill("https://www.example.com/" + "x" * 1_900)
    await page.get_by_role("textbox", name="Message").fill("ä" * 1_500)
    await expect(apple).to_contain_text("Too long")


async def test_a_person_is_looked_up_and_their_device_says_what_it_got(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/subscriptions")
    await page.get_by_label("User").fill("u-42")
    await page.get_by_label("User").press("Enter")
    device = page.get_by_role("row", name=re.compile("Firefox on Linux.*u-42"))
    await device.get_by_role("link", name="Firefox on Linux").click()
    await expect(page.get_by_role("heading", name="Firefox on Linux", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Fresh fish")).to_be_visible()
    # One that the push service gave up says so, and what that means.
    expired = (await instance.rest("GET", "/subscriptions?status=expired&limit=100"))["data"]
    gone = next(one for one in expired if one["provider"] == "webpush")
    await page.goto(f"{instance.url}/subscriptions/{gone['id']}")
    await expect(page.get_by_text("It gets nothing any more. The browser")).to_be_visible()
    await expect(page.get_by_text("The browser or device no longer has this subscription")).to_be_visible()


async def test_phones_of_the_demo_are_integrated_and_got_the_campaign_too(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/settings/integrations")
    for label in ("iPhone app (simulated)", "Android app (simulated)"):
        await expect(page.get_by_role("heading", name=label)).to_be_visible()
    await expect(page.get_by_text(re.compile("^38 active subscriptions"))).to_be_visible()
    await expect(page.get_by_text(re.compile("^19 active subscriptions"))).to_be_visible()
    await page.goto(f"http://127.0.0.1:{instance.simulator['control']}/")
    table = page.get_by_role("table")
    for group in ("Browsers", "Android apps, at FCM", "Apple apps, at APNs"):
        await expect(table.get_by_role("rowheader", name=group)).to_be_visible()
    # An answer that came too late on a busy machine is asked for again, so more may be accepted than there are devices.
    gone, total = re.compile(r"^Unregistered 2 0 . 0 0 . \d+$"), re.compile(r"^Total 1\W?000 \d+ \d+ 978 \d+ 0")
    await expect(table.get_by_role("row", name=gone)).to_be_visible(timeout=30_000)
    await expect(table.get_by_role("row", name=total)).to_be_visible(timeout=30_000)
    await expect(page.locator("#refusals")).to_contain_text("Unregistered")
    assert await serious(page) == []


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/notifications", "Notifications"),
        ("/subscriptions", "Subscriptions"),
        ("/settings/integrations", "Integrations"),
        ("/settings/integrations/add?type=push", "Push Notifications"),
        ("/settings/push-notifications", "Push Notifications"),
        ("/settings/api-keys", "API keys"),
        ("/settings/webhooks", "Webhooks"),
        ("/settings/system", "System"),
        ("/settings/profile", "Profile"),
    ],
)
async def test_every_page_opens_and_fits_a_phone(page: Page, instance: Instance, path: str, heading: str) -> None:
    await page.goto(f"{instance.url}{path}")
    await expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()
    assert await fits_a_phone(page)


async def test_the_api_reference_and_the_sample_site_open_without_a_complaint(
    chromium: Browser, instance: Instance
) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.goto(f"{instance.url}/docs")
    await expect(page.get_by_text("/api/v1/notifications").first).to_be_visible()
    # What is shown for copying is the example of the document, which a test of its own sends.
    await expect(page.locator(".example code").first).to_contain_text(
        '-d \'{"to":{"users":["u-42"]},"title":"The ferry is late"'
    )
    await page.goto(instance.site)
    await expect(page.locator("#state")).to_have_text(re.compile("undecided|denied"))
    await context.close()
    assert complaints == []


async def test_a_notification_says_that_all_sending_is_paused_and_where_to_resume_it(
    page: Page, instance: Instance
) -> None:
    await page.goto(f"{instance.url}/settings/system")
    await page.get_by_role("button", name="Pause all sending").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pause all sending").click()
    await expect(page.get_by_role("button", name="Resume sending")).to_be_visible()
    one = {"to": {"users": ["u-42"]}, "title": "It waits"}
    made = await instance.rest("POST", "/notifications", one)
    await page.goto(f"{instance.url}/notifications/{made['id']}")
    await expect(page.get_by_text("All sending is paused.")).to_be_visible()
    await page.get_by_role("link", name="Show and resume").click()
    await page.get_by_role("button", name="Resume sending").click()
    await expect(page.get_by_role("button", name="Pause all sending")).to_be_visible()
    await page.goto(f"{instance.url}/notifications/{made['id']}")
    await expect(page.get_by_text("Done").first).to_be_visible(timeout=60_000)
    await expect(page.get_by_text("All sending is paused.")).to_have_count(0)


async def test_where_the_push_service_is_blocked_the_page_says_so(page: Page, instance: Instance) -> None:
    """What the SDK writes into the console is for developers, and in English."""
    await page.context.grant_permissions(["notifications"], origin=instance.url)
    await page.add_init_script(
        "PushManager.prototype.subscribe = () => Promise.reject(new DOMException('push service error', 'AbortError'))"
    )
    await page.goto(f"{instance.url}/settings/profile")
    await page.get_by_role("button", name="Enable", exact=True).click()
    await expect(page.get_by_text("This browser does not reach its push service.")).to_be_visible()
