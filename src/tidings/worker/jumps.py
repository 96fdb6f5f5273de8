"""Jumps of the machine's clock, noticed by one that is never set, and what they must not make due too soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from tidings.domain.delivery import HeldBack
from tidings.lib.clock import Clock

LEAST = timedelta(seconds=0.5)
"""A jump ahead; what is less is between two readings, and sooner than anybody could mind."""

MOST = 8
"""Jumps ahead that are remembered; a clock that jumps more often has nobody's trust."""


class Jumps:
    """Looks at the clock again and again, and remembers by how much it was put ahead meanwhile.

    A push service that asked for a minute means a minute, whatever our clock says then. Only what was stored by this
    machine's clock before a jump is held back, and only here: other machines have clocks of their own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None
        self._ahead: list[tuple[datetime, timedelta]] = []

    def look(self) -> tuple[datetime, timedelta]:
        """Give the time, and by how much the clock was put ahead (back: negative) since the last look."""
        now, ticks = self._clock.now(), self._clock.ticks()
        jumped = timedelta(0)
        if self._seen is not None:
            was, before = self._seen
            jumped = now - was - timedelta(seconds=ticks - before)
        self._seen = now, ticks
        if jumped >= LEAST:
            self._ahead = [*self._ahead, (now - jumped, jumped)][-MOST:]
        elif jumped <= -LEAST:
            self._took_back(-jumped)
        return now, jumped

    def _took_back(self, by: timedelta) -> None:
        while by > timedelta(0) and self._ahead:
            was, ahead = self._ahead.pop()
            if ahead > by:
                self._ahead.append((was, ahead - by))
            by -= ahead

    def held_back(self, now: datetime) -> tuple[HeldBack, ...]:
        """Give what was stored when, and by when it has to be due to be due now; the oldest first."""
        held: list[HeldBack] = []
        for was, ahead in reversed(self._ahead):
            now -= ahead
            held.insert(0, HeldBack(stored_by=was, due_by=now))
        return tuple(held)
