"""Addresses that look as if they belonged elsewhere: kept and shown, and left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tidings.domain.delivery import Patience
from tidings.domain.outcome import Doubt

MISPLACED = frozenset({Doubt.ADDRESS_FOREIGN, Doubt.DEVICE_TOKEN_REFUSED})
"""What is said of an address that may be good, only not here: in another environment, of another project or app."""

PATIENCE = Patience(times=3, over=timedelta(hours=72), retires=False)
"""How much of that it takes until nothing is sent to it for a while: a push service tires of senders that go on."""

REST = timedelta(days=7)
"""How long it is left alone, from one try to the next; a device that has been here since is tried at once."""


@dataclass(frozen=True, slots=True)
class Suspected:
    """An address that was refused so, while others were taken: how often in a row, since when and when last.

    `seen_at` is when its device was here last.
    """

    subscription_id: int
    reason: Doubt
    times: int
    since: datetime
    last_at: datetime
    seen_at: datetime

    @property
    def rests_until(self) -> datetime | None:
        """When it is tried again; None where the next message goes out to it."""
        enough = self.times >= PATIENCE.times and self.last_at - self.since >= PATIENCE.over
        return self.last_at + REST if enough and self.seen_at <= self.last_at else None

    def rests(self, now: datetime) -> bool:
        """Say whether nothing is sent to it now."""
        until = self.rests_until
        return until is not None and now < until
