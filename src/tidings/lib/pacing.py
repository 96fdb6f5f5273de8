"""How much one origin gets at a time, and when it gets nothing: learnt from what became of the requests before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

FIRST = 50
"""In flight to an origin that we know nothing of."""

MOST_ORIGINS = 1024
"""Origins remembered; strangers may name origins, so memory needs an end."""

TRIP = 10
"""Requests in a row to one origin that failed, after which it gets no more for a while."""

STEADY = 5.0
"""Seconds for which an origin that does answer has to fail before that: fifty errors at once are one hiccup."""

REST = 30.0
"""Seconds an origin is left alone; then a few requests find out whether it is there again."""

LONGEST_REST = 600.0
"""Seconds that it is left alone if it asks for more: it may be back before."""

PROBES = 3
"""Requests that find out."""

PROBE_WAIT = 5.0
"""Seconds for which all others stand back meanwhile."""


SLOW = 2.0
"""Seconds after which an answer keeps others from a place that they would use many times meanwhile."""


class Sign(Enum):
    """What an answer, or none, says of the whole origin."""

    GOOD = auto()
    """It works."""
    BUSY = auto()
    """It works, and wants less."""
    FAILING = auto()
    """It answers, but cannot do what it is for."""
    SILENT = auto()
    """Nobody is there."""
    NOTHING = auto()
    """A connection broke: that happens to good ones too, and to all its requests at once."""


class Pace:
    """The window of one origin: additive increase, multiplicative decrease (RFC 5681 §3.1 does it so for TCP)."""

    __slots__ = ("_cut_at", "_most", "_sent", "in_flight", "window")

    def __init__(self, *, most: float, first: float = FIRST) -> None:
        self.window = min(first, most)
        self.in_flight = 0
        self._most = most
        self._sent = 0
        self._cut_at = 0

    @property
    def idle(self) -> bool:
        """Tell whether nothing is in flight, so that it may be forgotten."""
        return not self.in_flight

    @property
    def room(self) -> int:
        """Tell how many more may be sent now."""
        return int(self.window) - self.in_flight

    def start(self) -> int:
        """Count a request that goes out; give its ticket, which `finish` takes back."""
        self.in_flight += 1
        self._sent += 1
        return self._sent

    def finish(self, ticket: int, sign: Sign) -> None:
        """Count an answer: the window grows by one per window of good ones and halves on a bad one.

        It halves once for all that was in flight when it halved: fifty answers of 503 are one message, not fifty.
        """
        self.in_flight -= 1
        if sign is Sign.GOOD:
            self.window = min(self._most, self.window + 1 / self.window)
        elif sign is not Sign.NOTHING and ticket > self._cut_at:
            self._cut_at = self._sent
            self.window = max(1.0, self.window / 2)


class Breaker:
    """Leaves an origin alone that is silent, or has only failed for a while; then a few requests try it again.

    Each request to a silent one would hold a place for the whole of its time-out.
    """

    __slots__ = ("_in_a_row", "_probes", "_since", "_until")

    def __init__(self) -> None:
        self._in_a_row = 0
        self._since = 0.0
        self._until: float | None = None
        self._probes = 0

    @property
    def idle(self) -> bool:
        """Tell whether it knows nothing bad, so that it may be forgotten."""
        return not self._in_a_row

    def rest(self, *, now: float) -> float:
        """Give the seconds for which nothing is to be sent; 0 when something may."""
        if self._until is None:
            return 0.0
        if now < self._until:
            return self._until - now
        return PROBE_WAIT if self._probes >= PROBES else 0.0

    def start(self) -> None:
        """Count a request that goes out."""
        if self._until is not None:
            self._probes += 1

    def withdraw(self) -> None:
        """Take back a request that did not go out after all."""
        self._probes = max(0, self._probes - 1)

    def note(self, sign: Sign, *, now: float, after: float = 0.0) -> None:
        """Count what became of a request; `after` are seconds that the origin itself asked to be left alone."""
        if sign is Sign.GOOD or sign is Sign.BUSY:
            self._in_a_row, self._until = 0, None
            return
        half_open = self._until is not None and now >= self._until
        if sign is Sign.NOTHING and not half_open:
            return
        if not self._in_a_row:
            self._since = now
        self._in_a_row += 1
        tripped = self._in_a_row >= TRIP and (sign is Sign.SILENT or now - self._since >= STEADY)
        if half_open or tripped:
            self._until = max(self._until or 0.0, now + max(REST, min(after, LONGEST_REST)))
            self._probes = 0


class Promptness:
    """How long an origin lets its requests wait; one that has not answered yet is not known to be quick."""

    __slots__ = ("_heard_at", "in_flight", "seconds")

    def __init__(self) -> None:
        self.in_flight = 0
        self.seconds: float | None = None
        """What an answer takes of late; None before the first."""
        self._heard_at = 0.0

    @property
    def idle(self) -> bool:
        """Tell whether nothing is in flight, so that it may be forgotten."""
        return not self.in_flight

    def start(self, *, now: float) -> None:
        """Count a request that goes out."""
        if not self.in_flight:
            self._heard_at = now
        self.in_flight += 1

    def finish(self, *, began: float, now: float) -> None:
        """Count a request that ended, with an answer or without."""
        took = now - began
        self.in_flight -= 1
        self._heard_at = now
        self.seconds = took if self.seconds is None else self.seconds + (took - self.seconds) / 8

    def slow(self, *, now: float) -> bool:
        """Tell whether what goes there may keep its place for long."""
        return self.seconds is None or self.tarries(now=now)

    def tarries(self, *, now: float) -> bool:
        """Tell whether it is known to be slow."""
        silent = self.in_flight > 0 and now - self._heard_at > SLOW
        return silent or (self.seconds is not None and self.seconds > SLOW)


class Memorable(Protocol):
    """What `Known` may keep."""

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost with it."""
        ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Memorable)
T = TypeVar("T")


class Known(Generic[K, V]):
    """One value for each key, made when it is first asked for; an idle one goes, or the oldest, when it is full."""

    def __init__(self, make: Callable[[], V], *, most: int = MOST_ORIGINS) -> None:
        self._make = make
        self._most = most
        self._values: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> Iterable[V]:
        """Give all values."""
        return self._values.values()

    def of(self, key: K) -> V:
        """Give the value of that key, a new one if it is not known."""
        value = self._values.get(key)
        if value is None:
            if len(self._values) >= self._most:
                oldest = next(iter(self._values))
                del self._values[next((one for one, old in self._values.items() if old.idle), oldest)]
            value = self._values[key] = self._make()
        return value


class Waiting(Generic[T]):
    """What was pulled and may not go out yet, in order for each origin."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, origin: str, item: T) -> None:
        """Let an item wait for room at that origin."""
        self._queues.setdefault(origin, deque()).append(item)
        self._count += 1

    def take(self, room_for: Callable[[str], int]) -> T | None:
        """Give the item that waited longest at an origin with room, or None."""
        origin = next((origin for origin in self._queues if room_for(origin) > 0), None)
        if origin is None:
            return None
        queue = self._queues[origin]
        item = queue.popleft()
        if not queue:
            del self._queues[origin]
        self._count -= 1
        return item
