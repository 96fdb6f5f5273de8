"""What became of everything that was sent to a device or a person: why somebody did not get a notification."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tidings.domain.absence import Absence
from tidings.domain.app import User
from tidings.domain.campaign import Notification
from tidings.domain.delivery import SettledDelivery
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Message
from tidings.domain.person import Person
from tidings.domain.subscription import Subscription
from tidings.lib.clock import Clock
from tidings.pipeline.personal import Unrenderable, Words
from tidings.services.absences import Somebody, absence, concerns
from tidings.services.paging import Page, cursor_at, page_from, position_from
from tidings.storage import Store, Transaction

MOST_DEVICES = 50
"""Devices of a person that are looked at."""

MOST_LOOKED_AT = 1_000
"""Notifications that a page looks at for those that were not sent to somebody."""

_STRIDE = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One notification and what became of it at the device."""

    notification: Notification
    settled: SettledDelivery
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a notification at one of a person's devices."""

    device: Subscription
    settled: SettledDelivery
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """One notification and what became of it at each device of a person."""

    notification: Notification
    title: str
    arrivals: tuple[Arrival, ...]
    absence: Absence | None = None
    """Why there is none at any device."""


class Timelines:
    """Reads the deliveries of devices and of people."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_person(
        self, app_id: int, external_id: str, *, cursor: str | None, limit: int, every: bool = False
    ) -> Page[Heard]:
        """List what was sent to a person's newest MOST_DEVICES devices, newest first.

        With `every`, also what was sent to none of them, and why, but for what names others alone. Such a page looks
        at MOST_LOOKED_AT notifications, and may so be shorter. Raises INVALID_CURSOR, and NOT_FOUND for somebody whom
        the App does not know and no device names.
        """
        before = position_from(cursor)

        def read(tx: Transaction) -> Page[Heard]:
            who, user = _somebody(tx, app_id, external_id)
            found: defaultdict[int, list[Arrival]] = defaultdict(list)
            for device in who.devices:
                # Of each device as many as a page has: among them are the newest of all.
                for number, settled, at in tx.deliveries.of_subscription(device.id, limit=limit + 1, before=before):
                    found[number].append(Arrival(device, settled, at))
            others = _others(tx, app_id, who, before=before, limit=limit + 1) if every else _Others({}, None)
            # Below where the look at others ended, nothing is shown yet: it would be shown without what is between.
            numbers = [one for one in sorted({*found, *others.known}, reverse=True) if one >= (others.ends_at or 0)]
            page = page_from(numbers, limit=limit, position=lambda number: number)
            rows: list[Heard] = []
            for number in page.data:
                notification = others.known.get(number) or tx.notifications.by_id(number)
                if notification is not None:  # the page was cut before, so that the next begins where this one ends
                    rows.append(self._heard(tx, notification, who, user, tuple(found[number])))
            more = page.next_cursor or (cursor_at(others.ends_at) if others.ends_at else None)
            return Page(rows, more)

        return await self._store.read(read)

    async def of_one(self, app_id: int, external_id: str, notification_id: str) -> Heard:
        """Say what became of one notification at a person's devices, or why nothing did. Raises NOT_FOUND."""

        def read(tx: Transaction) -> Heard:
            who, user = _somebody(tx, app_id, external_id)
            notification = tx.notifications.get(app_id, notification_id)
            if notification is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no notification {notification_id[:64]!r}.")
            arrivals = [
                Arrival(device, settled, at)
                for device in who.devices
                for number, settled, at in tx.deliveries.history(device.id, after=notification.id - 1, limit=1)
                if number == notification.id
            ]
            return self._heard(tx, notification, who, user, tuple(arrivals))

        return await self._store.read(read)

    def _heard(
        self,
        tx: Transaction,
        notification: Notification,
        who: Somebody,
        user: User | None,
        arrivals: tuple[Arrival, ...],
    ) -> Heard:
        why = None if arrivals else absence(tx, notification, who, self._clock.now())
        return Heard(notification, _title(notification.message, who.external_id, user), arrivals, why)

    async def page(self, app_id: int, public_id: str, *, cursor: str | None, limit: int) -> Page[Told]:
        """List what was sent to a device, newest first. Raises NOT_FOUND and INVALID_CURSOR."""
        before = position_from(cursor)

        def read(tx: Transaction) -> Page[Told]:
            found = tx.subscriptions.get(app_id, public_id)
            if found is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
            settled_ones = tx.deliveries.of_subscription(found.id, limit=limit + 1, before=before)
            cut = page_from(settled_ones, limit=limit, position=lambda row: row[0])
            told = ((tx.notifications.by_id(number), settled, at) for number, settled, at in cut.data)
            rows = [Told(notification, settled, at) for notification, settled, at in told if notification is not None]
            return Page(rows, cut.next_cursor)

        return await self._store.read(read)


class _Others(NamedTuple):
    """Notifications by their number, and the number at which the look ended before the oldest (None: it did not)."""

    known: dict[int, Notification]
    ends_at: int | None


def _others(tx: Transaction, app_id: int, who: Somebody, *, before: int, limit: int) -> _Others:
    """Find the newest notifications of an App that could have been for somebody."""
    known: dict[int, Notification] = {}
    looked = 0
    while rows := tx.notifications.page(app_id, after=before, limit=_STRIDE):
        known |= {row.id: row for row in rows if concerns(row.audience, who)}
        before, looked = rows[-1].id, looked + len(rows)
        if len(rows) < _STRIDE:
            break
        if len(known) >= limit or looked >= MOST_LOOKED_AT:
            return _Others(known, before)
    return _Others(known, None)


def _somebody(tx: Transaction, app_id: int, external_id: str) -> tuple[Somebody, User | None]:
    devices = tx.subscriptions.page(app_id, after=0, limit=MOST_DEVICES, user_external_id=external_id)
    user = tx.users.get(app_id, external_id)
    if user is None and not devices:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no user {external_id[:64]!r}.")
    return Somebody(external_id, devices), user


def _title(message: Message, external_id: str, user: User | None) -> str:
    """Give the title as the person reads it; the words themselves where they cannot be filled."""
    if message.templated is None:
        return message.title
    person = Person(
        external_id,
        user.attributes if user else {},
        user.locale if user else None,
        user.time_zone if user else None,
    )
    try:
        words = Words(message)
        return words.render(words.language_for(None, person), person).title
    except Unrenderable:
        return message.title
