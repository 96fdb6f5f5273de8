"""The way to a subscription, counted by day: by anybody's browser, and of nobody."""

from __future__ import annotations

import csv
import io

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
NOTHING = dict.fromkeys(("seen", "banner", "later", "asked", "granted", "denied", "dismissed", "subscribed"), 0)


async def test_steps_are_counted_by_day_and_by_browser(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    for step in ("seen", "seen", "banner", "later", "asked", "default", "asked", "granted"):
        answer = await browser.post(f"/push/funnel/{step}", headers=FIREFOX)
        assert (answer.status_code, answer.content) == (204, b"")
    body = {"subscription": push_subscription()}
    for _ in range(2):  # the second time it is known
        await browser.post("/push/subscribe", json=body, headers=FIREFOX)
    taken = NOTHING | {"seen": 2, "banner": 1, "later": 1, "asked": 2, "granted": 1, "dismissed": 1, "subscribed": 1}
    by_day = (await api.get("/api/v1/stats/funnel")).json()
    assert by_day["totals"] == taken
    assert (len(by_day["data"]), by_day["data"][-1]) == (30, {"key": by_day["to"], **taken})
    by_browser = (await api.get("/api/v1/stats/funnel", params={"by": "browser"})).json()
    assert by_browser["data"] == [{"key": "Firefox", **taken}]
    # Of messages nothing was counted.
    assert set((await api.get("/api/v1/stats")).json()["totals"].values()) == {0}
    table = await api.get("/api/v1/stats/funnel", params={"by": "browser", "format": "csv"})
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["browser"], row["asked"]) == ("Firefox", "2")


@pytest.mark.parametrize("step", ["subscribed", "dismissed", "moon", "x" * 500])
async def test_a_step_that_there_is_none_of_is_refused(browser: httpx2.AsyncClient, step: str) -> None:
    found = problem(await browser.post(f"/push/funnel/{step}"), 422, "invalid_request")
    assert "there are seen, banner" in found["detail"]


async def test_a_page_that_may_not_use_the_app_counts_nothing(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    answer = await browser.post("/push/funnel/seen", headers={"Origin": "https://elsewhere.example.com"})
    problem(answer, 403, "origin_not_allowed")
    assert (await api.get("/api/v1/stats/funnel")).json()["totals"] == NOTHING


async def test_the_dashboard_is_no_visitor(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    (app,) = (await api.get("/api/v1/apps")).json()["data"]
    own = {"Origin": str(browser.base_url).rstrip("/")}
    assert (await browser.post("/push/funnel/seen", headers=own)).status_code == 204
    body = {"subscription": push_subscription()}
    assert (await browser.post("/push/subscribe", json=body, headers=own)).status_code == 201
    assert (await api.get("/api/v1/stats/funnel")).json()["totals"] == NOTHING
    # A site that has us behind the same address says so by being one of the App's.
    assert (await api.patch(f"/api/v1/apps/{app['id']}", json={"origins": [own["Origin"]]})).status_code == 200
    assert (await browser.post("/push/funnel/seen", headers=own)).status_code == 204
    assert (await api.get("/api/v1/stats/funnel")).json()["totals"] == NOTHING | {"seen": 1}
