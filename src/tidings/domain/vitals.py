"""How the instance is doing, as its database tells it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Vitals:
    """Counts of one moment.

    `lag` is how many seconds late the oldest due shard is. `in_doubt` are chunks whose holder is gone: they may or may
    not have left. `paused_origins` counts, by provider and origin, keys that nothing is sent with there.
    """

    workers: int
    lag: float
    ready: int
    leased: int
    dead: int
    in_doubt: int
    held: int
    paused: bool
    paused_origins: dict[tuple[str, str], int] = field(default_factory=dict)
