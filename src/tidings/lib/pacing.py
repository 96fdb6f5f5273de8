"""How many requests one origin gets at a time: a little more with every answer, half as many when it says stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

FIRST = 50
"""In flight to an origin that we know nothing of."""

MOST_ORIGINS = 1024
"""Origins remembered; strangers may name origins, so memory needs an end."""

TRIP = 10
"""Requests in a row to one origin that got no answer at all, after which it gets no more for a while."""

REST = 30.0
"""Seconds an origin is left alone; then a few requests find out whether it is there again."""


class Pace:
    """The window of one origin: additive increase, multiplicative decrease (RFC 5681 §3.1 does it so for TCP)."""

    __slots__ = ("_cut_at", "_most", "_sent", "in_flight", "window")

    def __init__(self, *, first: float, most: float) -> None:
        self.window = min(first, most)
        self.in_flight = 0
        self._most = most
        self._sent = 0
        self._cut_at = 0

    @property
    def room(self) -> int:
        """Tell how many more may be sent now."""
        return int(self.window) - self.in_flight

    def start(self) -> int:
        """Count a request that goes out; give its ticket, which `finish` takes back."""
        self.in_flight += 1
        self._sent += 1
        return self._sent

    def finish(self, ticket: int, *, slow_down: bool) -> None:
        """Count an answer: the window grows by one per window of good answers and halves on `slow_down`.

        It halves once for all that was in flight when it halved: fifty answers of 503 are one message, not fifty.
        """
        self.in_flight -= 1
        if not slow_down:
            self.window = min(self._most, self.window + 1 / self.window)
        elif ticket > self._cut_at:
            self._cut_at = self._sent
            self.window = max(1.0, self.window / 2)


class Paces:
    """The windows of all origins; forgets the oldest idle one when there are too many."""

    def __init__(self, *, most: int, first: int = FIRST) -> None:
        self._first = first
        self._most = most
        self._paces: dict[str, Pace] = {}

    def of(self, origin: str) -> Pace:
        """Give the window of that origin, a new one if it is not known."""
        pace = self._paces.get(origin)
        if pace is None:
            if len(self._paces) >= MOST_ORIGINS:
                self._forget_one()
            pace = self._paces[origin] = Pace(first=self._first, most=self._most)
        return pace

    def _forget_one(self) -> None:
        idle = next((origin for origin, pace in self._paces.items() if not pace.in_flight), None)
        if idle is not None:
            del self._paces[idle]


class Breaker:
    """Leaves origins alone that do not answer: each try would hold a place for the whole of its time-out."""

    def __init__(self) -> None:
        self._silent: dict[str, tuple[int, float]] = {}

    def note(self, origin: str, *, answered: bool, now: float) -> None:
        """Count what became of a request; any answer at all, an error too, makes the origin a good one again."""
        if answered:
            self._silent.pop(origin, None)
            return
        in_a_row = self._silent.pop(origin, (0, 0.0))[0] + 1
        if len(self._silent) >= MOST_ORIGINS:
            del self._silent[next(iter(self._silent))]
        self._silent[origin] = (in_a_row, now + REST if in_a_row >= TRIP else 0.0)

    def rest(self, origin: str, *, now: float) -> float:
        """Give the seconds for which the origin is to be left alone; 0 when it may be asked."""
        return max(0.0, self._silent[origin][1] - now) if origin in self._silent else 0.0


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
