"""What a server of the simulator is asked, and the ways it can answer or fail to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BODY_KEPT = 16_384
"""Bytes of a request body that are kept; a longer one is answered at once and the rest thrown away."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: header names in lower case, repeated headers joined by a comma (RFC 9110 §5.3)."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An ordinary answer; `content-length` and `date` are added on the way out.

    `streams` is how many of them the connection takes at once from now on (HTTP/2), where that changes.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    streams: int | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer; answers already given on it still leave."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End this stream without an answer (HTTP/2 RST_STREAM); HTTP/1.1 can only close the connection."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """Shut the connection down with this request unprocessed (HTTP/2 GOAWAY, RFC 9113 §6.8); HTTP/1.1 closes it.

    What came before is answered first, what comes after is not looked at: the client may ask again elsewhere.
    """


@dataclass(frozen=True, slots=True)
class Stall:
    """Never answer, and keep the connection."""


@dataclass(frozen=True, slots=True)
class Later:
    """Ask `then` for the answer after some seconds, unless the client has given up by then."""

    seconds: float
    then: Callable[[], Answer]


Answer = Response | Drop | Reset | GoAway | Stall | Later
Handler = Callable[[Request], Answer]


def request_from(method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Request:
    """Make a Request of what a protocol library read off the wire."""
    path, _, query = target.partition("?")
    named: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        named[name] = f"{named[name]}, {value}" if name in named else value
    return Request(method, path, query, named, body)
