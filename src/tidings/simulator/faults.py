"""Scripted misfortune: which subscriber meets which fault, how often, and what the next answers shall be."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeVar

from tidings.simulator.answers import Answer, Drop, GoAway, Reset
from tidings.simulator.flavours import Flavour
from tidings.simulator.refusals import Reason, Refusal

T = TypeVar("T")


class FaultKind(StrEnum):
    """What can go wrong with one message. The first three last for ever, the others pass."""

    NOT_FOUND = "not_found"
    GONE = "gone"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    DROPPED = "dropped"
    RESET = "reset"
    GOAWAY = "goaway"


LASTING = frozenset({FaultKind.NOT_FOUND, FaultKind.GONE, FaultKind.TOO_LARGE})

_CUTS: dict[FaultKind, Answer] = {
    FaultKind.DROPPED: Drop(),
    FaultKind.RESET: Reset(),
    FaultKind.GOAWAY: GoAway(),
}
_REFUSALS = {
    FaultKind.NOT_FOUND: (Reason.UNKNOWN, "No such subscription"),
    FaultKind.GONE: (Reason.GONE, "The subscription has ended"),
    FaultKind.TOO_LARGE: (Reason.TOO_LARGE, "This message is intended for a constrained device and is limited in size"),
    FaultKind.THROTTLED: (Reason.THROTTLED, "Too many requests"),
    FaultKind.UNAVAILABLE: (Reason.UNAVAILABLE, "The service is unavailable"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: it meets a message `tries` times, then lets it pass, unless its kind is a lasting one.

    `retry_after` goes out with throttled and unavailable, in seconds, `real` being what the service played would say;
    `seconds` is how long slow waits.
    """

    kind: FaultKind
    tries: int = 1
    retry_after: int | Literal["real"] | None = 1
    seconds: float = 2.0

    def answer(self, flavour: Flavour) -> Answer | None:
        """Give the answer it makes; None when it only delays."""
        if self.kind is FaultKind.SLOW:
            return None
        if self.kind in _CUTS:
            return _CUTS[self.kind]
        reason, detail = _REFUSALS[self.kind]
        after = flavour.patience.get(reason) if self.retry_after == "real" else self.retry_after
        return flavour.refuse(Refusal(reason, detail, None if self.kind in LASTING else after))


def assigned(shares: Sequence[tuple[T, float]], *, count: int, seed: str) -> list[T | None]:
    """Spread faults, or flavours, over `count` subscribers: exact shares (rounded), the same places for the same seed.

    Raises ValueError when the shares are not within 0 and 1 or make up more than all.
    """
    if any(not 0 <= share <= 1 for _, share in shares) or sum(share for _, share in shares) > 1 + 1e-9:
        raise ValueError("each share is from 0 to 1, and all together at most 1")
    places: list[T | None] = []
    for fault, share in shares:
        places += [fault] * round(share * count)
    places = places[:count] + [None] * (count - len(places))
    random.Random(f"faults {seed} {count}").shuffle(places)  # noqa: S311 - repeatable on purpose, hides nothing
    return places


class Patience:
    """Counts how often one subscriber's fault has met each message."""

    __slots__ = ("_tries", "fault")

    def __init__(self, fault: Fault | None) -> None:
        self.fault = fault
        self._tries: dict[str, int] = {}

    def met_by(self, topic: str | None) -> Fault | None:
        """Give the fault this try meets, None if it passes; after that the next message meets it again."""
        fault = self.fault
        if fault is None or fault.kind in LASTING:
            return fault
        tries = self._tries.get(topic or "", 0) + 1
        if tries <= fault.tries:
            self._tries[topic or ""] = tries
            return fault
        self._tries.pop(topic or "", None)
        return None


class Script:
    """What the next answers of the service shall be, whoever asks."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()

    def add(self, fault: Fault, *, times: int) -> None:
        """Answer the next `times` requests so, after those already scripted."""
        self._next.extend([fault] * times)

    def take(self) -> Fault | None:
        """Give the fault for this request, None when the script has ended."""
        return self._next.popleft() if self._next else None

    def clear(self) -> int:
        """Forget the rest; say how many answers that was."""
        left = len(self._next)
        self._next.clear()
        return left
