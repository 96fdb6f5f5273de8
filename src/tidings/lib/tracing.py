"""What the stages of a notification tell whoever traces them; while nobody does, telling costs one `if`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol, TypedDict, Unpack


class Step(StrEnum):
    """What a span is of. Those of one notification are one trace, whichever process they happen in."""

    NOTIFICATION = "notification"
    """A moment: the root of a notification's trace, linked with the request that it came by."""
    ACCEPT = "accept"
    PLAN = "plan"
    CLAIM = "claim"
    CHUNK = "chunk"
    SEND = "send"
    SETTLE = "settle"


class Facts(TypedDict, total=False):
    """All that a span can tell beside its notification's public id: numbers. There is no place for a person or key."""

    shards: int
    shard: int
    chunk: int
    attempt: int
    recipients: int
    accepted: int
    audience: int
    replayed: bool


class Span(Protocol):
    """A span under way."""

    def tell(self, **facts: Unpack[Facts]) -> None:
        """Add what became known meanwhile."""
        ...

    def begins(self, notification: str) -> None:
        """Say that a notification began here: its own trace starts, and the two are linked."""
        ...

    def belongs_to(self, notification: str) -> None:
        """Say which notification this was about, where that had its beginning elsewhere."""
        ...


class RequestSpan(Protocol):
    """A request under way."""

    def answered(self, method: str, route: str, status: int) -> None:
        """Say which route it took, without what varies in its address, and how it was answered."""
        ...


class Listener(Protocol):
    """Who traces; `lib/telemetry.py` is one."""

    def span(self, step: Step, *, of: str | None, begun: int | None, facts: Facts) -> AbstractContextManager[Span]: ...

    def request(self, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[RequestSpan]: ...


_nobody: AbstractContextManager[None] = nullcontext()
_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Tell everything to this listener from now on; None ends it."""
    global _listener  # noqa: PLW0603 - a process has one, as it has one log
    _listener = listener


def span(
    step: Step, *, of: str | None = None, begun: int | None = None, **facts: Unpack[Facts]
) -> AbstractContextManager[Span | None]:
    """Trace a block; gives None while nobody listens.

    `of` is the public id of the notification whose trace it belongs to. `begun` is when it really began, in
    nanoseconds of Unix time, where it is known only afterwards whose it was.
    """
    return _nobody if _listener is None else _listener.span(step, of=of, begun=begun, facts=facts)


def request(headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[RequestSpan | None]:
    """Trace a request that came with these headers; gives None while nobody listens."""
    return _nobody if _listener is None else _listener.request(headers)


class Signal(StrEnum):
    """What can be sent to a collector."""

    TRACES = "TRACES"
    METRICS = "METRICS"


def wanted(environ: Mapping[str, str]) -> frozenset[Signal]:
    """Give what OpenTelemetry's standard variables want to be sent: nothing unless they name an address."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return frozenset()
    everywhere = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return frozenset(
        signal
        for signal in Signal
        if (everywhere or environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
        and environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() != "none"
    )


def unspoken(environ: Mapping[str, str], signals: Iterable[Signal]) -> str | None:
    """Give the protocol that the variables ask for and that we do not speak, None if there is none."""
    for signal in signals:
        own, all_of_them = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
        protocol = environ.get(own) or environ.get(all_of_them) or "http/protobuf"
        if protocol.strip().lower() != "http/protobuf":
            return protocol
    return None
