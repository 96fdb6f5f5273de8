"""How to speak to a push service: the Provider protocol and the registry of those we have.

A provider is pure: it turns messages into requests and answers into outcomes. It opens no socket and no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Protocol, runtime_checkable

from tidings.domain.app import Credential
from tidings.domain.message import Rendered
from tidings.domain.outcome import Outcome, Refused
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, Request

REGISTRY = {
    "webpush": "tidings.providers.webpush.provider:WebPush",
    "fake": "tidings.providers.fake.provider:Fake",
}
"""Name -> dotted place, imported on first use. A new provider is one folder and one line here."""

BROWSER = "webpush"
"""The provider whose registrations come from browsers (`PushSubscription.toJSON()`)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What all recipients of one rendered message share, as a provider keeps it: opaque to everyone else, picklable."""

    parts: tuple[bytes, ...] = field(repr=False)
    urgency: str
    collapse_id: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is one recipient's own: the delivery id (32 hex characters), its receipt token, and the seconds it
    has left."""

    delivery_id: str
    receipt_token: str
    ttl: int


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A generated or imported key, checked: its public name, its secret and what else the provider keeps with it."""

    fingerprint: str
    secret: bytes = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One push service family. Instances may remember signed tokens, and nothing else."""

    name: str

    services: frozenset[str]
    """Names of the push services it tells apart, for metrics: few, and `other` among them."""

    def service(self, origin: str) -> str:
        """Name the push service at an origin."""
        ...

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Validate what a client registered; give its address and origin, or raise a CatalogueError."""
        ...

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Compose what recipients share, once per distinct rendered message; Refused if it fits no push."""
        ...

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """Name those of `services` that take no message so long, each with the bytes that are too many."""
        ...

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Build one recipient's request (`now` in Unix seconds)."""
        ...

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Say by table what an answer means (`now` in Unix seconds, for Retry-After dates)."""
        ...


@runtime_checkable
class GeneratesKeys(Protocol):
    """A provider whose credentials we can make ourselves."""

    def generate_credential(self, settings: Mapping[str, str]) -> NewCredential:
        """Make a new key; raise a CatalogueError when `settings` are not acceptable."""
        ...

    def import_credential(self, fields: Mapping[str, str], settings: Mapping[str, str]) -> NewCredential:
        """Take a key made elsewhere; raise a CatalogueError when it is not acceptable."""
        ...


@cache
def provider(name: str) -> Provider:
    """Give the provider of that name, one instance a process."""
    module, _, attribute = REGISTRY[name].partition(":")
    found: Provider = getattr(import_module(module), attribute)()
    return found
