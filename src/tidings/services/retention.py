"""Retention: what has had its time goes, a few rows at a time; what was counted of it stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from tidings.domain.audit import SYSTEM, Action, Subject
from tidings.domain.feed import MOST_ITEMS
from tidings.lib.clock import Clock
from tidings.lib.log import Logger
from tidings.lib.metrics import Metrics
from tidings.storage import Store, Transaction

AT_ONCE = 1_000
"""Rows that one transaction removes: a few milliseconds in which nobody else writes."""

CUT_EVERY = timedelta(days=1)
"""Between two cuts of one chain of the audit log."""

LISTED = 100
"""Notifications or devices looked up at a time."""

log = Logger(__name__)


class Event(StrEnum):
    """What is logged of retention."""

    RETENTION_DONE = "retention_done"


class Metric(StrEnum):
    """What is counted of retention."""

    REMOVED = "tidings_removed_rows"


class Label(StrEnum):
    """What the counts are told apart by."""

    KIND = "kind"


class Kind(StrEnum):
    """What has its time."""

    DETAILS = "deliveries"
    NOTIFICATIONS = "notifications"
    EVENTS = "events"
    SUBSCRIPTIONS = "subscriptions"
    COUNTS = "daily_counts"
    AUDIT = "audit_entries"
    FEED = "feed_items"
    IMAGES = "images"


@dataclass(frozen=True, slots=True)
class KeepFor:
    """Days for which things are kept; 0 is for ever.

    `deliveries` counts from the end of their notification, and so do receipts and `notifications`. `subscriptions` are
    those that are not active, from when they were last seen or reached; `images` those that nobody loads.
    """

    deliveries: int = 90
    notifications: int = 400
    events: int = 90
    subscriptions: int = 180
    counts: int = 400
    audit: int = 730
    feed: int = 90
    images: int = 400


class Retention:
    """Removes what has had its time."""

    def __init__(self, *, store: Store, clock: Clock, keep: KeepFor, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._removed = metrics.counter(
            Metric.REMOVED, "Rows removed because they had their time.", labels=[Label.KIND]
        )
        for kind in Kind:
            self._removed.labels(kind.value)

    async def run(self) -> Counter[str]:
        """Remove everything that has had its time; give how many rows of each kind.

        It can be broken off anywhere and begun anew, and two may do it at once: a row goes once.
        """
        removed: Counter[str] = Counter()
        for kind, days, work in (
            (Kind.DETAILS, self._keep.deliveries, self._details),
            (Kind.NOTIFICATIONS, self._keep.notifications, self._notifications),
            (Kind.EVENTS, self._keep.events, self._events),
            (Kind.SUBSCRIPTIONS, self._keep.subscriptions, self._subscriptions),
            (Kind.COUNTS, self._keep.counts, self._counts),
            (Kind.AUDIT, self._keep.audit, self._audit),
            (Kind.FEED, self._keep.feed, self._feed),
            (Kind.IMAGES, self._keep.images, self._images),
        ):
            if days:
                removed[kind] += await self._counted(kind, work, self._clock.now() - timedelta(days=days))
        removed[Kind.FEED] += await self._crowded()
        if removed.total():
            log.info(Event.RETENTION_DONE, **{str(kind): count for kind, count in removed.items() if count})
        return +removed

    async def _counted(self, kind: Kind, work: Callable[[datetime], Awaitable[int]], before: datetime) -> int:
        count = await work(before)
        self._removed.labels(kind.value).inc(count)
        return count

    async def _details(self, before: datetime) -> int:
        removed = 0
        while due := await self._store.read(lambda tx: tx.retention.details_due(before=before, limit=LISTED)):
            for one in due:
                removed += await self._until_done(partial(_clear_details, one=one, now=self._clock.now()))
        return removed

    async def _notifications(self, before: datetime) -> int:
        removed = 0
        while due := await self._store.read(lambda tx: tx.retention.notifications_due(before=before, limit=LISTED)):
            removed += await self._store.write(partial(_forget_notifications, ids=due))
        return removed

    async def _events(self, before: datetime) -> int:
        removed = await self._until_done(lambda tx: tx.tracked.purge(before=before, limit=AT_ONCE))
        return removed + await self._until_done(lambda tx: tx.events.purge(before=before, limit=AT_ONCE))

    async def _counts(self, before: datetime) -> int:
        day = before.date()
        return await self._until_done(lambda tx: tx.stats.purge(before=day, limit=AT_ONCE))

    async def _audit(self, before: datetime) -> int:
        removed, now = 0, self._clock.now()
        for chain in await self._store.read(lambda tx: tx.audit.chains()):
            anchor = await self._store.read(lambda tx, chain=chain: tx.audit.anchor(chain))  # type: ignore[misc]
            # Once a day, as that it was done is an entry too.
            if anchor is None or now - anchor.at >= CUT_EVERY:
                removed += await self._until_done(partial(_cut, chain=chain, before=before, now=now))
        return removed

    async def _feed(self, before: datetime) -> int:
        return await self._until_done(lambda tx: tx.feed.purge(before=before, limit=AT_ONCE))

    async def _images(self, before: datetime) -> int:
        return await self._until_done(lambda tx: tx.images.purge(before=before, limit=AT_ONCE))

    async def _crowded(self) -> int:
        """Leave everybody their newest items."""
        removed, after = 0, None
        while crowded := await self._store.read(partial(_next_crowded, after=after)):
            for app_id, user in crowded:
                removed += await self._until_done(partial(_trim, app_id=app_id, user=user))
            after = crowded[-1]
        self._removed.labels(Kind.FEED.value).inc(removed)
        return removed

    async def _subscriptions(self, before: datetime) -> int:
        removed = after = 0
        while due := await self._store.read(partial(_devices_due, before=before, after=after)):
            for one in due:
                removed += await self._until_done(partial(_forget_device, one=one, before=before))
            after = due[-1]
        return removed

    async def _until_done(self, work: Callable[[Transaction], int]) -> int:
        removed = 0
        while True:
            count = await self._store.write(work)
            removed += count
            if count < AT_ONCE:
                return removed


def _clear_details(tx: Transaction, *, one: int, now: datetime) -> int:
    return tx.retention.clear_details(one, limit=AT_ONCE, now=now)


def _forget_notifications(tx: Transaction, *, ids: list[int]) -> int:
    return tx.retention.forget_notifications(ids)


def _devices_due(tx: Transaction, *, before: datetime, after: int) -> list[int]:
    return tx.retention.devices_due(before=before, after=after, limit=LISTED)


def _trim(tx: Transaction, *, app_id: int, user: str) -> int:
    return tx.feed.trim(app_id, user, most=MOST_ITEMS, limit=AT_ONCE)


def _next_crowded(tx: Transaction, *, after: tuple[int, str] | None) -> list[tuple[int, str]]:
    return tx.feed.crowded(most=MOST_ITEMS, after=after, limit=LISTED)


def _forget_device(tx: Transaction, *, one: int, before: datetime) -> int:
    return tx.retention.forget_device(one, before=before, limit=AT_ONCE)


def _cut(tx: Transaction, *, chain: int | None, before: datetime, now: datetime) -> int:
    count = tx.audit.cut(chain, before=before, limit=AT_ONCE, now=now)
    anchor = tx.audit.anchor(chain)
    if count and anchor:
        detail = {"entries": count, "through": anchor.n, "hash": anchor.hash.hex()}
        tx.audit.add(SYSTEM, Action.AUDIT_CUT, app_id=chain, subject=Subject("audit"), detail=detail, now=now)
    return count
