"""The table of contents: the stages in their order, and what starts each of them.

request or event
  1  ingest    ingest.py    stored once per idempotency key          Flow.accept        (web, cli)
  2  plan      plan.py      ranges of subscription ids               Flow.plan          (accept, dispatcher)
  3  claim     worker/      one shard, under a lease                 runner
  4  render    render.py    once for each language                   runner
  5  deliver   deliver.py   encrypt, send, read the answer           sender processes
  6  settle    settle.py    what is final, gone, tried again         runner
  7  receipts  receipts.py  shown, clicked, closed, answered         Flow.receive       (web/public)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.audience import Audience, Relayed, Through
from tidings.domain.audit import SYSTEM, Action, Actor
from tidings.domain.campaign import FINAL_STATUSES, NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import NewShard
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.receipt import ReceiptEvent
from tidings.lib import tracing
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.opaque import OpaquePairs
from tidings.lib.tracing import Step
from tidings.pipeline.audited import note_changed, note_created
from tidings.pipeline.ingest import Acceptance, Frozen, Gate, Idempotent, for_its_devices, freeze, ingest
from tidings.pipeline.plan import SHARD_SIZE, shards_of
from tidings.pipeline.receipts import receipt_from, record
from tidings.pipeline.sizes import too_large_for, versions
from tidings.providers import Provider
from tidings.storage import UNREADABLE, Store, StoreUnavailable, Transaction

__all__ = ["Acceptance", "Flow", "Frozen", "Gate", "Idempotent"]

S = NotificationStatus
DUE_AT_ONCE = 100
"""Due notifications planned in one go."""


class Flow:
    """Starts, steers and hears of notifications."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        deliveries: OpaquePairs,
        provider: Callable[[str], Provider],
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._deliveries = deliveries
        self._provider = provider

    async def accept(
        self,
        new: NewNotification,
        *,
        idempotency: Idempotent | None = None,
        gate: Gate | None = None,
        by: Actor = SYSTEM,
    ) -> Acceptance:
        """Store a notification and wake the workers; never waits for a push service. The gate may hold it.

        Raises INVALID_REQUEST for content that is never sent, MESSAGE_TOO_LARGE and IDEMPOTENCY_KEY_REUSED. Once it
        returns, the notification survives a crash.
        """
        with tracing.span(Step.ACCEPT) as span:
            accepted = await self._accept(new, idempotency, gate, by)
            if span is not None:
                _tell(span, accepted)
        return accepted

    async def _accept(
        self, new: NewNotification, idempotency: Idempotent | None, gate: Gate | None, by: Actor
    ) -> Acceptance:
        now = self._clock.now()
        new = for_its_devices(new)
        written = list(versions(new.message))

        def look(tx: Transaction) -> tuple[Frozen, list[str], bool]:
            _check_type(tx, new)
            return freeze(tx, new), *_ways(tx, new)

        frozen, providers, relayed = await self._store.read(look)
        over = too_large_for(written, [self._provider(one) for one in providers], relayed=relayed)
        public_id = self._ids.new("ntf")

        def store(tx: Transaction) -> Acceptance:
            accepted = ingest(tx, new, frozen=frozen, idempotent=idempotency, public_id=public_id, now=now, gate=gate)
            if not accepted.replayed:
                note_created(tx, accepted.notification, by, now=now)
            if not accepted.replayed and frozen.audience <= SHARD_SIZE:
                tx.shards.add(shards_of(tx, accepted.notification), now=now)
            return accepted

        accepted = await self._store.write(store)
        if not accepted.replayed:
            await self._bus.ring(Doorbell(Bell.WORK, accepted.notification.id))
        return replace(accepted, too_large_for=over)

    async def count(self, app_id: int, audience: Audience) -> int:
        """Count whom an audience holds now."""
        return await self._store.read(lambda tx: tx.subscriptions.count(app_id, audience))

    async def plan(self) -> int:
        """Cut notifications into shards whose time has come; give how many were planned."""
        now = self._clock.now()
        due = await self._store.read(lambda tx: tx.notifications.due(now=now, limit=DUE_AT_ONCE))
        await _each(due, lambda one: self._plan(one, now))
        return len(due)

    async def _plan(self, notification_id: int, now: datetime) -> None:
        try:
            await self._cut(notification_id, now)
        except UNREADABLE:
            # Written by a newer version, say. As a shard it is looked at now and then, and given up in the end.
            await self._store.write(partial(_leave_whole, notification_id=notification_id, now=now))
            await self._bus.ring(Doorbell(Bell.WORK, notification_id))

    async def _cut(self, notification_id: int, now: datetime) -> None:
        notification = await self._store.read(lambda tx: tx.notifications.by_id(notification_id))
        if notification is None:
            return
        with tracing.span(Step.PLAN, of=notification.public_id) as span:
            shards = await self._store.read(lambda tx: shards_of(tx, notification))
            await self._store.write(partial(_plan, notification_id=notification_id, shards=shards, now=now))
            if span is not None:
                span.tell(shards=len(shards), audience=notification.counts.audience)
        await self._bus.ring(Doorbell(Bell.WORK, notification_id))

    async def tidy(self) -> int:
        """Bring cancelled notifications to their end whose worker died; give how many there were."""
        now = self._clock.now()
        left = await self._store.read(lambda tx: tx.notifications.left_behind(now=now, limit=DUE_AT_ONCE))
        await _each(left, lambda one: self._store.write(partial(_finish, notification_id=one, now=now)))
        return len(left)

    async def pause(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """Stop after the chunks that are being sent; nothing is lost. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._change(app_id, public_id, S.PAUSED, (S.QUEUED, S.SENDING), by, Action.NOTIFICATION_PAUSED)

    async def resume(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """Go on after a pause. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._change(app_id, public_id, S.QUEUED, (S.PAUSED,), by, Action.NOTIFICATION_RESUMED)

    async def cancel(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """End after the chunks that are being sent; the rest is skipped. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._change(
            app_id, public_id, S.CANCELLED, (S.QUEUED, S.SENDING, S.PAUSED), by, Action.NOTIFICATION_CANCELLED
        )

    async def _change(
        self,
        app_id: int,
        public_id: str,
        to: NotificationStatus,
        allowed_from: tuple[NotificationStatus, ...],
        by: Actor,
        action: Action,
    ) -> Notification:
        now: datetime = self._clock.now()

        def change(tx: Transaction) -> Notification:
            found = tx.notifications.get(app_id, public_id)
            if found is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no notification {public_id}.")
            if to is NotificationStatus.QUEUED and found.status is NotificationStatus.SENDING:
                return found  # it goes on already
            if found.status is not to and not tx.notifications.set_status(
                found.id, to, allowed_from=allowed_from, now=now
            ):
                _refuse_change(found, to)
            if found.status is not to:
                note_changed(tx, found, by, action, now=now)
            changed = tx.notifications.by_id(found.id)
            return changed or found

        changed = await self._store.write(change, urgent=True)
        await self._bus.ring(Doorbell(Bell.CONTROL, changed.id))
        return changed

    async def receive(
        self, app_id: int | None, *, delivery: str, token: str, event: ReceiptEvent, action: str = ""
    ) -> bool:
        """Count what a device reports; False when it had reported it before. Raises RECEIPT_INVALID."""
        receipt = receipt_from(
            self._deliveries, delivery=delivery, token=token, event=event, action=action, at=self._clock.now()
        )
        return await self._store.write(lambda tx: record(tx, receipt, app_id=app_id))


async def _each(ids: Iterable[int], work: Callable[[int], Awaitable[object]]) -> None:
    """Do it for each of the notifications, and say the first fault at the end: one must not stop the others."""
    faults = []
    for one in ids:
        try:
            await work(one)
        except StoreUnavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - one that cannot be read, say
            faults.append(fault)
    if faults:
        raise faults[0]


def _ways(tx: Transaction, new: NewNotification) -> tuple[list[str], bool]:
    """Give the providers that the message may go through, and whether it goes to a relay."""
    named = new.audience.channels if isinstance(new.audience, Through) else None
    of = new.audience.of if isinstance(new.audience, Through) else new.audience
    relay = tx.relays.get(new.app_id, of.public_id) if isinstance(of, Relayed) else None
    if relay is not None:
        return [relay.provider], True
    there = [one.provider for one in tx.credentials.integrations(new.app_id)]
    return [one for one in there if named is None or one in named], False


def _check_type(tx: Transaction, new: NewNotification) -> None:
    if new.event_type is not None and tx.kinds.get(new.app_id, new.event_type) is None:
        raise CatalogueError(ErrorCode.EVENT_TYPE_UNKNOWN, f"There is no event type {new.event_type[:100]!r}.")


def _tell(span: tracing.Span, accepted: Acceptance) -> None:
    notification = accepted.notification
    span.tell(replayed=accepted.replayed, audience=notification.counts.audience)
    if accepted.replayed:
        span.belongs_to(notification.public_id)
    else:
        span.begins(notification.public_id)


def _plan(tx: Transaction, *, notification_id: int, shards: Sequence[NewShard], now: datetime) -> list[int]:
    return tx.shards.add_plan(notification_id, shards, now=now)


def _leave_whole(tx: Transaction, *, notification_id: int, now: datetime) -> None:
    whole = tx.notifications.whole(notification_id)
    if whole is not None:
        tx.shards.add_plan(notification_id, [whole], now=now)


def _finish(tx: Transaction, *, notification_id: int, now: datetime) -> bool:
    return tx.notifications.finish_if_settled(notification_id, now=now)


def _refuse_change(found: Notification, to: NotificationStatus) -> NoReturn:
    if found.status in FINAL_STATUSES:
        raise CatalogueError(ErrorCode.NOTIFICATION_FINAL, f"{found.public_id} is {found.status} already.")
    raise CatalogueError(
        ErrorCode.NOTIFICATION_FINAL, f"{found.public_id} is {found.status}; it cannot become {to} from there."
    )
