"""What was written and not sent or saved, in a real Chromium: it is there again, only for whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from support.dashboard import ANNA, JO, fits_and_is_sound, founds, look, sign_in, visitor
from support.instance import Instance, running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('tidings.draft.'))"
SAYS = "([...Object.values(localStorage), ...Object.values(sessionStorage)]).join(' ')"
EVERYTHING = "document.body.innerHTML + [...document.querySelectorAll('input')].map((one) => one.value).join(' ')"
POSTS = """([path, body]) => fetch(`/api/v1${path}?app=${localStorage.getItem('tidings.app')}`, {
  method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body),
}).then((answer) => answer.json())"""


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server on which nobody is yet."""
    async with running_server(tmp_path_factory.mktemp("draft")) as running:
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """The first member's browser."""
    async with visitor(chromium) as opened:
        await founds(opened, instance)
        yield opened


async def opened(page: Page, instance: Instance) -> None:
    """Open Send Push."""
    await look(page, instance, "/send", "Send Push")


async def written(page: Page, instance: Instance, title: str) -> None:
    """Write something that is not sent."""
    await opened(page, instance)
    await page.get_by_label("Title", exact=True).fill(title)
    await page.get_by_role("radio", name="A tag").check()
    await page.get_by_label("Tag", exact=True).fill("plan")


async def test_what_was_written_is_there_again_after_a_reload_and_after_another_page(
    page: Page, instance: Instance
) -> None:
    await opened(page, instance)
    assert await page.evaluate(KEPT) == []
    await expect(page.get_by_role("button", name="Discard draft")).to_have_count(0)
    await written(page, instance, "The ferry is late")
    await expect(page.get_by_text("A draft is kept in this browser")).to_be_visible()
    await page.reload()
    title = page.get_by_label("Title", exact=True)
    await expect(title).to_have_value("The ferry is late")
    await expect(page.get_by_role("radio", name="A tag")).to_be_checked()
    await expect(page.get_by_label("Tag", exact=True)).to_have_value("plan")
    await expect(page.get_by_text("is here again")).to_be_visible()
    await fits_and_is_sound(page)
    await page.get_by_role("link", name="Templates").click()
    await expect(page.get_by_role("heading", name="Templates", level=1)).to_be_visible()
    await page.go_back()
    await expect(title).to_have_value("The ferry is late")


async def test_a_discarded_draft_is_gone_and_can_be_taken_back_from_another_page(
    page: Page, instance: Instance
) -> None:
    await written(page, instance, "The ferry is late")
    await page.get_by_role("button", name="Discard draft").click()
    await fits_and_is_sound(page)
    title = page.get_by_label("Title", exact=True)
    await expect(title).to_have_value("")
    await expect(page.get_by_role("radio", name="All", exact=False).first).to_be_checked()
    assert await page.evaluate(KEPT) == []
    await page.get_by_role("button", name="Undo").click()
    await expect(title).to_have_value("The ferry is late")
    await page.get_by_role("button", name="Discard draft").click()
    await page.get_by_role("link", name="Templates").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", name="Send Push", level=1)).to_be_visible()
    await expect(title).to_have_value("The ferry is late")
    await page.reload()
    await expect(title).to_have_value("The ferry is late")


async def test_each_app_has_a_draft_of_its_own(page: Page, instance: Instance) -> None:
    await written(page, instance, "For the first App")
    await page.evaluate(POSTS, ["/apps", {"name": "Second"}])
    await page.reload()
    title = page.get_by_label("Title", exact=True)
    await expect(title).to_have_value("For the first App")
    app = page.get_by_role("complementary").get_by_label("App", exact=True)
    first = await app.input_value()
    await app.select_option(label="Second")
    await expect(title).to_have_value("")
    await title.fill("For the second App")
    await page.reload()
    await expect(title).to_have_value("For the second App")
    await app.select_option(first)
    await expect(title).to_have_value("For the first App")


async def test_a_session_that_ends_loses_nothing_and_another_member_sees_nothing_of_it(
    chromium: Browser, page: Page, instance: Instance
) -> None:
    await written(page, instance, "Only Anna may read this")
    invited = await page.evaluate(POSTS, ["/invitations", {"email": JO[0], "role": "editor"}])
    # The session ends while the page is open: the next request is refused.
    await page.context.clear_cookies()
    await page.get_by_role("link", name="Templates").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto(invited["link"])
    await page.get_by_label("Name", exact=True).fill("Jo")
    await page.get_by_label("Password", exact=True).fill(JO[1])
    await page.get_by_role("button", name=re.compile("^Join")).click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await opened(page, instance)
    await expect(page.get_by_label("Title", exact=True)).to_have_value("")
    await page.context.clear_cookies()
    await sign_in(page, f"{instance.url}/send", *ANNA)
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Only Anna may read this")


async def test_nothing_of_it_stays_after_signing_out(page: Page, instance: Instance) -> None:
    await written(page, instance, "Only Anna may read this")
    assert "Only Anna may read this" in await page.evaluate(SAYS)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await page.evaluate(KEPT) == []
    assert "Only Anna" not in await page.evaluate(SAYS)
    await sign_in(page, f"{instance.url}/send", *ANNA)
    await expect(page.get_by_label("Title", exact=True)).to_have_value("")


async def test_what_was_typed_anywhere_waits_until_its_writer_has_signed_in_again(
    page: Page, instance: Instance
) -> None:
    await sign_in_again(page, instance)
    await look(page, instance, "/templates/new", "New template")
    name = page.get_by_label("Name", exact=True)
    await name.fill("Fresh fish")
    # The preview asks for itself: had it heard of the end of the session first, there would be nothing to press.
    async with page.expect_response(lambda one: "Fish at the quay" in (one.request.post_data or "")) as previewed:
        await page.get_by_label("Title", exact=True).fill("Fish at the quay")
    assert (await previewed.value).ok
    keep = page.get_by_role("button", name="Keep the template")
    await page.context.clear_cookies()
    await keep.click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.get_by_text("waits in this window")).to_be_visible()
    await fits_and_is_sound(page)
    await answers(page, *ANNA)
    await expect(page.get_by_text("Nothing was changed: your session had ended")).to_be_visible()
    await expect(page).to_have_title("New template · Tidings")
    await expect(name).to_have_value("Fresh fish")
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Fish at the quay")
    await keep.click()
    await expect(page.get_by_role("heading", name="Fresh fish", level=1)).to_be_visible()


async def test_a_dialog_waits_too(page: Page, instance: Instance) -> None:
    await sign_in_again(page, instance)
    await look(page, instance, "/settings/api-keys", "API keys")
    await page.get_by_role("button", name=re.compile("^Create")).first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("Shop server")
    await page.context.clear_cookies()
    await dialog.locator("button.btn-primary").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(dialog).to_have_count(0)
    await answers(page, *ANNA)
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("Shop server")
    await expect(dialog.get_by_text("Nothing was changed: your session had ended")).to_be_visible()
    await dialog.locator("button.btn-primary").click()
    await expect(dialog.get_by_label("Name", exact=True)).to_have_count(0)


async def test_whoever_else_signs_in_finds_nothing_of_what_waited(page: Page, instance: Instance) -> None:
    await sign_in_again(page, instance)
    for leaves in ("the session ends", "they sign out in another tab"):
        await look(page, instance, "/templates/new", "New template")
        await page.get_by_label("Name", exact=True).fill("Only Anna may read this")
        if leaves == "the session ends":
            await page.context.clear_cookies()
            # The preview asks the server, and hears of it.
            await page.get_by_label("Title", exact=True).fill("Words")
            await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
            await answers(page, *JO)
            await expect(page.get_by_role("heading", name="New template", level=1)).to_be_visible()
        else:
            other = await page.context.new_page()
            await look(other, instance, "/", "Overview")
            await other.get_by_role("button", name="Sign out").click()
            for one in (page, other):
                await expect(one.get_by_role("heading", name="Sign in")).to_be_visible()
            await other.close()
        assert "Only Anna" not in await page.evaluate(EVERYTHING)
        await page.context.clear_cookies()
        await sign_in_again(page, instance)


async def sign_in_again(page: Page, instance: Instance) -> None:
    """Be Anna, whoever was there before."""
    await page.context.clear_cookies()
    await sign_in(page, instance.url, *ANNA)
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def answers(page: Page, email: str, password: str) -> None:
    """Fill in the form of sign-in that is open."""
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
