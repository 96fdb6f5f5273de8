"""Sorting: recipients of a notification go in; whom it can be sent to now comes out, and why not the others.

Whoever sends asks here, and so does a dry run: what it says is what would happen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from tidings.domain.app import Credential, CredentialStatus
from tidings.domain.campaign import TEST, Notification
from tidings.domain.delivery import SkipReason
from tidings.domain.message import Urgency
from tidings.domain.subscription import Recipient
from tidings.pipeline.settle import EVERYWHERE, Pair
from tidings.providers import BROWSER
from tidings.services.web_push import web_push_enabled
from tidings.services.wishes import Heeded, heeded
from tidings.storage import Transaction

id_of: Callable[[Recipient], int] = itemgetter(0)
pair_of: Callable[[Recipient], Pair] = itemgetter(2, 6)
"""The key and the origin of a recipient; asked of each, so without a function of Python's own."""

_NOBODY = Heeded()
"""Nobody was asked."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be known of a notification to say who can be told: `test` goes out also to doubtful devices."""

    app_id: int
    event_type: str | None
    urgency: Urgency
    expires_at: datetime
    test: bool = False


@dataclass(frozen=True, slots=True)
class Sorted:
    """Recipients by what can be done with them: sent to, or not while their integration is paused (`held`).

    Who is in `skipped` (by subscription id, with the reason) is told nothing, who is in `put_off` from a moment on.
    """

    recipients: tuple[Recipient, ...]
    credentials: dict[int, Credential]
    held: tuple[int, ...] = ()
    skipped: dict[int, str] = field(default_factory=dict)
    put_off: dict[int, datetime] = field(default_factory=dict)


def matter_of(notification: Notification) -> Matter:
    """Give what is to be known of a stored notification."""
    return Matter(
        notification.app_id,
        notification.event_type,
        notification.message.urgency,
        notification.expires_at,
        test=notification.source == TEST,
    )


def sort(tx: Transaction, matter: Matter, ids: Collection[int], found: list[Recipient], *, now: datetime) -> Sorted:
    """Keep whom we can send to; the others are held, put off or skipped, each with its reason.

    `ids` are all that were meant, `found` those of them that can be sent to at all. Of keys and pauses it is decided
    once for each pair, of people's wishes only where the notification tells of an event: a campaign asks nobody.
    """
    wishes = _NOBODY if matter.event_type is None else _wishes(tx, matter, ids, now=now)
    pairs = set(map(pair_of, found))
    credentials = _usable(tx, {credential_id for credential_id, _ in pairs})
    paused = tx.credentials.paused(matter.app_id)
    keyless = {pair for pair in pairs if pair[0] not in credentials}
    rests = {pair for pair in pairs - keyless if not paused.isdisjoint({pair, (pair[0], EVERYWHERE)})}
    barred = keyless | rests
    skipped: dict[int, str] = {}
    if len(found) < len(ids):
        there = {one.subscription_id for one in found}
        skipped = {one: SkipReason.UNSUBSCRIBED for one in ids if one not in there}
    if any(one.provider == BROWSER for one in found) and not web_push_enabled(tx, matter.app_id):
        skipped |= {one.subscription_id: SkipReason.WEB_PUSH_OFF for one in found if one.provider == BROWSER}
        found = [one for one in found if one.provider != BROWSER]
    skipped |= {one.subscription_id: SkipReason.NO_CREDENTIAL for one in found if keyless and pair_of(one) in keyless}
    if resting := _resting(tx, matter, found, now=now):
        found = [one for one in found if one.subscription_id not in resting]
        skipped |= resting
    if wishes is not _NOBODY:
        found, skipped = _asked(found, skipped, wishes)
    return Sorted(
        recipients=tuple(one for one in found if pair_of(one) not in barred) if barred else tuple(found),
        credentials=credentials,
        held=tuple(one.subscription_id for one in found if rests and pair_of(one) in rests),
        skipped=skipped,
        put_off={one: until for one, until in wishes.put_off.items() if one not in skipped},
    )


def _resting(tx: Transaction, matter: Matter, found: list[Recipient], *, now: datetime) -> dict[int, str]:
    """Give devices that nothing is sent to for a while, and why: their tokens look as if they belonged elsewhere.

    A test goes out all the same. Browsers are not asked after: what their push services refuse so is dead or ours.
    """
    if matter.test:
        return {}
    phones = {one.subscription_id for one in found if one.provider != BROWSER}
    doubted = tx.subscriptions.misplaced(phones)
    return {one: suspected.reason for one, suspected in doubted.items() if suspected.rests(now)}


def _wishes(tx: Transaction, matter: Matter, ids: Collection[int], *, now: datetime) -> Heeded:
    return heeded(
        tx, matter.app_id, matter.event_type, ids, urgency=matter.urgency, expires_at=matter.expires_at, now=now
    )


def _asked(found: list[Recipient], skipped: dict[int, str], wishes: Heeded) -> tuple[list[Recipient], dict[int, str]]:
    """Leave out whoever does not want it, or not now: their wish goes before what else keeps them from it."""
    there = {one.subscription_id for one in found}
    unwanted = {one: reason for one, reason in wishes.skipped.items() if one in there}
    told = [one for one in found if one.subscription_id not in unwanted and one.subscription_id not in wishes.put_off]
    return told, skipped | unwanted


def _usable(tx: Transaction, ids: Collection[int]) -> dict[int, Credential]:
    """Give those of the credentials that are there and not revoked."""
    found = {one: tx.credentials.by_id(one) for one in sorted(ids)}
    return {
        one: credential
        for one, credential in found.items()
        if credential is not None and credential.status is not CredentialStatus.REVOKED
    }
