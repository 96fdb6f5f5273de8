"""Header blocks of requests: bytes put together, without any state (RFC 7541 §6.2.2, §6.2.3).

Nothing is put into the peer's table, so that the bytes of a line are the same each time and are made once.
"""

from __future__ import annotations

import re

from hpack.table import HeaderTable

MOST_LINES = 2048
"""Names and sets of header lines remembered as bytes; then the memory starts over."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_NEVER = frozenset({b"authorization", b"proxy-authorization", b"cookie"})
_OF_HTTP1 = frozenset(
    {b"connection", b"host", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"}
)
"""What a request of HTTP/2 must not carry (RFC 9113 §8.2.2); `:authority` is its Host."""

_POST_HTTPS = b"\x83\x87"
"""`:method: POST` and `:scheme: https` by their numbers in the static table."""
_AUTHORITY, _PATH, _LENGTH = 1, 4, b"content-length"
_METHOD = 2
_LITERAL, _SECRET = 0x00, 0x10
_PREFIX = 0x0F

_NUMBERS: dict[bytes, int] = {}
for _number, _pair in enumerate(HeaderTable.STATIC_TABLE, start=1):
    _NUMBERS.setdefault(_pair[0], _number)


def _integer(value: int, most: int, mark: int = 0) -> bytes:
    """Write an integer with a prefix that holds `most` (RFC 7541 §5.1)."""
    if value < most:
        return bytes((mark | value,))
    rest, written = value - most, bytearray((mark | most,))
    while rest >= 0x80:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


_LENGTHS = [_integer(length, 0x7F) for length in range(2049)]


def _text(value: bytes) -> bytes:
    length = len(value)
    return (_LENGTHS[length] if length < len(_LENGTHS) else _integer(length, 0x7F)) + value


def _start_of_line(name: bytes) -> bytes:
    mark = _SECRET if name in _NEVER else _LITERAL
    number = _NUMBERS.get(name)
    return bytes((mark,)) + _text(name) if number is None else _integer(number, _PREFIX, mark)


def start_of(authority: str) -> bytes:
    """Write what all requests to one host begin with, up to where the path's length follows.

    The path of an endpoint is a secret: it is marked as one that no proxy may put into a table.
    """
    return _POST_HTTPS + _integer(_AUTHORITY, _PREFIX) + _text(authority.encode("ascii")) + bytes((_SECRET | _PATH,))


def with_method(block: bytes, method: str) -> bytes:
    """Give a header block that was written for POST another method."""
    return _integer(_METHOD, _PREFIX) + _text(method.encode("ascii")) + block[1:]


class RequestHeads:
    """Writes header blocks. Remembers the bytes of all lines but those that are one request's own."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, ...], bytes] = {}
        self._names: dict[str, bytes] = {}
        self._sizes: dict[int, bytes] = {}

    def block(self, start: bytes, path: str, lines: tuple[str, ...], size: int, own: int = 1) -> bytes | None:
        """Write a block; None if a line is no header.

        `start` is that of the host, `size` the body's in bytes, `own` how many of the last lines no other request has.
        """
        raw = path.encode("ascii")
        length = len(raw)
        alike = len(lines) - own
        many, ends = lines[:alike], b""
        for line in lines[alike:]:
            end = self._line(line)
            if end is None:
                return None
            ends += end
        shared = self._shared.get(many)
        if shared is None and (shared := self._new(many)) is None:
            return None
        text = _LENGTHS[length] if length <= 2048 else _integer(length, 0x7F)
        return b"".join((start, text, raw, shared, ends, self._sizes.get(size) or self._size(size)))

    def _new(self, lines: tuple[str, ...]) -> bytes | None:
        written = b""
        for line in lines:
            part = self._line(line)
            if part is None:
                return None
            written += part
        if len(self._shared) >= MOST_LINES:
            self._shared.clear()
        self._shared[lines] = written
        return written

    def _line(self, line: str) -> bytes | None:
        name, colon, value = line.partition(":")
        start = self._names.get(name) or self._name(name)
        value = value.strip(" ")
        if start is None or not colon or not value or not value.isascii() or not value.isprintable():
            return None
        return start + _text(value.encode("ascii"))

    def _name(self, name: str) -> bytes | None:
        if _TOKEN.fullmatch(name) is None or (raw := name.lower().encode("ascii")) in _OF_HTTP1:
            return None
        if len(self._names) >= MOST_LINES:
            self._names.clear()
        written = self._names[name] = _start_of_line(raw)
        return written

    def _size(self, size: int) -> bytes:
        if len(self._sizes) >= MOST_LINES:
            self._sizes.clear()
        written = self._sizes[size] = _start_of_line(_LENGTH) + _text(b"%d" % size)
        return written
