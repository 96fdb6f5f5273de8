"""How one key stands with one origin: told to rest, or held to a rate that the origin publishes."""

from __future__ import annotations

FIRST_REST = 5.0
LONGEST_REST = 300.0
"""Seconds to rest when no time was named: doubled each time that the origin is still of that mind after it."""

BELIEVED = 5
"""Refusals in a row that speak for the whole key where the origin does not say how far one reaches."""

KEPT = 3600.0
"""Seconds for which a rate is kept to after the last refusal; then the origin may have changed its mind."""

CUT_EVERY = 60.0
"""Seconds between two cuts of a rate that is still too high: somebody else may send with the same key."""

CUT = 0.75
LEAST_SHARE = 1 / 16

BURST_SECONDS = 2.0
"""Seconds of the rate that may go at once after a pause."""

PERIOD = 10.0
"""Seconds after which the delay of what was turned away is thought over."""

FIRST_DELAY = 5.0
LONGEST_DELAY = 1800.0


class Bucket:
    """A token bucket: at most `rate` a second, and a delay for the rest that brings back about as many as may go.

    Who is turned away comes back, and may be turned away again. So the delay grows while more are turned away than go
    out, and shrinks while fewer are: no count of who is waiting where is needed.
    """

    __slots__ = ("_at", "_delay", "_period_at", "_tokens", "_turned", "rate")

    def __init__(self, *, rate: float, now: float) -> None:
        self.rate = rate
        self._tokens = 0.0
        self._at = self._period_at = now
        self._delay = FIRST_DELAY
        self._turned = 0

    def take(self, *, now: float) -> float:
        """Take a token and give 0; without one, give the seconds after which to come back."""
        self._tokens = min(max(1.0, self.rate * BURST_SECONDS), self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now
        self._think_over(now)
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        self._turned += 1
        return self._delay

    def _think_over(self, now: float) -> None:
        passed = now - self._period_at
        if passed < PERIOD:
            return
        ratio = self._turned / (self.rate * passed)
        self._delay = min(LONGEST_DELAY, max(FIRST_DELAY, self._delay * min(8.0, max(0.5, ratio))))
        self._period_at, self._turned = now, 0


class Gate:
    """What one origin said of one key; `wait` asks whether another request may go."""

    __slots__ = ("_bucket", "_cut_at", "_in_a_row", "_refused_at", "_strikes", "_until", "_whole_rate")

    def __init__(self) -> None:
        self._until = 0.0
        self._strikes = 0
        self._in_a_row = 0
        self._bucket: Bucket | None = None
        self._whole_rate = 0.0
        self._refused_at = self._cut_at = 0.0

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to remember."""
        return self._bucket is None and not self._until and not self._in_a_row

    def passed(self) -> None:
        """Count an answer that was no refusal."""
        self._in_a_row = self._strikes = 0

    def doubted(self) -> bool:
        """Count a refusal that does not say how far it reaches; tell whether it speaks for the key by now."""
        self._in_a_row += 1
        return self._in_a_row >= BELIEVED

    def refused(self, *, now: float, after: float | None, rate: float | None) -> None:
        """Rest for `after` seconds, and keep to `rate` requests a second from then on; either may be unknown."""
        if rate is not None:
            self._pace(rate, now)
        if after is None and rate is None and now >= self._until:  # what was in flight is one refusal, not fifty
            after = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._strikes, 16))
            self._strikes += 1
        self._until = max(self._until, now + (after or 0.0))

    def rest(self, *, now: float) -> float:
        """Give the seconds that the origin wants to be left alone by this key."""
        return max(0.0, self._until - now)

    def turn(self, *, now: float) -> float:
        """Take a place within the rate and give 0, or give the seconds after which to come back; 0 without a rate."""
        if self._bucket is not None and now - self._refused_at > KEPT:
            self._bucket = None
        return self._bucket.take(now=now) if self._bucket else 0.0

    def _pace(self, rate: float, now: float) -> None:
        self._refused_at = now
        if self._bucket is None or rate != self._whole_rate:
            self._bucket, self._whole_rate, self._cut_at = Bucket(rate=rate, now=now), rate, now
        elif now - self._cut_at >= CUT_EVERY:
            self._cut_at = now
            self._bucket.rate = max(rate * LEAST_SHARE, self._bucket.rate * CUT)
