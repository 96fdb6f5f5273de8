"""Reads what is open in a browser, and keeps what of it is in another language, cut off or out of sight."""

from __future__ import annotations

from playwright.async_api import Page

from support import catalogue
from support.dashboard import PHONE, WIDE

READ = """(within) => {
  const at = within ? document.querySelector(within) : document.body
  if (!at) return { texts: [], cut: [] }
  const hidden = '.sr-only, [class*="sr-only"]'
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(hidden)
  const said = (text) => text.replace(/\\s+/g, ' ').trim()
  const texts = []
  const walker = document.createTreeWalker(at, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement: of, data } = walker.currentNode
    if (of.checkVisibility() && !of.closest('code, pre, kbd, [lang="en"]')) texts.push(data)
  }
  for (const one of at.querySelectorAll('[aria-label], [placeholder], [title]'))
    texts.push(...['aria-label', 'placeholder', 'title'].map((name) => one.getAttribute(name) ?? ''))
  const cut = []
  const pen = document.createElement('canvas').getContext('2d')
  const words = 'button, a.btn, label, legend, h1, h2, h3, summary, th, dt, [role=tab], select'
  for (const one of at.querySelectorAll(words)) {
    if (!shown(one)) continue
    const box = one.getBoundingClientRect()
    const style = getComputedStyle(one)
    let much = one.scrollWidth - one.clientWidth
    if (one.tagName === 'SELECT') {
      pen.font = style.font
      const text = one.selectedOptions[0]?.text ?? ''
      const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
      much = pen.measureText(text).width - room
    }
    const scrolls = one.closest('.overflow-x-auto, .overflow-auto, [data-scrolls]')
    const name = said(one.tagName === 'SELECT' ? (one.selectedOptions[0]?.text ?? '') : one.innerText)
    if (much > 1 && style.display !== 'inline') cut.push(`${name}: ${Math.round(much)} px cut off`)
    else if (!scrolls && (box.right > innerWidth + 1 || box.left < -1)) cut.push(`${name}: out of the window`)
  }
  if (document.documentElement.scrollWidth > innerWidth) cut.push('the page is wider than the window')
  return { texts: [...new Set(texts.map(said))].filter(Boolean), cut }
}"""
"""Every text in a part of the page, and what of it is cut off or out of sight."""


class Reader:
    """Reads what is open, wide and on a phone, and keeps what is wrong with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # What presets are called and wrote in English is data.
        self.english = catalogue.foreign("de") - {"A visitor wants a person", "Live chat", "Site"}
        self.wrong: set[tuple[str, str, str]] = set()
        self.seen: set[str] = set()
        self.pressed: set[tuple[str, str]] = set()

    async def read(self, where: str, within: str = "") -> None:
        for size, window in (("wide", WIDE), ("phone", PHONE)):
            await self.page.set_viewport_size(window)
            found = await self.page.evaluate(READ, within)
            self.wrong |= {(where, size, text) for text in found["texts"] if text in self.english}
            self.wrong |= {(where, size, cut) for cut in found["cut"]}
        await self.page.set_viewport_size(WIDE)

    async def opened(self, where: str) -> None:
        """Read the dialog that is open, if one is."""
        dialog = self.page.locator("dialog[open]").last
        if not await dialog.count():
            return
        heading = dialog.get_by_role("heading").first
        title = await heading.inner_text() if await heading.count() else await dialog.get_attribute("aria-label") or ""
        if title in self.seen:
            return
        self.seen.add(title)
        await self.page.evaluate(
            "document.querySelectorAll('dialog[open] details').forEach((one) => (one.open = true))"
        )
        await self.read(f"{where} » {title}", "dialog[open]")
