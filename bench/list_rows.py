"""Rows by the million for `bench/lists.py`, made of a thousand by the database itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from tidings.storage import postgres_store, sqlite_store

SEED_ROWS = 1_000
DAYS = 400

_RANDOM = {
    "sqlite": {
        "token": "lower(hex(randomblob(13)))",
        "hash": "randomblob(32)",
        "below": "(abs(random()) % {})",
        "name": "json_object('name', 'Person ' || i, 'plan', 'pro')",
    },
    "postgresql": {
        "token": "substr(md5(random()::text || id) || md5(random()::text), 1, 26)",
        "hash": "decode(md5(random()::text || id) || md5(random()::text), 'hex')",
        "below": "floor(random() * {})::int",
        "name": "jsonb_build_object('name', 'Person ' || i, 'plan', 'pro')",
    },
}
_SUBSCRIPTIONS = """
INSERT INTO subscriptions (public_id, app_id, provider, origin, credential_id, user_external_id, status, status_reason,
  tags, device, address, address_hash, secret_hash, created_at, last_seen_at)
SELECT 'sub_' || {token}, app_id, provider, origin, credential_id, 'u-' || {any},
  CASE {in_1000} WHEN 0 THEN 'expired' WHEN 1 THEN 'unsubscribed' ELSE 'active' END, NULL, tags,
  CASE {in_10} WHEN 0 THEN 'Safari on iPhone' WHEN 1 THEN 'Chrome on Android' ELSE 'Firefox on Linux' END,
  address, {hash}, secret_hash, created_at, last_seen_at
FROM subscriptions WHERE id <= :seed
"""
_USERS = """
INSERT INTO users (app_id, external_id, attributes, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT :app, 'u-' || i, {name}, 0, 0 FROM n
"""
_WORDS = """
INSERT INTO user_words (app_id, user_id, word)
SELECT app_id, id, 'u' FROM users WHERE app_id = :app UNION ALL
SELECT app_id, id, 'person' FROM users WHERE app_id = :app UNION ALL
SELECT app_id, id, substr(external_id, 3) FROM users WHERE app_id = :app
"""
COUNTS = text("""
INSERT INTO daily_counts (app_id, day, notification_id, source, provider, service, browser, outcome, reason, n)
VALUES (:app, :day, 0, :source, 'webpush', :service, :browser, :outcome, '', :n)
""")


@contextmanager
def written(url: str | None, folder: Path) -> Iterator[Connection]:
    """Give a connection to a database that nobody else has open."""
    engine = (
        sqlite_store.writing_engine(folder / "tidings.db")
        if url is None
        else postgres_store.writing_engine(url, size=1)
    )
    with engine.begin() as connection:
        yield connection
    if url is not None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def enlarge(connection: Connection, app: int, *, count: int, deliveries: int) -> None:
    """Make rows of rows: what lists read is in them, and nobody is sent anything."""
    words = dict(_RANDOM[connection.dialect.name])
    below = words.pop("below")
    words |= {"any": below.format(count), "in_1000": below.format(1_000), "in_10": below.format(10)}
    for _ in range(count // SEED_ROWS - 1):
        connection.execute(text(_SUBSCRIPTIONS.format(**words)), {"seed": SEED_ROWS})
    connection.execute(text(_USERS.format(**words)), {"count": count, "app": app})
    connection.execute(text(_WORDS), {"app": app})
    connection.execute(COUNTS, counts(app, deliveries))


def counts(app: int, deliveries: int) -> list[dict[str, object]]:
    """Give the counts by day that so many deliveries would have come to, over 400 days."""
    today = int(time.time() // 86_400)
    kinds = [
        {"source": source, "service": service, "browser": browser, "outcome": outcome}
        for source in ("api", "trigger")
        for service in ("google", "mozilla", "apple", "microsoft")
        for browser in ("Chrome", "Firefox", "Safari", "Edge", "Opera", "unknown")
        for outcome in ("sent", "failed", "shown", "clicked")
    ]
    each = max(1, deliveries // (DAYS * len(kinds)))
    rows = [{"app": app, "day": today - day, "n": each, **kind} for day in range(DAYS) for kind in kinds]
    return rows[: max(DAYS, deliveries)]
