"""What was answered to which Idempotency-Key: rows of `idempotency_keys`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from tidings.storage.scope import Scope
from tidings.storage.tables.instance import idempotency_keys

c = idempotency_keys.c


class SqlIdempotency:
    """Implements `storage.Idempotency`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def find(self, app_id: int, key: str) -> tuple[bytes, bytes] | None:
        """Give (hash of the request, stored answer) if the key is known."""
        row = self._scope.connection.execute(
            select(c.request_hash, c.answer).where(c.app_id == app_id, c.key == key)
        ).first()
        return (row.request_hash, row.answer) if row else None

    def put(self, app_id: int, key: str, *, request_hash: bytes, answer: bytes, now: datetime) -> None:
        """Remember an answer.

        Where two transactions remember the same key at once, the second is run again and finds the first's answer.
        """
        self._scope.connection.execute(
            insert(idempotency_keys).values(
                app_id=app_id, key=key, request_hash=request_hash, answer=answer, created_at=now
            )
        )

    def purge(self, *, before: datetime) -> int:
        """Forget answers older than that; give how many."""
        return self._scope.connection.execute(delete(idempotency_keys).where(c.created_at < before)).rowcount
