"""What was counted: tallies are added to the counts of their day, and both are read together."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, insert, select

from tidings.domain.stats import Dimension, Naming, Scale, Step, date_of, day_of, number_of
from tidings.storage.clearing import delete_some
from tidings.storage.scope import Scope
from tidings.storage.statuses import add_up
from tidings.storage.tables.stats import daily_counts, notification_minutes, tallies

t = tallies.c
d = daily_counts.c
KEY = tuple(column.name for column in daily_counts.primary_key)
MINUTE_KEY = tuple(column.name for column in notification_minutes.primary_key)

_COLUMN: dict[Dimension, ColumnElement[Any]] = {
    Dimension.DAY: d.day,
    Dimension.SERVICE: d.service,
    Dimension.BROWSER: d.browser,
    Dimension.REASON: d.reason,
    Dimension.SOURCE: d.source,
}
STEPS = tuple(Step)
_WAITING = (t.day, t.source, t.provider, t.origin, t.device, t.outcome, t.reason)


class SqlStats:
    """Implements `storage.Stats`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add_step(self, app_id: int, step: Step, *, device: str, now: datetime) -> None:
        """Count that somebody on such a device took a step, and nothing else of them."""
        nowhere = {"notification_id": 0, "source": "", "provider": "", "origin": "", "reason": ""}
        row = {"app_id": app_id, "day": day_of(now), "device": device, "outcome": step.value, "n": 1}
        self._scope.connection.execute(insert(tallies).values({**nowhere, **row}))

    def roll_up(self, *, limit: int, naming: Naming) -> int:
        """Add the oldest tallies to the counts of their days; give how many there were.

        They are taken away in the same transaction, and two that do this at once take different ones.
        """
        oldest = select(tallies).order_by(t.id).limit(limit).with_for_update(skip_locked=True)
        rows = self._scope.connection.execute(oldest).all()
        if not rows:
            return 0
        taken = delete(tallies).where(self._scope.dialect.any_of(t.id, "ids"))
        self._scope.connection.execute(taken, {"ids": self._scope.dialect.many([row.id for row in rows])})
        sums: Counter[tuple[Any, ...]] = Counter()
        minutes: Counter[tuple[Any, ...]] = Counter()
        for row in rows:
            service, browser = naming.service(row.provider, row.origin), naming.browser(row.device)
            what = (row.day, row.source, row.provider, service, browser, row.outcome, row.reason)
            for notification_id in {0, row.notification_id}:
                sums[row.app_id, notification_id, *what] += row.n
            if row.notification_id and row.minute is not None:
                minutes[row.notification_id, row.minute, row.outcome] += row.n
        self._increment(daily_counts, KEY, sums)
        self._increment(notification_minutes, MINUTE_KEY, minutes)
        return len(rows)

    def _increment(self, table: Table, key: tuple[str, ...], sums: Counter[tuple[Any, ...]]) -> None:
        # In the order of the key, so that two that add to the same days wait for each other and do not block.
        new = [dict(zip(key, values, strict=True)) | {"n": count} for values, count in sorted(sums.items())]
        if new:
            self._scope.connection.execute(self._scope.dialect.increment(table, key=key, column="n"), new)

    def add_up_subscriptions(self, *, limit: int) -> int:
        """Add up rows that count subscriptions of the same App and status; give how many there were."""
        return add_up(self._scope, limit=limit)

    def counts(self, scale: Scale, *, naming: Naming) -> dict[tuple[str, str], int]:
        """Give counts by (value of the dimension, outcome), tallies that are not rolled up yet among them.

        A day is written as ISO 8601 has it.
        """
        found: Counter[tuple[str, str]] = Counter()
        column = _COLUMN[scale.by]
        query = select(column, d.outcome, func.sum(d.n)).where(*self._within(scale, daily_counts))
        for value, outcome, count in self._scope.connection.execute(query.group_by(column, d.outcome)):
            found[_written(value), outcome] += int(count)
        waiting = select(*_WAITING, func.sum(t.n).label("total")).where(*self._within(scale, tallies))
        for row in self._scope.connection.execute(waiting.group_by(*_WAITING)):
            values = {
                Dimension.DAY: row.day,
                Dimension.SERVICE: naming.service(row.provider, row.origin),
                Dimension.BROWSER: naming.browser(row.device),
                Dimension.REASON: row.reason,
                Dimension.SOURCE: row.source,
            }
            found[_written(values[scale.by]), row.outcome] += int(row.total)
        return {key: count for key, count in found.items() if count}

    def by_minute(self, app_id: int, notification_id: int) -> dict[tuple[int, str], int]:
        """Give how often each thing was done with a notification that went to many, by minute and outcome."""
        found: Counter[tuple[int, str]] = Counter()
        m = notification_minutes.c
        kept = select(m.minute, m.outcome, m.n).where(m.notification_id == notification_id)
        mine = (t.app_id == app_id, t.notification_id == notification_id, t.minute.is_not(None))
        waiting = select(t.minute, t.outcome, func.sum(t.n)).where(*mine).group_by(t.minute, t.outcome)
        for query in (kept, waiting):
            for minute, outcome, count in self._scope.connection.execute(query):
                found[minute, outcome] += int(count)
        return dict(found)

    def waiting(self) -> int:
        """Count the tallies that are not rolled up yet."""
        count: int = self._scope.connection.execute(select(func.count()).select_from(tallies)).scalar_one()
        return count

    def purge(self, *, before: date, limit: int) -> int:
        """Forget counts of days before that one; give how many rows."""
        return delete_some(self._scope, daily_counts, d.day < number_of(before), limit=limit)

    def _within(self, scale: Scale, table: Any) -> list[ColumnElement[bool]]:
        c = table.c
        wanted = [c.app_id == scale.app_id, c.day >= number_of(scale.first), c.day <= number_of(scale.last)]
        wanted.append(c.outcome.in_(STEPS) if scale.steps else c.outcome.not_in(STEPS))
        if scale.notification_id is None and table is tallies:
            return wanted  # each is there once, whatever it belongs to
        return [*wanted, c.notification_id == (scale.notification_id or 0)]


def _written(value: Any) -> str:
    return date_of(value).isoformat() if isinstance(value, int) else str(value)
