"""How long requests take, by method, route and status, as a middleware that knows nothing of what they are about."""

from __future__ import annotations

import time
from enum import StrEnum
from weakref import WeakKeyDictionary

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidings.lib import tracing
from tidings.lib.metrics import SECONDS, Metrics

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""What machines ask all day long; nobody wants a trace of it."""

API = "/api/"
"""Where programs call that may have a trace of their own; what visitors' browsers say of theirs is not heeded."""

ELSEWHERE = "other"
"""In place of a route: an address that none answers, or a file."""


class Metric(StrEnum):
    """What is told."""

    REQUEST_SECONDS = "tidings_request_seconds"


class Label(StrEnum):
    """What it is told apart by."""

    METHOD = "method"
    ROUTE = "route"
    STATUS = "status"


class MeasureRequests:
    """Measures until an answer begins: one that streams may last as long as a campaign."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._seconds = _seconds_of(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the clock."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["path"] in PROBES:
            return await self._measured(scope, receive, send, None)
        with tracing.request(scope["headers"] if scope["path"].startswith(API) else ()) as span:
            await self._measured(scope, receive, send, span)

    async def _measured(self, scope: Scope, receive: Receive, send: Send, span: tracing.RequestSpan | None) -> None:
        begun = time.monotonic()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else ELSEWHERE
                route, status = route_of(scope), message["status"]
                self._seconds.labels(method, route, f"{status // 100}xx").observe(time.monotonic() - begun)
                if span is not None:
                    span.answered(method, route, status)
            await send(message)

        await self._app(scope, receive, sent)


_known: WeakKeyDictionary[Metrics, Histogram] = WeakKeyDictionary()


def _seconds_of(metrics: Metrics) -> Histogram:
    # A command that works in the server's process builds the application a second time.
    if metrics not in _known:
        _known[metrics] = metrics.histogram(
            Metric.REQUEST_SECONDS,
            "From a request to the beginning of its answer.",
            labels=[Label.METHOD, Label.ROUTE, Label.STATUS],
            buckets=SECONDS,
        )
    return _known[metrics]


def route_of(scope: Scope) -> str:
    """Name the route: its address with names for what varies, `/api/v1/users/{external_id}`. There are only so many."""
    if "endpoint" not in scope:
        return ELSEWHERE
    route: str = scope["path"]
    for name, value in reversed(scope.get("path_params", {}).items()):
        before, found, after = route.rpartition(text) if (text := str(value)) else ("", "", "")
        route = f"{before}{{{name}}}{after}" if found else route
    return route
