"""What axe finds on a page that keeps somebody from using it."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from support import peers

_AT_REST = """() => Promise.all(document.getAnimations()
    .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime))
    .map((one) => one.finished.catch(() => {})))"""


async def serious(page: Page) -> list[tuple[str, Any]]:
    """Give the rules that a page breaks seriously, with what breaks them.

    Colours that are still on their way are nobody's: what moves has to come to rest first, and what is being read
    anew, and therefore dimmed, has to be there.
    """
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.evaluate(_AT_REST)
    await page.evaluate((peers.installed() / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
