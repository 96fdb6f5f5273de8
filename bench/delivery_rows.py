"""Deliveries by the million for `bench/analytics.py`, made of a notification by the database itself."""

from __future__ import annotations

from dataclasses import dataclass

from list_rows import COUNTS, counts
from sqlalchemy import Connection, text

SHARE_OF_ONE = 0.9
"""Of all deliveries, those of one campaign; each of the others is a notification to one person."""

_DELIVERIES = """
INSERT INTO deliveries (notification_id, subscription_id, status, attempt, reason, provider_ref, at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT :notification, i, CASE i % 25 WHEN 0 THEN 2 ELSE 1 END, 1,
  CASE i % 25 WHEN 0 THEN CASE i % 3 WHEN 0 THEN 'gone' WHEN 1 THEN 'unavailable' ELSE 'too_large' END ELSE '' END, '',
  :at FROM n
"""
_RECEIPTS = """
INSERT INTO receipts (notification_id, subscription_id, event, action, at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT :notification, i * :each, :event, :action, :at + i % 4320 * 60000000 FROM n
"""
_MINUTES = """
INSERT INTO notification_minutes (notification_id, minute, outcome, n)
SELECT notification_id, at / 60000000, event, count(*) FROM receipts GROUP BY notification_id, at / 60000000, event
"""
_NOTIFICATIONS = """
INSERT INTO notifications (public_id, app_id, message, audience, policy, status, source, ceiling, n_audience, n_sent,
  created_at, send_at, expires_at, started_at, finished_at, planned_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT 'ntf_' || {token}, app_id, message, audience, policy, 'done', 'trigger', ceiling, 1, 1,
  created_at - i % 1000 * 2592000000, send_at, expires_at, send_at, send_at, send_at
FROM n, notifications WHERE id = :of
"""
_ONE_EACH = """
INSERT INTO deliveries (notification_id, subscription_id, status, attempt, reason, provider_ref, at)
SELECT id, id % 1000 + 1, 1, 1, '', '', send_at FROM notifications WHERE id > :of
"""
_FIGURES = """
UPDATE notifications SET status = 'done', finished_at = send_at, n_audience = :sent + :failed, n_sent = :sent,
  n_failed = :failed, n_shown = :shown, n_clicked = :clicked, n_answered = :answered WHERE id = :of
"""
_TOKEN = {
    "sqlite": "lower(hex(randomblob(13)))",
    "postgresql": "substr(md5(random()::text || i) || md5(random()::text), 1, 26)",
}
_EVENTS = {"shown": 3, "clicked": 25, "answered": 100}
"""Every how many devices reported what."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """The notification of which the others are made."""

    app_id: int
    id: int
    at: int


def deliver(connection: Connection, campaign: Campaign, deliveries: int) -> None:
    """Store so many deliveries, what people did with them, and what was counted of both."""
    great = int(deliveries * SHARE_OF_ONE)
    common = {"notification": campaign.id, "at": campaign.at}
    connection.execute(text(_DELIVERIES), {**common, "count": great})
    for event, each in _EVENTS.items():
        action = "yes" if event == "answered" else ""
        values = {**common, "count": great // each, "each": each, "event": event, "action": action}
        connection.execute(text(_RECEIPTS), values)
    figures = {event: great // each for event, each in _EVENTS.items()}
    failed = great // 25
    connection.execute(text(_FIGURES), {"of": campaign.id, "sent": great - failed, "failed": failed, **figures})
    connection.execute(text(_MINUTES))
    others = text(_NOTIFICATIONS.format(token=_TOKEN[connection.dialect.name]))
    connection.execute(others, {"of": campaign.id, "count": deliveries - great})
    connection.execute(text(_ONE_EACH), {"of": campaign.id})
    connection.execute(COUNTS, counts(campaign.app_id, deliveries))
