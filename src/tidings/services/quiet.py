"""Quiet hours as an App sets them for all of its people, and as they are written: 22:00 to 07:00."""

from __future__ import annotations

import re

import msgspec

from tidings.domain.preference import QuietWish
from tidings.storage import Transaction

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def quiet_of_app(tx: Transaction, app_id: int) -> QuietWish | None:
    """Give the quiet hours of those who said nothing themselves; None where the App has none."""
    stored = tx.instance.value(_setting(app_id))
    return msgspec.json.decode(stored, type=QuietWish) if stored else None


def set_quiet_of_app(tx: Transaction, app_id: int, wish: QuietWish | None) -> None:
    """Set the quiet hours of those who said nothing themselves."""
    tx.instance.set_value(_setting(app_id), msgspec.json.encode(wish) if wish else b"")


def minute_from(text: str) -> int:
    """Read a time of day: `22:00` is minute 1 320. Raises ValueError."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError("Write a time of day as 22:00.")
    return int(found[1]) * 60 + int(found[2])


def text_from(minute: int) -> str:
    """Write a time of day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _setting(app_id: int) -> str:
    return f"app:{app_id}:quiet_hours"
