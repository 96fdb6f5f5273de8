"""Notifications: sending, following and steering them, and the one that proves that push works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import islice

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.app import App, User
from tidings.domain.audience import Audience, Devices, Users
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.campaign import TEST, Counts, InDoubtPolicy, NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import SettledDelivery
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Message, Urgency
from tidings.domain.subscription import Subscription
from tidings.lib.clock import Clock
from tidings.lib.log import Logger
from tidings.pipeline.flow import Acceptance, Flow, Idempotent
from tidings.pipeline.ingest import replayed
from tidings.providers import BROWSER
from tidings.services.paging import Page, page_from, position_from
from tidings.services.tripwire import MOST_HELD, Terms, Tripwire
from tidings.storage import Store, Transaction

TEST_TITLE = "Web Push is working"
TEST_TTL = 600
"""Seconds: a test that arrives tomorrow proves nothing."""

_SEARCHED = 10_000
"""Users looked through for an email address; it serves a person at a terminal, not a program."""


log = Logger(__name__)


class Event(StrEnum):
    """What is logged of notifications."""

    NOTIFICATION_HELD = "notification_held"


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """One recipient's final state, with the device as people know it (None: it was deleted since) and its person."""

    settled: SettledDelivery
    subscription: Subscription | None
    user: User | None = None


class Outcome(StrEnum):
    """What became of a recipient; `missed` are all but those that a push service took it for."""

    SENT = "sent"
    MISSED = "missed"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"


class Notifications:
    """The flow's face to the API."""

    def __init__(self, *, store: Store, flow: Flow, bus: Bus, clock: Clock, tripwire: Tripwire) -> None:
        self._store = store
        self._flow = flow
        self._bus = bus
        self._clock = clock
        self._tripwire = tripwire

    async def send(
        self,
        new: NewNotification,
        *,
        idempotent: Idempotent | None = None,
        terms: Terms | None = None,
        by: Actor = SYSTEM,
    ) -> Acceptance:
        """Store a notification for the workers; one that trips the wire is held, and says so.

        Raises MESSAGE_TOO_LARGE, IDEMPOTENCY_KEY_REUSED, AUDIENCE_CHANGED and TOO_MANY_HELD.
        """
        gate = self._tripwire.gate(new, terms or Terms(), now=self._clock.now())
        accepted = await self._flow.accept(new, idempotency=idempotent, gate=gate, by=by)
        held = accepted.notification.held_because
        if held is not None and not accepted.replayed:
            log.warning(Event.NOTIFICATION_HELD, notification=accepted.notification.public_id, reason=held)
        return accepted

    async def replayed(self, app_id: int, idempotent: Idempotent) -> Acceptance | None:
        """Give what the same request stored before under its key, if it did."""
        return await self._store.read(lambda tx: replayed(tx, app_id, idempotent))

    async def settle_held(self, app_id: int, *, send: bool, by: Actor = SYSTEM) -> int:
        """Send or cancel everything of an App that the tripwire holds; give how many. Sending begins its count anew."""
        to = NotificationStatus.QUEUED if send else NotificationStatus.CANCELLED
        now = self._clock.now()

        def settle(tx: Transaction) -> int:
            if send:
                tx.volumes.forget(app_id)
            ids = tx.notifications.held_ids(app_id, limit=MOST_HELD)
            settled = sum(
                tx.notifications.set_status(one, to, allowed_from=[NotificationStatus.PAUSED], now=now) for one in ids
            )
            if settled:
                action = Action.HELD_SENT if send else Action.HELD_CANCELLED
                detail = {"count": settled}
                tx.audit.add(by, action, app_id=app_id, subject=Subject("notifications"), detail=detail, now=now)
            return settled

        settled = await self._store.write(settle)
        await self._bus.ring(Doorbell(Bell.CONTROL, 0))
        return settled

    async def count(self, app_id: int, audience: Audience) -> int:
        """Count the devices that an audience holds now."""
        return await self._flow.count(app_id, audience)

    async def test(
        self, app: App, *, user: str | None = None, body: str | None = None, by: Actor = SYSTEM
    ) -> Acceptance:
        """Send "Web Push is working" to a user's devices; without a name, to the first subscribed user's.

        `user` is the App's own id, or an email address among the users' attributes. Where nobody who subscribed
        is a user, the newest device gets it, imported ones last. Raises VAPID_KEY_MISSING and NO_SUBSCRIPTION, in
        this order.
        """
        audience = await self._store.read(lambda tx: _test_audience(tx, app, user))
        message = Message(
            title=TEST_TITLE,
            body=body or f"This device receives the notifications of {app.name}.",
            ttl=TEST_TTL,
            urgency=Urgency.HIGH,
        )
        new = NewNotification(app.id, message, audience, InDoubtPolicy.RESEND, source=TEST)
        return await self._flow.accept(new, by=by)

    async def get(self, app_id: int, public_id: str) -> Notification:
        """Give one notification. Raises NOT_FOUND."""
        found = await self._store.read(lambda tx: tx.notifications.get(app_id, public_id))
        if found is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no notification {public_id[:64]!r}.")
        return found

    async def answers(self, notification: Notification) -> dict[str, int]:
        """Count which actions people chose."""
        return await self._store.read(lambda tx: tx.receipts.answers(notification.id))

    async def page(self, app_id: int, *, cursor: str | None, limit: int) -> Page[Notification]:
        """List notifications, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.notifications.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def deliveries(
        self,
        app_id: int,
        public_id: str,
        *,
        cursor: str | None,
        limit: int,
        outcome: Outcome | None = None,
        reason: str | None = None,
    ) -> Page[DeliveryDetails]:
        """List the recipients of a notification that have their final state, or those with an outcome or a reason.

        Raises NOT_FOUND, INVALID_CURSOR.
        """
        notification = await self.get(app_id, public_id)
        after = position_from(cursor)

        def look(tx: Transaction) -> list[DeliveryDetails]:
            settled = _settled(tx, notification.id, outcome, reason, after=after, limit=limit + 1)
            return [_details(tx, app_id, one) for one in settled]

        rows = await self._store.read(look)
        return page_from(rows, limit=limit, position=lambda row: row.settled.subscription_id)

    async def pause(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """Stop for now. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._flow.pause(app_id, public_id, by=by)

    async def resume(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """Go on after a pause. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._flow.resume(app_id, public_id, by=by)

    async def cancel(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> Notification:
        """End for good. Raises NOT_FOUND, NOTIFICATION_FINAL."""
        return await self._flow.cancel(app_id, public_id, by=by)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a notification goes out: recipients a second, and the seconds left at that rate."""

    rate: float
    eta_seconds: float | None


def pace_between(before: Counts, now: Counts, *, seconds: float) -> Pace | None:
    """Measure the pace between two looks `seconds` apart; None while nothing moves."""
    done = now.settled - before.settled
    if seconds <= 0 or done <= 0:
        return None
    rate = done / seconds
    return Pace(rate, max(0, now.audience - now.settled) / rate)


def _settled(
    tx: Transaction, notification_id: int, outcome: Outcome | None, reason: str | None, *, after: int, limit: int
) -> list[SettledDelivery]:
    """List deliveries by subscription id; of those that missed, the lists of the reasons are merged."""
    if outcome is None and reason is None:
        return tx.deliveries.page(notification_id, after=after, limit=limit)
    if outcome is Outcome.SENT:
        return [] if reason not in (None, "sent") else tx.deliveries.sent(notification_id, after=after, limit=limit)
    reasons = tx.deliveries.reasons(notification_id) if reason is None else [reason]
    lists = [_missed(tx, notification_id, one, outcome, after=after, limit=limit) for one in reasons]
    return list(islice(merge(*lists, key=lambda one: one.subscription_id), limit))


def _missed(
    tx: Transaction, notification_id: int, reason: str, outcome: Outcome | None, *, after: int, limit: int
) -> list[SettledDelivery]:
    found: list[SettledDelivery] = []
    while rows := tx.deliveries.missed(notification_id, reason, after=after, limit=limit):
        fits = outcome in (None, Outcome.MISSED)
        found += rows if fits else [one for one in rows if one.status.name.lower() == outcome]
        after = rows[-1].subscription_id
        if len(found) >= limit or len(rows) < limit:
            break
    return found[:limit]


def _details(tx: Transaction, app_id: int, settled: SettledDelivery) -> DeliveryDetails:
    device = tx.subscriptions.by_id(settled.subscription_id)
    name = device.user_external_id if device else None
    return DeliveryDetails(settled, device, tx.users.get(app_id, name) if name else None)


def _test_audience(tx: Transaction, app: App, user: str | None) -> Audience:
    if tx.credentials.current(app.id, BROWSER) is None:
        raise CatalogueError(ErrorCode.VAPID_KEY_MISSING)
    if user is not None:
        audience = Users((_user_named(tx, app.id, user),))
        if tx.subscriptions.count(app.id, audience) == 0:
            raise CatalogueError(ErrorCode.NO_SUBSCRIPTION, f"{user!r} has no device with push enabled.")
        return audience
    first = tx.subscriptions.first_subscribed_user(app.id)
    if first is not None:
        return Users((first,))
    newest = tx.subscriptions.newest_device(app.id)
    if newest is None:
        raise CatalogueError(ErrorCode.NO_SUBSCRIPTION, "No browser and no device has push enabled yet.")
    return Devices((newest,))


def _user_named(tx: Transaction, app_id: int, name: str) -> str:
    if "@" in name and tx.users.get(app_id, name) is None:
        for external_id, email in _emails(tx, app_id):
            if email.casefold() == name.casefold():
                return external_id
    return name


def _emails(tx: Transaction, app_id: int) -> Iterator[tuple[str, str]]:
    after = seen = 0
    while seen < _SEARCHED and (users := tx.users.page(app_id, after=after, limit=500)):
        for user in users:
            yield user.external_id, str(user.attributes.get("email", ""))
        after, seen = users[-1].id, seen + len(users)
