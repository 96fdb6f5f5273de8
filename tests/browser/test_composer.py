"""Send Push in a real Chromium: what helps to write a notification, on a real server with simulated subscribers."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from support.axe import serious
from support.dashboard import fits_and_is_sound, look
from support.instance import Instance
from support.pictures import SVG, picture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def opened(page: Page, instance: Instance) -> None:
    """Open Send Push."""
    await look(page, instance, "/send", "Send Push")


async def test_an_emoji_is_looked_for_and_put_where_the_caret_is(page: Page, instance: Instance) -> None:
    fetched: list[str] = []
    page.on("request", lambda one: fetched.append(one.url))
    await opened(page, instance)
    title = page.get_by_label("Title", exact=True)
    await title.fill("Fresh  today")
    await title.evaluate("field => field.setSelectionRange(6, 6)")
    assert not any("data-" in one and one.endswith(".json") for one in fetched)
    await page.get_by_role("button", name="Put an emoji into the title").click()
    search = page.get_by_role("searchbox", name="Search emoji")
    await expect(search).to_be_focused()
    await expect(page.get_by_role("button", name="grinning face", exact=True)).to_be_visible()
    assert await serious(page) == []
    await search.fill("fish")
    await expect(page.get_by_role("button", name="fish", exact=True)).to_be_visible()
    await search.press("Enter")
    first = await title.input_value()
    assert first.startswith("Fresh ")
    assert first.endswith(" today")
    assert first != "Fresh  today"
    await expect(title).to_be_focused()
    await expect(page.get_by_test_id("preview")).to_contain_text(first.split(" ")[1])


async def test_the_arrows_move_among_emoji_and_escape_leaves(page: Page, instance: Instance) -> None:
    await opened(page, instance)
    message = page.get_by_role("textbox", name="Message")
    await page.get_by_role("button", name="Put an emoji into the message").click()
    kinds = page.get_by_role("group", name="Kinds of emoji")
    await kinds.get_by_role("button", name="Food and drink").click()
    grid = page.get_by_role("group", name="Food and drink", exact=True)
    await expect(grid.get_by_role("button").first).to_be_visible()
    await page.get_by_role("searchbox", name="Search emoji").press("ArrowDown")
    await expect(grid.get_by_role("button").first).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(grid.get_by_role("button").nth(1)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(grid.get_by_role("button").nth(9)).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await expect(message).not_to_have_value("")
    await expect(message).to_be_focused()
    # What was used is offered first.
    await page.get_by_role("button", name="Put an emoji into the message").click()
    await expect(page.get_by_text("Recently used", exact=True)).to_be_visible()
    await fits_and_is_sound(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Emoji")).to_have_count(0)
    await expect(message).to_be_focused()


async def test_an_opinion_is_asked_in_two_languages_and_previewed_where_no_buttons_are(
    page: Page, instance: Instance
) -> None:
    await opened(page, instance)
    await page.get_by_label("Title", exact=True).fill("Was the ferry on time?")
    await page.get_by_role("radio", name="Ask for an opinion").check()
    await expect(page.get_by_label("Answer 1", exact=True)).to_have_value("Yes")
    await page.get_by_role("button", name="Add an answer").click()
    await page.get_by_label("Answer 3", exact=True).fill("I did not sail")
    preview = page.get_by_test_id("preview")
    await expect(preview).to_contain_text("Only the first two of the buttons are shown.")
    await page.get_by_role("button", name="Add a language").click()
    await page.get_by_label("Language to add").fill("de")
    await page.get_by_label("Language to add").press("Enter")
    await page.get_by_label("Title, German", exact=True).fill("War die Fähre pünktlich?")
    await page.get_by_label("Answer 1, German", exact=True).fill("Ja")
    await page.get_by_role("group", name="Language of the preview").get_by_role("button", name="German").click()
    await expect(preview).to_contain_text("War die Fähre pünktlich?")
    await expect(preview).to_contain_text("Ja")
    await page.get_by_role("tab", name="iPhone").click()
    await expect(preview).to_contain_text("A tap opens a page of this server with the question and its answers.")
    await fits_and_is_sound(page)
    await page.get_by_role("button", name="Send to all devices").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="Was the ferry on time?")).to_be_visible()
    found = await instance.rest("GET", f"/notifications/{page.url.rsplit('/', 1)[1]}")
    assert [one["id"] for one in found["actions"]] == ["yes", "no", "i-did-not-sail"]
    assert found["locales"]["de"]["title"] == "War die Fähre pünktlich?"
    assert found["locales"]["de"]["actions"] == {"yes": "Ja"}


async def test_a_button_needs_a_page_and_says_so_at_its_place(page: Page, instance: Instance) -> None:
    await opened(page, instance)
    await page.get_by_label("Title", exact=True).fill("Fresh fish")
    await page.get_by_role("radio", name="Buttons that open pages").check()
    await page.get_by_label("Title of button 1", exact=True).fill("See the catch")
    await page.get_by_role("button", name="Send to all devices").click()
    await expect(page.get_by_text("Say which page the button opens.")).to_be_visible()
    await expect(page.get_by_label("URL of button 1")).to_be_focused()
    await page.get_by_label("URL of button 1").fill("https://www.example.com/catch")
    await expect(page.get_by_text("Say which page the button opens.")).to_have_count(0)
    await expect(page.get_by_test_id("preview")).to_contain_text("See the catch")
    assert await serious(page) == []
    await page.get_by_role("button", name="Remove button 1").click()
    await expect(page.get_by_role("radio", name="None")).to_be_checked()


async def test_a_picture_is_chosen_kept_and_sent_and_what_is_none_is_refused_with_words(
    page: Page, instance: Instance
) -> None:
    await opened(page, instance)
    await page.get_by_label("Title", exact=True).fill("Fresh fish")
    choose = page.get_by_label("Upload: Icon")
    await choose.set_input_files({"name": "x.svg", "mimeType": "image/svg+xml", "buffer": SVG})
    icon = page.get_by_role("group", name="Icon")
    await expect(icon).to_contain_text("Export it as PNG.")
    photo = picture("JPEG", (400, 400))
    await choose.set_input_files({"name": "fish.jpg", "mimeType": "image/jpeg", "buffer": photo})
    await expect(icon).to_contain_text("Kept here: 400 by 400 pixels")
    await expect(icon).to_contain_text("phones and other computers show the notification without the picture")
    address = await icon.get_by_role("textbox").input_value()
    assert re.fullmatch(rf"{instance.url}/push/images/img_\w+\.jpg", address)
    shown = page.get_by_test_id("preview").locator("img")
    await expect(shown).to_have_attribute("src", address)
    assert await shown.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 400
    await page.get_by_text("Further options").click()
    # Dropped on the field, it is the picture below the text.
    drop = """(field, bytes) => {
      const carried = new DataTransfer()
      carried.items.add(new File([new Uint8Array(bytes)], 'quay.png', { type: 'image/png' }))
      field.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }))
    }"""
    image = page.get_by_role("group", name="Image")
    await image.evaluate(drop, list(picture("PNG", (600, 300))))
    await expect(image).to_contain_text("Kept here: 600 by 300 pixels")
    await fits_and_is_sound(page)
    await page.get_by_role("button", name="Send to all devices").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="Fresh fish")).to_be_visible()
    found = await instance.rest("GET", f"/notifications/{page.url.rsplit('/', 1)[1]}")
    assert found["icon"] == address
    assert found["image"] == await newest(instance)


async def test_what_one_would_regret_is_said_before_and_keeps_nobody_from_sending(
    page: Page, instance: Instance
) -> None:
    await opened(page, instance)
    title, warned = page.get_by_label("Title", exact=True), page.get_by_role("main").get_by_label("Before you send")
    await expect(warned).to_have_count(0)
    await title.fill("The market opens at six, and the ferry waits")
    await expect(warned).to_contain_text("It has no URL")
    await expect(warned).to_contain_text("It has no icon")
    await expect(warned).to_contain_text("The title may be cut on Android, macOS")
    await title.fill("The market opens at six")
    await expect(warned).not_to_contain_text("may be cut")
    await page.get_by_placeholder("https://www.example.com/article").fill("https://www.example.org/market")
    await expect(warned).to_contain_text("A click leads to www.example.org, which is none of")
    await fits_and_is_sound(page)
    await page.get_by_role("button", name="Send to all devices").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Before you send")).to_contain_text("www.example.org")
    await dialog.get_by_role("button", name="Send to").click()
    await expect(page.get_by_role("heading", name="The market opens at six")).to_be_visible()
    sent = page.url.rsplit("/", 1)[1]
    await opened(page, instance)
    await title.fill("The market opens at six")
    await expect(warned).to_contain_text("The same words were sent within the last hour.")
    await expect(warned.get_by_role("link", name="See that notification")).to_have_attribute(
        "href", f"/notifications/{sent}"
    )
    await title.fill("The market is open")
    await expect(warned).not_to_contain_text("The same words")


async def newest(instance: Instance) -> str:
    """Give the address of the picture that was uploaded last."""
    return str((await instance.rest("GET", "/images"))["data"][0]["url"])
