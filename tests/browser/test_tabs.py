"""What tests do their work with: tabs of real browsers."""

from __future__ import annotations

import asyncio

import pytest

from support.browsers import RealBrowser
from support.place import Place

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


async def test_a_browser_that_leaves_its_driver_without_an_answer_gives_a_tab_to_a_page(
    browser: RealBrowser, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(browser.context, "new_page", asyncio.Event().wait)
        page = await browser.new_tab(patience=5)
    await page.add_init_script("window.seen = true")
    await page.goto(place.origin)
    assert await page.evaluate("[window.seen, window.opener]") == [True, None]
    await browser.close_tabs()
