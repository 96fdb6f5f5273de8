"""What the figures of the dashboard cost after ten million deliveries, as ratios to a million.

Two instances in this process, alike but for the number of deliveries: nine of ten belong to one campaign, and every
other one is a notification of its own, as a live chat sends them. The counts by day are those that so many deliveries
come to. Each question is asked of one and of the other in turns. Run `python bench/analytics.py [--deliveries N]
[--rounds N] [--postgres postgresql://user@host/postgres]` as `bench/lists.py` is run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
from delivery_rows import Campaign, deliver
from list_rows import DAYS, SEED_ROWS, written
from lists import OPERATOR, asked, database, days_ago
from sqlalchemy import text

from tidings.bench.crowd import fill, host_of
from tidings.bus import bus_from
from tidings.lib.clock import SystemClock
from tidings.lib.sealed import KeyRing
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.wiring import assembled

MESSAGE = {
    "title": "Do you like the new page?",
    "to": {"all": True},
    "actions": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
}


async def instance(folder: Path, url: str | None, *, deliveries: int) -> tuple[httpx2.AsyncClient, str]:
    """Make one after so many deliveries; give somebody who may ask it anything, and the id of its campaign."""
    store = open_store(database_url=url, folder=folder, ring=KeyRing.generate())
    settings = Settings(data=folder, public_url="https://push.example.com", rate_limits=False)
    container = assembled(settings, store=store, bus=bus_from(None), clock=SystemClock())
    host = await host_of(container)
    await fill(container, host, count=SEED_ROWS, origin="https://localhost:9443")
    transport = httpx2.ASGITransport(create_app(container, operator_token=OPERATOR))
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    client = httpx2.AsyncClient(transport=transport, base_url="https://push.example.com/api/v1", headers=headers)
    sent = await client.post("/notifications", json=MESSAGE, headers={"Idempotency-Key": "bench"})
    sent.raise_for_status()
    with written(url, folder) as connection:
        row = connection.execute(text("SELECT app_id, id, created_at FROM notifications")).one()
        begun = time.perf_counter()
        deliver(connection, Campaign(*row), deliveries)
    print(f"{deliveries} deliveries stored in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return client, sent.json()["id"]


def questions(campaign: str) -> dict[str, str]:
    """Give the questions of the pages by name."""
    one = f"/notifications/{campaign}"
    return {
        **{
            f"analytics by {by}, 30 days": f"/stats?by={by}" for by in ("day", "reason", "service", "browser", "source")
        },
        "analytics by day, 400 days": f"/stats?by=day&from={days_ago(DAYS - 1)}",
        "analytics by day, 30 days, as CSV": "/stats?by=day&format=csv",
        "opt-in, 30 days": "/stats/funnel?by=browser",
        "overview": "/stats/overview",
        "notifications, first page": "/notifications?limit=50",
        "the campaign": one,
        "the campaign, reactions over time": f"{one}/timeline",
        "the campaign, counts by day": f"/stats?by=day&notification={campaign}",
        "the campaign, whom it reached": f"{one}/deliveries?limit=50&outcome=sent",
        "the campaign, whom it did not for one reason": f"{one}/deliveries?limit=50&outcome=failed&reason=too_large",
    }


async def run(deliveries: int, rounds: int, server: str | None) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as small,
        tempfile.TemporaryDirectory() as large,
        database(server, "tidings_bench_few") as one,
        database(server, "tidings_bench_many") as other,
    ):
        few, its = await instance(Path(small), one, deliveries=deliveries // 10)
        many, theirs = await instance(Path(large), other, deliveries=deliveries)
        of_few, of_many = questions(its), questions(theirs)
        return {
            "deliveries": deliveries,
            "of": deliveries // 10,
            "questions": {
                name: await asked(name, (few, of_few[name]), (many, of_many[name]), rounds) for name in of_many
            },
        }


if __name__ == "__main__":
    wish = argparse.ArgumentParser()
    wish.add_argument("--deliveries", type=int, default=10_000_000)
    wish.add_argument("--rounds", type=int, default=5)
    wish.add_argument("--postgres")
    given = wish.parse_args()
    print(json.dumps(asyncio.run(run(given.deliveries, given.rounds, given.postgres)), indent=2))
