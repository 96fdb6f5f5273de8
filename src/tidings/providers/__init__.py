"""How to speak to a push service: the Provider protocol and the registry of those we have.

A provider is pure: it turns messages into requests and answers into outcomes. It opens no socket and no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, runtime_checkable

from tidings.domain.app import Credential
from tidings.domain.errors import FieldFault
from tidings.domain.message import Rendered
from tidings.domain.outcome import Misconfigured, Outcome, Refused, Unavailable
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, FailureKind, Request

REGISTRY = {
    "webpush": "tidings.providers.webpush.provider:WebPush",
    "fcm": "tidings.providers.fcm.provider:Fcm",
    "apns": "tidings.providers.apns.provider:Apns",
    "webhook": "tidings.providers.webhook.provider:Webhook",
    "fake": "tidings.providers.fake.provider:Fake",
}
"""Name -> dotted place, imported on first use. A new provider is one folder and one line here."""

CHANNELS = tuple(name for name in REGISTRY if name != "fake")
"""The providers that a message can be sent through: all but the one of tests."""

BROWSER = "webpush"
"""The provider whose registrations come from browsers (`PushSubscription.toJSON()`)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What all recipients of one rendered message share, as a provider keeps it: opaque to everyone else, picklable."""

    parts: tuple[bytes, ...] = field(repr=False)
    urgency: str
    collapse_id: str | None = None


class Envelope(NamedTuple):
    """What is one recipient's own: the delivery id (32 hex characters), its receipt token, and the seconds left."""

    delivery_id: str
    receipt_token: str
    ttl: int


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A generated or imported key, checked: its public name, its secret and what else the provider keeps with it.

    `account` is what devices' tokens belong to, where it is not the key itself: a key of another account reaches none
    of them.
    """

    fingerprint: str
    secret: bytes = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    account: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What opens a push service for a while: a token, and when it ends in Unix seconds."""

    token: bytes = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a minute a service takes, and whose number that is: keys with the same `of` share it."""

    of: str
    a_minute: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at an integration showed, in words for the operator: `mend` says what to do where it is not well."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


UNREACHED = dict.fromkeys(FailureKind, "The connection broke.") | {
    FailureKind.DNS: "The name does not resolve here.",
    FailureKind.CONNECT: "No connection comes about: a firewall may block port 443.",
    FailureKind.TIMEOUT: "There was no answer in time: a firewall may swallow it.",
    FailureKind.TLS: "The connection could not be secured: the clock or the certificates of this machine may be old.",
    FailureKind.FORBIDDEN_ADDRESS: "The name leads to an address that may not be called.",
}
"""What a finding says of a service that gave no answer."""


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
class BuildsTogether(Protocol):
    """A provider that builds the requests of many for less than one after the other."""

    def requests(
        self, draft: Draft, recipients: Sequence[tuple[Address, Envelope]], *, credential: Credential, now: float
    ) -> list[Request | Refused]:
        """Build the requests of many, in their order; each is what `request` would give."""
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


@runtime_checkable
class TakesCredentials(Protocol):
    """A provider whose credentials are made at its vendor, and uploaded or pasted here.

    Devices belong to an account there (`NewCredential.account`), not to one key: a new key of the same account takes
    the place of the one before.
    """

    def credential_from(self, fields: Mapping[str, str]) -> NewCredential:
        """Check an upload (texts; files that are no text in base64); raise CREDENTIALS_INVALID naming the field."""
        ...

    def serves(self, settings: Mapping[str, str], registration: Mapping[str, object]) -> bool:
        """Say whether a device that registers so can belong to an integration with these settings."""
        ...

    def warnings(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Say what the operator should know of credentials that work, such as that they may do too much."""
        ...


@runtime_checkable
class NeedsGrant(Protocol):
    """A provider whose requests carry a token that is fetched over the network with the credential (RFC 7523).

    Its `request` finds the token in `credential.secret`: what the token is made with does not go to senders.
    """

    def grant_request(self, credential: Credential, *, now: float) -> Request:
        """Ask for a token."""
        ...

    def grant_from(self, answer: Answer, *, now: float) -> Grant | Misconfigured | Unavailable:
        """Read the answer."""
        ...

    def grant_finding(self, fault: Misconfigured | Unavailable | None) -> Finding:
        """Say in plain words why there is no token; None: there is one."""
        ...


@runtime_checkable
class ProvesCredentials(Protocol):
    """A provider that can tell without a device whether its service takes our credentials."""

    def probes(self, credential: Credential, *, now: float) -> tuple[Request, ...]:
        """Write the requests that prove it: nothing is delivered by them."""
        ...

    def finding(self, credential: Credential, request: Request, answer: Answer, *, now: float) -> Finding:
        """Read the answer to one of them."""
        ...


@runtime_checkable
class ChecksKeys(Protocol):
    """A provider that can tell something of a key without asking anybody."""

    def own_findings(self, credential: Credential) -> tuple[Finding, ...]:
        """Look at the key and what is kept with it."""
        ...


@runtime_checkable
class ChecksMessages(Protocol):
    """A provider with rules of its own for what a message may hold."""

    def fault(self, rendered: Rendered) -> FieldFault | None:
        """Name the field of a message that it does not take; None when it takes all."""
        ...


@runtime_checkable
class LimitsRelays(Protocol):
    """A provider whose service takes less for a relay than for a device."""

    def draft_for_relay(self, rendered: Rendered) -> Draft | Refused:
        """Write what `draft` does, or Refused, after "the message", what is too long for a relay."""
        ...


@runtime_checkable
class HasQuota(Protocol):
    """A provider whose service publishes how much it takes."""

    def quota(self, credential: Credential) -> Quota | None:
        """Give what a key may send; None where there is no limit."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A broadcast channel: its id at the service, and whether that keeps the last message for those who are away."""

    id: str
    keeps: bool
    environment: str


@runtime_checkable
class HasChannels(Protocol):
    """A provider whose service has channels that devices follow, which are made and deleted over its API.

    Each request has its own reading, which gives what was asked for, or in words why there is none.
    """

    def new_channel_request(self, credential: Credential, *, environment: str, keeps: bool, now: float) -> Request:
        """Ask for a new channel. Raises CREDENTIALS_INVALID where such credentials make none."""
        ...

    def new_channel(self, answer: Answer) -> str | Finding:
        """Read its id."""
        ...

    def end_channel_request(self, credential: Credential, channel: Channel, *, now: float) -> Request:
        """Ask for its end."""
        ...

    def channel_ended(self, answer: Answer) -> Finding | None:
        """Read the answer: None when there is no such channel any more."""
        ...

    def channel_address(self, channel: Channel) -> tuple[Address, str]:
        """Give where a message to it goes: address and origin."""
        ...

    def channel_at(self, address: Address) -> Channel:
        """Read what `channel_address` gave."""
        ...


@cache
def provider(name: str) -> Provider:
    """Give the provider of that name, one instance a process."""
    module, _, attribute = REGISTRY[name].partition(":")
    found: Provider = getattr(import_module(module), attribute)()
    return found
