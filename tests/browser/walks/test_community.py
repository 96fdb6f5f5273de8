"""A walk through the community's document (S4) with examples/community; its chapters follow each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.async_api import Locator, Page, expect

from support.browsers import RealBrowser
from support.desktop import Desktop
from support.visitor import eventually
from support.walking import Walk, asked, running_example, running_walk, sends
from tidings.simulator.run import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

QUESTION = "Which lamp oil?"


@pytest.fixture(scope="module")
async def walk(simulator: Running, desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    folder = tmp_path_factory.mktemp("community")
    async with running_walk(folder, simulator, desktop) as walk:
        await walk.tidings.command("preset", "apply", "community")
        async with running_example(walk, "community", folder / "site.log"):
            yield walk


async def signed_in(walk: Walk, browser: RealBrowser, who: str, path: str = "") -> Page:
    """Come to a page of the community as a member."""
    page = await walk.opens(browser, f"/community/sign-in?as={who}")
    if path:
        await page.goto(f"{walk.site}/community/{path}")
    return page


def banner(page: Page) -> Locator:
    return page.locator("tidings-banner")


async def replies(walk: Walk, browser: RealBrowser, who: str, text: str) -> None:
    """Reply to Mia's topic."""
    page = await signed_in(walk, browser, who, "topic/1")
    await page.get_by_label("Reply").fill(text)
    await sends(page.get_by_role("button", name="Reply"))
    await expect(page.get_by_text(text)).to_be_visible()
    await page.close()


async def bell_of(page: Page) -> list[str]:
    """Open the bell and give what it says, newest first."""
    await page.locator("#bell").get_by_role("button").first.click()
    items = page.get_by_role("dialog", name="Notifications").get_by_role("listitem")
    await expect(items.first).to_be_visible()
    return await items.all_inner_texts()


# --- Enabling Web Push (S4-07 to S4-15) ---


async def test_the_keys_are_generated_once_in_the_settings(walk: Walk, chromium: RealBrowser) -> None:
    page = await walk.dashboard(chromium)
    await page.goto(f"{walk.tidings.url}/settings/push-notifications")
    await page.get_by_label(re.compile("Contact", re.IGNORECASE)).fill("push@example.com")
    await page.get_by_role("button", name="Generate VAPID keys").click()
    await expect(page.get_by_text("Configured").first).to_be_visible()
    shown = json.loads(await walk.tidings.command("vapid", "generate", "--json"))
    await expect(page.get_by_text(shown["public_key"]).first).to_be_visible()
    # With a key it is on: there is no switch to forget.
    await chromium.close_tabs()


# --- The worker and the member's subscription (S4-16 to S4-32, S4-47, S4-48) ---


async def test_a_visitor_is_shown_no_banner_and_a_member_is_asked_only_after_a_click(
    walk: Walk, firefox: RealBrowser
) -> None:
    page = await walk.opens(firefox, "/community/")
    await expect(page.get_by_text("Sign in: Mia")).to_be_visible()
    assert await page.evaluate("Tidings.state()") == "undecided"
    await expect(banner(page)).to_have_count(0)

    await page.goto(f"{walk.site}/community/sign-in?as=mia")
    await expect(banner(page)).to_contain_text("Enable push notifications")
    box = await banner(page).bounding_box()
    assert box is not None
    assert box["y"] < 100, "it is at the top of the page"
    assert await page.evaluate("[Notification.permission, window.asked]") == ["default", 0], "asked before the click"

    await firefox.grant(walk.site)
    await banner(page).get_by_role("button", name="Enable").click()
    await expect(banner(page)).to_contain_text("Notifications are on")

    async def stored() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await walk.tidings.rest("GET", "/subscriptions?user=mia&status=active"))["data"]
        return found

    (device,) = await eventually(stored)
    assert device["device"].startswith("Firefox")
    scope = "navigator.serviceWorker.getRegistration('/community/').then((one) => [one.scope, one.active.scriptURL])"
    assert await page.evaluate(scope) == [f"{walk.site}/community/", f"{walk.site}/community/sw.js"]
    await page.goto(f"{walk.site}/community/")
    await expect(page.get_by_text("Sign out")).to_be_visible()
    assert await page.evaluate("[window.asked, Tidings.lastError?.code ?? null]") == [0, None]
    await firefox.close_tabs()


async def test_on_an_iphone_the_banner_says_how_to_add_the_site_to_the_home_screen(
    walk: Walk, chromium: RealBrowser
) -> None:
    page = await chromium.context.new_page()
    await page.add_init_script(
        "const said = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.4 Mobile/15E148 Safari/604.1';"
        "Object.defineProperty(navigator, 'userAgent', { get: () => said });"
        "Object.defineProperty(navigator, 'maxTouchPoints', { get: () => 5 });"
        "Object.defineProperty(navigator, 'standalone', { get: () => false });"
        "delete window.PushManager; delete window.Notification;"
    )
    await page.goto(f"{walk.site}/community/sign-in?as=kim")
    await expect(banner(page)).to_contain_text("Home Screen")
    await chromium.close_tabs()


# --- Which events, and to whom (S4-33 to S4-40) ---


async def test_each_event_goes_to_whom_it_concerns_and_never_to_whoever_did_it(
    walk: Walk, firefox: RealBrowser, chromium: RealBrowser
) -> None:
    await walk.device_of("noah", "zoe", "kim")
    page = await signed_in(walk, chromium, "mia")
    await page.get_by_label("Ask something").fill(QUESTION)
    await page.get_by_role("button", name="Start a topic").click()
    await expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    await expect(page.locator("#follow")).to_have_count(0)
    for follower in ("zoe", "kim"):
        page = await signed_in(walk, chromium, follower, "topic/1")
        await page.get_by_role("button", name="Follow this topic").click()
        await expect(page.get_by_role("button", name="Following")).to_be_visible()

    # New reply on your topic: its author, whose page is closed. In a topic you follow: its followers. Mentioned: Noah.
    await replies(walk, chromium, "zoe", "Colza, says @noah")
    (reply,) = await walk.events("topic.reply")
    assert await walk.told(reply) == Counter(mia=1)
    (followed,) = await walk.events("topic.followed_reply")
    assert await walk.told(followed) == Counter(kim=1), "Zoe follows, too, and wrote it"
    (mention,) = await walk.events("member.mentioned")
    assert await walk.told(mention) == Counter(noah=1)
    shown = await walk.sees("Zoe replied to your topic")
    assert firefox.body_of(shown) == f"{QUESTION}: Colza, says @noah"
    opened = await walk.opens_by(firefox, shown, f"{walk.site}/community/topic/1#reply-1")
    await expect(opened.get_by_text("Colza")).to_be_visible()

    # Your answer is accepted: its author, who gets a badge with it.
    await signed_in(walk, chromium, "mia", "topic/1")
    page = chromium.context.pages[-1]
    await page.get_by_role("button", name="Accept this answer").click()
    await expect(page.get_by_text("Accepted")).to_be_visible()
    (accepted,) = await walk.events("answer.accepted")
    assert await walk.told(accepted) == Counter(zoe=1)
    (badge,) = await walk.events("badge.awarded")
    assert await walk.told(badge) == Counter(zoe=1)

    # New message received: its recipient.
    page = await signed_in(walk, chromium, "kim", "messages")
    await page.get_by_label("To").select_option("mia")
    await page.get_by_label("Message").fill("Coming to the regatta?")
    await page.get_by_role("button", name="Send").click()
    (message,) = await walk.events("message.received")
    assert await walk.told(message) == Counter(mia=1)
    await walk.sees("New message from Kim")
    await firefox.close_tabs()
    await chromium.close_tabs()


async def test_the_bell_has_the_same(walk: Walk, firefox: RealBrowser, chromium: RealBrowser) -> None:
    items = await bell_of(await signed_in(walk, firefox, "mia"))
    assert ["New message from Kim" in items[0], "Zoe replied to your topic" in items[1], len(items)] == [True, True, 2]
    items = await bell_of(await signed_in(walk, chromium, "zoe"))
    assert [re.search(r"badge|accepted", one) is not None for one in items] == [True, True]
    for who, words in (("kim", "Zoe replied"), ("noah", "Zoe mentioned you")):
        (item,) = await bell_of(await signed_in(walk, chromium, who))
        assert words in item, item
    await firefox.close_tabs()
    await chromium.close_tabs()


# --- What each member chose (S4-30, S4-34, S4-41) ---


async def test_each_member_chooses_which_events_push_and_the_bell_goes_on(
    walk: Walk, firefox: RealBrowser, chromium: RealBrowser
) -> None:
    page = await signed_in(walk, firefox, "mia", "profile")
    names = ["Replies to your topics", "Replies in topics you follow", "Mentions", "Accepted answers"]
    for name in (*names, "Private messages", "Badges"):
        await expect(page.get_by_role("switch", name=f"{name}: Push")).to_be_checked()
    await page.get_by_role("switch", name="Replies to your topics: Push").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await firefox.close_tabs()

    await replies(walk, chromium, "noah", "Olive, if you are in Rome")
    reply, _ = await walk.events("topic.reply", at_least=2)
    assert await walk.told(reply) == Counter()
    page = await signed_in(walk, firefox, "mia")
    assert "Noah replied to your topic" in (await bell_of(page))[0]
    assert walk.seen("Noah replied to your topic") == []

    # What she left on still comes.
    await replies(walk, chromium, "noah", "And you, @mia?")
    mention, _ = await walk.events("member.mentioned", at_least=2)
    assert await walk.told(mention) == Counter(mia=1)
    await walk.sees("Noah mentioned you")
    await firefox.close_tabs()


async def test_off_unsubscribes_this_device(walk: Walk, firefox: RealBrowser, chromium: RealBrowser) -> None:
    page = await signed_in(walk, firefox, "mia", "profile")
    device = page.get_by_role("group", name="Push notifications")
    await expect(device.get_by_role("button", name="On", exact=True)).to_have_attribute("aria-pressed", "true")
    await device.get_by_role("button", name="Off", exact=True).click()
    await expect(device.get_by_role("button", name="Off", exact=True)).to_have_attribute("aria-pressed", "true")
    (row,) = (await walk.tidings.rest("GET", "/subscriptions?user=mia"))["data"]
    assert row["status"] == "unsubscribed"
    await page.goto(f"{walk.site}/community/")
    await expect(page.get_by_text("Sign out")).to_be_visible()
    assert await page.evaluate("Tidings.state()") == "unregistered"
    await expect(banner(page)).to_have_count(0)
    await replies(walk, chromium, "zoe", "Still there, @mia?")
    mention, *_ = await walk.events("member.mentioned", at_least=3)
    assert await walk.told(mention) == Counter()
    await firefox.close_tabs()


async def test_each_switch_decides_about_its_own_event_and_its_own_channel(walk: Walk, chromium: RealBrowser) -> None:
    kinds = {
        "Private messages": "message.received", "Mentions": "member.mentioned",
        "Replies in topics you follow": "topic.followed_reply",
    }  # fmt: skip

    async def switched(*names: str) -> None:
        page = await signed_in(walk, chromium, "zoe", "profile")
        for name in names:
            switch = page.get_by_role("switch", name=name)
            before = await switch.get_attribute("aria-checked")
            async with page.expect_response(lambda one: one.request.method == "PUT" and "/preferences" in one.url):
                await switch.click()
            assert await switch.get_attribute("aria-checked") != before
        await page.close()

    async def told_zoe(words: str) -> dict[str, int]:
        """Let all of it happen to Zoe, and give on how many devices she is told of each."""
        page = await signed_in(walk, chromium, "mia", "messages")
        await page.get_by_label("To").select_option("zoe")
        await page.get_by_label("Message").fill(words)
        await sends(page.get_by_role("button", name="Send"))
        await page.close()
        await replies(walk, chromium, "noah", f"Whale oil, @zoe. {words}")
        told = {}
        for name, kind in kinds.items():
            event = await eventually(lambda kind=kind: happened(kind, words))
            told[name] = (await walk.told(event))["zoe"]
        return told

    async def happened(kind: str, words: str) -> dict[str, Any] | None:
        return next((one for one in await walk.events(kind) if words in json.dumps(one["data"])), None)

    assert await told_zoe("All is on") == dict.fromkeys(kinds, 1)
    await switched(*(f"{name}: Push" for name in kinds))
    assert await told_zoe("All is off") == dict.fromkeys(kinds, 0)
    await switched("Private messages: Push", "Mentions: Bell")
    assert await told_zoe("Only letters") == {**dict.fromkeys(kinds, 0), "Private messages": 1}
    items = await bell_of(await signed_in(walk, chromium, "zoe"))
    news = [one for one in items if "Whale oil" in one or "message from Mia" in one]
    of = {part: [one for one in news if part in one] for part in ("message from Mia", "Noah mentioned", "Noah replied")}
    assert {part: len(found) for part, found in of.items()} == {
        "message from Mia": 3, "Noah mentioned": 2, "Noah replied": 3,
    }  # fmt: skip
    assert not any("Only letters" in one for one in of["Noah mentioned"]), "her bell was off for mentions"
    await chromium.close_tabs()


# --- REST (S4-49 to S4-56) ---


async def test_the_endpoints_under_push_are_there_and_take_nobody_for_a_member_who_is_not(walk: Walk) -> None:
    (app,) = (await walk.tidings.rest("GET", "/apps"))["data"]
    await walk.tidings.rest("PATCH", f"/apps/{app['id']}", {"require_signed_identity": True})
    key = await asked(f"{walk.tidings.url}/push/vapid-key", "GET")
    assert len(key["public_key"]) == 87
    worker = await asked(f"{walk.tidings.url}/push/service-worker.js", "GET", plain=True)
    assert "showNotification" in worker
    made = await walk.control("/subscribers", {"count": 1, "vapid_key": key["public_key"], "seed": "rest"})
    (subscription,) = made["subscriptions"]
    stranger = {"subscription": subscription, "user": {"id": "mia"}}
    with pytest.raises(HTTPError, match=r"40[13]") as refused:
        await asked(f"{walk.tidings.url}/push/subscribe", "POST", stranger)
    with refused.value as answer:
        assert json.loads(answer.read())["code"] == "identity_invalid"
    member = {"subscription": subscription, "user": {"id": "mia", "token": walk.token("mia")}}
    stored = await asked(f"{walk.tidings.url}/push/subscribe", "POST", member)
    off = {"endpoint": subscription["endpoint"], "secret": stored["secret"]}
    assert await asked(f"{walk.tidings.url}/push/subscribe", "DELETE", off) is None
    row = await walk.tidings.rest("GET", f"/subscriptions/{stored['id']}")
    assert (row["user"], row["status"]) == ("mia", "unsubscribed")
    paths = (await asked(f"{walk.tidings.url}/openapi.json", "GET"))["paths"]
    for path in ("subscribe", "vapid-key", "service-worker.js"):
        assert any(one.endswith(f"/push/{path}") for one in paths), sorted(paths)
