"""What would become of a notification that is not sent yet: what is in its way, and to whom it comes late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.preference import Standing


class Keyed(NamedTuple):
    """Devices of an audience that registered with one key; with an `origin`, those at one push service."""

    credential_id: int
    origin: str | None
    devices: int


class Reached(NamedTuple):
    """Devices of an audience that a provider reaches; with an `origin`, those at one push service."""

    provider: str
    origin: str | None
    devices: int


class Alike(NamedTuple):
    """Devices of an audience whose people said the same."""

    standing: Standing
    devices: int


class Matter(StrEnum):
    """What keeps a message from devices."""

    PAUSED = "integration_paused"
    """It waits, and goes out when the integration goes on."""
    REVOKED = "key_revoked"
    OFF = "web_push_off"
    REMOVED = "integration_removed"
    """They had ended with their integration, so they are in no count of the audience."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a message from some devices of an audience. `integration` is the public id of one that is there."""

    matter: Matter
    provider: str
    devices: int
    integration: str | None = None
    label: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Devices whose people have quiet hours now.

    `later` of them are told when the hours end, the last at `until`; `never` get nothing, as its time to live ends
    before; all others are told now: it is urgent or mandatory, or tells of no event type, and then asks nobody.
    """

    devices: int
    later: int
    never: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is in the way of a notification. `quiet` is None where the audience is too large to look at each.

    `reached` is how many devices each way has, by push service where the audience is not that large.
    `turned_off` is of devices whose people do not want to hear of its event type.
    """

    devices: int
    reached: tuple[Reached, ...]
    obstacles: tuple[Obstacle, ...]
    quiet: Quiet | None
    turned_off: int = 0
