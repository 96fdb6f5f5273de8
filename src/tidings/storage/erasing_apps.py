"""Erasing a whole App: closed in one transaction, then every table that knows of it is emptied bit by bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, select, update

from tidings.domain.app import CredentialStatus
from tidings.domain.campaign import FINAL_STATUSES, NotificationStatus
from tidings.storage.clearing import delete_some
from tidings.storage.schema import metadata
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import apps, credentials, integrations
from tidings.storage.tables.erasures import erased_devices, erasures
from tidings.storage.tables.instance import api_keys, instance_values
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.tables.webhooks import webhooks

KEPT = frozenset({erasures.name, erased_devices.name, "audit_entries", "audit_anchors", "oidc_providers"})
"""What outlives an App: the proof that it was erased, who did what, and how members of the others sign in."""

_PARENTS: tuple[tuple[str, Table], ...] = (
    ("notification_id", notifications),
    ("subscription_id", subscriptions),
    ("credential_id", credentials),
    ("integration_id", integrations),
)


def close(scope: Scope, app_id: int, *, now: datetime) -> None:
    """Let nobody find the App, nothing of it be sent, and no key of it open anything."""
    scope.connection.execute(update(apps).where(apps.c.id == app_id).values(erased_at=now, webhook_kinds=0))
    n = notifications.c
    scope.dialect.hold_in_order(scope.connection, n.id, n.app_id == app_id, n.status.not_in(FINAL_STATUSES))
    cancelled = update(notifications).where(n.app_id == app_id, n.status.not_in(FINAL_STATUSES))
    scope.connection.execute(cancelled.values(status=NotificationStatus.CANCELLED, finished_at=now, held_because=None))
    revoked = update(credentials).where(credentials.c.app_id == app_id)
    scope.connection.execute(revoked.values(status=CredentialStatus.REVOKED, secret=b""))
    scope.connection.execute(update(webhooks).where(webhooks.c.app_id == app_id).values(enabled=0))
    scope.connection.execute(delete(api_keys).where(api_keys.c.app_id == app_id))


def remove_some(scope: Scope, app_id: int, removed: Counter[str], *, limit: int, now: datetime) -> bool:
    """Remove up to `limit` rows of the App; False when none is left."""
    # The parts go first and by themselves: whoever settles one has it from the beginning and changes nothing without
    # it, and whoever gives one back has its notification. One that somebody has is waited for alone.
    some = select(shards.c.id).where(shards.c.app_id == app_id).limit(limit)
    free = some.with_for_update(skip_locked=True)
    if count := scope.connection.execute(delete(shards).where(shards.c.id.in_(free))).rowcount:
        removed[shards.name] += count
        return True
    if scope.connection.execute(some.limit(1).with_for_update()).first() is not None:
        return True
    left = limit
    for table, mine in _in_order(app_id):
        count = delete_some(scope, table, mine, limit=left)
        if count:
            removed[table.name] += count
            left -= count
        if left <= 0:
            return True
    return False


def _in_order(app_id: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Give what hangs on others before them, whether the database knows of that or not."""
    ordered = list(reversed(metadata.sorted_tables))
    for through_parent in (True, False):
        for table in ordered:
            mine = condition(table, app_id)
            if mine is not None and through_parent is (
                "app_id" not in table.c and table not in (apps, instance_values)
            ):
                yield table, mine


def condition(table: Table, app_id: int) -> ColumnElement[bool] | None:
    """Say which rows of a table are an App's; None for a table that knows of none, or is kept."""
    if table.name in KEPT:
        return None
    if table is apps:
        return apps.c.id == app_id
    if table is instance_values:
        return instance_values.c.name.startswith(f"app:{app_id}:", autoescape=True)
    if "app_id" in table.c:
        return table.c.app_id == app_id
    for column, parent in _PARENTS:
        if column in table.c:
            return table.c[column].in_(select(parent.c.id).where(parent.c.app_id == app_id))
    return None
