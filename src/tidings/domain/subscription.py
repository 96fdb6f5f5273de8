"""One browser or device that can be told something, and the states it can be in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.suspected import Suspected


class SubscriptionStatus(StrEnum):
    """The stored status of a subscription."""

    ACTIVE = "active"
    EXPIRED = "expired"
    UNSUBSCRIBED = "unsubscribed"


class Ending(StrEnum):
    """Why a device was turned off or its row retired, kept as the reason of its status."""

    BY_DEVICE = "by_device"
    TURNED_OFF = "turned_off"
    PERMISSION_REVOKED = "permission_revoked"
    SUPERSEDED = "superseded"


class Address(NamedTuple):
    """Where a provider sends to: `target` is an endpoint URL or a device token, kept byte for byte.

    `keys` is opaque to everyone but the provider; Web Push puts the 65 bytes of p256dh and the 16 of auth there.
    """

    target: str
    keys: bytes = b""

    def __repr__(self) -> str:
        return "Address()"  # what it holds is secret


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A validated registration, ready to be stored."""

    app_id: int
    provider: str
    address: Address
    origin: str
    credential_id: int | None
    user_external_id: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    device: str | None = None
    app_version: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A stored subscription as people see it: the address itself stays inside storage and delivery."""

    id: int
    public_id: str
    app_id: int
    provider: str
    origin: str
    credential_id: int | None
    user_external_id: str | None
    status: SubscriptionStatus
    status_reason: str | None
    locale: str | None
    time_zone: str | None
    tags: dict[str, str]
    device: str | None
    app_version: str | None
    created_at: datetime
    last_active_at: datetime | None
    last_seen_at: datetime
    owner_since: datetime | None = None
    """When it last changed hands; None for one that never has."""
    suspected: Suspected | None = None
    """Filled in where it is shown: its address was refused as one that belongs elsewhere."""


@dataclass(frozen=True, slots=True)
class Known:
    """A stored subscription with what a browser must show to prove that it is its own."""

    subscription: Subscription
    secret_hash: bytes = field(repr=False)
    address: Address


class Recipient(NamedTuple):
    """What delivery needs of one subscription, read in key ranges; a tuple, because one is made for each.

    `target` and `keys` are the two parts of its address, which is an object only where one asks for it.
    `address_hash` says which address was tried: an answer for it must not touch a device that has another by now.
    """

    subscription_id: int
    provider: str
    credential_id: int
    target: str
    keys: bytes
    locale: str | None
    origin: str = ""
    address_hash: bytes = b""

    @property
    def address(self) -> Address:
        """Where it is sent to."""
        return Address(self.target, self.keys)

    def __repr__(self) -> str:
        """Leave out the address, as it is a secret."""
        return f"Recipient({self.subscription_id}, {self.provider!r}, origin={self.origin!r})"
