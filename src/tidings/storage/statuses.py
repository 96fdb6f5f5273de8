"""How many subscriptions an App has of each status: rows of `subscription_counts`, which triggers write."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, select

from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.scope import Scope
from tidings.storage.tables.subscriptions import subscription_counts

c = subscription_counts.c


def statuses(scope: Scope, app_id: int) -> dict[SubscriptionStatus, int]:
    """Count an App's subscriptions by status; every status is named."""
    query = select(c.status, func.sum(c.n)).where(c.app_id == app_id).group_by(c.status)
    found: dict[str, int] = dict(scope.connection.execute(query).all())
    return {status: int(found.get(status, 0)) for status in SubscriptionStatus}


def add_up(scope: Scope, *, limit: int) -> int:
    """Make one row of those that count the same; give how many there were, up to `limit`.

    They are taken away in the same transaction, and two that do this at once take different ones.
    """
    several = (
        select(c.app_id, c.status).group_by(c.app_id, c.status).having(func.count() > 1).order_by(c.app_id, c.status)
    )
    pair = scope.connection.execute(several.limit(1)).first()
    if pair is None:
        return 0
    app_id, status = pair
    same = select(c.id, c.n).where(c.app_id == app_id, c.status == status).limit(limit)
    rows = scope.connection.execute(same.with_for_update(skip_locked=True)).all()
    if len(rows) < 2:
        return 0  # somebody else has the others
    taken = delete(subscription_counts).where(scope.dialect.any_of(c.id, "ids"))
    scope.connection.execute(taken, {"ids": scope.dialect.many([row.id for row in rows])})
    if total := sum(row.n for row in rows):
        scope.connection.execute(insert(subscription_counts).values(app_id=app_id, status=status, n=total))
    return len(rows)
