"""One exchange under way: where it goes, and what came back so far, cut to what is kept."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from tidings.lib.exchange import ClientIdentity, Request

BODY_KEPT = 8 * 1024
"""Bytes kept of an answer's body."""

BODY_READ = 1024 * 1024
"""Bytes read of an answer's body before its transfer is stopped; the answer stands, cut as ever."""

HEADERS_KEPT = 64
HEADER_BYTES_KEPT = 16 * 1024

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?", re.A | re.I)
_PATH = re.compile(r'/[!"$-\[\]-~]*', re.A)
_PATH_START = re.compile(r"[/?#\\]")
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOOPBACK = re.compile(r"(?:.*\.)?localhost|127\.[0-9.]+|\[::1\]", re.A)
_STATUS = b"HTTP/"
_BLANK = 2
"""Bytes of the empty line behind headers; trailers come after it."""


class Origin(NamedTuple):
    """Scheme, host and port of a URL. `host` is in lower case, `text` without the scheme's own port."""

    host: str
    text: str
    loopback: bool
    """Whether the host is this machine by its very name."""
    secure: bool
    """Whether the scheme is https."""


class Target(NamedTuple):
    """Where a request goes: the origin, and the path with its query."""

    origin: Origin
    path: str


def target_of(request: Request) -> Target | None:
    """Read host and origin; None if URL or header lines would not go over the wire as what they look like."""
    lines = "".join(request.headers)
    return target_at(request.url) if lines.isascii() and lines.isprintable() else None


def target_at(url: str) -> Target | None:
    """Read host and origin; None if the URL would not go over the wire as what it looks like."""
    at = url.find("/", 8)
    start, path = (url, "/") if at < 0 else (url[:at], url[at:])
    found = _origin_at(start)
    if found is None:  # mostly no origin at all; or a query without a path
        begin = _PATH_START.search(url, 8)
        if begin is None or begin[0] != "?":
            return None
        start, path = url[: begin.start()], f"/{url[begin.start() :]}"
        found = _origin_at(start)
    return None if found is None or _PATH.fullmatch(path) is None else Target(found, path)


@lru_cache(maxsize=1024)
def _origin_at(start: str) -> Origin | None:
    found = _ORIGIN.fullmatch(start)
    if found is None:
        return None
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    shown = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return Origin(host, f"{scheme}://{shown}", _LOOPBACK.fullmatch(host) is not None, scheme == "https")


def digest(url: str) -> str:
    """Give eight hexadecimal characters by which a secret URL is recognised in a log."""
    return sha256(url.encode(errors="backslashreplace")).hexdigest()[:8]


class Transfer:
    """A reusable easy handle of libcurl with the state of the exchange that it carries.

    libcurl puts each header line into `lines`, those of interim answers too; it bounds them by itself, to 300 KiB.
    """

    __slots__ = (
        "_read",
        "body",
        "easy",
        "elsewhere",
        "identity",
        "key",
        "lines",
        "origin",
        "refused",
        "target",
        "tried",
        "url",
        "verified",
    )

    key: Hashable
    target: Target
    url: str

    def __init__(self, easy: Any) -> None:
        self.easy = easy
        self.identity: ClientIdentity | None = None
        self.verified = True
        self.origin = ""
        self.elsewhere: str | None = None
        self.lines: list[bytes] = []
        self.body = bytearray()
        self._read = 0
        self.refused = self.tried = False

    def begin(self, key: Hashable, *, url: str, target: Target) -> None:
        """Start over with another request."""
        self.key, self.url, self.target = key, url, target
        self.refused = self.tried = False

    def end(self) -> None:
        """Forget the request and what came back."""
        self.key = None
        self.lines.clear()
        if self._read:
            self.body.clear()
            self._read = 0

    def on_body(self, piece: bytes) -> int:
        """Take a piece of the body; give 0, which stops libcurl, after far too much of it."""
        if len(self.body) < BODY_KEPT:
            self.body += piece[: BODY_KEPT - len(self.body)]
        self._read += len(piece)
        return len(piece) if self._read <= BODY_READ else 0

    @property
    def enough(self) -> bool:
        """Tell whether all of the body that is kept has come, so that a fault behind it does not matter."""
        return len(self.body) >= BODY_KEPT

    def headers(self) -> dict[str, str]:
        """Give the final answer's headers by lower-case name, values of the same name joined (RFC 9110 §5.3)."""
        headers: dict[str, str] = {}
        size = room = 0
        for line in self.lines:
            if line.startswith(_STATUS):  # the lines so far were those of an interim answer
                headers, size, room = {}, len(line), HEADERS_KEPT
                continue
            size += len(line)
            if not room or size > HEADER_BYTES_KEPT:
                continue
            room -= 1
            if len(line) <= _BLANK:
                room = 0
                continue
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers
