"""OpenTelemetry: traces and metrics to a collector, over OTLP/HTTP; the only module that imports it, an extra.

Addresses, keys, texts and what names a person are nobody's to see there: of a request its route is told, not its
address, and errors are told by their kind, as their words may quote.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum
from functools import partial
from hashlib import sha256
from itertools import pairwise
from typing import Any, Unpack

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import export as sdk
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from prometheus_client import Metric

from tidings.lib import tracing
from tidings.lib.log import Logger, Seldom
from tidings.lib.metrics import Metrics
from tidings.lib.tracing import Facts, Signal, Step

SCOPE = "tidings"
NOTIFICATION = "tidings.notification"
UNITS = {"seconds": "s", "bytes": "By"}
"""What a metric's name ends with, and what OpenTelemetry calls it (UCUM)."""

STOP_SECONDS = 3.0
"""How long the end waits for a collector to take the last of it."""

COMPLAIN_EVERY = 60.0
"""Seconds between two complaints of an exporter: a collector that is away is away for every batch."""

log = Logger(__name__)


class Event(StrEnum):
    """What is logged of it."""

    METRICS_NOT_TOLD = "metrics_not_told"


_ids: ContextVar[SpanContext | None] = ContextVar("ids", default=None)


class _Ids(RandomIdGenerator):
    """Chance, but for the root of a notification's trace."""

    def generate_trace_id(self) -> int:
        given = _ids.get()
        return given.trace_id if given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        given = _ids.get()
        return given.span_id if given else super().generate_span_id()


class _Span:
    def __init__(self, telemetry: Telemetry, span: trace.Span) -> None:
        self._telemetry = telemetry
        self.span = span

    def tell(self, **facts: Unpack[Facts]) -> None:
        self.span.set_attributes(_attributes(facts))

    def begins(self, notification: str) -> None:
        self._telemetry.root(notification, begun_in=self.span)
        self.belongs_to(notification)

    def belongs_to(self, notification: str) -> None:
        self.span.set_attribute(NOTIFICATION, notification)
        self.span.add_link(self._telemetry.context_of(notification))

    def answered(self, method: str, route: str, status: int) -> None:
        self.span.update_name(f"{method} {route}")
        self.span.set_attributes(
            {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        )
        if status >= 500:
            self.span.set_attribute("error.type", str(status))
            self.span.set_status(Status(StatusCode.ERROR))


class Telemetry:
    """The exporters of one process; a `tracing.Listener` where traces are wanted.

    A notification's trace id follows from its public id: so every worker adds to the same trace, nothing has to be
    carried along, and a sampler that goes by trace ids decides alike everywhere.
    """

    def __init__(self, signals: frozenset[Signal], *, version: str, instance: str) -> None:
        found = OTELResourceDetector().detect().attributes
        given = {"service.name": "tidings", "service.version": version, "service.instance.id": instance}
        self._resource = Resource.create({**given, **found})
        self._scope = InstrumentationScope(SCOPE, version)
        self._started_at = time.time_ns()
        self._every = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") or 60_000) / 1000
        self._provider: TracerProvider | None = None
        self._metrics = OTLPMetricExporter() if Signal.METRICS in signals else None
        if Signal.TRACES in signals:
            self._provider = TracerProvider(resource=self._resource, id_generator=_Ids(), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            self._tracer = self._provider.get_tracer(SCOPE, version)

    @asynccontextmanager
    async def running(
        self, metrics: Metrics, *, refresh: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncIterator[None]:
        """Tell everything while the block runs, and the last of it at its end if the collector does not take long.

        `refresh` brings those metrics up to date that do not change by themselves.
        """
        export = partial(self._export, metrics, refresh)
        telling = asyncio.create_task(_again_and_again(export, self._every))
        if self._provider is not None:
            tracing.listen(self)
        try:
            yield
        finally:
            tracing.listen(None)
            telling.cancel()
            last = [asyncio.create_task(export()), asyncio.create_task(self._end_tracing())]
            _, late = await asyncio.wait(last, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(telling, *last, return_exceptions=True)
            if self._metrics is not None:
                self._metrics.shutdown()

    async def _end_tracing(self) -> None:
        if self._provider is not None:
            await _in_thread(self._provider.shutdown)

    @contextmanager
    def span(self, step: Step, *, of: str | None, begun: int | None, facts: Facts) -> Iterator[_Span]:
        """Trace a block."""
        within: Context | None = None
        if of is not None:
            root = self.context_of(of)
            if trace.get_current_span().get_span_context().trace_id != root.trace_id:
                within = trace.set_span_in_context(NonRecordingSpan(root), Context())
        attributes = _attributes(facts) | ({NOTIFICATION: of} if of else {})
        with self._begun(step.value, context=within, start_time=begun, attributes=attributes) as span:
            yield _Span(self, span)

    @contextmanager
    def request(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[_Span]:
        """Trace a request, as a part of its caller's trace if it names one."""
        carrier = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        with self._begun("request", context=propagate.extract(carrier, Context()), kind=SpanKind.SERVER) as span:
            yield _Span(self, span)

    @contextmanager
    def _begun(self, name: str, **terms: Any) -> Iterator[trace.Span]:
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False, **terms
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def context_of(self, notification: str) -> SpanContext:
        """Give the root of a notification's trace."""
        assert self._provider is not None
        digest = sha256(notification.encode()).digest()
        trace_id, span_id = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
        decision = self._provider.sampler.should_sample(None, trace_id, Step.NOTIFICATION.value).decision
        flags = TraceFlags(TraceFlags.SAMPLED if decision is Decision.RECORD_AND_SAMPLE else TraceFlags.DEFAULT)
        return SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)

    def root(self, notification: str, *, begun_in: trace.Span) -> None:
        """Tell the root of a notification's trace, linked with the span that it began in."""
        reset = _ids.set(self.context_of(notification))
        try:
            self._tracer.start_span(
                Step.NOTIFICATION.value,
                context=Context(),
                links=[Link(begun_in.get_span_context())],
                attributes={NOTIFICATION: notification},
            ).end()
        finally:
            _ids.reset(reset)

    async def _export(self, metrics: Metrics, refresh: Callable[[], Awaitable[None]] | None) -> None:
        if self._metrics is None:
            return
        if refresh is not None:
            await refresh()
        told = list(_told(metrics.families(), since=self._started_at, now=time.time_ns()))
        data = sdk.MetricsData([sdk.ResourceMetrics(self._resource, [sdk.ScopeMetrics(self._scope, told, "")], "")])
        await _in_thread(partial(self._metrics.export, data))


def _attributes(facts: Facts) -> dict[str, Any]:
    return {f"tidings.{name}": value for name, value in facts.items()}


async def _again_and_again(export: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await export()
        except Exception as fault:  # noqa: BLE001 - the next export may succeed, and nobody would notice that none follows
            log.error(Event.METRICS_NOT_TOLD, error=fault)


async def _in_thread(work: Callable[[], object]) -> None:
    """Run a work in a thread that nobody waits for at the end of the process: a collector may keep it for long."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="tidings-telemetry", daemon=True).start()
    await done.wait()


def _told(families: Iterable[Metric], *, since: int, now: int) -> Iterator[sdk.Metric]:
    """Say what Prometheus' instruments hold in OpenTelemetry's words, under the same names."""
    for family in families:
        unit = UNITS.get(family.name.rpartition("_")[2], "")
        data: sdk.Sum | sdk.Gauge | sdk.Histogram
        if family.type == "histogram":
            data = sdk.Histogram(list(_distributions(family, since, now)), sdk.AggregationTemporality.CUMULATIVE)
        else:
            counts = family.type == "counter"
            points = [
                sdk.NumberDataPoint(sample.labels, since if counts else 0, now, sample.value)
                for sample in family.samples
                if not sample.name.endswith("_created") and not math.isnan(sample.value)
            ]
            cumulative = sdk.AggregationTemporality.CUMULATIVE
            data = sdk.Sum(points, cumulative, is_monotonic=True) if counts else sdk.Gauge(points)
        if data.data_points:
            yield sdk.Metric(family.name, family.documentation, unit, data)


def _distributions(family: Metric, since: int, now: int) -> Iterator[sdk.HistogramDataPoint]:
    series: dict[tuple[tuple[str, str], ...], tuple[list[tuple[float, float]], dict[str, float]]] = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        upper = labels.pop("le", None)
        buckets, others = series.setdefault(tuple(sorted(labels.items())), ([], {}))
        if upper is not None:
            buckets.append((float(upper), sample.value))
        else:
            others[sample.name.removeprefix(family.name)] = sample.value
    unknown: Any = None  # Prometheus keeps no least and no most, and the protocol can leave them out
    for labels_of_one, (buckets, others) in series.items():
        below = [0.0, *(count for _, count in buckets)]
        yield sdk.HistogramDataPoint(
            attributes=dict(labels_of_one),
            start_time_unix_nano=since,
            time_unix_nano=now,
            count=int(others["_count"]),
            sum=others["_sum"],
            bucket_counts=[int(upper - lower) for lower, upper in pairwise(below)],
            explicit_bounds=[upper for upper, _ in buckets if not math.isinf(upper)],
            min=unknown,
            max=unknown,
        )


for _exporter in (OTLPSpanExporter, OTLPMetricExporter):
    logging.getLogger(_exporter.__module__).addFilter(Seldom(COMPLAIN_EVERY))
