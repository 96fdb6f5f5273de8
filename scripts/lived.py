"""A month behind a demo before its pictures are taken: what was sent on other days, what people did, what went wrong."""

from __future__ import annotations

import asyncio
import base64
import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

from furnish import told
from support.apple import push_certificate
from support.instance import Instance

from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.pipeline.receipts import record
from tidings.settings import Settings
from tidings.storage import Transaction
from tidings.wiring import opened

MICROSECONDS = 1_000_000
DAYS = 29
QUESTION = {
    "title": "Shall the ferry run on Sundays?",
    "body": "Two trips, at ten and at four.",
    "actions": [{"id": "yes", "title": "Yes, please"}, {"id": "no", "title": "No need"}],
}
SERVICES = {"Firefox": "mozilla", "Safari": "apple", "Edge": "microsoft"}
"""Whose push services the simulator plays, which calls all of them localhost."""


@contextmanager
def database(instance: Instance) -> Iterator[sqlite3.Connection]:
    (found,) = instance.folder.rglob("tidings.db")
    with closing(sqlite3.connect(found, timeout=30)) as connection, connection:
        yield connection


async def lived_in(instance: Instance, notification: str) -> dict[str, str]:
    """Let the notification be of yesterday, and people have done something with it; give the ids of what was added."""
    told(instance, "/faults", {"kind": "too_large", "times": 140})
    failed = await _sent(instance, {"title": "The winter timetable", "body": "Valid from the first of December."})
    asked = await _sent(instance, QUESTION)
    yesterday = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for public_id in (notification, failed, asked):
        _moved(instance, public_id, yesterday)
    await _reacted(instance, notification, yesterday, answers=False)
    await _reacted(instance, asked, yesterday, answers=True)
    await _visited(instance)
    await _rolled_up(instance)
    _month(instance)
    return {"failed": failed, "asked": asked}


async def _sent(instance: Instance, words: dict[str, Any]) -> str:
    made = await instance.rest("POST", "/notifications", {"to": {"all": True}, **words})
    await instance.done(f"/notifications/{made['id']}")
    return str(made["id"])


def _moved(instance: Instance, public_id: str, to: datetime) -> None:
    with database(instance) as rows:
        (began,) = rows.execute("SELECT created_at FROM notifications WHERE public_id = ?", (public_id,)).fetchone()
        by = began - int(to.timestamp()) * MICROSECONDS
        for column in ("created_at", "send_at", "started_at", "finished_at"):
            rows.execute(f"UPDATE notifications SET {column} = {column} - ? WHERE public_id = ?", (by, public_id))


async def _reacted(instance: Instance, public_id: str, began: datetime, *, answers: bool) -> None:
    """Let most devices have shown it, many of them soon; some people pressed it, and a few put it away."""
    chance = random.Random(public_id[-4:])
    async with opened(Settings(data=next(instance.folder.rglob("tidings.db")).parent)) as container:

        def report(tx: Transaction) -> None:
            with database(instance) as rows:
                devices = rows.execute(
                    "SELECT d.notification_id, d.subscription_id FROM deliveries d JOIN notifications n"
                    " ON n.id = d.notification_id WHERE n.public_id = ? AND d.status = 1",
                    (public_id,),
                ).fetchall()
            for notification, device in devices:
                if chance.random() > 0.86:
                    continue
                at = began + timedelta(minutes=-math.log(1 - chance.random()) * 70)
                then = at + timedelta(minutes=chance.random() * 12)
                record(tx, Receipt(notification, device, ReceiptEvent.SHOWN, "", at), app_id=None)
                what, lot = ("answered", 0.44) if answers else ("clicked", 0.11)
                if (drawn := chance.random()) < lot:
                    action = ("no" if drawn < 0.13 else "yes") if answers else ""
                    record(tx, Receipt(notification, device, ReceiptEvent(what), action, then), app_id=None)
                elif drawn > 0.6:
                    record(tx, Receipt(notification, device, ReceiptEvent.CLOSED, "", then), app_id=None)

        await container.store.write(report)


async def _visited(instance: Instance) -> None:
    """Let visitors have come to the site, of whom some subscribed."""
    agents = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0": 8,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36": 22,
    }
    shares = {"seen": 1, "banner": 0.8, "asked": 0.5, "granted": 0.35, "denied": 0.1}

    def count(step: str, agent: str) -> None:
        url = f"{instance.url}/push/funnel/{step}"
        with urlopen(Request(url, method="POST", headers={"user-agent": agent}), timeout=20):
            return

    for agent, visits in agents.items():
        for step, share in shares.items():
            for _ in range(round(visits * share)):
                await asyncio.to_thread(count, step, agent)


async def _rolled_up(instance: Instance) -> None:
    """Wait until what happened is added to its days."""
    async with asyncio.timeout(60):
        while True:
            with database(instance) as rows:
                (left,) = rows.execute("SELECT count(*) FROM tallies").fetchone()
            if not left:
                return
            await asyncio.sleep(0.3)


def _month(instance: Instance) -> None:
    """Repeat what was counted so far on the days before, more on some days of the week and ever more of it."""
    with database(instance) as rows:
        for browser, service in SERVICES.items():
            rows.execute(
                "UPDATE daily_counts SET service = ? WHERE service = 'other' AND browser = ?", (service, browser)
            )
        rows.execute("UPDATE daily_counts SET service = 'google' WHERE service = 'other' AND provider = 'webpush'")
        rows.execute(
            "INSERT OR IGNORE INTO daily_counts (app_id, source, provider, service, browser, outcome, reason, n, day,"
            " notification_id) SELECT app_id, source, provider, service, browser, 'subscribed', reason, n, day,"
            " notification_id FROM daily_counts WHERE outcome = 'granted'"
        )
        counted = rows.execute(
            "SELECT app_id, source, provider, service, browser, outcome, reason, sum(n) FROM daily_counts"
            " WHERE notification_id = 0 GROUP BY 1, 2, 3, 4, 5, 6, 7"
        ).fetchall()
        (today,) = rows.execute("SELECT max(day) FROM daily_counts").fetchone()
        chance = random.Random(7)
        for back in range(2, DAYS + 1):
            much = (1 - back / 60) * (0.25 if (today - back) % 7 in {2, 3} else 0.7 + chance.random() * 0.4) / 3
            for *what, n in counted:
                if share := round(n * much * (0.8 + chance.random() * 0.4)):
                    rows.execute(
                        "INSERT OR IGNORE INTO daily_counts (app_id, source, provider, service, browser, outcome, reason,"
                        " n, day, notification_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                        (*what, share, today - back),
                    )


async def troubled(instance: Instance) -> None:
    """Pause what sends to Android for a reason, and add a certificate that ends soon."""
    with database(instance) as rows:
        rows.execute(
            "UPDATE integrations SET paused_because = 'permission_missing' WHERE label = 'Firebase Production'"
        )
    made = push_certificate("com.example.harbour", days=12)
    fields = {
        "certificate": base64.b64encode(made.p12()).decode(),
        "password": "open sesame",
        "environment": "production",
    }
    body = {"provider": "apns", "label": "Old certificate", "credentials": fields}
    await instance.rest("POST", "/integrations", body)
