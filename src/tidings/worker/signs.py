"""What a worker says of itself: its log events and its metrics."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from enum import StrEnum

from tidings.domain.outcome import Outcome
from tidings.lib.metrics import Metrics


class Event(StrEnum):
    """What a worker logs."""

    STORE_UNAVAILABLE = "store_unavailable"
    LOOK_FAILED = "look_failed"
    SHARD_FAILED = "shard_failed"
    SHARD_BURIED = "shard_buried"
    SENDER_DIED = "sender_died"
    SENDER_NOT_STARTED = "sender_not_started"
    INTEGRATION_PAUSED = "integration_paused"


class Metric(StrEnum):
    """What a worker counts."""

    OUTCOMES = "tidings_outcomes"
    CHUNK_SECONDS = "tidings_chunk_seconds"
    SENDER_DEATHS = "tidings_sender_deaths"


class Label(StrEnum):
    """What the counts are told apart by."""

    OUTCOME = "outcome"


class Meters:
    """The worker's metrics, in the registry that /metrics shows."""

    def __init__(self, metrics: Metrics) -> None:
        self._outcomes = metrics.counter(
            Metric.OUTCOMES, "Answers of push services by what they mean; unmapped should be 0.", labels=[Label.OUTCOME]
        )
        self.chunk_seconds = metrics.histogram(
            Metric.CHUNK_SECONDS, "From handing a chunk to a sender to its last outcome."
        )
        self.sender_deaths = metrics.counter(Metric.SENDER_DEATHS, "Sender processes that ended by themselves.")

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Count the outcomes of a chunk."""
        for kind, number in Tally(type(one).__name__.lower() for one in outcomes).items():
            self._outcomes.labels(kind).inc(number)
