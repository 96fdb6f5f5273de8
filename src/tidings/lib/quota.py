"""How one key stands with one origin: told to rest, or held to a number a minute that the origin publishes."""

from __future__ import annotations

from collections import deque

FIRST_REST = 5.0
LONGEST_REST = 300.0
"""Seconds to rest when no time was named: doubled each time that the origin is still of that mind after it."""

BELIEVED = 5
"""Refusals in a row that speak for the whole key where the origin does not say how far one reaches."""

KEPT = 3600.0
"""Seconds for which a limit is kept to after the last refusal; then the origin may have changed its mind."""

CUT_EVERY = 60.0
"""Seconds between two cuts of a limit that is still too high: somebody else may send with the same key."""

CUT = 0.75
LEAST_SHARE = 1 / 16

MINUTE = 60.0

ASKED_BACK = 1.5
"""How many times as many as may go are asked to come back at a time: some come late, and no place should stay empty."""


class Limit:
    """At most so many in any minute; who is too many is told when to come back, and stands last in a line till then.

    Nobody is known in that line: whoever comes takes what is free, so it only spreads the times to come back.
    """

    __slots__ = ("_line", "_seconds", "_total", "a_minute")

    def __init__(self, a_minute: float) -> None:
        self.a_minute = a_minute
        self._seconds: deque[list[int]] = deque()  # [second, how many went in it]
        self._total = 0
        self._line = 0.0

    def take(self, *, now: float) -> float:
        """Take a place and give 0; where none is free, give the seconds after which to come back."""
        while self._seconds and self._seconds[0][0] + 1 + MINUTE <= now:
            self._total -= self._seconds.popleft()[1]
        if self._total + 1 <= max(1.0, self.a_minute):
            self._total += 1
            if self._seconds and self._seconds[-1][0] == int(now):
                self._seconds[-1][1] += 1
            else:
                self._seconds.append([int(now), 1])
            return 0.0
        self._line = max(self._line, now) + MINUTE / (self.a_minute * ASKED_BACK)
        return self._line - now


class Gate:
    """What one origin said of one key; `wait` asks whether another request may go."""

    __slots__ = ("_cut_at", "_in_a_row", "_limit", "_published", "_refused_at", "_strikes", "_until")

    def __init__(self) -> None:
        self._until = 0.0
        self._strikes = 0
        self._in_a_row = 0
        self._limit: Limit | None = None
        self._published = 0.0
        self._refused_at = self._cut_at = 0.0

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to remember."""
        return self._limit is None and not self._until and not self._in_a_row

    def passed(self) -> None:
        """Count an answer that was no refusal."""
        self._in_a_row = self._strikes = 0

    def doubted(self) -> bool:
        """Count a refusal that does not say how far it reaches; tell whether it speaks for the key by now."""
        self._in_a_row += 1
        return self._in_a_row >= BELIEVED

    def refused(self, *, now: float, after: float | None, a_minute: float | None) -> None:
        """Rest for `after` seconds, and keep to so many requests a minute from then on; either may be unknown."""
        if a_minute is not None:
            self._pace(a_minute, now)
        if after is None and a_minute is None and now >= self._until:  # what was in flight is one refusal, not fifty
            after = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._strikes, 16))
            self._strikes += 1
        self._until = max(self._until, now + (after or 0.0))

    def rest(self, *, now: float) -> float:
        """Give the seconds that the origin wants to be left alone by this key."""
        return max(0.0, self._until - now)

    def turn(self, *, now: float) -> float:
        """Take a place within the limit and give 0, or give the seconds after which to come back; 0 without a limit."""
        if self._limit is not None and now - self._refused_at > KEPT:
            self._limit = None
        return self._limit.take(now=now) if self._limit else 0.0

    def _pace(self, a_minute: float, now: float) -> None:
        self._refused_at = now
        if self._limit is None or a_minute != self._published:
            self._limit, self._published, self._cut_at = Limit(a_minute), a_minute, now
        elif now - self._cut_at >= CUT_EVERY:
            self._cut_at = now
            self._limit.a_minute = max(a_minute * LEAST_SHARE, self._limit.a_minute * CUT)
