"""What becomes of a message at one kind of device: how long it may be, and which members are not simply shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tidings.domain.message import Rendered


class Shown(StrEnum):
    """Who sees to it that a member of a message comes to something."""

    YES = "yes"
    """The system shows or does it."""
    PARTLY = "partly"
    """Some systems or browsers do."""
    APP = "app"
    """The device's app gets it, and has to do it."""
    NO = "no"
    """Nothing comes of it."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What becomes of one member, and what to know of that."""

    shown: Shown
    words: str = ""


MEMBERS = ("title", "body", "url", "icon", "image", "badge_count", "actions", "collapse_id", "data")
"""The members of a message that something may become of, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a message for a push service, and the most that it takes; `service` is empty where there is but one."""

    size: int
    largest: int
    service: str = ""

    @property
    def fits(self) -> bool:
        """Whether the service takes it."""
        return self.size <= self.largest


@runtime_checkable
class Shows(Protocol):
    """A provider that says what becomes of a message; `shows` has every one of MEMBERS."""

    shows: Mapping[str, Showing]

    def sizes(self, rendered: Rendered) -> tuple[Size, ...]:
        """Measure a message for each push service that counts differently; ValueError if it is not JSON."""
        ...


def used_by(rendered: Rendered) -> tuple[str, ...]:
    """Name the members that a message has."""
    return tuple(name for name in MEMBERS if getattr(rendered, name) not in (None, "", (), {}))
