"""Structured logs: lines for people on a terminal, JSON for machines, and no secrets in either."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from enum import StrEnum
from typing import Any, TextIO

import structlog

SECRET_KEYS = frozenset(
    {
        "address",
        "auth",
        "authorization",
        "endpoint",
        "key",
        "p256dh",
        "password",
        "private_key",
        "secret",
        "target",
        "token",
    }
)
"""Names whose values never reach a log, at any depth, in lower case."""

REDACTED = "[redacted]"
MAX_DEPTH = 8


def cut(text: str | bytes, limit: int = 200) -> str:
    """Make foreign text fit for one line of a log: at most `limit` characters, all that is unprintable escaped.

    Bytes are read as UTF-8; what is not UTF-8 shows as an escape. A text that was cut ends in `...`.
    """
    if isinstance(text, bytes):
        # A character has four bytes at most; nobody decodes a megabyte to show 200 characters of it.
        text = text[: 4 * limit + 4].decode(errors="backslashreplace")
    escaped = "".join(map(_escaped, text[: limit + 1]))
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."


def configure(*, json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up logging of this process, of structlog and of the standard library alike, to `stream` (stderr).

    `level` is a name of the standard library (`DEBUG` to `CRITICAL`); another one raises ValueError.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level!r} is no log level; use DEBUG, INFO, WARNING, ERROR or CRITICAL")
    out = stream if stream is not None else sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        plain_event,
        redact,
    ]
    rendering = _json() if json else _console(colours=out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # Of an uploaded photo it would write down who took it, and where.
    logging.getLogger("PIL").setLevel(max(number, logging.INFO))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class Logger:
    """A logger whose events are members of an enum, so that every event can be listed and none is misspelt."""

    def __init__(self, name: str) -> None:
        self._logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)

    def debug(self, event: StrEnum, **fields: object) -> None:
        """Log what only developers want to know."""
        self._logger.debug(event, **fields)

    def info(self, event: StrEnum, **fields: object) -> None:
        """Log what happened as it should."""
        self._logger.info(event, **fields)

    def warning(self, event: StrEnum, **fields: object) -> None:
        """Log what went wrong and mends itself."""
        self._logger.warning(event, **fields)

    def error(self, event: StrEnum, *, error: BaseException | None = None, **fields: object) -> None:
        """Log what somebody has to look at, with its traceback when there is one."""
        self._logger.error(event, exc_info=error, **fields)


class Seldom(logging.Filter):
    """Lets a chatty library complain no more often than every so many seconds, and only of errors."""

    def __init__(self, every: float, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every = every
        self._now = now
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to let it through."""
        now = self._now()
        if record.levelno < logging.ERROR or now < self._next:
            return False
        self._next = now + self._every
        return True


def redact(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of secret names at any depth (a processor of structlog)."""
    for name, value in event.items():
        event[name] = _redacted(name, value, depth=0)
    return event


def plain_event(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give an event's name as plain text in one line (a processor of structlog)."""
    name = event.get("event")
    event["event"] = str(name.value) if isinstance(name, StrEnum) else cut(str(name), 1000)
    return event


def _json() -> list[structlog.typing.Processor]:
    # Local variables of a traceback are where the secrets are; structlog shows them unless told not to.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(default=str)]


def _console(*, colours: bool) -> list[structlog.typing.Processor]:
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="at", exception_formatter=plain)]


def _redacted(name: str, value: object, *, depth: int) -> object:
    if name.lower() in SECRET_KEYS and value is not None:
        return REDACTED
    if depth >= MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), item, depth=depth + 1) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", item, depth=depth + 1) for item in value]
    return value


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
