"""How often signing in failed: rows of `sign_in_failures`, so that several processes count together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from tidings.domain.throttle import Patience
from tidings.storage.scope import Scope
from tidings.storage.tables.accounts import sign_in_failures

f = sign_in_failures.c


class SqlThrottle:
    """Implements `storage.ports.accounts.Throttle`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run = scope.connection.execute

    def hold(self, names: Sequence[bytes]) -> None:
        """Let nobody else look at these names or count them until the transaction ends."""
        for name in sorted(names):
            self._scope.dialect.hold(self._scope.connection, f"sign-in {name.hex()}")

    def blocked_until(self, names: Sequence[bytes], *, now: datetime) -> datetime | None:
        """Give until when the longest waiting of these names waits; None when none does."""
        query = select(func.max(f.blocked_until)).where(f.name.in_(names), f.blocked_until > now)
        return self._run(query).scalar()

    def count(self, name: bytes, patience: Patience, *, now: datetime) -> None:
        """Count a failure; `hold` the name before."""
        row = self._run(select(f.n, f.last_at).where(f.name == name)).first()
        known = row is not None and now - row.last_at < patience.forgotten
        failures = row.n + 1 if row is not None and known else 1
        values = {"name": name, "n": failures, "last_at": now, "blocked_until": now + patience.wait(failures)}
        stored = self._scope.dialect.upsert(sign_in_failures, key=("name",), update=("n", "last_at", "blocked_until"))
        self._run(stored, values)

    def forget(self, names: Sequence[bytes]) -> None:
        """Begin anew with these names."""
        self._run(delete(sign_in_failures).where(f.name.in_(names)))

    def purge(self, *, now: datetime) -> int:
        """Forget what was last counted a day ago; give how many."""
        return self._run(delete(sign_in_failures).where(f.last_at < now - timedelta(days=1))).rowcount
