"""Signing in with a provider, in a real Chromium: connected, confirmed with, disconnected; and a lost second factor."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from support.axe import serious
from support.dashboard import ANNA, JO, a_while_passes, founds, look, sign_in, visitor
from support.instance import Instance, running_server
from support.openid import CLIENT, SECRET, Provider, running_provider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_server(tmp_path_factory.mktemp("providers")) as running:
        yield running


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[Provider]:
    """By http on this machine, which a server takes that is for development."""
    async with running_provider(None) as running:
        yield running


@pytest.fixture(scope="module")
async def anna(chromium: Browser, instance: Instance, provider: Provider) -> AsyncIterator[Page]:
    """The first member, who has set the provider up: newcomers of her domain become editors."""
    async with visitor(chromium) as page:
        await founds(page, instance)
        await look(page, instance, "/settings/sign-in", "Sign-in")
        await page.get_by_role("button", name="Add the first provider").click()
        form = page.get_by_role("dialog")
        await form.get_by_label("Name", exact=True).fill("Work")
        await form.get_by_label("Issuer").fill(provider.issuer)
        await form.get_by_label("Client ID").fill(CLIENT)
        await form.get_by_label("Client secret").fill(SECRET)
        await expect(form.get_by_text("Name your domain")).to_be_visible()
        await form.get_by_label("E-mail domains").fill("example.com")
        await form.get_by_label("Who is not a member yet").select_option("admin")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
        await page.get_by_role("button", name="Test Work").click()
        await expect(page.get_by_text("It answers.")).to_be_visible()
        yield page


def person(sub: str, name: str, email: str) -> dict[str, object]:
    return {"sub": sub, "name": name, "email": email, "email_verified": True}


async def through(page: Page, name: str) -> None:
    """Go through the provider's page, as the person or with nothing."""
    await expect(page.get_by_role("heading", name="The provider asks")).to_be_visible()
    await page.get_by_role("link", name=name).click()


async def test_an_account_is_connected_under_profile_and_disconnected_again(
    chromium: Browser, instance: Instance, provider: Provider, anna: Page
) -> None:
    provider.person = person("anna", "Anna", ANNA[0])
    await look(anna, instance, "/settings/profile", "Profile")
    row = anna.get_by_role("region", name="Sign in with a provider").get_by_role("listitem").filter(has_text="Work")
    await expect(row).to_contain_text("Not connected")
    await row.get_by_role("button", name="Connect Work").click()
    await through(anna, "Cancel")
    await expect(anna.get_by_text("Your account was not connected")).to_be_visible()
    await row.get_by_role("button", name="Connect Work").click()
    await through(anna, "Sign in as Anna")
    await expect(row).to_contain_text(re.compile(r"\bConnected"))
    await expect(anna).to_have_url(f"{instance.url}/settings/profile")
    async with visitor(chromium) as other:
        await other.goto(f"{instance.url}/settings/audit")
        await other.get_by_role("link", name="Sign in with Work").click()
        await through(other, "Sign in as Anna")
        await expect(other).to_have_url(f"{instance.url}/settings/audit")
        await expect(other.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    a_while_passes(instance)
    await row.get_by_role("button", name="Disconnect Work").click()
    await anna.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    await confirm(anna, ANNA[1])
    await expect(row).to_contain_text("Not connected")
    async with visitor(chromium) as other:
        await other.goto(instance.url)
        await other.get_by_role("link", name="Sign in with Work").click()
        await through(other, "Sign in as Anna")
        await expect(other.get_by_text("The provider did not sign you in")).to_be_visible()
        assert await serious(other) == []


async def test_whoever_has_nothing_else_confirms_at_the_provider_and_goes_on(
    chromium: Browser, instance: Instance, provider: Provider, anna: Page
) -> None:
    provider.person = person("ben", "Ben", "ben@example.com")
    async with visitor(chromium) as ben:
        await ben.goto(instance.url)
        await ben.get_by_role("link", name="Sign in with Work").click()
        await through(ben, "Sign in as Ben")
        await expect(ben.get_by_role("heading", name="Overview")).to_be_visible()
        await look(ben, instance, "/settings/profile", "Profile")
        await expect(ben.get_by_text("it is the only way in that you have")).to_be_visible()
        await expect(ben.get_by_role("button", name="Disconnect Work")).to_have_count(0)
        await look(ben, instance, "/settings/api-keys", "API keys")
        a_while_passes(instance)
        await ben.get_by_role("button", name="Create the first key").click()
        await ben.get_by_label("Name", exact=True).fill("Ben's server")
        await ben.get_by_role("button", name="Create the key").click()
        question = ben.get_by_role("dialog", name="Confirm that it is you")
        await expect(question.get_by_label("Password", exact=True)).to_have_count(0)

        # Somebody else at the provider confirms nothing, and the question stays.
        provider.person = person("carla", "Carla", "carla@example.com")
        async with ben.context.expect_page() as opening:
            await question.get_by_role("button", name="Confirm with Work").click()
        window = await opening.value
        await through(window, "Sign in as Carla")
        await expect(window.get_by_text("The provider did not confirm that it is you")).to_be_visible()
        assert await serious(window) == []
        await window.close()
        await expect(question).to_be_visible()

        provider.person = person("ben", "Ben", "ben@example.com")
        async with ben.context.expect_page() as opening:
            await question.get_by_role("button", name="Confirm with Work").click()
        window = await opening.value
        await through(window, "Sign in as Ben")
        shown = ben.get_by_role("dialog", name="Copy the key now")
        await expect(shown.locator(".code")).to_contain_text("tdg_")
        await shown.get_by_role("button", name="I have it").click()
        await expect(ben.get_by_role("listitem").filter(has_text="Ben's server")).to_contain_text("by Ben")
        # The window that asked has closed itself, or says that it may be closed.
        if not window.is_closed():
            await expect(window.get_by_role("heading", name="Confirmed")).to_be_visible()
    assert any("prompt=login" in path and "max_age=0" in path for path in provider.asked)


async def test_an_owner_takes_away_a_second_factor_that_was_lost(
    chromium: Browser, instance: Instance, anna: Page
) -> None:
    await look(anna, instance, "/settings/members", "Members")
    await anna.get_by_role("button", name="Invite", exact=True).click()
    await anna.get_by_label("E-mail").fill(JO[0])
    await anna.get_by_label("Editor").check()
    a_while_passes(instance)
    await anna.get_by_role("button", name="Make the link").click()
    await confirm(anna, ANNA[1])
    link = await anna.get_by_role("dialog", name="Send this link").locator(".code").inner_text()
    await anna.get_by_role("button", name="I have it").click()
    async with visitor(chromium) as jo:
        await jo.goto(link)
        await jo.get_by_label("Name", exact=True).fill("Jo Kay")
        await jo.get_by_label("Password", exact=True).fill(JO[1])
        await jo.get_by_role("button", name=re.compile("^Join")).click()
        await expect(jo.get_by_role("heading", name="Overview")).to_be_visible()
        await look(jo, instance, "/settings/profile", "Profile")
        await jo.get_by_role("button", name="Turn on two-factor").click()
        dialog = jo.get_by_role("dialog")
        await dialog.get_by_text("Or type the secret").click()
        totp = pyotp.TOTP((await dialog.locator(".code").inner_text()).replace(" ", ""))
        await dialog.get_by_label("Code").fill(totp.at(int(time.time())))
        await jo.get_by_role("button", name="I have kept them").click()
        await expect(jo.get_by_text("10 recovery codes left")).to_be_visible()

        await look(anna, instance, "/settings/members", "Members")
        row = anna.get_by_role("listitem").filter(has_text="Jo Kay")
        await expect(row).to_contain_text("Two-factor on")
        a_while_passes(instance)
        await row.get_by_role("button", name="Manage Jo Kay").click()
        await anna.get_by_role("button", name="Reset the second factor").click()
        question = anna.get_by_role("dialog", name="Reset the second factor of Jo Kay?")
        await expect(question.get_by_text("Be sure that it is Jo Kay who asks")).to_be_visible()
        await question.get_by_role("button", name="Reset it").click()
        await confirm(anna, ANNA[1])
        await expect(row).to_contain_text("No two-factor")

        await jo.get_by_role("link", name="Subscriptions").first.click()
        await expect(jo.get_by_text("Your session was ended")).to_be_visible()
        await sign_in(jo, f"{instance.url}/settings/profile", *JO)
        await expect(jo.get_by_role("button", name="Turn on two-factor")).to_be_visible()


async def confirm(page: Page, password: str) -> None:
    """Show again who one is; a slip costs nothing but another try."""
    question = page.get_by_role("dialog", name="Confirm that it is you")
    await question.get_by_label("Password", exact=True).fill("not my password")
    await question.get_by_role("button", name="Confirm", exact=True).click()
    await expect(question.get_by_role("alert")).to_be_visible()
    await question.get_by_label("Password", exact=True).fill(password)
    await question.get_by_role("button", name="Confirm", exact=True).click()
    await expect(question).to_have_count(0)
