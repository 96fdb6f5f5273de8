"""What became of everything that was sent to one device: why somebody did not get a notification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidings.domain.campaign import Notification
from tidings.domain.delivery import SettledDelivery
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """One notification and what became of it at the device."""

    notification: Notification
    settled: SettledDelivery
    at: datetime


class Timelines:
    """Reads the deliveries of devices."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def page(self, app_id: int, public_id: str, *, cursor: str | None, limit: int) -> Page[Told]:
        """List what was sent to a device, newest first. Raises NOT_FOUND and INVALID_CURSOR."""
        before = position_from(cursor)

        def read(tx: Transaction) -> list[Told]:
            found = tx.subscriptions.get(app_id, public_id)
            if found is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
            rows = tx.deliveries.of_subscription(found.id, limit=limit + 1, before=before)
            told = ((tx.notifications.by_id(number), settled, at) for number, settled, at in rows)
            return [Told(notification, settled, at) for notification, settled, at in told if notification is not None]

        return page_from(await self._store.read(read), limit=limit, position=lambda row: row.notification.id)
