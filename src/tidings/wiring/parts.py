"""What belongs together in the Container: devices with apps, what people chose, what sends by itself, members."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tidings.bus import Bus
from tidings.lib.clock import Clock
from tidings.lib.egress import HostPolicy
from tidings.lib.fetch import Fetcher
from tidings.lib.ids import Ids
from tidings.lib.opaque import OpaquePairs
from tidings.lib.outcalls import Call
from tidings.pipeline.flow import Flow
from tidings.services.account import Account
from tidings.services.answers import Answers
from tidings.services.audit import Audit
from tidings.services.devices import Devices
from tidings.services.dry_run import DryRuns
from tidings.services.event_types import EventTypes
from tidings.services.events import Events
from tidings.services.feed import Feed
from tidings.services.feed_watch import FeedWatch
from tidings.services.follows import Follows
from tidings.services.grants import Grants
from tidings.services.integrations import Integrations
from tidings.services.invitations import Invitations
from tidings.services.members import Members
from tidings.services.oidc import Oidc
from tidings.services.oidc_provider import Providers
from tidings.services.oidc_sign_in import OidcSignIn
from tidings.services.passkeys import Passkeys
from tidings.services.passwords import Passwords
from tidings.services.preferences import Preferences
from tidings.services.presets import Presets
from tidings.services.relays import Relays
from tidings.services.second_factor import SecondFactor
from tidings.services.segments import Segments
from tidings.services.sessions import Sessions
from tidings.services.sign_in import SignIn
from tidings.services.throttle import Throttle
from tidings.services.trials import Trials
from tidings.services.triggers import Triggers
from tidings.services.tripwire import Tripwire
from tidings.services.webhook_delivery import WebhookDelivery
from tidings.services.webhooks import Webhooks
from tidings.settings import Settings
from tidings.storage import Store


@dataclass(frozen=True, slots=True)
class Phones:
    """What devices with apps need beyond browsers: integrations, tokens to send with, tests and registrations."""

    integrations: Integrations
    grants: Grants
    trials: Trials
    devices: Devices
    relays: Relays

    @classmethod
    def of(cls, *, store: Store, clock: Clock, ids: Ids, policy: HostPolicy, flow: Flow, call: Call) -> Phones:
        """Put them together."""
        grants = Grants(clock=clock, call=call)
        integrations = Integrations(store=store, clock=clock, ids=ids, grants=grants, call=call)
        trials = Trials(store=store, flow=flow, integrations=integrations, clock=clock)
        devices = Devices(store=store, clock=clock, ids=ids, policy=policy)
        relays = Relays(store=store, clock=clock, ids=ids, policy=policy, call=call)
        return cls(integrations, grants, trials, devices, relays)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everything about the people who run the instance."""

    sessions: Sessions
    passwords: Passwords
    sign_in: SignIn
    account: Account
    members: Members
    invitations: Invitations
    second_factor: SecondFactor
    audit: Audit
    passkeys: Passkeys
    oidc: Oidc
    oidc_sign_in: OidcSignIn


@dataclass(frozen=True, slots=True)
class Automation:
    """What goes on by itself: the events that an App reports, their types and triggers, and what webhooks are told."""

    event_types: EventTypes
    events: Events
    triggers: Triggers
    dry_runs: DryRuns
    presets: Presets
    tripwire: Tripwire
    webhooks: Webhooks
    telling: WebhookDelivery

    @classmethod
    def of(cls, *, store: Store, bus: Bus, clock: Clock, ids: Ids, tripwire: Tripwire, fetcher: Fetcher) -> Automation:
        """Put them together; the fetcher is that of the webhooks alone, whose receivers may hang."""
        telling = WebhookDelivery(store=store, clock=clock, fetcher=fetcher, chance=random.random)
        events = Events(store=store, bus=bus, clock=clock, ids=ids)
        return cls(
            event_types=EventTypes(store=store, clock=clock),
            events=events,
            triggers=Triggers(store=store, clock=clock, ids=ids),
            dry_runs=DryRuns(store=store, clock=clock, events=events, tripwire=tripwire),
            presets=Presets(store=store, clock=clock),
            tripwire=tripwire,
            webhooks=Webhooks(store=store, clock=clock, ids=ids, fetcher=fetcher, delivery=telling),
            telling=telling,
        )


@dataclass(frozen=True, slots=True)
class People:
    """What people of an App choose, follow, find in the bell and answer, and which of them are meant together."""

    preferences: Preferences
    follows: Follows
    segments: Segments
    feed: Feed
    watch: FeedWatch
    answers: Answers

    @classmethod
    def of(cls, *, store: Store, clock: Clock, ids: Ids, deliveries: OpaquePairs) -> People:
        """Put them together."""
        key, places = store.sealer.derive("unsubscribe links"), OpaquePairs(store.sealer.derive("feed places"))
        return cls(
            preferences=Preferences(store=store, clock=clock, key=key, deliveries=deliveries),
            follows=Follows(store=store, clock=clock),
            segments=Segments(store=store, clock=clock, ids=ids),
            feed=Feed(store=store, clock=clock, places=places),
            watch=FeedWatch(store=store, clock=clock),
            answers=Answers(store=store, clock=clock, deliveries=deliveries),
        )


def accounts_of(settings: Settings, store: Store, clock: Clock, ids: Ids, fetcher: Fetcher) -> Accounts:
    """Build what members need."""
    sessions, passwords = Sessions(store=store, clock=clock, ids=ids), Passwords()
    throttle, providers = Throttle(store=store, clock=clock), Providers(fetcher=fetcher, clock=clock)
    return Accounts(
        sessions=sessions,
        passwords=passwords,
        sign_in=SignIn(store=store, clock=clock, ids=ids, sessions=sessions, passwords=passwords, throttle=throttle),
        account=Account(store=store, clock=clock, sessions=sessions, passwords=passwords, throttle=throttle),
        members=Members(store=store, clock=clock, ids=ids),
        audit=Audit(store=store, clock=clock),
        second_factor=SecondFactor(store=store, clock=clock, ids=ids, sessions=sessions, throttle=throttle),
        passkeys=Passkeys(store=store, clock=clock, ids=ids, sessions=sessions, base_url=settings.base_url),
        oidc=Oidc(store=store, clock=clock, providers=providers, base_url=settings.base_url),
        oidc_sign_in=OidcSignIn(
            store=store, clock=clock, ids=ids, sessions=sessions, providers=providers, base_url=settings.base_url
        ),
        invitations=Invitations(store=store, clock=clock, ids=ids, sessions=sessions, passwords=passwords),
    )
