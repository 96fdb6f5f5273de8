"""Shards that were given up, as operators see them: what became of whom is unknown, and somebody has to decide."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import DeadShard
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.lib.log import Logger, cut
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction


class Event(StrEnum):
    """What is logged of it, for whoever asks later who did it."""

    DEAD_SHARD_REQUEUED = "dead_shard_requeued"
    DEAD_SHARD_DROPPED = "dead_shard_dropped"


log = Logger(__name__)


class DeadShards:
    """Lists them, has them tried again, or leaves them."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def page(self, *, app_ids: Collection[int] | None, cursor: str | None, limit: int) -> Page[DeadShard]:
        """List dead shards of some Apps, or of all, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.shards.dead(app_ids=app_ids, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def requeue(self, shard_id: int, *, app_ids: Collection[int] | None, by: Actor) -> DeadShard:
        """Have it tried again. Raises NOT_FOUND, NOTIFICATION_FINAL and NOTIFICATION_EXPIRED.

        Whoever may have got the message gets it under the same delivery id, which devices take for the same one; with
        the policy `skip`, they are left out.
        """
        now = self._clock.now()

        def work(tx: Transaction) -> DeadShard:
            found = _found(tx, shard_id, app_ids)
            if found.status is NotificationStatus.CANCELLED:
                raise _cancelled(found)
            if found.expires_at <= now:
                raise CatalogueError(
                    ErrorCode.NOTIFICATION_EXPIRED,
                    f"{found.notification} ran out at {found.expires_at:%Y-%m-%d %H:%M} UTC.",
                )
            if not tx.shards.requeue(shard_id, now=now):
                raise _cancelled(_found(tx, shard_id, app_ids))  # just now, or it is no longer there
            tx.audit.add(by, Action.DEAD_SHARD_REQUEUED, app_id=found.app_id, subject=_subject(found), now=now)
            return found

        found = await self._store.write(work)
        log.warning(Event.DEAD_SHARD_REQUEUED, shard=shard_id, notification=found.notification, by=cut(by.name))
        await self._bus.ring(Doorbell(Bell.WORK, found.id))
        return found

    async def drop(self, shard_id: int, *, app_ids: Collection[int] | None, by: Actor) -> DeadShard:
        """Leave its recipients counted as skipped, in doubt, for good. Raises NOT_FOUND."""
        now = self._clock.now()

        def work(tx: Transaction) -> DeadShard:
            found = _found(tx, shard_id, app_ids)
            if not tx.shards.drop(shard_id):
                raise _nowhere(shard_id)  # tried again, or left, at the same moment
            tx.audit.add(by, Action.DEAD_SHARD_DROPPED, app_id=found.app_id, subject=_subject(found), now=now)
            return found

        found = await self._store.write(work)
        log.warning(Event.DEAD_SHARD_DROPPED, shard=shard_id, notification=found.notification, by=cut(by.name))
        return found


def _cancelled(shard: DeadShard) -> CatalogueError:
    return CatalogueError(ErrorCode.NOTIFICATION_FINAL, f"{shard.notification} was cancelled.")


def _found(tx: Transaction, shard_id: int, app_ids: Collection[int] | None) -> DeadShard:
    found = tx.shards.dead_shard(shard_id)
    if found is None or (app_ids is not None and found.app_id not in app_ids):
        raise _nowhere(shard_id)
    return found


def _nowhere(shard_id: int) -> CatalogueError:
    return CatalogueError(ErrorCode.NOT_FOUND, f"No shard {shard_id} waits for a decision.")


def _subject(found: DeadShard) -> Subject:
    return Subject("dead_shard", str(found.id), found.notification)
