"""The App, its integrations and credentials, its users and keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class App:
    """One site or mobile app. Without `origins` only pages from localhost may subscribe.

    `earlier_secret` was the identity secret before, and holds until `earlier_until` besides. `language` is what those
    are told in whose own language a message does not have.
    """

    id: int
    public_id: str
    name: str
    origins: tuple[str, ...]
    identity_secret: bytes = field(repr=False)
    created_at: datetime
    earlier_secret: bytes | None = field(default=None, repr=False)
    earlier_until: datetime | None = None
    secret_since: datetime | None = None
    language: str | None = None


class CredentialStatus(StrEnum):
    """Current: for new subscriptions. Retired: still signs for those made with it. Revoked: never used again."""

    CURRENT = "current"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Integration:
    """Credentials of one provider in an App; `paused_because` is set while a wrong credential stops it."""

    id: int
    public_id: str
    app_id: int
    provider: str
    label: str
    settings: dict[str, str]
    paused_because: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """One key of an integration. `fingerprint` is its public name: for Web Push the 87 characters of the public key."""

    id: int
    integration_id: int
    app_id: int
    provider: str
    fingerprint: str
    secret: bytes = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    status: CredentialStatus = CredentialStatus.CURRENT
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person the App knows, by the App's own id."""

    id: int
    app_id: int
    external_id: str
    attributes: dict[str, Any]
    locale: str | None
    time_zone: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who was looked up by the App's own id: what they are called, and how many devices they are reached on.

    Without a `name` there is no attribute of that name, or only their devices name them.
    """

    external_id: str
    name: str | None
    devices: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as people see it; the key itself is shown once and stored as a hash. `app_id` None: every App."""

    id: int
    public_id: str
    app_id: int | None
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_by: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetupToken:
    """A one-time link: it signs in the member it names, or makes the first one."""

    member_id: int | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's sign of life."""

    worker_id: str
    host: str
    pid: int
    senders: int
    started_at: datetime
    seen_at: datetime
