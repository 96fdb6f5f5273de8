"""A walk through the bots' document (S3) with examples/bots; its chapters follow each other."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.async_api import FilePayload, Locator, Page, expect

from support.apple import BUNDLE_ID, KEY_ID, TEAM_ID, p8
from support.browsers import RealBrowser
from support.desktop import Desktop
from support.vapid import new_keys
from support.visitor import eventually
from support.walking import Walk, running_example, running_walk, sends
from tidings.lib.crypto import generate_key
from tidings.simulator.apns.senders import Key
from tidings.simulator.run import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PROJECT = "bot-salon"


@pytest.fixture(scope="module")
async def walk(simulator: Running, desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    folder = tmp_path_factory.mktemp("bots")
    async with running_walk(folder, simulator, desktop) as walk:
        await walk.tidings.command("preset", "apply", "bots")
        async with running_example(walk, "bots", folder / "site.log"):
            yield walk


@pytest.fixture(scope="module")
async def page(walk: Walk, chromium: RealBrowser) -> Page:
    """The dashboard."""
    return await walk.dashboard(chromium)


async def adding(walk: Walk, page: Page, provider: str, label: str) -> None:
    """Settings, Integrations, Add Integration, Push Notifications, the provider; and its label."""
    await page.goto(f"{walk.tidings.url}/settings/integrations")
    await page.get_by_role("link", name="Add Integration").click()
    await page.get_by_role("link", name="Push Notifications To phones").click()
    await page.get_by_role("main").get_by_role("link", name=re.compile(rf"^{provider} ")).click()
    await expect(page.get_by_role("heading", name=f"Add {provider}")).to_be_visible()
    await page.get_by_label("Label").fill(label)


async def proven_and_saved(page: Page, label: str) -> None:
    await page.get_by_role("button", name="Test Connection").click()
    await expect(page.get_by_text(re.compile("connection works|accepts the key|belong together")).first).to_be_visible()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()


async def studio(walk: Walk, browser: RealBrowser, action: str, **given: str) -> None:
    """Fill in one of the studio's forms and send it."""
    page = await browser.open(f"{walk.site}/studio.html")
    form: Locator = page.locator(f"form[action='/{action}']")
    for name, value in given.items():
        field = form.locator(f"[name='{name}']")
        await (field.select_option(value) if name == "bot" else field.fill(value))
    await sends(form.get_by_role("button"))
    await page.close()


async def installs(walk: Walk, **given: str) -> None:
    """Opt in on a phone, whose app tells its own server."""

    def send() -> None:
        with build_opener(ProxyHandler({})).open(f"{walk.site}/app/install", urlencode(given).encode(), timeout=60):
            pass

    await asyncio.to_thread(send)


# --- The three providers (S3-03 to S3-36) ---


async def test_fcm_takes_the_service_account_by_upload(walk: Walk, page: Page, simulator: Running) -> None:
    account = json.dumps(simulator.fcm.oauth.project(PROJECT).file()).encode()
    await adding(walk, page, "FCM", "Firebase Production")
    key = FilePayload(name="account.json", mimeType="application/json", buffer=account)
    await page.get_by_label("Upload the service-account JSON key").set_input_files(key)
    await expect(page.get_by_label("Firebase Project ID")).to_have_value(PROJECT)
    await proven_and_saved(page, "Firebase Production")


async def test_apns_takes_a_key_and_says_that_the_environments_are_separate(
    walk: Walk, page: Page, simulator: Running
) -> None:
    key = generate_key()
    simulator.apple.senders.add_key(Key(TEAM_ID, KEY_ID, key.public_key()))
    await adding(walk, page, "APNs", "Apple")
    await expect(page.get_by_text("The environments are separate")).to_be_visible()
    await expect(page.get_by_role("radio", name="Certificate")).to_be_visible()
    upload = FilePayload(name=f"AuthKey_{KEY_ID}.p8", mimeType="application/octet-stream", buffer=p8(key).encode())
    await page.get_by_label("Upload the .p8 private key file").set_input_files(upload)
    await page.get_by_label("Team ID").fill(TEAM_ID)
    await page.get_by_label("Bundle ID").fill(BUNDLE_ID)
    await page.get_by_role("radio", name="Sandbox").check()
    await proven_and_saved(page, "Apple")


async def test_web_push_takes_keys_that_were_made_elsewhere_and_a_contact(walk: Walk, page: Page) -> None:
    keys = new_keys()
    await adding(walk, page, "Web Push", "Web Push Production")
    await page.get_by_label("VAPID Public Key").fill(keys.public)
    await page.get_by_label("VAPID Private Key").fill(keys.private)
    await page.get_by_label("Contact email").fill("push@example.com")
    await proven_and_saved(page, "Web Push Production")
    shown = json.loads(await walk.tidings.command("vapid", "generate", "--json"))
    assert shown["public_key"] == keys.public
    await page.goto(f"{walk.tidings.url}/settings/integrations")
    for label in ("Firebase Production", "Apple", "Web Push Production"):
        await expect(page.get_by_role("link", name=label, exact=True)).to_be_visible()


# --- Opting in: the chat widget and the mobile app (S3-58, S3-59) ---


async def test_users_opt_in_from_the_widget_and_from_their_phones(
    walk: Walk, firefox: RealBrowser, simulator: Running
) -> None:
    widget = await walk.opens(firefox, "/sign-in?as=ada")
    assert await widget.evaluate("[Notification.permission, window.asked]") == ["default", 0]
    await firefox.grant(walk.site)
    await widget.get_by_role("button", name="Yes, on this device").click()
    await expect(widget.get_by_text("Cleo: Good, you will hear from me.")).to_be_visible()
    await firefox.close_tabs()

    tokens = simulator.fcm.make(PROJECT, 2, seed="bots")
    for user, token in zip(("bruno", "ben"), tokens, strict=True):
        await installs(walk, provider="fcm", token=token, device="Pixel 10", user=user)
    (phone,) = simulator.apple.devices.make(1, topic=BUNDLE_ID, environment="sandbox", shares=[], seed="bots")
    await installs(walk, provider="apns", token=phone.token, environment="sandbox", device="iPhone 17", user="ada")
    devices = (await walk.tidings.rest("GET", "/subscriptions?status=active"))["data"]
    assert Counter(one["user"] for one in devices) == Counter(ada=2, bruno=1, ben=1)


# --- Testing (S3-50 to S3-57) and managing subscriptions (S3-60 to S3-64) ---


async def test_a_test_notification_goes_to_a_device_of_the_list(walk: Walk, firefox: RealBrowser, page: Page) -> None:
    await page.goto(f"{walk.tidings.url}/settings/integrations")
    await page.get_by_role("link", name="Web Push Production", exact=True).click()
    await page.get_by_role("button", name="Send Test Notification").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name=re.compile("Firefox")).check()
    await dialog.get_by_label("Title").fill("Is it working?")
    await dialog.get_by_label("Body").fill("From the salon")
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.get_by_text("It should appear within a few seconds")).to_be_visible()
    shown = await walk.sees("Is it working?")
    assert firefox.body_of(shown) == "From the salon"
    await dialog.get_by_text("If it does not appear").click()
    await expect(dialog.get_by_text("Has the device or browser granted permission?")).to_be_visible()
    await dialog.get_by_role("button", name="Close", exact=True).first.click()

    await page.get_by_role("tab", name="Subscriptions").click()
    for column in ("Device/Browser", "Created", "Last Active", "Status"):
        await expect(page.get_by_role("columnheader", name=column)).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("Firefox.*Active"))).to_be_visible()


# --- Triggers (S3-37 to S3-49) and languages (S3-65) ---


async def test_a_trigger_is_created_for_one_bot_and_one_channel(walk: Walk, page: Page) -> None:
    # Triggers are reached from the integration, too.
    await page.goto(f"{walk.tidings.url}/settings/integrations")
    await page.get_by_role("link", name=re.compile("Web Push Production")).first.click()
    await page.get_by_role("link", name="Open Triggers").click()
    await expect(page).to_have_url(f"{walk.tidings.url}/settings/triggers")
    await page.get_by_role("link", name="Create Trigger").click()
    main = page.get_by_role("main")
    await main.get_by_label("Name", exact=True).fill("Otto, by browser")
    for channel in ("FCM", "APNs", "Web Push"):
        await expect(main.get_by_label(channel, exact=True)).to_be_visible()
    await main.get_by_label("Event Type").select_option("offer.published")
    await main.get_by_role("textbox", name="Title", exact=True).focus()
    await expect(main.get_by_role("button", name="Insert {{ offer.title }}")).to_be_visible()
    await expect(main.get_by_role("button", name="Insert {{ bot.name }}")).to_have_count(0)
    await main.get_by_label("Event Type").select_option("status.updated")
    await main.get_by_role("textbox", name="Conditions").fill('event.bot.id == "b-2"')
    title = main.get_by_role("textbox", name="Title", exact=True)
    await title.fill("")
    await title.focus()
    # What may stand there depends on the event type.
    await main.get_by_role("button", name="Insert {{ bot.name }}").click()
    await title.press_sequentially(" has news, {{ user.name }}")
    await main.get_by_label("Web Push", exact=True).check()
    await main.get_by_role("button", name="Create Trigger").click()
    await expect(page).to_have_url(re.compile(r"/settings/triggers/trg_\w+"))
    made = await walk.tidings.rest("GET", f"/triggers/{page.url.rsplit('/', 1)[1].partition('?')[0]}")
    assert (made["name"], made["event_type"]) == ("Otto, by browser", "status.updated")
    assert (made["conditions_text"], made["channels"]) == ('event.bot.id == "b-2"', ["webpush"])
    assert made["template"]["title"] == "{{ bot.name }} has news, {{ user.name }}"


async def test_the_condition_and_the_channel_decide(walk: Walk, firefox: RealBrowser) -> None:
    await studio(walk, firefox, "update", user="ada", bot="b-1", name="Your brush", status="on its way")
    (event,) = await walk.events("status.updated")
    assert await walk.told(event) == Counter(ada=2), "the preset's own, to browser and iPhone; not Otto's"
    await studio(walk, firefox, "update", user="ada", bot="b-2", name="Your comb", status="at the door")
    event, _ = await walk.events("status.updated", at_least=2)
    assert await walk.told(event) == Counter(ada=3), "and Otto's, to the browser alone"
    await walk.sees("Otto has news, Ada")
    await walk.sees("Your comb: at the door")


async def test_a_reminder_is_personal_and_in_each_persons_language(
    walk: Walk, firefox: RealBrowser, simulator: Running
) -> None:
    for user in ("ada", "bruno"):
        await studio(walk, firefox, "remind", user=user, bot="b-1", title="Haircut", at="2030-03-01T09:30:00Z")
    bruno, ada = await walk.events("appointment.reminder", at_least=2)
    assert await walk.told(ada) == Counter(ada=2)
    assert await walk.told(bruno) == Counter(bruno=1)
    english = next(one for one in walk.desktop.shown if one.title.startswith("Haircut: 3/1/30"))
    assert firefox.body_of(english) == "Hello Ada, Cleo will see you then."

    async def german() -> list[dict[str, Any]]:
        found = simulator.journal.messages(limit=50)
        return [one for one in found if "Guten Tag Bruno" in (one["body"] or "")]

    (reminder, *_) = await eventually(german)
    assert reminder["title"].startswith("Haircut: 01.03.30")


async def test_an_offer_goes_to_the_segment_and_a_call_to_available_operators(walk: Walk, firefox: RealBrowser) -> None:
    for _ in range(2):
        await studio(walk, firefox, "offer", title="Spring at the salon", text="Two cuts for one")
    second, first = await walk.events("offer.published", at_least=2)
    assert await walk.told(first) == Counter(ada=2), "Bruno wants none"
    assert [one["reason"] for one in await walk.firings(second)] == ["throttled"]
    await walk.sees("Spring at the salon")
    await studio(walk, firefox, "escalate", bot="b-1", message="She asks for a perm")
    (call,) = await walk.events("conversation.escalated")
    assert await walk.told(call) == Counter(ben=1)


async def test_a_dry_run_says_who_would_read_what_in_which_language(walk: Walk) -> None:
    (trigger,) = (await walk.tidings.rest("GET", "/triggers?event_type=appointment.reminder"))["data"]
    bruno, _ = await walk.events("appointment.reminder", at_least=2)
    run = await walk.tidings.rest("POST", f"/triggers/{trigger['id']}/dry-run", {"event": bruno["id"]})
    (told,) = run["people"]
    assert (told["user"], told["language"], told["devices"]) == ("bruno", "de", 1)


# --- Delivery analytics (S3-66), over REST: what became of each, by reason ---


async def test_what_became_of_each_delivery_is_there(walk: Walk) -> None:
    _, first = await walk.events("offer.published", at_least=2)
    (firing,) = await walk.firings(first)
    found = await walk.tidings.rest("GET", f"/notifications/{firing['notifications'][0]}")
    assert (found["counts"]["audience"], found["counts"]["sent"], found["counts"]["failed"]) == (2, 2, 0)
