from __future__ import annotations

from enum import StrEnum

import pytest

from tidings.lib.metrics import Metrics


class Name(StrEnum):
    SENT = "tidings_sent"
    OPEN = "tidings_open"
    WAIT = "tidings_wait_seconds"


class Label(StrEnum):
    PROVIDER = "provider"


def test_metrics_are_rendered_in_the_text_format_of_prometheus() -> None:
    metrics = Metrics()
    metrics.counter(Name.SENT, "Messages sent.", labels=[Label.PROVIDER]).labels("webpush").inc(3)
    metrics.gauge(Name.OPEN, "Shards open.").set(7)
    metrics.histogram(Name.WAIT, "Seconds waited.", buckets=[1.0]).observe(0.5)
    text, media_type = metrics.render()
    lines = text.decode().splitlines()
    assert media_type.startswith("text/plain;")
    assert 'tidings_sent_total{provider="webpush"} 3.0' in lines
    assert "tidings_open 7.0" in lines
    assert 'tidings_wait_seconds_bucket{le="1.0"} 1.0' in lines


def test_a_name_is_registered_once() -> None:
    metrics = Metrics()
    metrics.gauge(Name.OPEN, "Shards open.")
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.gauge(Name.OPEN, "Shards open.")


def test_two_registries_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.gauge(Name.OPEN, "Shards open.").set(1)
    assert other.render()[0] == b""
