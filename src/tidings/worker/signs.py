"""What a worker says of itself: its log events and its metrics."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import get_args

from tidings.domain.outcome import Accepted, Held, Outcome, Throttled, Unavailable
from tidings.lib.metrics import Metrics
from tidings.providers import CHANNELS, REGISTRY, provider


class Event(StrEnum):
    """What a worker logs."""

    STORE_UNAVAILABLE = "store_unavailable"
    LOOK_FAILED = "look_failed"
    SHARD_FAILED = "shard_failed"
    SHARD_BURIED = "shard_buried"
    SENDER_DIED = "sender_died"
    SENDER_GARBLED = "sender_garbled"
    SENDER_STUCK = "sender_stuck"
    SENDER_NOT_STARTED = "sender_not_started"
    LEASE_LOST = "lease_lost"
    INTEGRATION_PAUSED = "integration_paused"
    CLOCK_WENT_BACK = "clock_went_back"
    CLOCK_WENT_AHEAD = "clock_went_ahead"
    DUTY_FAILED = "duty_failed"
    EVENTS_FAILED = "events_failed"
    FEED_FAILED = "feed_failed"
    WEBHOOK_FAILED = "webhook_failed"


class Metric(StrEnum):
    """What a worker counts."""

    OUTCOMES = "tidings_outcomes"
    UNSENT = "tidings_unsent"
    WAIT_SECONDS = "tidings_wait_seconds"
    CHUNK_SECONDS = "tidings_chunk_seconds"
    SETTLE_SECONDS = "tidings_settle_seconds"
    SENDER_DEATHS = "tidings_sender_deaths"
    WEBHOOK_CALLS = "tidings_webhook_calls"


class Label(StrEnum):
    """What the counts are told apart by; each has a few values only, whatever the world registers."""

    OUTCOME = "outcome"
    REASON = "reason"
    SERVICE = "service"
    PRIORITY = "priority"


WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0)
"""Upper ends in seconds: from a message to one person to the end of a campaign."""

_ACCEPTED = Accepted.__name__.lower()
_HELD = frozenset(Held)
_PUT_OFF = (Throttled, Unavailable)


class Meters:
    """The worker's metrics, in the registry that /metrics shows."""

    def __init__(self, metrics: Metrics) -> None:
        self._outcomes = metrics.counter(
            Metric.OUTCOMES,
            "Answers of push services by what they mean; unmapped should be 0.",
            labels=[Label.OUTCOME, Label.SERVICE],
        )
        self._unsent = metrics.counter(
            Metric.UNSENT,
            "Messages put off without having been sent: their push service is silent, asked us to wait or is paced.",
            labels=[Label.REASON, Label.SERVICE],
        )
        # Each from the start: of a series that begins with its first event, nobody sees that one.
        for service in {one for name in CHANNELS if name in REGISTRY for one in provider(name).services}:
            for kind in get_args(Outcome):
                self._outcomes.labels(kind.__name__.lower(), service)
            for reason in Held:
                self._unsent.labels(reason.value, service)
        self.wait_seconds = metrics.histogram(
            Metric.WAIT_SECONDS,
            "From when a notification was due until a chunk of it was handed to a sender for the first time.",
            labels=[Label.PRIORITY],
            buckets=WAITS,
        )
        self.chunk_seconds = metrics.histogram(
            Metric.CHUNK_SECONDS, "From handing a chunk to a sender to its last outcome."
        )
        self.settle_seconds = metrics.histogram(
            Metric.SETTLE_SECONDS, "Storing the outcomes of a chunk and loading the next one, retries included."
        )
        self.sender_deaths = metrics.counter(Metric.SENDER_DEATHS, "Sender processes that ended by themselves.")

    def count_accepted(self, places: Iterable[tuple[str, str]]) -> None:
        """Count messages that were accepted: (provider, origin) of each recipient."""
        for (name, origin), number in Tally(places).items():
            self._outcomes.labels(_ACCEPTED, _service(name, origin)).inc(number)

    def count(self, outcomes: Iterable[tuple[str, str, Outcome]]) -> None:
        """Count the outcomes of a chunk: (provider, origin, outcome) of each recipient."""
        answers: Tally[tuple[str, str, str]] = Tally()
        unsent: Tally[tuple[str, str, str]] = Tally()
        alike = Tally(
            (name, origin, type(outcome), getattr(outcome, "reason", "")) for name, origin, outcome in outcomes
        )
        for (name, origin, kind, reason), number in alike.items():
            if kind in _PUT_OFF and reason in _HELD:
                unsent[reason, name, origin] += number
            else:
                answers[kind.__name__.lower(), name, origin] += number
        for counter, tally in ((self._outcomes, answers), (self._unsent, unsent)):
            for (what, name, origin), number in tally.items():
                counter.labels(str(what), _service(name, origin)).inc(number)


@lru_cache(maxsize=1024)
def _service(name: str, origin: str) -> str:
    return provider(name).service(origin)
