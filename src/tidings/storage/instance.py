"""What concerns the whole instance: small values by name, and workers' signs of life."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import msgspec
from sqlalchemy import bindparam, delete, select, text

from tidings.domain.app import Heartbeat
from tidings.domain.safety import GlobalPause
from tidings.domain.vitals import Vitals
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import Scope
from tidings.storage.tables.instance import PAUSED, heartbeats, instance_values
from tidings.storage.vitals import vitals

v = instance_values.c
h = heartbeats.c


@cache
def _value(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(v.value).where(v.name == bindparam("name")))


class SqlInstance:
    """Implements `storage.Instance`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def value(self, name: str) -> bytes | None:
        """Give the value of that name."""
        found = _value(self._scope.dialect).rows(self._scope.connection, {"name": name})
        return found[0][0] if found else None

    def set_value(self, name: str, value: bytes) -> None:
        """Store a value under a name, in place of the one before."""
        stored = self._scope.dialect.upsert(instance_values, key=("name",), update=("value",))
        self._scope.connection.execute(stored, {"name": name, "value": value})

    def beat(self, heartbeat: Heartbeat) -> None:
        """Note a worker's sign of life."""
        values = {column.name: getattr(heartbeat, column.name) for column in h}
        stored = self._scope.dialect.upsert(
            heartbeats, key=("worker_id",), update=("host", "pid", "senders", "started_at", "seen_at")
        )
        self._scope.connection.execute(stored, values)

    def heartbeats(self, *, since: datetime) -> list[Heartbeat]:
        """List workers seen since then, by id."""
        query = select(heartbeats).where(h.seen_at >= since).order_by(h.worker_id)
        return [Heartbeat(**row._mapping) for row in self._scope.connection.execute(query)]

    def forget_silent(self, *, before: datetime) -> int:
        """Forget workers that were last seen before then: they were killed, and never said that they leave."""
        return self._scope.connection.execute(delete(heartbeats).where(h.seen_at < before)).rowcount

    def leave(self, worker_id: str) -> None:
        """Forget a worker that stopped in good order."""
        self._scope.connection.execute(delete(heartbeats).where(h.worker_id == worker_id))

    def pause(self, paused: GlobalPause) -> None:
        """Let nobody send anything from now on."""
        self.set_value(PAUSED, msgspec.json.encode(paused))

    def resume(self) -> bool:
        """Let sending go on; False when nothing was paused."""
        return self._scope.connection.execute(delete(instance_values).where(v.name == PAUSED)).rowcount == 1

    def paused(self) -> GlobalPause | None:
        """Give the pause of the whole instance, if it is paused."""
        found = self.value(PAUSED)
        return None if found is None else msgspec.json.decode(found, type=GlobalPause)

    def vitals(self, *, now: datetime, alive_since: datetime) -> Vitals:
        """Count how the instance is doing."""
        return vitals(self._scope, now=now, alive_since=alive_since)

    def schema_step(self) -> str | None:
        """Give the step the database is at."""
        step: str | None = self._scope.connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return step
