"""Members in a real Chromium on a real server: the first, second factor, passkey, invitation, a session's end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from support.chromium import running_chromium
from support.instance import Instance, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ANNA = ("anna@example.com", "nine boats in the fog")


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server on which nobody is yet."""
    async with running_server(tmp_path_factory.mktemp("accounts")) as running:
        yield running


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as running:
        yield running


@asynccontextmanager
async def visitor(chromium: Browser) -> AsyncIterator[Page]:
    """A browser of its own; a fault of its pages fails the test."""
    context = await chromium.new_context()
    context.set_default_timeout(20_000)
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    await context.close()
    assert faults == []


@pytest.fixture(scope="module")
async def anna(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """The first member, whom the set-up link lets in."""
    async with visitor(chromium) as page:
        await page.goto(instance.setup_url)
        await page.get_by_label("Name", exact=True).fill("Anna Berger")
        await page.get_by_label("E-mail").fill(ANNA[0])
        await page.get_by_label("Password", exact=True).fill(ANNA[1])
        await page.get_by_role("button", name="Create my account").click()
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        yield page


async def sign_in(page: Page, url: str, email: str, password: str) -> None:
    await page.goto(url)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


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
