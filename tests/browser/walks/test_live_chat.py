"""A walk through the operators' document (S2) with examples/live_chat; its chapters follow each other."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from support.browsers import RealBrowser
from support.desktop import Desktop
from support.visitor import eventually
from support.walking import Walk, running_example, running_walk
from tidings.simulator.run import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

HANG = 30
"""Seconds in which a push service says nothing."""
BOUND = 5
"""Seconds within which a report is answered meanwhile, on however slow a machine; an idle one takes milliseconds."""

MOST_TIMES = 4
"""Times what a report takes beside a push service that answers, by the median: it should be once."""


@pytest.fixture(scope="module")
async def walk(simulator: Running, desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    folder = tmp_path_factory.mktemp("live_chat")
    async with running_walk(folder, simulator, desktop) as walk:
        await walk.tidings.command("preset", "apply", "live_chat")
        async with running_example(walk, "live_chat", folder / "site.log"):
            yield walk


async def desk(walk: Walk, browser: RealBrowser, who: str) -> Page:
    """Sign in at the desk."""
    page = await walk.opens(browser, f"/desk/sign-in?as={who}")
    await expect(page.locator("#words")).not_to_be_empty()
    return page


async def enabled(walk: Walk, browser: RealBrowser, who: str) -> Page:
    """Sign in, press Enable and answer Allow."""
    page = await desk(walk, browser, who)
    await expect(page.locator("#words")).to_have_text("Hear of visitors who wait, also while this page is closed.")
    assert await page.evaluate("[Notification.permission, window.asked]") == ["default", 0], "it asks only when pressed"
    await browser.grant(walk.site)
    await page.get_by_role("button", name="Enable").click()
    await expect(page.locator("#words")).to_have_text("This device gets notifications.")
    return page


async def writes(page: Page, text: str) -> float:
    """Send a message in the widget and wait for the reply; give the seconds."""
    replies = page.locator("#lines li", has_text="Quay: Thank you")
    before = await replies.count()
    started = time.monotonic()
    await page.get_by_label("Message").fill(text)
    await page.get_by_role("button", name="Send").click()
    await expect(replies).to_have_count(before + 1)
    return time.monotonic() - started


# --- One-time setup (S2-30 to S2-45, S2-63) ---


async def test_without_keys_the_button_is_missing_and_the_test_fails_loudly(walk: Walk, firefox: RealBrowser) -> None:
    page = await desk(walk, firefox, "ben")
    await expect(page.locator("#words")).to_have_text("No VAPID keys are configured. Run: tidings vapid generate")
    await expect(page.get_by_role("button", name="Enable")).to_be_hidden()
    failed = json.loads(await walk.tidings.command("test", "--user", "ben", "--json", code=1))
    assert failed["error"]["code"] == "vapid_key_missing"
    await firefox.close_tabs()


async def test_the_keys_are_generated_once_and_the_dashboard_says_configured(walk: Walk, chromium: RealBrowser) -> None:
    subject = ("--subject", "mailto:push@example.com")
    made = json.loads(await walk.tidings.command("vapid", "generate", *subject, "--json"))
    again = json.loads(await walk.tidings.command("vapid", "generate", "--json"))
    assert made["public_key"] == again["public_key"]
    page = await walk.dashboard(chromium)
    await page.goto(f"{walk.tidings.url}/settings/push-notifications")
    await expect(page.get_by_text("Configured").first).to_be_visible()
    await expect(page.get_by_text(made["public_key"]).first).to_be_visible()
    await chromium.close_tabs()


# --- Enabling push, each operator and each device (S2-46 to S2-53), and the test (S2-54 to S2-61) ---


async def test_each_device_is_enabled_and_turned_off_by_itself(
    walk: Walk, firefox: RealBrowser, chromium: RealBrowser
) -> None:
    await enabled(walk, firefox, "ben")
    devices = (await walk.tidings.rest("GET", "/subscriptions?user=ben"))["data"]
    assert [(one["status"], one["user"]) for one in devices] == [("active", "ben")]
    # The desk's own worker has taken it on, and nothing comes from anybody but the desk and our server.
    page = firefox.context.pages[-1]
    scripts = "navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.active.scriptURL))"
    assert await page.evaluate(scripts) == [f"{walk.site}/sw.js"]
    loaded = "performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    assert set(await page.evaluate(loaded)) == {walk.site, walk.tidings.url}
    phone = await enabled(walk, chromium, "ben")
    assert len((await walk.tidings.rest("GET", "/subscriptions?user=ben&status=active"))["data"]) == 2

    tested = json.loads(await walk.tidings.command("test", "--email", "ben", "--json"))
    assert tested["counts"]["sent"] == 2
    await walk.sees("Web Push is working", times=2)

    await phone.get_by_role("button", name="Turn off").click()
    await expect(phone.locator("#words")).to_have_text("This device gets no notifications.")
    words = "The pipeline is whole"
    tested = json.loads(await walk.tidings.command("test", "--body", words, "--json"))
    assert tested["counts"]["sent"] == 1, (
        "without a name it goes to the first subscribed person: Ben, whose laptop it is"
    )
    assert [one["device"].split()[0] for one in tested["devices"]] == ["Firefox"]
    assert firefox.body_of(await walk.sees("Web Push is working", times=3)) == words
    await chromium.close_tabs()


async def test_whoever_has_no_device_fails_the_test_loudly(walk: Walk) -> None:
    failed = json.loads(await walk.tidings.command("test", "--email", "cleo", "--json", code=1))
    assert failed["error"]["code"] == "no_subscription"
    looked = json.loads(await walk.tidings.command("doctor", "--offline", "--json"))
    found = {one["name"]: one["state"] for one in looked["findings"]}
    assert looked["ok"], looked
    assert any("worker" in name.lower() for name in found), "the doctor says whether a worker runs"


async def test_an_iphone_in_a_tab_is_told_to_install_and_a_blocked_browser_where_to_allow(
    walk: Walk, chromium: RealBrowser
) -> None:
    page = await chromium.context.new_page()
    await page.add_init_script(
        "Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4)' });"
        "delete window.PushManager;"
    )
    await page.goto(f"{walk.site}/desk/sign-in?as=cleo")
    await expect(page.locator("#words")).to_contain_text("add this desk to the Home Screen (iOS 16.4 or later)")
    await expect(page.get_by_role("button", name="Enable")).to_be_hidden()
    manifest = await page.evaluate("fetch('/manifest.webmanifest').then((answer) => answer.json())")
    assert manifest["display"] == "standalone"

    page = await chromium.context.new_page()
    await page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    await page.goto(f"{walk.site}/desk/sign-in?as=cleo")
    await expect(page.locator("#words")).to_contain_text("Notifications are blocked")
    await expect(page.locator("#words")).to_contain_text("reload")
    await expect(page.get_by_role("button", name="Enable")).to_be_hidden()
    await chromium.close_tabs()


# --- What triggers a push (S2-01 to S2-25) ---


async def test_a_lead_goes_to_owners_and_admins(walk: Walk, chromium: RealBrowser) -> None:
    await walk.device_of("olga", "adam", "cleo", "sue")
    page = await walk.opens(chromium)
    await page.get_by_label("Your e-mail").fill("ada@example.com")
    await page.get_by_role("button", name="Leave it").click()
    (event,) = await walk.events("lead.captured")
    assert await walk.told(event) == Counter(olga=1, adam=1)
    await chromium.close_tabs()


async def test_only_the_first_message_of_a_conversation_is_told(walk: Walk, chromium: RealBrowser) -> None:
    page = await walk.opens(chromium)
    for text in ("Do you ship to Norway?", "And to Iceland?", "And back?"):
        await writes(page, text)
    *later, first = await walk.events("conversation.message", at_least=3)
    assert await walk.told(first) == Counter(olga=1, adam=1)
    for event in later:
        assert [(one["outcome"], one["reason"]) for one in await walk.firings(event)] == [("suppressed", "throttled")]
    await chromium.close_tabs()


async def test_a_visitor_who_wants_a_person_reaches_the_available_operators_also_when_the_desk_is_closed(
    walk: Walk, firefox: RealBrowser, chromium: RealBrowser
) -> None:
    visitor = await walk.opens(chromium)
    await visitor.get_by_role("button", name="Talk to a person").click()
    (event,) = await walk.events("conversation.escalated")
    assert await walk.told(event) == Counter(), "nobody is available"

    page = await desk(walk, firefox, "ben")
    async with page.expect_response("**/desk/available"):
        await page.get_by_role("switch", name="Available for live chat").check()
    await firefox.close_tabs()
    await writes(visitor, "Hello?")
    await visitor.get_by_role("button", name="Talk to a person").click()
    event, _ = await walk.events("conversation.escalated", at_least=2)
    assert await walk.told(event) == Counter(ben=1), "Cleo is not available; Ben's phone is turned off"
    shown = await walk.sees("Ada wants to talk to a person")
    assert firefox.body_of(shown) == "Hello?"
    opened = await walk.opens_by(firefox, shown, event["data"]["conversation"]["url"])
    await expect(opened.get_by_text("Ada: Hello?")).to_be_visible()
    (firing,) = await walk.firings(event)
    sent = await walk.tidings.rest("GET", f"/notifications/{firing['notifications'][0]}")
    assert (sent["urgency"], sent["ttl"]) == ("high", 300)

    # The pill of the open desk says the same, and is not the push.
    await opened.locator("#bell").get_by_role("button").first.click()
    alerts = opened.get_by_role("dialog", name="Notifications").get_by_role("listitem")
    await expect(alerts.first).to_contain_text("Ada wants to talk to a person")
    await firefox.close_tabs()
    await chromium.close_tabs()


async def test_the_open_desk_shows_a_browser_alert_without_any_push(walk: Walk, chromium: RealBrowser) -> None:
    page = await desk(walk, chromium, "ben")
    await expect(page.locator("#words")).to_have_text("This device gets no notifications.")
    asking = {"chat": "c-alert", "name": "Ida"}
    await page.request.post(f"{walk.site}/chat/handoff", data=asking)
    await expect(page.locator("tidings-toasts")).to_contain_text("Ida wants to talk to a person")
    await chromium.close_tabs()


async def test_a_storm_of_a_thousand_errors_is_one_notification(walk: Walk, chromium: RealBrowser) -> None:
    page = await walk.opens(chromium)
    await page.get_by_role("button", name="Open the catalogue").click()
    (first,) = await walk.events("widget.error")
    assert first["data"]["error"]["type"] == "ReferenceError"
    assert await walk.told(first) == Counter(sue=1)
    error = {"type": "ReferenceError", "severity": "error", "message": "catalogue is not defined"}
    storm = [{"type": "widget.error", "data": {"error": error}} for _ in range(999)]
    stored = await walk.tidings.rest("POST", "/events", storm)
    assert len({one["id"] for one in stored}) == 999

    (trigger,) = (await walk.tidings.rest("GET", "/triggers?event_type=widget.error"))["data"]

    async def all_taken() -> bool:
        return not (await walk.tidings.rest("GET", "/events?type=widget.error&status=queued&limit=1"))["data"]

    await eventually(all_taken)
    came = Counter(one["reason"] or one["outcome"] for one in await walk.every(f"/triggers/{trigger['id']}/firings"))
    assert came == Counter(fired=1, throttled=999)

    # Another type is another alert; what is no error is none.
    for kind, severity in (("TypeError", "error"), ("RangeError", "warning")):
        await walk.tidings.rest(
            "POST", "/events", {"type": "widget.error", "data": {"error": {"type": kind, "severity": severity}}}
        )
    warning, other, *_ = await walk.events("widget.error", at_least=200)
    assert await walk.told(other) == Counter(sue=1)
    assert await walk.firings(warning) == []
    await chromium.close_tabs()


# --- A leaked key (S2-39 to S2-42) ---


async def test_a_leaked_key_is_replaced_and_everybody_enables_again(walk: Walk, firefox: RealBrowser) -> None:
    before = json.loads(await walk.tidings.command("vapid", "show", "--json"))
    forced = json.loads(await walk.tidings.command("vapid", "generate", "--force", "--yes", "--json"))
    assert forced["public_key"] != before.get("public_key")
    failed = json.loads(await walk.tidings.command("test", "--email", "ben", "--json", code=1))
    assert failed["error"]["code"] == "no_subscription"
    # Ours need not press anything: the next visit moves the device to the new key.
    page = await desk(walk, firefox, "ben")
    await expect(page.locator("#words")).to_have_text("This device gets notifications.")
    tested = json.loads(await walk.tidings.command("test", "--email", "ben", "--body", "New key", "--json"))
    assert tested["counts"]["sent"] == 1
    await firefox.close_tabs()


# --- Off the visitor's path (S2-26 to S2-29) ---


async def test_a_visitors_reply_and_the_reports_wait_for_no_push_service(walk: Walk, chromium: RealBrowser) -> None:
    async def reported(conversation: str) -> float:
        began = time.monotonic()
        about = {"id": conversation, "url": "http://localhost/"}
        await walk.tidings.rest("POST", "/events", {"type": "conversation.message", "data": {"conversation": about}})
        return time.monotonic() - began

    async def all_reported(name: str, count: int) -> list[float]:
        took: list[float] = []
        for n in range(0, count, 4):
            took += await asyncio.gather(*(reported(f"{name}-{n + lane}") for lane in range(4)))
        return took

    calm = await all_reported("calm", 100)
    await walk.control("/faults", {"kind": "slow", "times": 500, "seconds": HANG})
    visitor = await walk.opens(chromium)
    try:
        started = time.monotonic()
        reply = await writes(visitor, "Is anybody there?")
        await visitor.get_by_role("button", name="Talk to a person").click()
        hanging, *_ = await walk.events("conversation.escalated", at_least=4)
        (firing,) = await walk.firings(hanging)
        took = await all_reported("hang", 300)
        p99 = statistics.quantiles(took, n=100)[98]
        assert p99 < BOUND, took
        times = statistics.median(took) / statistics.median(calm)
        print(f"a report takes {times:.2f} times what it takes beside a quick push service; p99 {p99:.3f} s")
        assert times < MOST_TIMES
        assert max(took) < HANG, took
        assert reply < HANG
        waiting = await walk.tidings.rest("GET", f"/notifications/{firing['notifications'][0]}")
        if time.monotonic() - started < HANG:
            assert waiting["status"] in ("queued", "sending"), "the push service had not answered while this was done"
    finally:
        await walk.control("/faults", method="DELETE")
        await chromium.close_tabs()
