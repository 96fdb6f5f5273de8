"""How many requests one caller may make: GCRA, which keeps one number per caller, in memory that is bounded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MOST_KEYS = 131_072
"""Callers remembered at most, some 30 MB."""

_HAIR = 1e-6
"""Part of a step: the sum of many is not quite their product, and the tenth of ten would be refused without it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds: as many at once after a rest, and one more each `seconds / count`."""

    count: int
    seconds: float


class Verdict(NamedTuple):
    """Whether a request may pass, and how the caller stands; both times are seconds from now.

    `reset` is when the whole of `limit` is free again, `retry_after` when the next request may pass (0: now).
    """

    allowed: bool
    limit: int
    remaining: int
    reset: float
    retry_after: float


class Limiter(Protocol):
    """Something that counts."""

    def take(self, key: Hashable, rate: Rate) -> Verdict:
        """Count a request of this caller; one that is refused is not counted."""
        ...

    def look(self, key: Hashable, rate: Rate) -> Verdict:
        """Say what `take` would, and count nothing."""
        ...

    def knows(self, key: Hashable) -> bool:
        """Tell whether a request of this caller was counted lately."""
        ...


class GcraLimiter:
    """The generic cell rate algorithm (ITU-T I.371): each caller has the moment at which it has used up nothing.

    A key that was not seen is as one that has rested, so forgetting one is lenient and never wrong. When `most / 2` are
    new the older half is forgotten at once: a flood of addresses costs no more than that, and no search for the oldest.
    """

    def __init__(self, *, most: int = MOST_KEYS, now: Callable[[], float] = time.monotonic) -> None:
        self._half = max(1, most // 2)
        self._now = now
        self._new: dict[Hashable, float] = {}
        self._old: dict[Hashable, float] = {}

    def __len__(self) -> int:
        """Count the callers remembered."""
        return len(self._new) + len(self._old)

    def take(self, key: Hashable, rate: Rate) -> Verdict:
        """Count a request of this caller; one that is refused is not counted."""
        now = self._now()
        debt = self._debt(key, now)
        step = rate.seconds / rate.count
        if debt + step <= rate.seconds + step * _HAIR:
            debt += step
            self._keep(key, now + debt)
            return _verdict(debt, step, rate, allowed=True)
        return _verdict(debt, step, rate, allowed=False)

    def look(self, key: Hashable, rate: Rate) -> Verdict:
        """Say what `take` would, and count nothing."""
        debt = self._debt(key, self._now())
        step = rate.seconds / rate.count
        return _verdict(debt, step, rate, allowed=debt + step <= rate.seconds + step * _HAIR)

    def knows(self, key: Hashable) -> bool:
        """Tell whether a request of this caller was counted lately."""
        return key in self._new or key in self._old

    def _debt(self, key: Hashable, now: float) -> float:
        at = self._new.get(key)
        if at is None:
            at = self._old.get(key, now)
        return max(0.0, at - now)

    def _keep(self, key: Hashable, at: float) -> None:
        if len(self._new) >= self._half and key not in self._new:
            self._old, self._new = self._new, {}
        self._new[key] = at


def _verdict(debt: float, step: float, rate: Rate, *, allowed: bool) -> Verdict:
    remaining = max(0, math.floor((rate.seconds - debt) / step + _HAIR))
    return Verdict(allowed, rate.count, remaining, debt, max(0.0, debt + step - rate.seconds))
