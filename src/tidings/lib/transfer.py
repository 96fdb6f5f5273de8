"""One exchange under way: where it goes, and what came back so far, cut to what is kept."""

from __future__ import annotations

import re
from collections.abc import Hashable
from hashlib import sha256
from typing import Any, NamedTuple

from tidings.lib.exchange import Request

BODY_KEPT = 8 * 1024
"""Bytes kept of an answer's body."""

BODY_READ = 1024 * 1024
"""Bytes read of an answer's body before its transfer is stopped; the answer stands, cut as ever."""

HEADERS_KEPT = 64
HEADER_BYTES_KEPT = 16 * 1024

_TARGET = re.compile(r'(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?([/?][!"$-\[\]-~]*)?', re.A | re.I)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOOPBACK = re.compile(r"(?:.*\.)?localhost|127\.[0-9.]+|\[::1\]", re.A)


class Target(NamedTuple):
    """Where a request goes: host in lower case, origin without the scheme's own port, path with its query."""

    host: str
    origin: str
    path: str

    @property
    def loopback(self) -> bool:
        """Tell whether the host is this machine by its very name."""
        return _LOOPBACK.fullmatch(self.host) is not None


def target_of(request: Request) -> Target | None:
    """Read host and origin; None if URL or header lines would not go over the wire as what they look like."""
    lines = "".join(request.headers)
    found = _TARGET.fullmatch(request.url)
    if found is None or not lines.isascii() or not lines.isprintable():
        return None
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    shown = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path = found[4] or "/"
    return Target(host, f"{scheme}://{shown}", path if path.startswith("/") else f"/{path}")


def digest(url: str) -> str:
    """Give eight hexadecimal characters by which a secret URL is recognised in a log."""
    return sha256(url.encode(errors="backslashreplace")).hexdigest()[:8]


class Transfer:
    """A reusable easy handle of libcurl with the state of the exchange that it carries."""

    __slots__ = (
        "_read",
        "body",
        "easy",
        "header_bytes",
        "key",
        "lines",
        "refused",
        "target",
        "tried",
        "url",
        "verified",
    )

    key: Hashable
    target: Target

    def __init__(self, easy: Any) -> None:
        self.easy = easy
        self.verified = True
        self._clear("")

    def begin(self, key: Hashable, *, url: str, target: Target) -> None:
        """Start over with another request."""
        self._clear(url)
        self.key, self.target = key, target

    def on_header(self, line: bytes) -> None:
        """Take one header line, the status line among them."""
        if line.startswith(b"HTTP/"):  # the lines so far were those of an interim answer
            self.lines.clear()
            self.header_bytes = 0
        self.header_bytes += len(line)
        if self.header_bytes <= HEADER_BYTES_KEPT:
            self.lines.append(line)

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
        for line in self.lines[1 : HEADERS_KEPT + 1]:
            if line in (b"\r\n", b"\n"):  # trailers come behind it
                break
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    def _clear(self, url: str) -> None:
        self.url = url
        self.lines: list[bytes] = []
        self.body = bytearray()
        self.header_bytes = self._read = 0
        self.refused = self.tried = False
