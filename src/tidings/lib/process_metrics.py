"""What a process says of itself: memory, CPU, open files, and how long its event loop keeps others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from prometheus_client import ProcessCollector

from tidings.lib.metrics import Metrics

EVERY = 0.25
"""Seconds between looks at the event loop."""

LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metric(StrEnum):
    """What is told beside the usual `process_...` ones."""

    LOOP_LAG = "tidings_event_loop_lag_seconds"


class ProcessMetrics:
    """The metrics of this process, registered once."""

    def __init__(self, metrics: Metrics) -> None:
        metrics.add(ProcessCollector(registry=None))
        self._lag = metrics.histogram(Metric.LOOP_LAG, "How late the event loop is with what was due.", buckets=LAGS)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch the running event loop while the block runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + EVERY
            await asyncio.sleep(EVERY)
            self._lag.observe(max(0.0, clock() - due))
