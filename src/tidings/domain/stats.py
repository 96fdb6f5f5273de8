"""What is counted by day: outcomes of deliveries and what people did, by where and how they were reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

FEW = 100
"""Up to so large an audience a notification is not told apart by day: its own counters say all there is."""

_EPOCH = date(1970, 1, 1)


class Dimension(StrEnum):
    """What counts can be told apart by."""

    DAY = "day"
    SERVICE = "service"
    BROWSER = "browser"
    REASON = "reason"
    SOURCE = "source"


class Step(StrEnum):
    """A step on the way to a subscription; how often it was taken is all that is known of it.

    `seen` is a visit of somebody who may be asked, `banner` and `later` are the banner's, `asked` is the browser's own
    question and the three after it its answers, `subscribed` a browser that is new.
    """

    SEEN = "seen"
    BANNER = "banner"
    LATER = "later"
    ASKED = "asked"
    GRANTED = "granted"
    DENIED = "denied"
    DISMISSED = "dismissed"
    SUBSCRIBED = "subscribed"


@dataclass(frozen=True, slots=True)
class Naming:
    """How rows are named once they are added up: the service of (provider, origin), the browser of a device."""

    service: Callable[[str, str], str]
    browser: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """Which counts are wanted: of an App, from one day to another (both counted in), of one notification or of all.

    `steps` asks for those of Step, and not for what became of messages.
    """

    app_id: int
    first: date
    last: date
    by: Dimension
    notification_id: int | None = None
    steps: bool = False


def day_of(moment: datetime) -> int:
    """Give the day of a moment in UTC, as whole days since 1970."""
    return number_of(moment.astimezone(UTC).date())


def minute_of(moment: datetime) -> int:
    """Give the minute of a moment, as whole minutes since 1970."""
    return int(moment.timestamp()) // 60


def number_of(day: date) -> int:
    """Give a day as whole days since 1970."""
    return (day - _EPOCH).days


def date_of(number: int) -> date:
    """Give the day of a number of days since 1970."""
    return _EPOCH + timedelta(days=number)
