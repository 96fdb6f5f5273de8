"""What a device says of itself with its id and secret: its tags, and what happened on its page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Subscription
from tidings.domain.tracked import NewTrackedEvent, TrackedEvent
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.paging import Page, page_from, position_from
from tidings.services.registration import proves
from tidings.services.tags import check_tags, merged_tags
from tidings.storage import Store, Transaction

MAX_PROPERTIES = 4_096
"""Bytes of an event's properties as JSON."""

MOST_EVENTS = 1_000
"""Events that a device may report within EVENTS_WITHIN: a page that reports in a loop must not fill the disk."""

EVENTS_WITHIN = timedelta(days=1)


class Tracking:
    """Takes tags and events from devices; whoever does not show a device's own secret changes nothing."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def set_tags(
        self, app_id: int, public_id: str, *, secret: str, changes: Mapping[str, str | None]
    ) -> dict[str, str]:
        """Set the tags named in `changes`, take away those that are None there, and give what the device carries now.

        Raises DEVICE_UNKNOWN, TAG_INVALID and TAGS_TOO_MANY.
        """
        check_tags(changes)

        def change(tx: Transaction) -> dict[str, str]:
            found = _proven(tx, app_id, public_id, secret=secret)
            tags = merged_tags(found.tags, changes)
            if tags != found.tags:
                tx.subscriptions.set_tags(found.id, tags)
            return tags

        return await self._store.write(change)

    async def track(
        self,
        app_id: int,
        public_id: str,
        *,
        secret: str,
        name: str,
        properties: Mapping[str, Any],
        key: str | None = None,
    ) -> str:
        """Store an event of a device once, and give its id; the same `key` again is the same event.

        Raises DEVICE_UNKNOWN, EVENT_TOO_LARGE and EVENTS_TOO_MANY.
        """
        size = len(json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_PROPERTIES:
            raise CatalogueError(
                ErrorCode.EVENT_TOO_LARGE, f"The properties have {size} bytes as JSON; {MAX_PROPERTIES} is the most."
            )
        event_id, now = self._ids.new("evt"), self._clock.now()

        def store(tx: Transaction) -> str:
            found = _proven(tx, app_id, public_id, secret=secret)
            new = NewTrackedEvent(
                app_id=app_id,
                subscription_id=found.id,
                user_external_id=found.user_external_id,
                key=key or event_id,
                name=name,
                properties=properties,
            )
            if not tx.tracked.knows(new):
                oldest = tx.tracked.nth_newest(found.id, MOST_EVENTS)
                if oldest is not None and oldest > now - EVENTS_WITHIN:
                    raise CatalogueError(ErrorCode.EVENTS_TOO_MANY)
            return tx.tracked.add(new, public_id=event_id, now=now)

        return await self._store.write(store)

    async def page(self, app_id: int, public_id: str, *, cursor: str | None, limit: int) -> Page[TrackedEvent]:
        """List what a device reported, newest first. Raises NOT_FOUND and INVALID_CURSOR."""
        after = position_from(cursor)

        def read(tx: Transaction) -> list[TrackedEvent]:
            found = tx.subscriptions.get(app_id, public_id)
            if found is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
            return tx.tracked.page(found.id, after=after, limit=limit + 1)

        return page_from(await self._store.read(read), limit=limit, position=lambda row: row.id)


def _proven(tx: Transaction, app_id: int, public_id: str, *, secret: str) -> Subscription:
    """Find a device that shows its secret; an unknown id is refused as a wrong secret is, so that none is found out."""
    _, known = tx.subscriptions.hold(app_id, public_id=public_id)
    if known is None or not proves(secret, known.secret_hash):
        raise CatalogueError(ErrorCode.DEVICE_UNKNOWN)
    return known.subscription
