"""How values are read for a comparison: moments, lengths of time, versions and text without case.

The databases have functions of the same names that do the same (`storage/filters.py`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO = date(1970, 1, 1).toordinal()
MICROSECOND = timedelta(microseconds=1)

LARGEST = 2**53 - 1
"""Beyond this a number in JSON does not mean the same to everybody (RFC 7493 §2.2)."""

LONGEST_VERSION = 64

_MOMENT = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(?:[Tt ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_VERSION = re.compile(
    r"[vV]?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
_LENGTH = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def microseconds_of(moment: datetime) -> int:
    """Give an aware moment as microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(text: str) -> int | None:
    """Read an RFC 3339 time as microseconds since 1970; a date is its midnight, what names no zone is UTC.

    None for anything else. Digits after the sixth of a fraction are dropped.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if year == 0 or day > monthrange(year, month)[1]:
        return None
    seconds = (date(year, month, day).toordinal() - DAY_ZERO) * 86_400
    if found[4] is None:
        return seconds * 1_000_000
    seconds += int(found[4]) * 3_600 + int(found[5]) * 60 + int(found[6]) - _offset(found[8])
    return seconds * 1_000_000 + int((found[7] or "0").ljust(6, "0")[:6])


def moment_from(text: str) -> datetime | None:
    """Read a time as an aware datetime; None for what is none, or lies outside the years 1 to 9999."""
    found = moment_of(text)
    try:
        return None if found is None else EPOCH + found * MICROSECOND
    except OverflowError:
        return None


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    seconds = int(zone[1:3]) * 3_600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def version_key(text: str) -> str | None:
    """Give a text that sorts by bytes as versions do (SemVer 2.0.0 §11; up to four numbers); None for no version.

    Fewer numbers mean zeros, a `v` before them and what follows a `+` mean nothing.
    """
    found = _VERSION.fullmatch(text) if len(text) <= LONGEST_VERSION else None
    if found is None:
        return None
    core = ".".join((found[n] or "0").zfill(9) for n in range(1, 5))
    return core + ("~" if found[5] is None else "-" + " ".join(map(_identifier_key, found[5].split("."))))


def _identifier_key(identifier: str) -> str:
    if not identifier.isdigit():
        return "1" + identifier
    number = identifier.lstrip("0") or "0"
    return f"0{len(number):02}{number}"


_FOLDED = {
    code: lower
    for start, end in ((0x41, 0x5A), (0xC0, 0xDE), (0x100, 0x17F), (0x386, 0x3AB), (0x3C2, 0x3C2), (0x400, 0x52F))
    for code in range(start, end + 1)
    if len(lower := "\u03c3" if code == 0x3C2 else chr(code).lower()) == 1 and lower != chr(code)
}
"""Capital letters of the Latin, Greek and Cyrillic blocks to their small ones, each to one: a table of our own, since
every database and every version of Unicode has another one. The last form of sigma is a sigma."""

FOLDED_FROM = "".join(map(chr, _FOLDED))
FOLDED_TO = "".join(_FOLDED.values())


def fold(text: str) -> str:
    """Leave case out of account: in Latin, Greek and Cyrillic letters, one by one (`ß` stays `ß`)."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def length_of(text: str) -> timedelta | None:
    """Read a length of time: a number and one of s, m, h, d, w, up to 100 years; None for anything else."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None
    seconds = int(found[1]) * _UNITS[found[2]]
    return timedelta(seconds=seconds) if seconds <= 36_525 * 86_400 else None


def length_text(length: timedelta) -> str:
    """Write a length of time in its largest whole unit: `7d`, `90m`."""
    seconds = int(length.total_seconds())
    unit, size = max(
        ((unit, size) for unit, size in _UNITS.items() if unit != "w" and seconds % size == 0), key=lambda one: one[1]
    )
    return f"{seconds // size}{unit}"
