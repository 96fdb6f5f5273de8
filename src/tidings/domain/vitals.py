"""How the instance is doing, as its database tells it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WebhookVitals:
    """How telling webhooks is doing: messages that wait, counted to 10 000, and the seconds that the oldest is late.

    `untold` are rows of what happened that no message was made of yet. `failing` webhooks failed last and are on still,
    `turned_off` those that were turned off because they failed.
    """

    waiting: int = 0
    untold: int = 0
    lag: float = 0.0
    failing: int = 0
    turned_off: int = 0


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
    webhooks: WebhookVitals = WebhookVitals()
