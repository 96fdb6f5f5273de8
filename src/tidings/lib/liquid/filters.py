"""The filters: each takes a value and gives another, of bounded size, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, is_currency
from liquid import is_undefined

from tidings.lib.liquid.fault import LiquidFault
from tidings.lib.liquid.reader import Reader

LONGEST = 4_096
"""Characters of a text that a filter looks at and of what it gives; more is left out."""

MOST_ITEMS = 1_000
LARGEST = 10**15
"""Numbers beyond are refused: a float counts no whole numbers there."""

_LONGEST_NUMBER = 32
"""Characters of a number written as text."""

PLURALS = ("zero", "one", "two", "few", "many", "other")
"""CLDR's names of plural forms (https://cldr.unicode.org/index/cldr-spec/plural-rules)."""

Number = int | float


def text_of(value: Any) -> str:
    """Give a value as it is printed: nothing for what is missing, a list without anything between its items."""
    if isinstance(value, str):
        return value[:LONGEST]
    if value is None or is_undefined(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "".join(text_of(one)[:LONGEST] for one in value[:MOST_ITEMS])[:LONGEST]
    if isinstance(value, int | float):
        return _plain(value)
    raise LiquidFault("An object cannot be printed; write which of its fields is meant.")


def _plain(value: Number) -> str:
    if isinstance(value, int) and not -LARGEST < value < LARGEST:
        raise LiquidFault("A number is too large to be printed; send it as a text.")
    return str(value)


def number_of(value: Any) -> Number:
    """Read a number; what is missing counts as 0. Raises LiquidFault."""
    if value is None or is_undefined(value) or value == "":
        return 0
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        value = _read(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LiquidFault("What should be a number is none; give one for that case with `default`.")
    return _bounded(value)


def _read(text: str) -> Number | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _bounded(value: Number) -> Number:
    if not -LARGEST < value < LARGEST:  # false for NaN too
        raise LiquidFault("A number is beyond 10 to the power of 15; calculate with smaller ones.")
    return value


def _default(_: Reader, value: Any, otherwise: Any = "") -> Any:
    missing = value is None or value is False or is_undefined(value)
    return otherwise if missing or (isinstance(value, str | list | dict) and not value) else value


def _capitalize(_: Reader, value: Any) -> str:
    text = text_of(value)
    return text[:1].upper() + text[1:]


def _truncate(_: Reader, value: Any, length: Any = 50, end: Any = "…") -> str:
    text, most, tail = text_of(value), _count(length), text_of(end)
    return text if len(text) <= most else text[: max(0, most - len(tail))].rstrip() + tail


def _truncatewords(_: Reader, value: Any, words: Any = 15, end: Any = "…") -> str:
    text, most = text_of(value), max(1, _count(words))
    found = text.split()
    return text if len(found) <= most else " ".join(found[:most]) + text_of(end)


def _count(value: Any) -> int:
    return min(LONGEST, max(0, int(number_of(value))))


def _divided_by(_: Reader, value: Any, by: Any) -> Number:
    above, below = number_of(value), number_of(by)
    if below == 0:
        raise LiquidFault("Nothing can be divided by 0; ask with `if` first.")
    return above // below if isinstance(above, int) and isinstance(below, int) else above / below


def _round(_: Reader, value: Any, digits: Any = 0) -> Number:
    number, places = number_of(value), min(10, _count(digits))
    return round(number, places) if places else math.floor(number + 0.5)


def _size(_: Reader, value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 0


def _first(_: Reader, value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and value else None


def _last(_: Reader, value: Any) -> Any:
    return value[-1] if isinstance(value, list | tuple) and value else None


def _join(_: Reader, value: Any, between: Any = ", ") -> str:
    if not isinstance(value, list | tuple):
        return text_of(value)
    joint, length, parts = text_of(between), 0, []
    for one in value[:MOST_ITEMS]:
        parts.append(text_of(one))
        length += len(parts[-1]) + len(joint)
        if length > LONGEST:
            break
    return joint.join(parts)


def _plural(reader: Reader, value: Any, **forms: Any) -> str:
    number = number_of(value)
    words = text_of(forms.get(reader.locale.plural_form(number), forms.get("other")))
    return words.replace("#", _number(reader, number))


def _number(reader: Reader, value: Any) -> str:
    return str(format_decimal(number_of(value), locale=reader.locale))


def _currency(reader: Reader, value: Any, code: Any) -> str:
    name = text_of(code)
    if not is_currency(name):
        raise LiquidFault(f"There is no currency {name[:8]!r}; they are named as in EUR or USD.")
    return str(format_currency(number_of(value), name, locale=reader.locale))


_PARTS = {"month": "LLLL", "weekday": "EEEE", "year": "y"}
_LENGTHS = ("short", "medium", "long", "full")
FORMATS = (*_LENGTHS, "date", "time", *(f"date_{one}" for one in _LENGTHS), "time_medium", "day_month", *_PARTS)
"""How a moment can be written: with date and time, or only a part of it, as the reader's language does."""


def _date(reader: Reader, value: Any, form: Any = "medium") -> str:
    name = text_of(form)
    moment = moment_of(value)
    if name not in FORMATS:
        raise LiquidFault(f"There is no format {name[:24]!r}; there are {', '.join(FORMATS)}.")
    if moment is None:
        return ""
    locale, zone = reader.locale, reader.zone
    if isinstance(moment, datetime):
        moment = moment.astimezone(zone)
    if name == "day_month":
        return str(format_skeleton("MMMd", moment, locale=locale))
    if name in _PARTS:
        return str(format_date(moment, _PARTS[name], locale=locale))
    kind, _, length = name.partition("_")
    if kind == "date" or not isinstance(moment, datetime):
        return str(format_date(moment, length or (kind if kind in _LENGTHS else "medium"), locale=locale))
    if kind == "time":
        return str(format_time(moment, length or "short", tzinfo=zone, locale=locale))
    return str(format_datetime(moment, name, tzinfo=zone, locale=locale))


def moment_of(value: Any) -> datetime | date | None:
    """Read a moment: ISO 8601, or seconds since 1970; None for what is missing. Without a zone it is UTC."""
    if value is None or is_undefined(value) or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and len(value) == len("2026-01-31"):
            return date.fromisoformat(value)
        if isinstance(value, str) and len(value) <= 40:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise LiquidFault("What should be a moment is none; write it as 2026-01-31T09:30:00Z.")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: how many arguments it takes, by place (`least` to `most`) or by name.

    `work` is what it may cost, in steps of `cost.py`.
    """

    run: Callable[..., Any]
    least: int = 0
    most: int = 0
    names: tuple[str, ...] = ()
    reads_zone: bool = False
    work: int = 25


FILTERS: Mapping[str, Filter] = {
    "capitalize": Filter(_capitalize),
    "currency": Filter(_currency, 1, 1, work=40),
    "date": Filter(_date, 0, 1, reads_zone=True, work=60),
    "default": Filter(_default, 1, 1),
    "divided_by": Filter(_divided_by, 1, 1),
    "downcase": Filter(lambda _, value: text_of(value).lower()),
    "first": Filter(_first),
    "join": Filter(_join, 0, 1),
    "last": Filter(_last),
    "minus": Filter(lambda _, value, other: number_of(value) - number_of(other), 1, 1),
    "number": Filter(_number),
    "plural": Filter(_plural, names=PLURALS),
    "plus": Filter(lambda _, value, other: number_of(value) + number_of(other), 1, 1),
    "round": Filter(_round, 0, 1),
    "size": Filter(_size),
    "strip": Filter(lambda _, value: text_of(value).strip()),
    "times": Filter(lambda _, value, other: number_of(value) * number_of(other), 1, 1),
    "truncate": Filter(_truncate, 0, 2),
    "truncatewords": Filter(_truncatewords, 0, 2),
    "upcase": Filter(lambda _, value: text_of(value).upper()),
}
"""All there are."""


def locked(kind: Filter) -> Callable[..., Any]:
    """Make a filter as python-liquid calls it: with the reader out of the context, and a result of bounded size."""

    def run(value: Any, *places: Any, context: Any, **names: Any) -> Any:
        result = kind.run(context.reader, value, *places, **names)
        if isinstance(result, str):
            return result[:LONGEST]
        return _bounded(result) if isinstance(result, int | float) and not isinstance(result, bool) else result

    run.with_context = True  # type: ignore[attr-defined]
    return run
