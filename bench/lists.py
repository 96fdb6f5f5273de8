"""What lists and figures of the dashboard cost on a large App, as ratios to a small one.

Two instances in this process: one with 10 000 subscriptions and people, one with a million; the counts by day of 400
days, of a thousand deliveries and of 25 million. Each question is asked of one and of the other in turns. Run
`python bench/lists.py [--rows N] [--rounds N]` in the environment of a source folder: on SQLite, or with
`--postgres postgresql://user@host/postgres` on a server on which it makes two more databases and removes them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
import psycopg
from list_rows import DAYS, SEED_ROWS, enlarge, written

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


async def instance(folder: Path, url: str | None, *, count: int, deliveries: int) -> httpx2.AsyncClient:
    """Make one of so many rows, and give somebody who may ask it anything."""
    store = open_store(database_url=url, folder=folder, ring=KeyRing.generate())
    settings = Settings(data=folder, public_url="https://push.example.com", rate_limits=False)
    container = assembled(settings, store=store, bus=bus_from(None), clock=SystemClock())
    host = await host_of(container)
    await fill(container, host, count=SEED_ROWS, origin="https://localhost:9443")
    with written(url, folder) as connection:
        enlarge(connection, host.app.id, count=count, deliveries=deliveries)
    app = create_app(container, operator_token=OPERATOR)
    transport = httpx2.ASGITransport(app)
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com/api/v1", headers=headers)


async def questions(client: httpx2.AsyncClient, count: int) -> dict[str, str]:
    """Give the questions of the pages by name; the deep pages begin in the middle of the list."""
    middle = (await _cursor(client, count // 2)).rstrip("=")
    (integration,) = (await client.get("/integrations")).json()["data"]
    one = count // 9 * 7
    return {
        "subscriptions, first page": "/subscriptions?limit=50",
        "subscriptions, in the middle": f"/subscriptions?limit=50&cursor={middle}",
        "subscriptions, expired (1 of 1 000)": "/subscriptions?limit=50&status=expired",
        "subscriptions, expired, in the middle": f"/subscriptions?limit=50&status=expired&cursor={middle}",
        "subscriptions of one person": "/subscriptions?limit=50&user=u-77",
        "subscriptions of an integration": f"/integrations/{integration['id']}/subscriptions?limit=50",
        "users, first page": "/users?limit=50",
        "users, by a word that all have": "/users?limit=50&search=person",
        "users, by that word, in the middle": f"/users?limit=50&search=person&cursor={middle}",
        "users, by the beginning of words of a tenth": "/users?limit=50&search=7",
        "users, by a word that one has": f"/users?limit=50&search={one}",
        "users, by both": f"/users?limit=50&search=person%20{one}",
        "users, by a word that nobody has": "/users?limit=50&search=nosuchname",
        "overview": "/stats/overview",
        "analytics by day, 30 days": "/stats?by=day",
        "analytics by browser, 30 days": "/stats?by=browser",
        "analytics by day, 400 days": f"/stats?by=day&from={days_ago(DAYS - 1)}",
        "opt-in, 30 days": "/stats/funnel?by=browser",
    }


async def _cursor(client: httpx2.AsyncClient, position: int) -> str:
    from tidings.services.paging import cursor_at

    return cursor_at(position)


def days_ago(days: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


async def took(client: httpx2.AsyncClient, path: str) -> float:
    begun = time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - begun


@contextmanager
def database(server: str | None, name: str) -> Iterator[str | None]:
    """Make an empty database and remove it; None is a file of SQLite."""
    if server is None:
        yield None
        return
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def run(rows: int, rounds: int, server: str | None) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as small,
        tempfile.TemporaryDirectory() as large,
        database(server, "tidings_bench_few") as one,
        database(server, "tidings_bench_many") as other,
    ):
        few = await instance(Path(small), one, count=FEW, deliveries=1_000)
        many = await instance(Path(large), other, count=rows, deliveries=25_000_000)
        of_few, of_many = await questions(few, FEW), await questions(many, rows)
        return {
            "rows": rows,
            "of": FEW,
            "questions": {
                name: await asked(name, (few, of_few[name]), (many, of_many[name]), rounds) for name in of_many
            },
        }


async def asked(
    name: str, small: tuple[httpx2.AsyncClient, str], large: tuple[httpx2.AsyncClient, str], rounds: int
) -> dict[str, float]:
    """Ask one and the other in turns."""
    pairs = [(await took(*small), await took(*large)) for _ in range(rounds)]
    one, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{name:45} {one * 1_000:8.1f} ms {other * 1_000:8.1f} ms   x {other / one:.1f}", file=sys.stderr)
    return {"few_ms": round(one * 1_000, 1), "many_ms": round(other * 1_000, 1), "ratio": round(other / one, 1)}


if __name__ == "__main__":
    wish = argparse.ArgumentParser()
    wish.add_argument("--rows", type=int, default=1_000_000)
    wish.add_argument("--rounds", type=int, default=9)
    wish.add_argument("--postgres")
    given = wish.parse_args()
    print(json.dumps(asyncio.run(run(given.rows, given.rounds, given.postgres)), indent=2))
