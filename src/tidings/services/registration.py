"""What a browser's registration may change about a device we know: pure decisions, made inside one transaction."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Address, Known, NewSubscription, Subscription, SubscriptionStatus
from tidings.services.region import locale_from, time_zone_from

UNCLAIMED = b""
"""Hash of an imported device's secret: it has none until a browser shows both its keys and claims it."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a browser sends: `subscription` is PushSubscription.toJSON(); `tags` None leaves them as they are.

    `id` and `secret` are those of the row that the device had before, maybe with another address.
    """

    subscription: Mapping[str, object] = field(repr=False)
    vapid_key: str | None = None
    user_id: str | None = None
    user_token: str | None = field(default=None, repr=False)
    locale: str | None = None
    time_zone: str | None = None
    tags: Mapping[str, str] | None = None
    id: str | None = None
    secret: str | None = field(default=None, repr=False)
    device: str | None = None
    app_version: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What the browser is told. `secret` is None for a device that was known and proved nothing."""

    subscription: Subscription
    secret: str | None = field(repr=False)
    created: bool


class Proof(Enum):
    """Why a browser may change a device that we know."""

    NONE = auto()
    SECRET = auto()
    IDENTITY = auto()
    KEYS = auto()
    SERVER = auto()
    """The App's own server says so."""


def hash_of(secret: str) -> bytes:
    """Hash a device's secret for storage; it is 256 random bits and needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def proof_of(registration: Registration, known: Known, address: Address, *, verified: bool) -> Proof:
    """Find what a registration proves: the secret, a signed identity, or both keys of an unclaimed import.

    An identity says who somebody is, not which device is theirs: another person's they have to hold in their hands,
    which both its keys show and an endpoint that leaked does not.
    """
    if proves(registration.secret, known.secret_hash):
        return Proof.SECRET
    holds = hmac.compare_digest(address.keys, known.address.keys)
    if verified and (holds or known.subscription.user_external_id == registration.user_id):
        return Proof.IDENTITY
    return Proof.KEYS if holds and known.secret_hash == UNCLAIMED else Proof.NONE


def proves(secret: str | None, secret_hash: bytes) -> bool:
    """Tell whether a secret is the one whose hash is stored."""
    return bool(secret) and hmac.compare_digest(hash_of(secret or ""), secret_hash)


def gives_way(known: Known, registration: Registration, address: Address, *, proof: Proof) -> bool:
    """Tell whether the row that has a device's new address may lose it to the row that the device had before.

    It is the same browser when it shows both keys, which an endpoint that leaked does not tell. A row of another
    person needs proof all the same.
    """
    if proof is not Proof.NONE:
        return True
    owner = known.subscription.user_external_id
    return hmac.compare_digest(address.keys, known.address.keys) and owner in (None, registration.user_id)


def is_news(new: NewSubscription, known: Known) -> bool:
    """Tell whether a registration would change anything but the last visit."""
    row = known.subscription
    names = ("credential_id", "user_external_id", "locale", "time_zone", "tags", "device", "app_version")
    told, kept = ([getattr(one, name) for name in names] for one in (new, row))
    return row.status is not SubscriptionStatus.ACTIVE or told != kept or new.address != known.address


def new_from(
    registration: Registration, *, app_id: int, provider: str, address: Address, origin: str, credential: Credential
) -> NewSubscription:
    """Make the row of a device that is registered for the first time, without a language or zone that nobody knows."""
    return NewSubscription(
        app_id=app_id,
        provider=provider,
        address=address,
        origin=origin,
        credential_id=credential.id,
        user_external_id=registration.user_id,
        locale=locale_from(registration.locale),
        time_zone=time_zone_from(registration.time_zone),
        tags=dict(registration.tags or {}),
        device=registration.device,
        app_version=registration.app_version,
    )


def proven_from(
    new: NewSubscription, registration: Registration, known: Subscription, *, keep_user: bool = False
) -> NewSubscription:
    """Make the row of a known device that proved itself: its word counts, and no user means signed out.

    With `keep_user` it does not: a server that says nothing of the person says nothing against them.
    """
    tags = known.tags if registration.tags is None else dict(registration.tags)
    user = known.user_external_id if keep_user and registration.user_id is None else registration.user_id
    return _filled(new, known, user=user, tags=tags, address=new.address)


def unproven_from(new: NewSubscription, known: Known) -> NewSubscription:
    """Make the row of a known device that proved nothing: only locale, time zone and last visit may change.

    Raises SUBSCRIPTION_SECRET_REQUIRED for another owner, another key pair or another VAPID key
    (otherwise whoever learns an endpoint could take the device over).
    """
    owner = known.subscription.user_external_id
    if new.user_external_id is not None and new.user_external_id != owner:
        raise CatalogueError(ErrorCode.SUBSCRIPTION_SECRET_REQUIRED)
    same_keys = hmac.compare_digest(new.address.keys, known.address.keys)
    if not same_keys or new.credential_id != known.subscription.credential_id:
        raise CatalogueError(
            ErrorCode.SUBSCRIPTION_SECRET_REQUIRED, "This device is registered already, with other keys."
        )
    return _filled(new, known.subscription, user=owner, tags=known.subscription.tags, address=known.address)


def _filled(
    new: NewSubscription, known: Subscription, *, user: str | None, tags: dict[str, str], address: Address
) -> NewSubscription:
    return NewSubscription(
        app_id=new.app_id,
        provider=new.provider,
        address=address,
        origin=new.origin,
        credential_id=new.credential_id,
        user_external_id=user,
        locale=new.locale or known.locale,
        time_zone=new.time_zone or known.time_zone,
        tags=tags,
        device=new.device or known.device,
        app_version=new.app_version or known.app_version,
    )
