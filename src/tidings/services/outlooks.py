"""Outlooks: a notification that is not sent yet goes in; what is in its way, and whom it comes late, comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidings.domain.app import Credential, CredentialStatus, Integration
from tidings.domain.audience import Audience
from tidings.domain.delivery import SkipReason
from tidings.domain.message import Urgency
from tidings.domain.outlook import Matter, Obstacle, Outlook, Quiet, Reached
from tidings.domain.preference import EventKind, PutOff, Skip, decision
from tidings.lib.clock import Clock
from tidings.pipeline.settle import EVERYWHERE
from tidings.providers import BROWSER
from tidings.services.integrations import REMOVED_REASON
from tidings.services.quiet import quiet_of_app
from tidings.services.web_push import web_push_enabled
from tidings.services.wishes import zone_from
from tidings.storage import Store, Transaction

MOST_ASKED = 100_000
"""Devices up to which an audience's people are asked for their quiet hours: somebody waits for the answer at a page."""

NO_QUIET = Quiet(0, 0, 0, None)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be known of a notification that is not sent yet."""

    app_id: int
    audience: Audience
    event_type: str | None
    urgency: Urgency
    ttl: int
    """Seconds."""


class Outlooks:
    """Looks ahead, and stores nothing."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, planned: Planned) -> Outlook:
        """Say what would become of it now."""
        now = self._clock.now()
        return await self._store.read(lambda tx: _outlook(tx, planned, now))


def _outlook(tx: Transaction, one: Planned, now: datetime) -> Outlook:
    paused = tx.credentials.paused(one.app_id)
    keyed = tx.outlooks.keyed(one.app_id, one.audience, by_origin=False)
    devices = sum(each.devices for each in keyed)
    # Beside the index of keys, each row is read for its push service: of a large audience only where one is paused.
    if devices <= MOST_ASKED or any(origin != EVERYWHERE for _, origin in paused):
        keyed = tx.outlooks.keyed(one.app_id, one.audience, by_origin=True)
    credentials = {each.credential_id: tx.credentials.by_id(each.credential_id) for each in keyed}
    reached: Counter[tuple[str, str | None]] = Counter()
    found: Counter[tuple[Matter, str, int]] = Counter()
    enabled = web_push_enabled(tx, one.app_id)
    for credential_id, origin, counted in keyed:
        credential = credentials[credential_id]
        if credential is None:
            continue
        rests = not paused.isdisjoint({(credential_id, EVERYWHERE), (credential_id, origin or EVERYWHERE)})
        matter = _matter(credential, rests=rests, enabled=enabled)
        reached[credential.provider, origin] += counted
        if matter is not None:
            found[matter, credential.provider, credential.integration_id] += counted
    integrations = {each.id: each for each in tx.credentials.integrations(one.app_id)}
    obstacles = [_obstacle(*key, counted, integrations) for key, counted in found.items()]
    obstacles += _removed(tx, one, {each.provider for each in integrations.values()})
    quiet, turned_off = _asked(tx, one, now) if devices <= MOST_ASKED else _unasked(tx, one)
    return Outlook(
        devices,
        tuple(Reached(*way, counted) for way, counted in reached.most_common()),
        tuple(sorted(obstacles, key=lambda each: -each.devices)),
        quiet,
        turned_off,
    )


def _matter(credential: Credential, *, rests: bool, enabled: bool) -> Matter | None:
    """Say what keeps a message from the devices of a key, in the order in which sending asks."""
    if credential.status is CredentialStatus.REVOKED:
        return Matter.REVOKED
    if credential.provider == BROWSER and not enabled:
        return Matter.OFF
    return Matter.PAUSED if rests else None


def _obstacle(
    matter: Matter, provider: str, integration_id: int, devices: int, integrations: dict[int, Integration]
) -> Obstacle:
    of = integrations.get(integration_id)
    reason = of.paused_because or "" if of and matter is Matter.PAUSED else ""
    return Obstacle(matter, provider, devices, of.public_id if of else None, of.label if of else "", reason)


def _removed(tx: Transaction, one: Planned, there: set[str]) -> Iterator[Obstacle]:
    """Give devices whose integration is gone; where there is another of that provider, they come back by themselves."""
    for provider, devices in tx.outlooks.ended(one.app_id, one.audience, reason=REMOVED_REASON).items():
        if provider not in there:
            yield Obstacle(Matter.REMOVED, provider, devices)


def _unasked(tx: Transaction, one: Planned) -> tuple[Quiet | None, int]:
    """Say nothing of a large audience, but where nobody has quiet hours."""
    asks = quiet_of_app(tx, one.app_id) is not None or tx.outlooks.has_quiet_hours(one.app_id)
    return None if asks else NO_QUIET, 0


def _asked(tx: Transaction, one: Planned, now: datetime) -> tuple[Quiet, int]:
    """Decide for all who said the same at once, as sending decides for each."""
    of_app = quiet_of_app(tx, one.app_id)
    if one.event_type is None and of_app is None and not tx.outlooks.has_quiet_hours(one.app_id):
        return NO_QUIET, 0
    kind = tx.kinds.get(one.app_id, one.event_type) or EventKind(one.event_type) if one.event_type else None
    within = later = never = turned_off = 0
    until: datetime | None = None
    for standing, devices in tx.outlooks.alike(one.app_id, one.audience, one.event_type or ""):
        wish, name = standing.wish(of_app)
        zone = zone_from(name)
        holds = wish.quiet is not None and wish.quiet.end(now, zone) is not None
        what = None
        if kind is not None:
            ends = now + timedelta(seconds=one.ttl)
            what = decision(wish, kind, zone=zone, urgent=one.urgency is Urgency.HIGH, now=now, expires_at=ends)
        if isinstance(what, Skip) and what.reason is SkipReason.PREFERENCE_OFF:
            turned_off += devices
            continue
        within += devices if holds else 0
        never += devices if isinstance(what, Skip) else 0
        if isinstance(what, PutOff):
            later += devices
            until = max(until or what.until, what.until)
    return Quiet(within, later, never, until), turned_off
