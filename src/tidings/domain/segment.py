"""Segments: conditions under a name, for audiences that are used again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidings.domain.filters import Filter


@dataclass(frozen=True, slots=True)
class Segment:
    """Conditions on devices and on whoever they belong to, under a name that is the App's only one."""

    id: int
    public_id: str
    app_id: int
    name: str
    filter: Filter
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many devices conditions hold for; not `exact`, where it is reckoned from a part of very many."""

    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Follower:
    """A person who follows a topic, by the App's own id."""

    user: str
    topic: str
    since: datetime
