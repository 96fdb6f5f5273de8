"""The tripwire: an App that sends far beyond its subscribers, or the same words to most of them again, is asked first.

It runs in the transaction that stores a notification. What trips it is stored all the same, and held.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from tidings.domain.audience import Audience, Everyone
from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Message
from tidings.domain.safety import HoldReason, TripLimits
from tidings.pipeline.flow import Frozen, Gate
from tidings.storage import Transaction

MOST_HELD = 1_000
"""Notifications of one App that are held at once; what comes after them is refused."""

REPEAT_LEAST = 100
"""Devices: who writes to fewer than that is trying things out."""

COUNT_KEPT = timedelta(minutes=1)
"""How long a count of active subscriptions is good enough: at a million, counting takes longer than storing."""

SMALL = 64
"""So many audiences of that size make up all that may be asked for: what is smaller waits for nobody as long as less
than half of that was asked for. More of them than connections to the database are never stored at once."""

TOLERANCE = 100
"""One in so many may have come or gone since the audience was counted: a busy site never stands still."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a notification is sent: the count that was confirmed, and whether much of it is meant."""

    expect_audience: int | None = None
    confirm_volume: bool = False


class Tripwire:
    """Makes the gate that a notification passes while it is stored."""

    def __init__(self, limits: TripLimits) -> None:
        self._limits = limits
        self._active: dict[int, tuple[datetime, int]] = {}

    def gate(self, new: NewNotification, terms: Terms, *, now: datetime) -> Gate:
        """Make the gate. It raises AUDIENCE_CHANGED and TOO_MANY_HELD."""

        def look(tx: Transaction, frozen: Frozen) -> HoldReason | None:
            _check_expected(terms.expect_audience, frozen.audience)
            reason = self._tripped(tx, new, frozen.audience, now=now)
            if reason is None or terms.confirm_volume:
                return None
            if tx.notifications.held(new.app_id) >= MOST_HELD:
                raise CatalogueError(
                    ErrorCode.TOO_MANY_HELD, f"{MOST_HELD} notifications of this App wait for somebody to look at them."
                )
            return reason

        return look

    def would_hold(
        self, tx: Transaction, app_id: int, message: Message, audience: Audience, devices: int, *, now: datetime
    ) -> HoldReason | None:
        """Say whether a notification to so many devices would be held if it were stored now. Remembers nothing."""

        def active() -> int:
            return devices if isinstance(audience, Everyone) else self._counted(tx, app_id, now=now)

        if self._is_to_most(devices, active):
            before = tx.volumes.last_broadcast(app_id, words_of(message))
            if before is not None and now - before < self._limits.repeat:
                return HoldReason.REPEAT
        asked = tx.volumes.since(app_id, now - self._limits.window) + devices
        return HoldReason.VOLUME if self._is_flood(asked, active) else None

    def _tripped(self, tx: Transaction, new: NewNotification, audience: int, *, now: datetime) -> HoldReason | None:
        def active() -> int:
            return audience if isinstance(new.audience, Everyone) else self._counted(tx, new.app_id, now=now)

        # Both are asked, whatever the first says: each of them also remembers. This one first, as it may wait.
        asked, alone = self._asked(tx, new.app_id, audience, active, now=now)
        repeated = self._is_to_most(audience, active) and self._repeated(tx, new, now=now)
        if self._limits.recipients:
            # Requests within one transaction's time differ in their microseconds, and so seldom meet at one row. Never
            # at that of who counts alone: who has added to another may add once more, and wait for that one to end.
            tx.volumes.add(new.app_id, audience, lot=None if alone else now.microsecond, now=now)
        if repeated:
            return HoldReason.REPEAT
        return HoldReason.VOLUME if self._is_flood(asked, active) else None

    def _is_to_most(self, audience: int, active: Callable[[], int]) -> bool:
        return bool(self._limits.repeat) and audience >= REPEAT_LEAST and 2 * audience > active()

    def _repeated(self, tx: Transaction, new: NewNotification, *, now: datetime) -> bool:
        words = words_of(new.message)
        return tx.volumes.broadcast(new.app_id, words, within=self._limits.repeat, now=now) is not None

    def _asked(
        self, tx: Transaction, app_id: int, audience: int, active: Callable[[], int], *, now: datetime
    ) -> tuple[int, bool]:
        """Add up what was asked for, this included, and say whether nobody else near the limit does so meanwhile."""
        if not self._limits.recipients:
            return 0, False
        since = now - self._limits.window
        asked = tx.volumes.since(app_id, since) + audience
        if not self._is_near(asked, audience, active):
            return asked, False
        tx.volumes.hold(app_id)
        return tx.volumes.since(app_id, since) + audience, True

    def _is_flood(self, asked: int, active: Callable[[], int]) -> bool:
        return 0 < self._limits.recipients < asked and asked > self._limits.times * active()

    def _is_near(self, asked: int, audience: int, active: Callable[[], int]) -> bool:
        """Say whether requests that are stored at the same moment could pass the limit together."""
        share = max(2 * asked, SMALL * audience)
        return share > self._limits.recipients and share > self._limits.times * active()

    def _counted(self, tx: Transaction, app_id: int, *, now: datetime) -> int:
        known = self._active.get(app_id)
        if known is None or not timedelta() <= now - known[0] < COUNT_KEPT:
            known = self._active[app_id] = (now, tx.subscriptions.count(app_id, Everyone()))
        return known[1]


def words_of(message: Message) -> bytes:
    """Give what two notifications with the same title and text share; of a template, also what fills its gaps."""
    filled = json.dumps(message.templated.variables, sort_keys=True, default=str) if message.templated else ""
    return sha256(f"{message.title}\0{message.body}\0{filled}".encode()).digest()[:16]


def _check_expected(expected: int | None, audience: int) -> None:
    if expected is None or abs(audience - expected) <= expected // TOLERANCE:
        return
    devices = "1 device" if audience == 1 else f"{audience} devices"
    raise CatalogueError(
        ErrorCode.AUDIENCE_CHANGED,
        f"You expected {expected}, and the audience holds {devices} now. Nothing was stored.",
        faults=(FieldFault("expect_audience", f"The audience holds {audience}."),),
    )
