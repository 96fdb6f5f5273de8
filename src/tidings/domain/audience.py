"""Who a notification is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tidings.domain.filters.tree import Filter


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every active subscription of the App."""


@dataclass(frozen=True, slots=True)
class Users:
    """All devices of these users, by the App's own external ids."""

    external_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Devices:
    """These subscriptions, by public id (`sub_...`)."""

    public_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Active subscriptions that carry every one of these tags."""

    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """Active subscriptions for which conditions hold, on the device and on whoever it belongs to.

    `at` is the moment that relative times count from, `segment` where the conditions come from (`seg_...`). `few` is
    whether they name few enough by a topic to look for those by name, and not among all devices.
    """

    filter: Filter
    at: datetime
    segment: str | None = None
    few: bool = False


class Relaying(StrEnum):
    """What a push service can be asked to send on by itself."""

    FCM_TOPIC = "fcm_topic"
    FCM_CONDITION = "fcm_condition"
    APNS_CHANNEL = "apns_channel"


@dataclass(frozen=True, slots=True)
class Relayed:
    """Whoever follows this at a push service: one message goes there, and how many devices get it is not known.

    `name` is what it is called there or here (`news`, a condition, the id of a channel), `public_id` its row.
    """

    kind: Relaying
    name: str
    public_id: str


Members = Everyone | Users | Devices | Tagged | Matching | Relayed


@dataclass(frozen=True, slots=True)
class Through:
    """Those of an audience that are reached through one of these channels: providers, or the feed."""

    of: Members
    channels: tuple[str, ...]


Audience = Members | Through

FEED = "feed"
"""The channel that is no push: the bell in the page. It is named among the channels of `Through`."""
