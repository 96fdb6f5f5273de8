"""The line before SQLite's writer: works in the order in which they came, and the urgent ones before all others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """What waits; put by any thread, taken by one."""

    def __init__(self) -> None:
        self._moved = Condition()
        self._urgent: deque[T] = deque()
        self._others: deque[T] = deque()
        self._ended = False

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    @property
    def hurries(self) -> bool:
        """Say whether something urgent waits."""
        return bool(self._urgent)

    def put(self, one: T, *, urgent: bool = False) -> None:
        """Let one wait."""
        with self._moved:
            (self._urgent if urgent else self._others).append(one)
            self._moved.notify()

    def put_back(self, some: Iterable[T]) -> None:
        """Let those wait again, before all others that are not urgent."""
        with self._moved:
            self._others.extendleft(reversed(list(some)))

    def end(self) -> None:
        """Let `take` give nothing once nothing waits any more."""
        with self._moved:
            self._ended = True
            self._moved.notify()

    def take(self, most: int) -> list[T]:
        """Wait for one, then give what waits: all that is urgent and nothing else, or up to `most` of the others."""
        with self._moved:
            self._moved.wait_for(lambda: self._ended or self._urgent or self._others)
            line = self._urgent or self._others
            return [line.popleft() for _ in range(min(len(line), most))]
