"""How many messages a minute a push service takes from one sender, where it has been told to count."""

from __future__ import annotations

import math

from tidings.simulator.flavours import FlavourName

WINDOW = 60


class Limits:
    """Counts by flavour and VAPID key in whole minutes; without a limit nothing is counted.

    Chrome's service does this to origins it finds disruptive, with 1 000 a minute.
    """

    def __init__(self) -> None:
        self._most: dict[FlavourName, int] = {}
        self._minute = -1
        self._counted: dict[tuple[FlavourName, bytes | None], int] = {}

    def put(self, flavour: FlavourName, per_minute: int | None) -> None:
        """Set the limit of one flavour; None lifts it."""
        if per_minute is None:
            self._most.pop(flavour, None)
        else:
            self._most[flavour] = per_minute

    def wait(self, flavour: FlavourName, key: bytes | None, *, now: float) -> int | None:
        """Count one message; when it is too many, give the seconds until the next minute. `now` in Unix seconds."""
        most = self._most.get(flavour)
        if most is None:
            return None
        minute = int(now // WINDOW)
        if minute != self._minute:
            self._minute, self._counted = minute, {}
        counted = self._counted.get((flavour, key), 0)
        if counted >= most:
            return max(1, math.ceil((minute + 1) * WINDOW - now))
        self._counted[flavour, key] = counted + 1
        return None
