"""How much an App asked to send lately, and which words went to most of its subscribers: `volumes`, `broadcasts`."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, delete, func, insert, select, update

from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import Scope
from tidings.storage.tables.instance import broadcasts, volumes

SLOTS = 8
"""Rows a minute of one App is spread over, beside the one of who holds the count."""

v = volumes.c
b = broadcasts.c


@cache
def _since(dialect: Dialect) -> Prepared:
    of_app = (v.app_id == bindparam("app_id"), v.minute >= bindparam("minute"))
    return dialect.prepare(select(func.coalesce(func.sum(v.n), 0)).where(*of_app))


class SqlVolumes:
    """Implements `storage.Volumes`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, app_id: int, recipients: int, *, lot: int | None, now: datetime) -> None:
        """Count recipients that were asked for; `lot` is any number, and different ones do not wait for each other.

        Without one, who holds the count waits for nobody.
        """
        statement = self._scope.dialect.increment(volumes, key=("app_id", "minute", "slot"), column="n")
        row = {"app_id": app_id, "minute": _minute(now), "slot": SLOTS if lot is None else lot % SLOTS, "n": recipients}
        self._scope.connection.execute(statement, row)

    def hold(self, app_id: int) -> None:
        """Let nobody else hold the App's count until the transaction ends; who did before is in what is read after."""
        self._scope.dialect.hold(self._scope.connection, f"volume {app_id}")

    def since(self, app_id: int, moment: datetime) -> int:
        """Add up the recipients asked for in the minute of that moment and later."""
        asked = {"app_id": app_id, "minute": _minute(moment)}
        ((sum_of_all,),) = _since(self._scope.dialect).rows(self._scope.connection, asked)
        return int(sum_of_all)

    def forget(self, app_id: int) -> None:
        """Begin to count anew."""
        self._scope.connection.execute(delete(volumes).where(v.app_id == app_id))

    def broadcast(self, app_id: int, content: bytes, *, within: timedelta, now: datetime) -> datetime | None:
        """Remember words that go to most; give when the same ones went out before, if that was within the time.

        Where two transactions remember the same words at once, the second finds the first's.
        """
        mine = (b.app_id == app_id, b.content == content)
        before = self.last_broadcast(app_id, content)
        if before is None:
            self._scope.connection.execute(insert(broadcasts).values(app_id=app_id, content=content, at=now))
            return None
        if now - before < within:
            return before
        newer = update(broadcasts).where(*mine, b.at == before).values(at=now)
        return None if self._scope.connection.execute(newer).rowcount == 1 else now

    def last_broadcast(self, app_id: int, content: bytes) -> datetime | None:
        """Give when the same words went out before, and remember nothing."""
        mine = (b.app_id == app_id, b.content == content)
        before: datetime | None = self._scope.connection.execute(select(b.at).where(*mine)).scalar()
        return before

    def purge(self, *, before: datetime) -> int:
        """Forget what is older than that; give how many rows there were."""
        old = self._scope.connection.execute(delete(volumes).where(v.minute < _minute(before))).rowcount
        return old + self._scope.connection.execute(delete(broadcasts).where(b.at < before)).rowcount


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
