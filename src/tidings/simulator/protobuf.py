"""Protocol buffers' wire format, as far as Chromium's push connection uses it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Value = int | bytes
MOST_VARINT_BYTES = 10


class Malformed(Exception):
    """The bytes are not a message."""


def varint(number: int) -> bytes:
    """Write a non-negative number in groups of seven bits."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """Write fields in order: numbers as varint, text and bytes with their length."""
    return b"".join(_field(number, value) for number, value in fields)


def fixed64(number: int, value: int) -> bytes:
    """Write one field of eight bytes, little end first."""
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def fields_of(data: bytes) -> dict[int, list[Value]]:
    """Read a message: field number -> its values in order. Raises Malformed."""
    found: dict[int, list[Value]] = {}
    for number, value in _fields(data):
        found.setdefault(number, []).append(value)
    return found


def number_in(fields: dict[int, list[Value]], field: int) -> int:
    """Give a field's last number, 0 without one; of eight fixed bytes too."""
    value = fields.get(field, [0])[-1]
    return value if isinstance(value, int) else int.from_bytes(value[:8], "little")


def texts_in(fields: dict[int, list[Value]], field: int) -> list[str]:
    """Give every text of a repeated field."""
    return [value.decode("utf-8", "replace") for value in fields.get(field, []) if isinstance(value, bytes)]


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def _fields(data: bytes) -> Iterable[tuple[int, Value]]:
    at = 0
    while at < len(data):
        key, at = _varint_at(data, at)
        kind = key & 7
        if kind == 0:
            number, at = _varint_at(data, at)
            yield key >> 3, number
            continue
        length = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            length, at = _varint_at(data, at)
        if length is None or at + length > len(data):
            raise Malformed(f"wire type {kind} at byte {at}")
        yield key >> 3, data[at : at + length]
        at += length


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(MOST_VARINT_BYTES):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return number, at
    raise Malformed(f"no number ends at byte {at}")
