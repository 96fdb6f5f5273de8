"""The ports of segments and of what people follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tidings.domain.app import User
from tidings.domain.filters import Filter
from tidings.domain.segment import Estimate, Follower, Segment


class Segments(Protocol):
    """Conditions under names, and whom conditions hold for."""

    def add(self, app_id: int, *, public_id: str, name: str, conditions: Filter, now: datetime) -> Segment | None:
        """Store a segment; None when the App has one of that name."""
        ...

    def get(self, app_id: int, public_id: str) -> Segment | None: ...
    def by_name(self, app_id: int, name: str) -> Segment | None: ...
    def total(self, app_id: int) -> int:
        """Count an App's segments."""
        ...

    def page(self, app_id: int, *, after: int, limit: int) -> list[Segment]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def update(self, segment_id: int, *, name: str | None, conditions: Filter | None, now: datetime) -> Segment | None:
        """Change what is not None; None when another one of the App has that name."""
        ...

    def delete(self, app_id: int, public_id: str) -> bool: ...
    def estimate(self, app_id: int, conditions: Filter, *, at: datetime) -> Estimate:
        """Count the devices that conditions hold for: exactly, or by twenty samples where there are very many."""
        ...

    def people(self, app_id: int, conditions: Filter, *, at: datetime, after: int = 0, limit: int = 500) -> list[User]:
        """Read the next people the App knows for whom conditions hold, by id.

        Conditions on devices hold for whoever has an active device for which they do; what is asked of people beside
        them (`user.plan == "pro" || subscription.locale == "de"`) also for who has none.
        """
        ...


class Follows(Protocol):
    """Who follows what."""

    def follow(self, app_id: int, topic: str, external_ids: Sequence[str], *, now: datetime) -> int:
        """Let people follow a topic, and make those known that are not; give how many did not follow it before."""
        ...

    def unfollow(self, app_id: int, topic: str, external_ids: Sequence[str]) -> int:
        """Let people follow a topic no longer; give how many did."""
        ...

    def followers(self, app_id: int, topic: str, *, after: str, limit: int) -> list[Follower]:
        """List a topic's followers by id; `after` is the last one seen, "" to begin."""
        ...

    def topics(self, app_id: int, external_id: str, *, after: str = "", limit: int = 1_000) -> list[Follower]:
        """List what a person follows by topic."""
        ...

    def one(self, app_id: int, topic: str, external_id: str) -> Follower:
        """Give since when a person follows a topic, which they do."""
        ...

    def full(self, app_id: int, topic: str, external_ids: Sequence[str], *, most: int) -> list[str]:
        """Name those of some people who follow `most` other topics already, or more."""
        ...

    def follows(self, app_id: int, topic: str, external_id: str) -> bool: ...
    def few(self, app_id: int, topic: str) -> bool:
        """Say whether a topic has so few followers, 10 000 at most, that they are looked for by name."""
        ...

    def count(self, app_id: int, topic: str) -> int: ...
