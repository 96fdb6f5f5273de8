"""Delivery analytics in a real Chromium on a real server: what was sent, counted, drawn, read and kept."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from support.dashboard import fits_and_is_sound, look
from support.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def sent_to_all(instance: Instance) -> str:
    """Send to the whole demo, and wait until it is done."""
    made = await instance.rest("POST", "/notifications", {"to": {"all": True}, "title": "The harbour reopens"})
    await instance.done(f"/notifications/{made['id']}")
    return str(made["id"])


async def test_before_anything_was_sent_the_page_says_what_will_be_there(page: Page, instance: Instance) -> None:
    await look(page, instance, "/analytics", "Analytics")
    await expect(page.get_by_text("Nothing was sent on these days.", exact=False)).to_be_visible()
    await expect(page.get_by_role("link", name="Send a notification")).to_be_visible()
    await fits_and_is_sound(page)


async def test_what_was_sent_is_counted_with_its_base_and_its_reasons(page: Page, instance: Instance) -> None:
    await sent_to_all(instance)
    totals = (await instance.rest("GET", "/stats"))["totals"]
    await page.goto(instance.url)
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Analytics").click()
    await expect(page.get_by_role("heading", name="Analytics", level=1)).to_be_visible()
    # What push services refused is a reason with what to do about it; each table has what it tells apart.
    tried = totals["sent"] + totals["failed"] + totals["expired"]
    assert tried == 1000
    await expect(page.get_by_text(re.compile(r"97\.8 % of 1\W000 tried"))).to_be_visible()
    await expect(page.get_by_text("no longer has this subscription", exact=False)).to_be_visible()
    browsers = page.get_by_role("region", name="By browser, as a table")
    by_browser = (await instance.rest("GET", "/stats?by=browser"))["data"]
    (firefox,) = [line for line in by_browser if line["key"] == "Firefox"]
    row = browsers.get_by_role("row", name=re.compile("^Firefox"))
    await expect(row.get_by_role("cell").first).to_have_text(str(firefox["sent"]))
    await expect(page.get_by_role("region", name="By push service, as a table")).to_be_visible()
    sources = page.get_by_role("region", name="By what sent it, as a table")
    await expect(sources.get_by_role("row", name=re.compile("The API and Send Push"))).to_be_visible()
    # What nobody can measure is said where the figure is.
    late = page.get_by_text("Safari reports a show only with the next click or visit", exact=False)
    await expect(late.first).to_be_visible()
    await fits_and_is_sound(page)


async def test_the_chart_says_exact_figures_to_the_mouse_the_keyboard_and_a_table(
    page: Page, instance: Instance
) -> None:
    await look(page, instance, "/analytics?days=7", "Analytics")
    days = (await instance.rest("GET", "/stats"))["data"][-7:]
    chart = page.get_by_role("slider", name=re.compile("^Sent and failed by day"))
    await expect(chart.locator("canvas")).to_be_visible()
    await expect(chart).to_have_attribute("aria-valuetext", re.compile("^In all: 978 sent, 22 failed"))
    await page.get_by_role("button", name="CSV of every day").focus()
    await page.keyboard.press("Tab")
    await expect(chart).to_be_focused()
    await expect(chart).to_have_attribute("aria-valuetext", re.compile(f": {days[6]['sent']} sent"))
    await page.keyboard.press("ArrowLeft")
    await expect(chart).to_have_attribute("aria-valuetext", re.compile(f": {days[5]['sent']} sent"))
    await page.keyboard.press("Home")
    await expect(chart).to_have_attribute("aria-valuenow", "0")
    box = await chart.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 90, box["y"] + box["height"] / 2)
    await expect(chart).not_to_have_attribute("aria-valuenow", "0")
    await page.get_by_text("Every day as a table").click()
    table = page.get_by_role("region", name="Every day as a table")
    await expect(table.get_by_role("row")).to_have_count(8)
    await fits_and_is_sound(page)


async def test_days_are_chosen_and_part_of_the_address(page: Page, instance: Instance) -> None:
    await look(page, instance, "/analytics", "Analytics")
    await page.get_by_role("button", name="90 days").click()
    await expect(page).to_have_url(re.compile(r"/analytics\?days=90$"))
    await expect(page.get_by_role("button", name="90 days")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Own").click()
    await page.get_by_label("From").fill("2026-01-01")
    await page.get_by_label("To", exact=True).fill("2026-01-03")
    await expect(page).to_have_url(re.compile("from=2026-01-01&to=2026-01-03"))
    await expect(page.get_by_text("Nothing was sent on these days.", exact=False)).to_be_visible()
    await page.get_by_role("link", name="Look at the last 90 days").click()
    await expect(page.get_by_role("heading", name="Day by day")).to_be_visible()
    # More days than the server counts at once: it says what to name instead.
    await page.goto(f"{instance.url}/analytics?from=2020-01-01&to=2026-01-01")
    await expect(page.get_by_role("alert")).to_contain_text("800 days in all")


async def test_a_table_is_kept_as_csv(page: Page, instance: Instance, tmp_path: Path) -> None:
    await look(page, instance, "/analytics?days=7", "Analytics")
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="CSV of every day").click()
    kept = await coming.value
    assert kept.suggested_filename.endswith(".csv")
    await kept.save_as(tmp_path / "days.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "days.csv").read_text())))
    assert len(rows) == 7
    assert sum(int(row["sent"]) for row in rows) == 978


async def test_it_waits_with_a_skeleton_and_says_when_the_server_fails(page: Page, instance: Instance) -> None:
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        await route.fulfill(status=500, json={"code": "internal", "title": "The server failed"})

    await page.route("**/api/v1/stats?**", hold)
    try:
        await page.goto(f"{instance.url}/analytics")
        await expect(page.get_by_role("status", name="Loading")).to_be_visible()
        go_on.set()
        await expect(page.get_by_role("alert")).to_contain_text("The server failed")
    finally:
        await page.unroute("**/api/v1/stats?**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Day by day")).to_be_visible()


async def test_the_way_to_a_subscription_is_drawn_with_what_cannot_be_measured(page: Page, instance: Instance) -> None:
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
    for step in ("seen", "seen", "seen", "seen", "asked", "asked", "granted"):
        made = await page.request.post(f"{instance.url}/push/funnel/{step}", headers=agent)
        assert made.status == 204
    await look(page, instance, "/analytics", "Analytics")
    section = page.get_by_role("region", name="Opt-in", exact=True)
    await expect(section.get_by_text("50.0 % of 4 visits")).to_be_visible()
    await expect(section.get_by_text("50.0 % of 2 asked")).to_be_visible()
    row = section.get_by_role("region", name="Opt-in by browser").get_by_role("row", name=re.compile("^Firefox"))
    await expect(row.get_by_role("cell").first).to_have_text("4")
    await expect(section.get_by_text("What cannot be measured", exact=False)).to_be_visible()
    await fits_and_is_sound(page)
    await look(page, instance, "/", "Overview")
    await expect(page.get_by_role("region", name="Opt-in, last 30 days")).to_be_visible()
    await fits_and_is_sound(page)


async def test_overview_shows_the_month_day_by_day(page: Page, instance: Instance) -> None:
    await look(page, instance, "/", "Overview")
    await expect(page.get_by_role("img", name=re.compile("^978 sent and 0 clicked within 30 days"))).to_be_visible()
    await fits_and_is_sound(page)
    await page.get_by_role("main").get_by_role("link", name="Analytics").click()
    await expect(page.get_by_role("heading", name="Analytics", level=1)).to_be_visible()


async def test_a_notification_shows_when_people_reacted(page: Page, instance: Instance) -> None:
    (sent,) = (await instance.rest("GET", "/notifications"))["data"]
    path = f"/notifications/{sent['id']}"
    await look(page, instance, path, sent["title"])
    await expect(page.get_by_role("heading", name="When people reacted")).to_have_count(0)
    # The demo's devices report nothing, so the answers of the server are given some people.
    shown = [{"at": f"2026-11-20T09:0{minute}:00Z", "shown": 9 - minute, "clicked": minute % 2} for minute in range(5)]
    points = [{"closed": 0, "answered": 0, **point} for point in shown]

    async def counted(route: Route) -> None:
        answer = await route.fetch()
        found = await answer.json()
        found["counts"] |= {"shown": 35, "clicked": 2}
        await route.fulfill(response=answer, json=found)

    await page.route(f"**/api/v1{path}", counted)
    await page.route(
        f"**/api/v1{path}/timeline", lambda route: route.fulfill(json={"step_seconds": 60, "data": points})
    )
    try:
        await look(page, instance, path, sent["title"])
        chart = page.get_by_role("slider", name=re.compile("^Shown and clicked over time"))
        await expect(chart.locator("canvas")).to_be_visible()
        await expect(chart).to_have_attribute("aria-valuetext", "In all: 35 shown, 2 clicked")
        await page.get_by_text("These figures as a table").click()
        table = page.get_by_role("region", name="These figures as a table")
        await expect(table.get_by_role("row")).to_have_count(6)
        await fits_and_is_sound(page)
    finally:
        await page.unroute_all()
