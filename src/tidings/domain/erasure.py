"""Erasing somebody's data: what is asked, how far it is, and the receipt that says what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Subject(StrEnum):
    """Whose data goes."""

    USER = "user"
    SUBSCRIPTION = "subscription"
    APP = "app"


class ErasureStatus(StrEnum):
    """Running: nothing is sent any more, and what hangs on the subject is being removed. Done: nothing is left."""

    RUNNING = "running"
    DONE = "done"


class InHand(NamedTuple):
    """A chunk that was being sent when an erasure was asked for, and may hold a message to its subject."""

    shard_id: int
    lease_token: int
    chunk: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. `counts` says how many rows of each kind were removed; whose they were is not kept.

    `look_to` is the highest notification whose audience is looked through for the subject, `looked_at` how far that is.
    """

    id: int
    public_id: str
    app_id: int
    app: str
    subject: Subject
    status: ErasureStatus
    counts: dict[str, int]
    asked_at: datetime
    finished_at: datetime | None
    in_hand: tuple[InHand, ...] = ()
    looked_at: int = 0
    look_to: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """By what a subject is found in the App's messages and events; sealed while it is needed, then forgotten."""

    user: str | None = field(default=None, repr=False)
    devices: tuple[str, ...] = field(default=(), repr=False)
