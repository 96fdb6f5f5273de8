"""What goes with a person at once: their preferences, quiet hours and feed."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import delete

from tidings.storage.preference_tables import PERSONAL
from tidings.storage.scope import Scope


def forget_wishes(scope: Scope, app_id: int, user: str) -> Counter[str]:
    """Remove it; give how many rows of each kind. It is a few hundred rows at most."""
    removed: Counter[str] = Counter()
    for name, tables in PERSONAL.items():
        for table in tables:
            gone = delete(table).where(table.c.app_id == app_id, table.c.user_external_id == user)
            removed[name] += scope.connection.execute(gone).rowcount
    return removed
