"""How long signing in has to wait after so many failures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """So many failures are free; then one waits `first`, twice as long after each further one, `longest` at most.

    What is longer ago than `forgotten` counts no more.
    """

    free: int
    first: timedelta
    longest: timedelta
    forgotten: timedelta = timedelta(hours=1)

    def wait(self, failures: int) -> timedelta:
        """Give how long to wait after that many."""
        if failures < self.free:
            return timedelta()
        wait = self.first
        for _ in range(min(failures - self.free, 20)):
            wait += wait
        return min(wait, self.longest)


PAIR = Patience(5, timedelta(seconds=30), timedelta(minutes=15))
"""Of an account from an address: whoever mistypes from home waits for nobody else's attempts."""

ACCOUNT = Patience(20, timedelta(seconds=15), timedelta(minutes=2))
"""Of an account from anywhere it was not signed in from: it grows slowly and ends soon, so that nobody is shut out."""

ADDRESS = Patience(30, timedelta(seconds=30), timedelta(minutes=15))
"""Of an address for whichever accounts."""

CODE = Patience(5, timedelta(seconds=30), timedelta(minutes=15))
"""Of a second factor; only who knows the password comes so far."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What is kept of one name: how many failures, the last one, and until when it waits."""

    n: int
    last_at: datetime
    blocked_until: datetime
