"""Deleting a few rows at a time: what is cleared in the background must not hold up what somebody waits for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, select, tuple_

from tidings.storage.scope import Scope


def delete_some(scope: Scope, table: Table, *conditions: ColumnElement[bool], limit: int) -> int:
    """Delete at most `limit` rows that meet the conditions; give how many."""
    key = tuple(table.primary_key)
    some = select(*key).where(*conditions).limit(limit)
    wanted = key[0].in_(some) if len(key) == 1 else tuple_(*key).in_(some)
    return scope.connection.execute(delete(table).where(wanted)).rowcount
