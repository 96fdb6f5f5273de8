"""What JSON may hold here: only what every database keeps and every reader of an answer can read again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

DEEPEST = 32
"""Levels of lists and objects; what is nested far deeper could be stored and never be shown again."""


def check_storable(value: object, place: str = "", depth: int = 0) -> None:
    """Raise ValueError naming the first place that holds what cannot be kept: NUL, half a character, NaN, 33 levels."""
    name = f"`{place[:64]}`" if place else "It"
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError(f"{name} has a NUL character, which cannot be stored.")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} has half of a surrogate pair, which is no character.")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is not a number that JSON has.")
    elif isinstance(value, Mapping | Sequence) and not isinstance(value, bytes):
        if depth == DEEPEST:
            raise ValueError(f"{name} is nested deeper than {DEEPEST} levels.")
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, one in entries:
            if isinstance(key, str):
                check_storable(key, place or "A name", depth)
            check_storable(one, f"{place}.{key}" if place else str(key), depth + 1)
