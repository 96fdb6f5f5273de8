"""What became of everything that was sent to one device: why somebody did not get a notification."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.app import User
from tidings.domain.campaign import Notification
from tidings.domain.delivery import SettledDelivery
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Message
from tidings.domain.person import Person
from tidings.domain.subscription import Subscription
from tidings.pipeline.personal import Unrenderable, Words
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction

MOST_DEVICES = 50
"""Devices of a person that are looked at."""


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


class Timelines:
    """Reads the deliveries of devices and of people."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def of_person(self, app_id: int, external_id: str, *, cursor: str | None, limit: int) -> Page[Heard]:
        """List what was sent to a person's newest MOST_DEVICES devices, newest first.

        Raises INVALID_CURSOR, and NOT_FOUND for somebody whom the App does not know and no device names.
        """
        before = position_from(cursor)

        def read(tx: Transaction) -> Page[Heard]:
            devices = tx.subscriptions.page(app_id, after=0, limit=MOST_DEVICES, user_external_id=external_id)
            user = tx.users.get(app_id, external_id)
            if user is None and not devices:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no user {external_id[:64]!r}.")
            found: defaultdict[int, list[Arrival]] = defaultdict(list)
            for device in devices:
                # Of each device as many as a page has: among them are the newest of all.
                for number, settled, at in tx.deliveries.of_subscription(device.id, limit=limit + 1, before=before):
                    found[number].append(Arrival(device, settled, at))
            # The page is cut before what is gone by now is left out, so that the next one begins where this one ends.
            numbers = page_from(sorted(found, reverse=True), limit=limit, position=lambda number: number)
            heard = ((tx.notifications.by_id(number), tuple(found[number])) for number in numbers.data)
            rows = [
                Heard(notification, _title(notification.message, external_id, user), arrivals)
                for notification, arrivals in heard
                if notification is not None
            ]
            return Page(rows, numbers.next_cursor)

        return await self._store.read(read)

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
