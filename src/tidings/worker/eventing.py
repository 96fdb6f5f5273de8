"""Takes what happened in turn, App by App, asks its triggers, and stores what is to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.app import App
from tidings.domain.event import Event as Happened
from tidings.domain.trigger import FiringReason, Pending, Trigger
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.log import Logger, cut
from tidings.pipeline.firing import fire, in_order
from tidings.pipeline.matched import Due, Matched, match_due, match_event
from tidings.services.tripwire import Terms, Tripwire
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.worker.dispatcher import whenever
from tidings.worker.signs import Event

BATCH = 50
"""Events asked about in one transaction: few enough that nobody waits for it."""

TURN = 5
"""Batches of an App before the next App has its turn."""

LANES = 4
"""Apps served at once by one worker."""

LEASE = 15.0
"""Seconds for which a worker that died keeps an App's events waiting; renewed with each batch."""

MOST_KEPT = 1_000
"""Event types whose triggers are kept read."""

log = Logger(__name__)

Work = tuple[list[Matched], list[Due]]


class Eventing:
    """Serves the Apps that have reported something, and sends what has waited long enough."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock, ids: Ids, tripwire: Tripwire, owner: str) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._tripwire = tripwire
        self._owner = owner
        self._rung = asyncio.Event()
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._kept: dict[tuple[int, int], list[Trigger]] = {}

    async def run(self) -> None:
        """Serve until cancelled; then let what is in hand come to its end, which takes a moment."""
        listening = asyncio.create_task(self._listen())
        try:
            await whenever(self._rung, self._look)
        finally:
            listening.cancel()
            if self._serving:
                await asyncio.wait(list(self._serving.values()))
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        async for doorbell in self._bus.listen():
            if doorbell.bell is Bell.EVENT:
                self._rung.set()

    async def _look(self) -> None:
        free = LANES - len(self._serving)
        if free <= 0:
            return
        now = self._clock.now()
        waiting = await self._store.read(lambda tx: tx.lanes.waiting(now=now, limit=LANES))
        for app_id in [one for one in waiting if one not in self._serving][:free]:
            self._serving[app_id] = asyncio.create_task(self._serve(app_id))

    async def _serve(self, app_id: int) -> None:
        try:
            if await self.turn(app_id):
                self._rung.set()
        except StoreUnavailable as away:
            log.warning(Event.STORE_UNAVAILABLE, reason=cut(str(away)))
        except Exception as fault:  # noqa: BLE001 - one App's events must not stop the others'
            log.error(Event.EVENTS_FAILED, error=fault, app=app_id)
        finally:
            del self._serving[app_id]

    async def turn(self, app_id: int) -> bool:
        """Serve one App for a few batches; False when somebody else does, or nothing is left."""
        now = self._clock.now()
        token = await self._store.write(lambda tx: tx.lanes.claim(app_id, owner=self._owner, now=now, lease=LEASE))
        if token is None:
            return False
        left = True
        try:
            for _ in range(TURN):
                left = await self._batch(app_id, token)
                if not left:
                    break
        finally:
            with suppress(StoreUnavailable):  # the lease runs out by itself
                await self._store.write(partial(_release, app_id=app_id, token=token, now=self._clock.now()))
        return left

    async def _batch(self, app_id: int, token: int) -> bool:
        """Do what is next; False when nothing was, or the lane is somebody else's by now."""
        now = self._clock.now()
        work = await self._store.read(partial(self._gather, app_id=app_id, now=now))
        if not any(work):
            return False
        try:
            made = await self._store.write(partial(self._settle, app_id=app_id, token=token, work=work))
        except StoreUnavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - found out one by one, so that one of them stops no other
            log.error(Event.EVENTS_FAILED, error=fault, app=app_id)
            made = await self._one_by_one(app_id, token, work)
        if made is None:
            return False
        if made:
            await self._bus.ring(Doorbell(Bell.WORK, 0))
        return True

    def _gather(self, tx: Transaction, *, app_id: int, now: datetime) -> Work:
        app = tx.apps.by_id(app_id)
        if app is None:
            return [], []
        events = tx.lanes.queued(app_id, limit=BATCH)
        triggers = self._triggers(tx, app_id, events)
        matched = [_matched(tx, app, event, triggers, now) for event in events]
        return matched, [_due(tx, app, one, now) for one in tx.firings.due(app_id, now=now, limit=BATCH)]

    def _triggers(self, tx: Transaction, app_id: int, events: Sequence[Happened]) -> Mapping[str, Sequence[Trigger]]:
        """Give the triggers of these events' types, and of no others; read anew when one of them was changed."""
        types = tx.event_types.some(app_id, {one.type for one in events}) if events else {}
        found = {}
        for key, kind in types.items():
            place = kind.id, kind.edition
            if place not in self._kept:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[place] = tx.triggers.of_type(app_id, key)
            found[key] = self._kept[place]
        return found

    def _settle(self, tx: Transaction, *, app_id: int, token: int, work: Work) -> int | None:
        now = self._clock.now()
        if not tx.lanes.keep(app_id, token, now=now, lease=LEASE):
            return None
        gate = partial(self._tripwire.gate, terms=Terms(), now=now)
        return fire(tx, *work, gate=gate, new_id=self._ids.new, now=now)

    async def _one_by_one(self, app_id: int, token: int, work: Work) -> int | None:
        made = 0
        ordered = in_order(*work)
        parts: list[Work] = [([], [one]) if isinstance(one, Due) else ([one], []) for one in ordered]
        for part in parts:
            try:
                count = await self._store.write(partial(self._settle, app_id=app_id, token=token, work=part))
            except StoreUnavailable:
                raise
            except Exception as fault:  # noqa: BLE001 - it is given up, and says so where it is looked for
                log.error(Event.EVENTS_FAILED, error=fault, app=app_id)
                await self._store.write(partial(_give_up, part=part, fault=_named(fault), now=self._clock.now()))
                continue
            if count is None:
                return None
            made += count
        return made


def _matched(
    tx: Transaction, app: App, event: Happened, triggers: Mapping[str, Sequence[Trigger]], now: datetime
) -> Matched:
    try:
        return match_event(tx, app, event, triggers, now)
    except StoreUnavailable:
        raise
    except Exception as fault:  # noqa: BLE001 - it is given up, and says so where it is looked for
        log.error(Event.EVENTS_FAILED, error=fault, app=event.app_id, of=event.public_id)
        return Matched(event, fault=_named(fault))


def _due(tx: Transaction, app: App, pending: Pending, now: datetime) -> Due:
    try:
        return match_due(tx, app, pending, now)
    except StoreUnavailable:
        raise
    except Exception as fault:  # noqa: BLE001 - as above
        log.error(Event.EVENTS_FAILED, error=fault)
        return Due(pending, (), FiringReason.FAILED)


def _release(tx: Transaction, *, app_id: int, token: int, now: datetime) -> None:
    tx.lanes.release(app_id, token, now=now)


def _give_up(tx: Transaction, *, part: Work, fault: str, now: datetime) -> None:
    for matched in part[0]:
        tx.lanes.fail(matched.event.id, fault, now=now)
    for due in part[1]:
        tx.firings.give_up(due.pending.id, FiringReason.FAILED)


def _named(fault: Exception) -> str:
    return f"fault:{type(fault).__name__}"
