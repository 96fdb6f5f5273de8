"""Metrics for Prometheus whose names are members of an enum, so that every one can be listed and none is misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of what `Metrics.render` gives."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Upper ends of a histogram's buckets for waits on a network, in seconds."""


class Metrics:
    """The metrics of one process. Names are registered once; the same name twice is a bug and raises ValueError."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)

    def counter(self, name: StrEnum, text: str, *, labels: Sequence[StrEnum] = ()) -> Counter:
        """Make a number that only grows; Prometheus shows it as `<name>_total`."""
        return Counter(name.value, text, [label.value for label in labels], registry=self._registry)

    def gauge(self, name: StrEnum, text: str, *, labels: Sequence[StrEnum] = ()) -> Gauge:
        """Make a number that goes up and down."""
        return Gauge(name.value, text, [label.value for label in labels], registry=self._registry)

    def histogram(
        self, name: StrEnum, text: str, *, labels: Sequence[StrEnum] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        """Make a distribution, with the upper ends of its buckets in the unit that the name ends with."""
        names = [label.value for label in labels]
        return Histogram(name.value, text, names, buckets=buckets, registry=self._registry)

    def add(self, collector: Collector) -> None:
        """Take in a collector that makes its metrics when it is asked, from SQL for instance."""
        self._registry.register(collector)

    def families(self) -> Iterable[Metric]:
        """Give what every metric holds now."""
        return self._registry.collect()

    def render(self) -> tuple[bytes, str]:
        """Give all metrics in Prometheus' text format, and its media type."""
        return generate_latest(self._registry), CONTENT_TYPE
