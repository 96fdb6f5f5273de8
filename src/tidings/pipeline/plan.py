"""Plan: a Notification comes in, shards go out: ranges of subscription ids, never copies of recipients."""

from __future__ import annotations

from dataclasses import replace

from tidings.domain.campaign import Notification
from tidings.domain.delivery import NewShard, Priority
from tidings.domain.message import Urgency
from tidings.storage import Transaction

SHARD_SIZE = 1_000
"""Recipients a shard aims at; the unit of claiming, fairness and pause."""


FEW = 100
"""Devices of a message to one person or a few: it waits for no campaign."""

_PRIORITIES = {
    Urgency.VERY_LOW: Priority.LOW,
    Urgency.LOW: Priority.LOW,
    Urgency.NORMAL: Priority.NORMAL,
    Urgency.HIGH: Priority.HIGH,
}


def priority_of(notification: Notification) -> Priority:
    """Say whose turn comes first: a message to a few goes at once unless its author says that it can wait."""
    asked = _PRIORITIES[notification.message.urgency]
    few = notification.counts.audience <= FEW
    return Priority.AT_ONCE if few and asked is not Priority.LOW else asked


def shards_of(tx: Transaction, notification: Notification) -> list[NewShard]:
    """Cut the audience into shards.

    A small audience is one shard, found without looking at a single recipient, so that a transactional message
    does not wait for a plan. Running it again gives the same shards for the same rows, and storing them again
    changes nothing.
    """
    whole = NewShard(
        notification_id=notification.id,
        n=0,
        low=1,
        high=notification.ceiling,
        not_before=notification.send_at,
        size=notification.counts.audience,
        priority=priority_of(notification),
    )
    if notification.counts.audience <= SHARD_SIZE:
        return [whole]
    ranges = tx.subscriptions.cut(
        notification.app_id, notification.audience, ceiling=notification.ceiling, size=SHARD_SIZE
    )
    cut = [replace(whole, n=n, low=low, high=high, size=count) for n, (low, high, count) in enumerate(ranges)]
    return cut or [whole]  # everybody left since: the empty shard brings it to its end
