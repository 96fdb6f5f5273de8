"""Time, passed in: nothing else in Tidings asks the system what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        ...

    def ticks(self) -> float:
        """Give seconds that nobody sets; they count from anywhere."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def ticks(self) -> float:
        """Give seconds that nobody sets: since the machine was started, the time that it slept among them."""
        boottime = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere sleep is not counted
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class FixedClock:
    """A clock that stands still until it is moved, for tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Give the moment it was set to."""
        return self.at

    def ticks(self) -> float:
        """Give seconds that go as it is moved: moving it is time that passes."""
        return self.at.timestamp()
