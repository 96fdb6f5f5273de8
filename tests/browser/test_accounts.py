"""Members in a real Chromium on a real server: the first, second factor, passkey, invitation, a session's end."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from support.axe import serious
from support.dashboard import ANNA, AUTHENTICATOR, JO, a_while_passes, fits_a_phone, founds, look, sign_in, visitor
from support.instance import Instance, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server on which nobody is yet."""
    async with running_server(tmp_path_factory.mktemp("accounts")) as running:
        yield running


@pytest.fixture(scope="module")
async def anna(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """The first member, whom the set-up link lets in."""
    async with visitor(chromium) as page:
        await founds(page, instance)
        yield page


async def test_the_set_up_link_makes_one_member_and_no_second(
    chromium: Browser, instance: Instance, anna: Page
) -> None:
    await expect(anna.get_by_role("link", name="Anna Berger")).to_be_visible()
    async with visitor(chromium) as other:
        await other.goto(instance.setup_url)
        await expect(other.get_by_role("heading", name="This link has expired")).to_be_visible()


async def test_a_wrong_password_is_refused_and_the_right_one_leads_where_one_wanted(
    chromium: Browser, instance: Instance, anna: Page
) -> None:
    async with visitor(chromium) as page:
        await sign_in(page, f"{instance.url}/settings/system", ANNA[0], "not my password")
        await expect(page.get_by_role("alert")).to_contain_text("wrong")
        await expect(page).to_have_url(re.compile(r"/sign-in\?next="))
        await page.get_by_label("Password", exact=True).fill(ANNA[1])
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", name="System", exact=True)).to_be_visible()
        await expect(page).to_have_url(f"{instance.url}/settings/system")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.goto(instance.url)
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_second_factor_is_asked_for_and_a_recovery_code_replaces_it_once(
    chromium: Browser, instance: Instance, anna: Page
) -> None:
    await look(anna, instance, "/settings/profile", "Profile")
    await anna.get_by_role("button", name="Turn on two-factor").click()
    dialog = anna.get_by_role("dialog")
    code = dialog.get_by_role("img", name="QR code")
    await expect(code).to_be_visible()
    await expect(code).to_have_js_property("complete", True)
    assert await code.evaluate("image => image.naturalWidth") > 0
    await dialog.get_by_text("Or type the secret").click()
    totp = pyotp.TOTP((await dialog.locator(".code").inner_text()).replace(" ", ""))
    await dialog.get_by_label("Code").fill(totp.now())
    listed = anna.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    await expect(listed).to_have_count(10)
    codes = await listed.all_inner_texts()
    assert len(set(codes)) == 10
    await anna.get_by_role("button", name="I have kept them").click()
    await expect(anna.get_by_text("10 recovery codes left")).to_be_visible()
    async with visitor(chromium) as page:
        await sign_in(page, instance.url, *ANNA)
        await page.get_by_label("Code from your authenticator app").fill("000000")
        await expect(page.get_by_role("alert")).to_be_visible()
        # The code of the next half minute is taken as well, and the one of this was used up above.
        await page.get_by_label("Code from your authenticator app").fill(totp.at(int(time.time()) + totp.interval))
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    async with visitor(chromium) as page:
        await sign_in(page, instance.url, *ANNA)
        await page.get_by_role("button", name="Use a recovery code").click()
        await page.get_by_label("Recovery code").fill(codes[0])
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def test_a_passkey_signs_in_at_a_press_and_from_the_autofill(instance: Instance, anna: Page) -> None:
    devices = await anna.context.new_cdp_session(anna)
    await devices.send("WebAuthn.enable")
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    await look(anna, instance, "/settings/profile", "Profile")
    await anna.get_by_role("button", name="Add a passkey").click()
    await anna.get_by_role("dialog").get_by_label("Name").fill("The drawer")
    await anna.get_by_role("dialog").get_by_role("button", name="Save").click()
    passkey = anna.get_by_role("listitem").filter(has_text="The drawer")
    await expect(passkey).to_contain_text("last used never")
    # As in a browser that offers no passkeys in a field: there is the button.
    await anna.evaluate("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    await anna.get_by_role("button", name="Sign out", exact=True).first.click()
    await anna.get_by_role("button", name="Sign in with a passkey").click()
    await expect(anna.get_by_role("heading", name="Overview")).to_be_visible()
    await look(anna, instance, "/settings/profile", "Profile")
    await expect(passkey).to_contain_text("last used just now")
    # Here the browser offers it in the field, and the virtual authenticator takes the offer at once.
    await anna.get_by_role("button", name="Sign out", exact=True).first.click()
    await expect(anna.get_by_role("heading", name="Overview")).to_be_visible()


async def test_who_is_invited_as_a_viewer_sees_everything_and_cannot_send(
    chromium: Browser, instance: Instance, anna: Page
) -> None:
    await look(anna, instance, "/settings/members", "Members")
    await anna.get_by_role("button", name="Invite", exact=True).click()
    await anna.get_by_label("E-mail").fill(JO[0])
    await anna.get_by_label("Viewer").check()
    await anna.get_by_role("button", name="Make the link").click()
    link = await anna.get_by_role("dialog").locator(".code").inner_text()
    await anna.get_by_role("button", name="I have it").click()
    await expect(anna.get_by_text(JO[0])).to_be_visible()
    async with visitor(chromium) as jo:
        await jo.goto(link)
        await expect(jo.get_by_text("as a viewer")).to_be_visible()
        await jo.get_by_label("Name", exact=True).fill("Jo Kay")
        await jo.get_by_label("Password", exact=True).fill(JO[1])
        await jo.get_by_role("button", name=re.compile("^Join")).click()
        await expect(jo.get_by_role("heading", name="Overview")).to_be_visible()
        for path, heading in PAGES:
            await look(jo, instance, path, heading)
            # What System warns of is that this test's server takes insecure endpoints.
            alerts = jo.get_by_role("alert").filter(has_not_text="Development mode")
            assert await alerts.all_inner_texts() == [], path
            await expect(jo.get_by_role("main").get_by_role("link", name=TO_MAKE)).to_have_count(0)
        await look(jo, instance, "/send", "Send Push")
        await expect(jo.get_by_text("you may not send notifications")).to_be_visible()
        await expect(jo.get_by_role("button", name="Send to all devices")).to_be_disabled()
        for path, heading in FOR_ADMINS:
            await look(jo, instance, path, heading)
            await expect(jo.get_by_text(re.compile("may not|Only a super admin"))).to_be_visible()
    async with visitor(chromium) as late:
        await late.goto(link)
        await expect(late.get_by_role("heading", name="This invitation has expired")).to_be_visible()


async def test_a_session_that_is_ended_elsewhere_ends_here(chromium: Browser, instance: Instance, anna: Page) -> None:
    async with visitor(chromium) as here, visitor(chromium) as there:
        await sign_in(here, instance.url, *JO)
        await sign_in(there, instance.url, *JO)
        await expect(there.get_by_role("heading", name="Overview")).to_be_visible()
        await look(here, instance, "/settings/profile", "Profile")
        sessions = here.get_by_role("region", name="Sessions").get_by_role("listitem")
        await expect(sessions.filter(has_text="This session")).to_have_count(1)
        await here.get_by_role("region", name="Sessions").get_by_role("button", name="Sign out the others").click()
        await here.get_by_role("dialog").get_by_role("button", name="Sign out the others").click()
        await expect(sessions).to_have_count(1)
        await there.get_by_role("link", name="Subscriptions").first.click()
        await expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
        await expect(there.get_by_text("Your session was ended")).to_be_visible()


async def test_what_is_sensitive_is_confirmed_first_and_then_done(instance: Instance, anna: Page) -> None:
    await look(anna, instance, "/settings/api-keys", "API keys")
    a_while_passes(instance)
    await anna.get_by_role("button", name="Create the first key").click()
    await anna.get_by_label("Name", exact=True).fill("Shop server")
    await anna.get_by_label("It holds").select_option("For 30 days")
    await anna.get_by_role("button", name="Create the key").click()
    question = anna.get_by_role("dialog", name="Confirm that it is you")
    await question.get_by_label("Password", exact=True).fill("not my password")
    await question.get_by_role("button", name="Confirm").click()
    await expect(question.get_by_role("alert")).to_be_visible()
    await question.get_by_label("Password", exact=True).fill(ANNA[1])
    await question.get_by_role("button", name="Confirm").click()
    shown = anna.get_by_role("dialog", name="Copy the key now")
    instance.key = await shown.locator(".code").inner_text()
    await shown.get_by_role("button", name="I have it").click()
    row = anna.get_by_role("listitem").filter(has_text="Shop server")
    await expect(row).to_contain_text(re.compile(r"Created .+ by Anna Berger"))
    await expect(row).to_contain_text(re.compile(r"ends in (30 days|1 month)"))
    assert (await instance.rest("GET", "/subscriptions"))["data"] == []


PAGES = [
    ("/", "Overview"),
    ("/send", "Send Push"),
    ("/notifications", "Notifications"),
    ("/subscriptions", "Subscriptions"),
    ("/users", "Users"),
    ("/events", "Events"),
    ("/event-types", "Event types"),
    ("/templates", "Templates"),
    ("/settings/triggers", "Triggers"),
    ("/settings/push-notifications", "Push Notifications"),
    ("/settings/system", "System"),
    ("/settings/profile", "Profile"),
]
TO_MAKE = re.compile("Create Trigger|Declare|Write the first")
FOR_ADMINS = [
    ("/settings/members", "Members"),
    ("/settings/api-keys", "API keys"),
    ("/settings/audit", "Audit"),
    ("/settings/sign-in", "Sign-in"),
]


async def test_the_audit_log_tells_it_in_sentences(instance: Instance, anna: Page) -> None:
    await look(anna, instance, "/settings/audit", "Audit")
    entries = anna.get_by_role("list", name="Entries, newest first")
    for sentence in ("created the API key “Shop server”", "invited jo@example.com as viewer", "turned on two-factor"):
        await expect(entries.get_by_text(sentence).first).to_be_visible()
    await anna.get_by_role("button", name="Verify the chain").click()
    await expect(anna.get_by_text("fit together")).to_be_visible()
    async with anna.expect_download() as download:
        await anna.get_by_role("button", name="Export CSV").click()
    assert (await download.value).suggested_filename.endswith(".csv")


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_and_every_page_fits_a_phone(
    chromium: Browser, instance: Instance, anna: Page, scheme: str
) -> None:
    await anna.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    for path, heading in [*PAGES, *FOR_ADMINS]:
        await look(anna, instance, path, heading)
        assert await serious(anna) == [], path
        assert await fits_a_phone(anna), path
    async with visitor(chromium) as page:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        for path in ("/sign-in", "/setup#spent", "/invite#spent", "/reset#some"):
            await page.goto(f"{instance.url}{path}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert await serious(page) == [], path
