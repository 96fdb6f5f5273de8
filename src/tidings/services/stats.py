"""Counts by day, push service, browser or reason: added up in the background, read for charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tidings.domain.delivery import DeliveryStatus
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.receipt import ReceiptEvent
from tidings.domain.stats import Dimension, Naming, Scale, Step
from tidings.lib.clock import Clock
from tidings.providers import provider
from tidings.services.course import Courses
from tidings.services.device import browser_of, device_from
from tidings.storage import Store, Transaction

OUTCOMES = (*(status.name.lower() for status in DeliveryStatus), *(event.value for event in ReceiptEvent))
"""What is counted, in the order of tables."""

MOST_DAYS = 800
"""Days that one question may span."""

USUAL_DAYS = 30

AT_ONCE = 1_000
"""Tallies that one transaction adds up."""

COUNTS_AT_ONCE = 10_000
"""Rows that count subscriptions, added up by one transaction."""

UNKNOWN = "unknown"
"""Who was skipped without a try, or was erased before it was counted, has no push service and no browser."""


def service_of(name: str, origin: str) -> str:
    """Name the push service of an origin."""
    return provider(name).service(origin) if name else UNKNOWN


NAMING = Naming(service=service_of, browser=browser_of)


@dataclass(frozen=True, slots=True)
class Line:
    """One value of the dimension and its counts by outcome; an outcome that is missing did not happen."""

    value: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Table:
    """Counts from one day to another, both counted in: line by line, and all together."""

    first: date
    last: date
    by: Dimension
    lines: Sequence[Line]
    totals: dict[str, int]


class Stats:
    """Reads what was counted, and adds up what is new."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.courses = Courses(store=store)

    async def table(
        self,
        app_id: int,
        *,
        by: Dimension,
        first: date | None = None,
        last: date | None = None,
        notification: str | None = None,
    ) -> Table:
        """Give the counts of an App, or of one notification that went to many; the last 30 days if none are named.

        Raises INVALID_REQUEST for days that make no span or too long a one, and NOT_FOUND.
        """
        first, last = self._span(first, last)

        def read(tx: Transaction) -> dict[tuple[str, str], int]:
            own = None
            if notification is not None:
                found = tx.notifications.get(app_id, notification)
                if found is None:
                    raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no notification {notification[:64]!r}.")
                own = found.id
            return tx.stats.counts(Scale(app_id, first, last, by, own), naming=NAMING)

        return _table(await self._store.read(read), first, last, by)

    async def funnel(self, app_id: int, *, by: Dimension, first: date | None = None, last: date | None = None) -> Table:
        """Give how often each Step was taken, by day or by browser; the last 30 days if none are named.

        Raises INVALID_REQUEST for days that make no span or too long a one.
        """
        first, last = self._span(first, last)
        scale = Scale(app_id, first, last, by, steps=True)
        return _table(await self._store.read(lambda tx: tx.stats.counts(scale, naming=NAMING)), first, last, by)

    async def step(self, app_id: int, step: Step, *, user_agent: str) -> None:
        """Count a step that somebody took; of the browser its name is kept, and of the person nothing."""
        device, now = device_from(user_agent) or "", self._clock.now()
        await self._store.write(lambda tx: tx.stats.add_step(app_id, step, device=device, now=now))

    def _span(self, first: date | None, last: date | None) -> tuple[date, date]:
        last = last or self._clock.now().date()
        first = first or last - timedelta(days=USUAL_DAYS - 1)
        if not 0 <= (last - first).days < MOST_DAYS:
            fault = FieldFault("from", f"Name a day before `to`, and up to {MOST_DAYS} days in all.")
            raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
        return first, last

    async def roll_up(self) -> int:
        """Add everything that has been counted to its day, a part at a time; give how many tallies there were."""
        done = 0
        while True:
            count = await self._store.write(lambda tx: tx.stats.roll_up(limit=AT_ONCE, naming=NAMING))
            done += count
            if count < AT_ONCE:
                break
        while await self._store.write(lambda tx: tx.stats.add_up_subscriptions(limit=COUNTS_AT_ONCE)):
            pass
        return done


def _table(counts: dict[tuple[str, str], int], first: date, last: date, by: Dimension) -> Table:
    found: dict[str, dict[str, int]] = {}
    if by is Dimension.DAY:
        found = {(first + timedelta(days=n)).isoformat(): {} for n in range((last - first).days + 1)}
    totals: dict[str, int] = {}
    for (value, outcome), count in counts.items():
        if by is not Dimension.REASON or value:
            found.setdefault(value, {})[outcome] = count
        totals[outcome] = totals.get(outcome, 0) + count
    lines = [Line(value, of) for value, of in found.items()]
    if by is not Dimension.DAY:
        lines.sort(key=lambda line: (-sum(line.counts.values()), line.value))
    return Table(first, last, by, lines, totals)
