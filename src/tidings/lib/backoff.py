"""How long to wait before the next try, and what a server's Retry-After asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def full_jitter(attempt: int, *, first: float, cap: float, chance: float) -> float:
    """Give a delay in seconds: uniform in 0 to first * 2**attempt, capped; `chance` is a number in [0, 1)."""
    ceiling: float = min(cap, first * 2.0 ** min(attempt, 32))
    return ceiling * chance


def retry_after(value: str | None, *, now: float, cap: float, said_at: str | None = None) -> float | None:
    """Read a Retry-After header (RFC 9110 §10.2.3), seconds or an HTTP date, as seconds from `now`.

    A date is counted from `said_at`, the answer's own Date header, where that can be read: the server's clock and ours
    need not agree. Negative and unreadable values give None; longer than `cap` seconds gives `cap`.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), cap)
    moment = _moment(text)
    if moment is None:
        return None
    begin = _moment(said_at) if said_at else None
    delay = moment - (now if begin is None else begin)
    return min(delay, cap) if delay >= 0 else None


def _moment(text: str) -> float | None:
    """Read an HTTP date in any of the three forms that a recipient must accept (RFC 9110 §5.6.7)."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            # asctime names no zone and means UTC; whatever else names none is no HTTP date.
            moment = datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None
