"""What people did with one notification over time: its receipts in few enough parts to be drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.receipt import ReceiptEvent
from tidings.storage import Store, Transaction

MOST_POINTS = 120

MANY = 10_000
"""Reports beyond which they are not read one by one, but as they were counted by the minute."""

STEPS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2 * 1440, 7 * 1440)
)
"""How long a point may be: such as people count in. What goes on for longer is shown as far as it goes."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was reported from one moment to the next point."""

    at: datetime
    counts: dict[ReceiptEvent, int]


@dataclass(frozen=True, slots=True)
class Course:
    """All points, without a gap, from when it was sent to the last report; none if there is no report."""

    step: timedelta
    points: Sequence[Point]


class Courses:
    """Reads receipts by time."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def of(self, app_id: int, public_id: str) -> Course:
        """Give what people did with a notification, in 120 points at most. Raises NOT_FOUND."""

        def read(tx: Transaction) -> Course:
            found = tx.notifications.get(app_id, public_id)
            if found is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no notification {public_id[:64]!r}.")
            if sum(getattr(found.counts, event.value) for event in ReceiptEvent) > MANY:
                return _counted(tx.stats.by_minute(app_id, found.id), since=found.send_at)
            span = tx.receipts.span(found.id)
            if span is None:
                return Course(STEPS[0], ())
            # A phone may report late, but nobody before it was sent; a clock that was set back is no reason to fail.
            first, last = min(found.send_at, span[0]), span[1]
            step = step_for(first, last)
            return _course(tx.receipts.over_time(found.id, step=step), first=first, last=last, step=step)

        return await self._store.read(read)


def _counted(minutes: dict[tuple[int, str], int], *, since: datetime) -> Course:
    """Draw what was counted by the minute."""
    if not minutes:
        return Course(STEPS[0], ())
    moments = {minute: datetime.fromtimestamp(minute * 60, UTC) for minute, _ in minutes}
    first, last = min(since, *moments.values()), max(moments.values())
    step = step_for(first, last)
    parts: Counter[tuple[datetime, ReceiptEvent]] = Counter()
    for (minute, outcome), count in minutes.items():
        parts[floored(moments[minute], step), ReceiptEvent(outcome)] += count
    return _course(parts, first=first, last=last, step=step)


def step_for(first: datetime, last: datetime) -> timedelta:
    """Give the shortest step by which few enough points lead from the first to the last moment."""
    fits = (step for step in STEPS if (floored(last, step) - floored(first, step)) // step < MOST_POINTS)
    return next(fits, STEPS[-1])


def floored(moment: datetime, step: timedelta) -> datetime:
    """Give the beginning of the part of time in which a moment lies; parts are counted from 1970."""
    since = moment - datetime.fromtimestamp(0, UTC)
    return moment - since % step


def _course(
    counted: dict[tuple[datetime, ReceiptEvent], int], *, first: datetime, last: datetime, step: timedelta
) -> Course:
    begin = floored(first, step)
    number = min(MOST_POINTS, (floored(last, step) - begin) // step + 1)
    parts: dict[datetime, Counter[ReceiptEvent]] = {begin + n * step: Counter() for n in range(number)}
    for (at, event), count in counted.items():
        if at in parts:
            parts[at][event] += count
    return Course(step, [Point(at, dict(counts)) for at, counts in parts.items()])
