"""What a person wants to hear of, where, and at which hours; and what follows for one message to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.delivery import SkipReason
from tidings.domain.event import Naming

DAY = 24 * 60
"""Minutes of a day."""

STEP = 5
"""Minutes to which the end of quiet hours is rounded up: what waits for it is brought in a few parts, not in one for
each person."""


class PreferenceChannel(StrEnum):
    """Where a message may come."""

    PUSH = "push"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event type as preferences see it: what it is by default, and whether a person may switch it off at all.

    Neither preferences nor quiet hours apply to a `mandatory` one.
    """

    key: str
    name: str = ""
    description: str = ""
    category: str = ""
    push: bool = True
    feed: bool = True
    mandatory: bool = False
    language: str = "en"
    locales: Mapping[str, Naming] = field(default_factory=dict)

    def default(self, channel: PreferenceChannel) -> bool:
        """Give what holds for a person who has not said anything."""
        return self.push if channel is PreferenceChannel.PUSH else self.feed

    def said_in(self, language: str) -> EventKind:
        """Give it with its name, description and category in one of its languages."""
        said = self.locales.get(language, Naming())
        return replace(
            self,
            name=said.name or self.name,
            description=self.description if said.description is None else said.description,
            category=self.category if said.category is None else said.category,
            language=language,
        )


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours without a push, from minute `begins` of the local day to minute `ends` (22:00 is 1 320).

    Where `begins` is later than `ends` they go past midnight. The two differ.
    """

    begins: int
    ends: int

    def __post_init__(self) -> None:
        """Raise ValueError for what are no hours."""
        if not (0 <= self.begins < DAY and 0 <= self.ends < DAY):
            raise ValueError("hours lie between 00:00 and 23:59")
        if self.begins == self.ends:
            raise ValueError("quiet hours that begin when they end are none")

    def end(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Give the moment at which the quiet hours end that hold now in a zone; None when none hold."""
        today = now.astimezone(zone).date()
        found = [end for day in (today - timedelta(days=1), today) if (end := self._end_of(day, now, zone)) is not None]
        return max(found, default=None)

    def _end_of(self, day: date, now: datetime, zone: tzinfo) -> datetime | None:
        """Give the end of the quiet hours that began on a day, if they hold now."""
        last = day if self.begins < self.ends else day + timedelta(days=1)
        # Of a clock time that comes twice in the night of a change, or not at all, whatever leaves the person in peace.
        begins, ends = min(_moments(day, self.begins, zone)), max(_moments(last, self.ends, zone))
        return ends if begins <= now < ends else None


def _moments(day: date, minute: int, zone: tzinfo) -> tuple[datetime, datetime]:
    hour, rest = divmod(minute, 60)
    local = datetime(day.year, day.month, day.day, hour, rest, tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


class Send(NamedTuple):
    """Tell them now."""


class Skip(NamedTuple):
    """Do not tell them."""

    reason: SkipReason


class PutOff(NamedTuple):
    """Tell them from this moment on."""

    until: datetime


Decision = Send | Skip | PutOff

SEND = Send()
OFF = Skip(SkipReason.PREFERENCE_OFF)


@dataclass(frozen=True, slots=True)
class Wish:
    """What one person has said, or their App in their place: `push` is None where they said nothing."""

    push: bool | None = None
    quiet: QuietHours | None = None


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class QuietWish:
    """What a person, or an App for all of its people, says of quiet hours: without `hours` there are none.

    `time_zone` is an IANA name; None for the zone that the person or their device is in.
    """

    hours: QuietHours | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the person of one device said of an event type, if they said anything, and the zone they are known to be in.

    `user` is None for a device that nobody has signed in on.
    """

    user: str | None = None
    push: bool | None = None
    quiet: QuietWish | None = None
    time_zone: str | None = None

    def wish(self, of_app: QuietWish | None) -> tuple[Wish, str]:
        """Give what holds for them, and the name of the zone that their quiet hours are told in."""
        said = self.quiet or of_app or QuietWish()
        fallback = of_app.time_zone if of_app else None
        own = self.quiet.time_zone if self.quiet else None
        return Wish(self.push, said.hours), own or self.time_zone or fallback or "UTC"


def decision(
    wish: Wish, kind: EventKind, *, zone: tzinfo, urgent: bool, now: datetime, expires_at: datetime
) -> Decision:
    """Decide whether a person is told of an event now, later or not at all.

    `urgent` messages pass the quiet hours, but not a switch that is off. What would come after `expires_at`, when its
    time to live ends, is left out.
    """
    if kind.mandatory:
        return SEND
    if not (kind.push if wish.push is None else wish.push):
        return OFF
    if urgent or wish.quiet is None:
        return SEND
    end = wish.quiet.end(now, zone)
    if end is None:
        return SEND
    until = _rounded(end)
    return PutOff(until) if until < expires_at else Skip(SkipReason.QUIET_HOURS)


def _rounded(moment: datetime) -> datetime:
    over = timedelta(minutes=moment.minute % STEP, seconds=moment.second, microseconds=moment.microsecond)
    return moment + timedelta(minutes=STEP) - over if over else moment
