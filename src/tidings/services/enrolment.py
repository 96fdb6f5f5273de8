"""A browser's registration in one transaction: which row it is about, and what becomes of that row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Ending, Known, NewSubscription, Subscription, SubscriptionStatus
from tidings.domain.webhook import WebhookEvent
from tidings.providers import BROWSER
from tidings.services.identity import identity_required
from tidings.services.registration import (
    Proof,
    Registered,
    Registration,
    gives_way,
    hash_of,
    is_news,
    proof_of,
    proven_from,
    proves,
    unproven_from,
)
from tidings.storage import Transaction

BACK = "back"
"""Told of a device that had left, or was taken for dead, and registers again."""

SEEN_AGAIN = timedelta(days=1)
"""How long a visit that brings nothing new is not written down again."""


def seen_again(provider: str) -> timedelta:
    """Give how long that is: an app's every start counts, as its vendor tells since when a token has been dead."""
    return SEEN_AGAIN if provider == BROWSER else timedelta(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A registration at the moment it is stored; `secret` and `public_id` are for a row that needs new ones."""

    registration: Registration
    new: NewSubscription
    verified: bool
    now: datetime
    public_id: str
    secret: str = field(repr=False)
    trusted: bool = False
    """It comes from the App's own server, which needs to prove nothing of a device."""

    def proof_for(self, known: Known) -> Proof:
        """Find what it proves about a device that we know."""
        if self.trusted:
            return Proof.SERVER
        return proof_of(self.registration, known, self.new.address, verified=self.verified)


def enrol(tx: Transaction, arrival: Arrival) -> Registered:
    """Store a registration.

    A device that shows id and secret of the row it had keeps that row, whatever else is new: same id, history and
    tags. An id that is unknown or comes with a wrong secret counts as not sent, so that nobody learns which it was.
    """
    new, registration = arrival.new, arrival.registration
    there, named = tx.subscriptions.hold(new.app_id, target=new.address.target, public_id=registration.id)
    mine = named if named is not None and proves(registration.secret, named.secret_hash) else there
    proof = arrival.proof_for(mine) if mine else Proof.NONE
    _check_identity_policy(tx, arrival, mine, proof=proof)
    if mine is None:
        stored = tx.subscriptions.add(
            new, public_id=arrival.public_id, secret_hash=hash_of(arrival.secret), now=arrival.now
        )
        _tell(tx, stored, WebhookEvent.SUBSCRIPTION_CREATED, "", now=arrival.now)
        return Registered(stored, arrival.secret, created=True)
    if there is not None and there.subscription.id != mine.subscription.id:
        _supersede(tx, arrival, there, mine)
    return _refreshed(tx, arrival, mine, proof=proof)


def _supersede(tx: Transaction, arrival: Arrival, other: Known, mine: Known) -> None:
    """Retire the row that has the device's new address; it gets the old one, for an address has one row."""
    proof = arrival.proof_for(other)
    if not gives_way(other, arrival.registration, arrival.new.address, proof=proof):
        raise CatalogueError(ErrorCode.SUBSCRIPTION_SECRET_REQUIRED)
    tx.subscriptions.exchange(other.subscription.id, mine.subscription.id)
    if other.subscription.status is SubscriptionStatus.ACTIVE:
        tx.subscriptions.set_status(other.subscription.id, SubscriptionStatus.EXPIRED, Ending.SUPERSEDED)
        _tell(tx, other.subscription, WebhookEvent.SUBSCRIPTION_EXPIRED, Ending.SUPERSEDED, now=arrival.now)


def _refreshed(tx: Transaction, arrival: Arrival, known: Known, *, proof: Proof) -> Registered:
    row, registration = known.subscription, arrival.registration
    if proof is Proof.NONE:
        changed, secret, secret_hash = unproven_from(arrival.new, known), None, None
    elif proof is Proof.SERVER:
        changed, secret, secret_hash = proven_from(arrival.new, registration, row, keep_user=True), None, None
    elif proof is Proof.SECRET:
        # The same secret again: a browser that missed the answer can ask twice.
        changed, secret, secret_hash = proven_from(arrival.new, registration, row), registration.secret, None
    else:
        changed, secret = proven_from(arrival.new, registration, row), arrival.secret
        secret_hash = hash_of(secret)
    if (
        secret_hash is None
        and not is_news(changed, known)
        and arrival.now - row.last_seen_at < seen_again(row.provider)
    ):
        return Registered(row, secret, created=False)
    # A server that tells again what it knows has not seen the device: its token may have been dead for long.
    seen = proof is not Proof.SERVER or changed.address != known.address
    stored = tx.subscriptions.refresh(row.id, changed, secret_hash=secret_hash, now=arrival.now, seen=seen)
    if row.status is not SubscriptionStatus.ACTIVE:
        _tell(tx, stored, WebhookEvent.SUBSCRIPTION_CREATED, BACK, now=arrival.now)
    return Registered(stored, secret, created=False)


def _tell(tx: Transaction, device: Subscription, kind: WebhookEvent, reason: str, *, now: datetime) -> None:
    tx.outbox.device(device.app_id, device.id, kind, reason, now=now)


def _check_identity_policy(tx: Transaction, arrival: Arrival, known: Known | None, *, proof: Proof) -> None:
    new = arrival.new
    if new.user_external_id is None or arrival.verified or arrival.trusted:
        return
    unchanged = known is not None and known.subscription.user_external_id == new.user_external_id
    if not (unchanged and proof is Proof.SECRET) and identity_required(tx, new.app_id):
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "This App takes a user's id only with a signed token.")
