"""What is held against devices whose address looks as if it belonged elsewhere, shown beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidings.domain.subscription import Subscription
from tidings.storage import Transaction


def with_doubts(tx: Transaction, rows: Sequence[Subscription]) -> list[Subscription]:
    """Give the same devices, each with what is held against its address."""
    doubted = tx.subscriptions.misplaced({row.id for row in rows})
    return [replace(row, suspected=doubted.get(row.id)) if doubted else row for row in rows]
