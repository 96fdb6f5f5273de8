"""What lists and figures of the dashboard cost on a large App, as ratios to a small one.

Two instances on SQLite in this process: one with 10 000 subscriptions and people, one with a million; the counts by day
of 400 days, of a thousand deliveries and of 25 million. Each question is asked of one and of the other in turns. Run
`python bench/lists.py [rows] [rounds]` in the environment of a source folder.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from tidings.bench.crowd import fill, host_of
from tidings.bus import bus_from
from tidings.lib.clock import SystemClock
from tidings.lib.sealed import KeyRing
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.wiring import assembled

FEW = 10_000
OPERATOR = "operator"
SEED_ROWS = 1_000
DAYS = 400
COPY = """
INSERT INTO subscriptions (public_id, app_id, provider, origin, credential_id, user_external_id, status, status_reason,
  tags, device, address, address_hash, secret_hash, created_at, last_seen_at)
SELECT 'sub_' || lower(hex(randomblob(13))), app_id, provider, origin, credential_id, 'u-' || (abs(random()) % :count),
  CASE abs(random()) % 1000 WHEN 0 THEN 'expired' WHEN 1 THEN 'unsubscribed' ELSE 'active' END, NULL, tags,
  'Firefox on Linux', address, randomblob(32), secret_hash, created_at, last_seen_at
FROM subscriptions WHERE id <= :seed
"""
PEOPLE = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO users (app_id, external_id, attributes, created_at, updated_at)
SELECT :app, 'u-' || i, json_object('name', 'Person ' || i, 'plan', 'pro'), 0, 0 FROM n
"""
COUNTS = """
INSERT INTO daily_counts (app_id, day, notification_id, source, provider, service, browser, outcome, reason, n)
VALUES (?, ?, 0, ?, 'webpush', ?, ?, ?, '', ?)
"""


def enlarge(file: Path, app: int, *, count: int, deliveries: int) -> None:
    """Make rows of rows: what lists read is in them, and nobody is sent anything."""
    today = int(time.time() // 86_400)
    kinds = [
        (source, service, browser, outcome)
        for source in ("api", "trigger")
        for service in ("google", "mozilla", "apple", "microsoft")
        for browser in ("Chrome", "Firefox", "Safari", "Edge", "Opera", "unknown")
        for outcome in ("sent", "failed", "shown", "clicked")
    ]
    with closing(sqlite3.connect(file)) as database, database:
        for _ in range(count // SEED_ROWS - 1):
            database.execute(COPY, {"count": count, "seed": SEED_ROWS})
        database.execute(PEOPLE, {"count": count, "app": app})
        each = max(1, deliveries // (DAYS * len(kinds)))
        rows = [(app, today - day, *kind, each) for day in range(DAYS) for kind in kinds]
        database.executemany(COUNTS, rows[: max(DAYS, deliveries)])


async def instance(folder: Path, *, count: int, deliveries: int) -> httpx2.AsyncClient:
    """Make one of so many rows, and give somebody who may ask it anything."""
    store = open_store(database_url=None, folder=folder, ring=KeyRing.generate())
    settings = Settings(data=folder, public_url="https://push.example.com", rate_limits=False)
    container = assembled(settings, store=store, bus=bus_from(None), clock=SystemClock())
    host = await host_of(container)
    await fill(container, host, count=SEED_ROWS, origin="https://localhost:9443")
    enlarge(folder / "tidings.db", host.app.id, count=count, deliveries=deliveries)
    app = create_app(container, operator_token=OPERATOR)
    transport = httpx2.ASGITransport(app)
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com/api/v1", headers=headers)


async def questions(client: httpx2.AsyncClient, count: int) -> dict[str, str]:
    """Give the questions of the pages by name; the deep pages begin in the middle of the list."""
    middle = (await _cursor(client, count // 2)).rstrip("=")
    (integration,) = (await client.get("/integrations")).json()["data"]
    return {
        "subscriptions, first page": "/subscriptions?limit=50",
        "subscriptions, in the middle": f"/subscriptions?limit=50&cursor={middle}",
        "subscriptions, expired (1 of 1 000)": "/subscriptions?limit=50&status=expired",
        "subscriptions, expired, in the middle": f"/subscriptions?limit=50&status=expired&cursor={middle}",
        "subscriptions of one person": "/subscriptions?limit=50&user=u-77",
        "subscriptions of an integration": f"/integrations/{integration['id']}/subscriptions?limit=50",
        "users, first page": "/users?limit=50",
        "users, by a part of a name that many have": "/users?limit=50&search=person",
        "users, by a name that one has": "/users?limit=50&search=person%2077%20",
        "overview": "/stats/overview",
        "analytics by day, 30 days": "/stats?by=day",
        "analytics by browser, 30 days": "/stats?by=browser",
        "analytics by day, 400 days": f"/stats?by=day&from={_days_ago(DAYS - 1)}",
        "opt-in, 30 days": "/stats/funnel?by=browser",
    }


async def _cursor(client: httpx2.AsyncClient, position: int) -> str:
    from tidings.services.paging import cursor_at

    return cursor_at(position)


def _days_ago(days: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


async def took(client: httpx2.AsyncClient, path: str) -> float:
    begun = time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - begun


async def run(rows: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        few = await instance(Path(small), count=FEW, deliveries=1_000)
        many = await instance(Path(large), count=rows, deliveries=25_000_000)
        of_few, of_many = await questions(few, FEW), await questions(many, rows)
        found = {}
        for name in of_many:
            pairs = [(await took(few, of_few[name]), await took(many, of_many[name])) for _ in range(rounds)]
            one, other = (statistics.median(times) for times in zip(*pairs, strict=True))
            found[name] = {
                "few_ms": round(one * 1_000, 1),
                "many_ms": round(other * 1_000, 1),
                "ratio": round(other / one, 1),
            }
            print(f"{name:45} {one * 1_000:8.1f} ms {other * 1_000:8.1f} ms   x {other / one:.1f}", file=sys.stderr)
        return {"rows": rows, "of": FEW, "questions": found}


if __name__ == "__main__":
    rows, rounds = (*map(int, sys.argv[1:]), *(1_000_000, 9)[len(sys.argv) - 1 :])
    print(json.dumps(asyncio.run(run(rows, rounds)), indent=2))
