"""What keeps an accident small: why a notification is held, and the pause of the whole instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class HoldReason(StrEnum):
    """Why a notification waits until somebody says that it is meant."""

    VOLUME = "volume_tripwire"
    REPEAT = "repeat_tripwire"


@dataclass(frozen=True, slots=True)
class TripLimits:
    """When an App's sending looks like an accident.

    More than `recipients`, and more than `times` as many as it has active subscriptions, asked for within `window`;
    or the same words to more than half of them again within `repeat`. 0 recipients or no time turns a part off.
    """

    recipients: int = 10_000
    times: int = 5
    window: timedelta = timedelta(minutes=10)
    repeat: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class GlobalPause:
    """Nothing is sent by anybody since that moment; `by` names who said so."""

    since: datetime
    by: str
    reason: str = ""
