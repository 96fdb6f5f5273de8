"""Header blocks of answers. We announced a table of size 0, so a block means the same each time: known bytes are not
read again, and of a new block only those fields that are new (RFC 7541 §4.2, §6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from hpack import Decoder, HPACKError, OversizedHeaderListError

from tidings.lib.http2.frames import Code, MalformedAnswer, PeerFault
from tidings.lib.transfer import HEADER_BYTES_KEPT, HEADERS_KEPT

MOST_BLOCKS = 512
MOST_FIELDS = 2048
LONGEST_KNOWN = 1024
"""What is remembered: blocks and fields, and bytes of each at most."""

LARGEST_LIST = 64 * 1024
"""Bytes of an answer's headers, unpacked, that we take; a tenth of it is kept."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(rb"[^\0\r\n]*")
_STATUS = re.compile(rb"[1-9][0-9][0-9]")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_OF_HTTP1 = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_SEPARATORS = 4
"""Bytes that a field has in HTTP/1.1 beside name and value; sizes are counted as there."""

Field = tuple[bytes, bytes]


class Head(NamedTuple):
    """A final or interim answer's head; `length` is the body's as stated, -1 if it is not."""

    status: int
    headers: Mapping[str, str]
    length: int
    complete: bool
    """Whether it can be all of an answer: a final one that does not say that a body follows."""


class AnswerHeads:
    """Reads header blocks and remembers what it has read."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, Head] = {}
        self._fields: dict[bytes, list[Field]] = {}
        self._told: dict[Field, tuple[str, str]] = {}
        self._decoder = Decoder(max_header_list_size=LARGEST_LIST)
        self._decoder.max_allowed_table_size = 0
        self._decoder.header_table_size = 0
        self.known = self._blocks.get

    def head(self, block: bytes) -> Head:
        """Read an answer's block; MalformedAnswer for what is no answer's, PeerFault for what is no block."""
        head = self._blocks.get(block)
        if head is None:
            head = self._head_of(self.fields(block))
            if len(block) <= LONGEST_KNOWN:
                if len(self._blocks) >= MOST_BLOCKS:
                    self._blocks.clear()
                self._blocks[block] = head
        return head

    def trailers(self, block: bytes) -> None:
        """See that a block can stand behind a body; what it says is of no use."""
        for name, value in self.fields(block):
            _check(name, value)

    def fields(self, block: bytes) -> list[Field]:
        """Read a block into pairs of name and value."""
        fields: list[Field] = []
        size = 0
        for piece in _pieces(block):
            found = self._fields.get(piece)
            if found is None:
                found = self._read(piece)
            for name, value in found:
                size += len(name) + len(value) + 32  # RFC 9113 §10.5.1 counts so
            if size > LARGEST_LIST:
                raise MalformedAnswer("its headers are too long")
            fields += found
        return fields

    def _head_of(self, fields: list[Field]) -> Head:
        if not fields or fields[0][0] != b":status" or _STATUS.fullmatch(fields[0][1]) is None:
            raise MalformedAnswer("it has no status")
        headers: dict[str, str] = {}
        length, size, known = -1, 0, self._told
        for kept, field in enumerate(fields[1:]):
            key, text = known.get(field) or self._tell(field)
            name, value = field
            if name == b"content-length":
                if _DIGITS.fullmatch(value) is None or length not in (-1, int(value)):
                    raise MalformedAnswer("its content-length is no number")
                length = int(value)
            size += len(name) + len(value) + _SEPARATORS
            if kept < HEADERS_KEPT and size <= HEADER_BYTES_KEPT:
                headers[key] = f"{headers[key]}, {text}" if key in headers else text
        status = int(fields[0][1])
        return Head(status, MappingProxyType(headers), length, status >= 200 and length <= 0)

    def _tell(self, field: Field) -> tuple[str, str]:
        """Check a field that is new here, and give it as texts: most of an answer's were in the one before."""
        name, value = field
        _check(name, value)
        told = name.decode("ascii"), value.decode("latin-1").strip()
        if len(name) + len(value) <= LONGEST_KNOWN:
            if len(self._told) >= MOST_FIELDS:
                self._told.clear()
            self._told[field] = told
        return told

    def _read(self, piece: bytes) -> list[Field]:
        try:
            found = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(piece, raw=True)]
        except OversizedHeaderListError:
            raise MalformedAnswer("its headers are too long") from None
        except (HPACKError, UnicodeDecodeError):
            raise PeerFault(Code.COMPRESSION_ERROR, "a header block that cannot be read") from None
        if len(piece) <= LONGEST_KNOWN:
            if len(self._fields) >= MOST_FIELDS:
                self._fields.clear()
            self._fields[piece] = found
        return found


def _pieces(block: bytes) -> Iterator[bytes]:
    """Cut a block into its fields and changes of the table's size; without a table each can be read alone."""
    at, end, begun = 0, len(block), False
    while at < end:
        start, first = at, block[at]
        if first & 0x80:
            _, at = _integer(block, at, 0x7F)
        elif first & 0xE0 == 0x20:
            if begun:  # RFC 7541 §4.2
                raise PeerFault(Code.COMPRESSION_ERROR, "a header table is resized amid a block")
            _, at = _integer(block, at, 0x1F)
        else:
            number, at = _integer(block, at, 0x3F if first & 0x40 else 0x0F)
            for _ in range(1 if number else 2):
                length, at = _integer(block, at, 0x7F)
                at += length
        begun = begun or first & 0xE0 != 0x20
        if at > end:
            raise PeerFault(Code.COMPRESSION_ERROR, "a header block ends amid a field")
        yield block[start:at]


def _integer(block: bytes, at: int, most: int) -> tuple[int, int]:
    """Read an integer and give what is behind it (RFC 7541 §5.1)."""
    try:
        value = block[at] & most
        at += 1
        if value < most:
            return value, at
        for shift in range(0, 28, 7):
            part = block[at]
            at += 1
            value += (part & 0x7F) << shift
            if part < 0x80:
                return value, at
    except IndexError:
        raise PeerFault(Code.COMPRESSION_ERROR, "a header block ends amid a field") from None
    raise PeerFault(Code.COMPRESSION_ERROR, "a header block has a number without end")


def _check(name: bytes, value: bytes) -> None:
    if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None or name in _OF_HTTP1:
        raise MalformedAnswer("it has a field that HTTP/2 does not allow")
