"""Firing: what triggers would send goes in; counted, put off, collected or stored, once for each event, comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.trigger import (
    Definition,
    FiringOutcome,
    FiringReason,
    NewFiring,
    PendingKind,
    Throttle,
    Window,
    key_of,
    one_more,
)
from tidings.pipeline.ingest import Gate, ingest
from tidings.pipeline.matched import Due, Match, Matched, Sendable
from tidings.pipeline.plan import SHARD_SIZE, shards_of
from tidings.pipeline.triggers import pending_key, throttle_key
from tidings.storage import Transaction

NewId = Callable[[str], str]

Gates = Callable[[NewNotification], Gate]
"""Makes the gate that a notification passes while it is stored."""

Came = tuple[FiringOutcome, FiringReason, tuple[str, ...]]
"""What came of a match: its outcome, the reason if nothing was sent, and what was."""


class Firing:
    """Writes what came of a batch of events, in one transaction; `done` stores what was counted and what came of it."""

    def __init__(self, tx: Transaction, *, gate: Gates, new_id: NewId, now: datetime) -> None:
        self._tx = tx
        self._gate = gate
        self._new_id = new_id
        self._now = now
        self._windows: dict[tuple[int, str], tuple[Window, Throttle]] = {}
        self._firings: list[NewFiring] = []
        self.notifications = 0

    def event(self, one: Matched) -> None:
        """Fire the triggers that hold for an event; then take back what waits for nothing any more."""
        for match in one.matches:
            self._firings.append(self._fire(one, match))
        self._store()
        for trigger, record in one.takes_back:
            assert trigger.definition.unless is not None
            self._tx.firings.take_back(trigger.id, key_of(trigger.definition.unless.key, record))

    def due(self, one: Due) -> None:
        """Send what waited, unless somebody else did."""
        if not one.ready:
            self._tx.firings.give_up(one.pending.id, one.reason)
            return
        if self._tx.firings.take(one.pending.id):
            self._tx.firings.settle(one.pending.id, *self._send(one.ready))

    def done(self) -> None:
        """Store what was counted."""
        for (trigger_id, key), (window, throttle) in self._windows.items():
            closes = None if throttle.window is None else window.opened_at + timedelta(seconds=throttle.window)
            self._tx.firings.count(trigger_id, key, window, closes_at=closes)

    def _fire(self, one: Matched, match: Match) -> NewFiring:
        trigger, definition = match.trigger, match.trigger.definition
        new = NewFiring(one.event.id, trigger.id, trigger.app_id, FiringOutcome.SUPPRESSED, match.reason)
        if match.reason is not FiringReason.NONE:
            return new
        if definition.throttle is not None and not self._counts(match, definition.throttle):
            return new._replace(reason=FiringReason.THROTTLED)
        if definition.delay or definition.digest:
            return self._put_off(new, match, definition)
        outcome, reason, notifications = self._send(match.ready)
        return new._replace(outcome=outcome, reason=reason, notifications=notifications)

    def _put_off(self, new: NewFiring, match: Match, definition: Definition) -> NewFiring:
        digest = definition.digest
        kind = PendingKind.DIGEST if digest else PendingKind.DELAY
        due_at = self._now + timedelta(seconds=digest.window if digest else definition.delay)
        pending = self._tx.firings.wait(
            new.app_id, new.trigger_id, kind, pending_key(definition, match.record), due_at=due_at, now=self._now
        )
        outcome = FiringOutcome.COLLECTED if digest else FiringOutcome.WAITING
        return new._replace(outcome=outcome, pending_id=pending)

    def _counts(self, match: Match, throttle: Throttle) -> bool:
        """Count one more for the key; False when that is one too many."""
        key = throttle_key(match.trigger.definition, match.record)
        place = match.trigger.id, key
        before = self._windows[place][0] if place in self._windows else None
        if before is None:
            before = self._tx.firings.hold(match.trigger.app_id, *place, now=self._now)
        window = one_more(before, throttle, self._now)
        self._windows[place] = window, throttle
        return window.n <= throttle.count

    def _send(self, ready: Sequence[Sendable]) -> Came:
        """Store what is to be sent, and say what came of it; the gate may hold it."""
        sent = tuple(public_id for one in ready if (public_id := self._stored(one)) is not None)
        self.notifications += len(sent)
        if not sent:
            return FiringOutcome.SUPPRESSED, FiringReason.TOO_MANY_HELD, ()
        return FiringOutcome.FIRED, FiringReason.NONE, sent

    def _stored(self, ready: Sendable) -> str | None:
        public_id, gate = self._new_id("ntf"), self._gate(ready.new)
        try:
            accepted = ingest(
                self._tx, ready.new, frozen=ready.frozen, idempotent=None, public_id=public_id, now=self._now, gate=gate
            )
        except CatalogueError as refused:
            if refused.code is not ErrorCode.TOO_MANY_HELD:
                raise
            return None
        if ready.frozen.audience <= SHARD_SIZE:
            self._tx.shards.add(shards_of(self._tx, accepted.notification), now=self._now)
        return public_id

    def _store(self) -> None:
        self._tx.firings.add(self._firings, now=self._now)
        self._firings = []


def fire(
    tx: Transaction, matched: Sequence[Matched], due: Sequence[Due], *, gate: Gates, new_id: NewId, now: datetime
) -> int:
    """Write what came of events that wait still, and of what is due; give how many notifications were made."""
    taken = tx.lanes.take([one.event.id for one in matched if one.fault is None], now=now)
    firing = Firing(tx, gate=gate, new_id=new_id, now=now)
    for one in matched:
        if one.fault is not None:
            tx.lanes.fail(one.event.id, one.fault, now=now)
    for work in in_order([one for one in matched if one.event.id in taken], due):
        if isinstance(work, Due):
            firing.due(work)
        else:
            firing.event(work)
    firing.done()
    return firing.notifications


def in_order(matched: Sequence[Matched], due: Sequence[Due]) -> list[Matched | Due]:
    """Put a batch in the order in which it is written.

    A digest that is due goes first: its words are written already, and an event that were still added to it would be
    told to nobody. What was delayed goes last: an event may take it back.
    """
    digests = [one for one in due if one.pending.kind is PendingKind.DIGEST]
    delayed = [one for one in due if one.pending.kind is not PendingKind.DIGEST]
    return [*digests, *matched, *delayed]
