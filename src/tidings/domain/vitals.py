"""How the instance is doing, as its database tells it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Vitals:
    """Counts of one moment.

    Shards are counted up to 10 000 of each kind: where more wait, it is `lag` that says how bad it is, the seconds that
    the oldest due shard is late. `in_doubt` are chunks whose holder is gone: they may or may not have left.
    `paused_origins` counts, by provider and origin, keys that nothing is sent with there.
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
