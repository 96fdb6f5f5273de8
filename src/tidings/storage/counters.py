"""The counters of a notification: their names, and adding to its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from tidings.domain.campaign import Counts
from tidings.storage.scope import Scope
from tidings.storage.tables.notifications import notification_reasons

COUNTERS = tuple(field.name for field in fields(Counts))
"""The fields of Counts; each has a column `n_<name>`."""


def add_reasons(scope: Scope, notification_id: int, counted: Mapping[str, int]) -> None:
    """Add to the reasons of a notification."""
    rows = [
        {"notification_id": notification_id, "reason": str(reason), "n": count}
        for reason, count in sorted(counted.items())
        if count
    ]
    if rows:
        statement = scope.dialect.increment(notification_reasons, key=("notification_id", "reason"), column="n")
        scope.connection.execute(statement, rows)
