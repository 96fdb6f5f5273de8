"""Who a notification is for."""

from __future__ import annotations

from dataclasses import dataclass


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


Members = Everyone | Users | Devices | Tagged


@dataclass(frozen=True, slots=True)
class Through:
    """Those of an audience that are reached through one of these providers."""

    of: Members
    channels: tuple[str, ...]


Audience = Members | Through
